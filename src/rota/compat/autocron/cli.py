"""AutoCron's command line: `python -m rota.compat.autocron`, or `rota.compat.autocron.cli.main`.

Tasks are in ~/.autocron/tasks.yaml, as `save_tasks` writes them: what one call adds, the next one sees, and so does a
`start` that runs. The log of all of them is ~/.autocron/autocron.log.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rota import RotaError, __version__
from rota.compat.autocron.dashboard import Dashboard
from rota.compat.autocron.errors import AutoCronError
from rota.compat.autocron.kept import Kept, logger_of_the_home
from rota.compat.autocron.runner import AutoCron

_CONFIG = "autocron.yaml"
_LINES = 100


def create_parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(prog="autocron", description="Run scripts when they are due.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = parser.add_subparsers(dest="command", title="commands")
    schedule = verbs.add_parser("schedule", help="schedule a script")
    schedule.add_argument("script", help="the script's path")
    when = schedule.add_mutually_exclusive_group(required=True)
    when.add_argument("--every", help="an interval: 30s, 5m, 1h")
    when.add_argument("--cron", help="a cron expression: '0 9 * * *'")
    schedule.add_argument("--name", help="the task's name [the script's path as it was given]")
    schedule.add_argument("--retries", type=int, default=0, help="how often a failed run is tried again")
    schedule.add_argument("--timeout", type=float, help="after how many seconds a run is ended")
    schedule.add_argument(
        "--notify", choices=["desktop", "email"], help="how people are told; mail goes where ROTA_EMAIL says"
    )
    verbs.add_parser("list", help="list the tasks")
    for verb, text in (("stop", "take a task away"), ("run", "run a task now")):
        verbs.add_parser(verb, help=text).add_argument("name", help="the task's name")
    logs = verbs.add_parser("logs", help="show the log")
    logs.add_argument("name", nargs="?", help="only of this task")
    logs.add_argument("--lines", type=int, default=_LINES, help="how many lines of the log are looked at")
    start = verbs.add_parser("start", help="run the tasks when they are due, until Ctrl-C")
    start.add_argument(
        "--config", help=f"a configuration [{_CONFIG}, if there is one; else the tasks that were scheduled]"
    )
    dashboard = verbs.add_parser("dashboard", help="show how the tasks went")
    dashboard.add_argument("--live", action="store_true", help="go on until Ctrl-C")
    dashboard.add_argument("--refresh", type=float, default=2, help="seconds between two looks")
    stats = verbs.add_parser("stats", help="show figures")
    stats.add_argument("task", nargs="?", help="only of this task")
    stats.add_argument("--export", metavar="FILE", help="write the figures of all tasks into a JSON file")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Do what a command line says, and return the exit code: 0, or 1 with the reason on standard error."""
    parser = create_parser()
    said = parser.parse_args(argv)
    if said.command is None:
        parser.print_help()
        return 0
    try:
        return _VERBS[said.command](said)
    except (AutoCronError, RotaError, OSError) as error:
        sys.stderr.write(f"autocron: {error}\n")
        return 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _schedule(said: argparse.Namespace) -> int:
    kept, name = Kept(), said.name or said.script
    with kept.changed() as tasks:
        if tasks.get_task(name=name) is not None:
            raise AutoCronError(f"there is a task named {name!r} already; stop it first, or choose another --name")
        task_id = tasks.add_task(
            name,
            script=str(Path(said.script).expanduser().absolute()),
            every=said.every,
            cron=said.cron,
            retries=said.retries,
            timeout=said.timeout,
            notify=said.notify,
        )
    _say(f"Task {name!r} scheduled: {said.every or said.cron}\nTask ID: {task_id}")
    return 0


def _list(_said: argparse.Namespace) -> int:
    tasks = Kept().read().list_tasks()
    if not tasks:
        _say("No scheduled tasks found")
        return 0
    rows = [("Task Name", "Schedule", "Status", "Runs", "Failures")]
    for task in tasks:
        state = "Enabled" if task.enabled else "Disabled"
        when = f"{task.schedule_type}={task.schedule_value}"
        rows.append((task.name, when, state, str(task.run_count), str(task.fail_count)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        _say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _stop(said: argparse.Namespace) -> int:
    with Kept().changed() as tasks:
        if not tasks.remove_task(name=said.name):
            raise AutoCronError(f"there is no task named {said.name!r}; `autocron list` shows those that there are")
    _say(f"Task {said.name!r} stopped")
    return 0


def _run(said: argparse.Namespace) -> int:
    kept = Kept()
    tasks = kept.ready()
    well = tasks.run_task(name=said.name)
    task = tasks.get_task(name=said.name)
    kept.keep_counts(tasks)
    if task is not None and task.last_output:
        _say(task.last_output)
    if not well:
        why = task.last_error if task is not None and task.enabled else "it is disabled"
        raise AutoCronError(f"task {said.name!r} did not succeed: {why}")
    return 0


def _logs(said: argparse.Namespace) -> int:
    lines = logger_of_the_home().get_recent_logs(said.lines)
    if said.name:
        lines = [line for line in lines if f"'{said.name}'" in line or f"[{said.name}]" in line]
    _say("\n".join(lines) or "No logs found")
    return 0


def _start(said: argparse.Namespace) -> int:
    config = said.config or (_CONFIG if Path(_CONFIG).exists() else None)
    if config is None:
        Kept().serve()
    else:
        AutoCron.from_config(config).start(blocking=True)
    return 0


def _dashboard(said: argparse.Namespace) -> int:
    board = Dashboard()
    if said.live:
        board.show_live_monitor(said.refresh)
    else:
        board.show_summary()
    return 0


def _stats(said: argparse.Namespace) -> int:
    board = Dashboard()
    if said.export:
        board.export_stats(said.export)
    elif said.task:
        board.show_task_details(said.task)
    else:
        board.show_summary()
    return 0


_VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "schedule": _schedule,
    "list": _list,
    "stop": _stop,
    "run": _run,
    "logs": _logs,
    "start": _start,
    "dashboard": _dashboard,
    "stats": _stats,
}
