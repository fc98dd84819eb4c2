"""The verbs of the command line: where each is, and what it does in a few words. A listing imports none of them."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """Where a verb's command is, and how it is summed up."""

    module: str
    summary: str


SECTIONS: dict[str, dict[str, Verb]] = {
    "Start": {
        "init": Verb("init", "Write a starter rota.yaml, and make a home for jobs."),
        "serve": Verb("serve", "Run the engine: it starts jobs when they are due."),
    },
    "Job files": {
        "apply": Verb("apply", "Make the jobs of files match the files."),
        "diff": Verb("apply", "Show what apply would do."),
        "validate": Verb("validate", "Show every problem of job files."),
        "schema": Verb("validate", "Print the JSON Schema of job files."),
        "import": Verb("moving", "Rewrite another program's jobs as a rota.yaml."),
        "export": Verb("moving", "Print jobs as a crontab."),
    },
    "Jobs": {
        "add": Verb("add", "Make a job."),
        "remove": Verb("jobs", "Take jobs out of service; their history stays."),
        "list": Verb("jobs", "List the jobs."),
        "show": Verb("show", "Show everything about one job."),
        "next": Verb("coming", "Show the coming slots."),
        "pause": Verb("jobs", "Make no more slots of jobs due."),
        "resume": Verb("jobs", "End a pause."),
    },
    "Runs": {
        "run": Verb("run", "Run a job now."),
        "cancel": Verb("run", "End a run, or all active runs of a job."),
        "retry": Verb("run", "Run an ended run once more."),
        "runs": Verb("runs", "List runs, newest first."),
        "logs": Verb("logs", "Show what a run wrote."),
    },
    "Answers": {
        "why": Verb("why", "Say why something ran, or did not."),
        "missed": Verb("why", "List what did not happen."),
        "stats": Verb("stats", "Show figures, and what they advise."),
    },
    "Hosts": {
        "hosts": Verb("hosts", "Show the hosts of this store, and say what they do."),
    },
    "Access": {
        "user": Verb("users", "Let people use the pages and REST."),
        "token": Verb("tokens", "Make and revoke what programs show."),
        "audit": Verb("audit", "Show who did what."),
    },
    "Upkeep": {
        "doctor": Verb("doctor", "Check this home and this machine."),
        "prune": Verb("upkeep", "Drop history that is older than it may be."),
        "backup": Verb("upkeep", "Copy the whole store into a file."),
        "store": Verb("store", "Copy a whole store into another database."),
        "version": Verb("about", "Say which versions these are."),
        "completion": Verb("about", "Print a completion script for a shell."),
    },
}
VERBS: dict[str, Verb] = {name: verb for verbs in SECTIONS.values() for name, verb in verbs.items()}
HIDDEN: dict[str, Verb] = {
    "tell": Verb("tell", "Write what runs do into one log, beside the engine."),
    "web": Verb("web", "Serve the pages and REST, beside the engine."),
}
"""What rota calls itself; people have no need for it, and no listing has it."""
