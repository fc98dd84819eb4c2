"""AutoCron's autocron.yaml, and the file that its `save_tasks` writes (YAML or JSON, version "1.0").

Both run scripts, on an interval or a cron expression. In autocron.yaml `schedule` is either; a saved task has
`schedule_type` and `schedule_value`, and times of its last and next run, from which an interval keeps its phase.

Kept: retries with a delay that doubles up to an hour, `timeout`, `enabled`. Not carried over yet, and said: `notify`,
`email`, `safe_mode` and its limits. A password in the file is never read into a job.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from rota.config.absolute import absolute
from rota.config.formats.building import Names, finished, instant_of, mapping_of, script_argv, tried, zone_of
from rota.config.formats.fields import Faults, Fields, parse_span
from rota.config.formats.pool_names import pool_of
from rota.config.formats.registry import Source
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import Mapping, Node, Sequence
from rota.errors import BadSchedule
from rota.model.action import Command
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import CatchUp, Overlap, Policy, Retries

RETRY_DELAY = timedelta(seconds=60)
_ENVELOPE = ("version", "saved_at", "tasks")
_CONFIGURATION = ("scheduler", "logging", "tasks", "notifications")
_SCHEDULER = ("max_workers", "timezone", "use_os_scheduler", "log_path", "log_level")
_LOGGING = ("level", "path", "file", "log_path", "log_level", "max_bytes", "backup_count", "console", "format")
_TASK = {
    *("name", "script", "retries", "retry_delay", "timeout", "enabled", "description", "args", "timezone"),
    *("overlap_policy", "max_instances", "misfire_grace_time", "coalesce"),
}
_LATER = {
    "notify": "notifications",
    "email": "notifications",
    "email_config": "notifications",
    "safe_mode": "resource limits",
    "max_memory_mb": "resource limits",
    "max_cpu_percent": "resource limits",
    "max_output_bytes": "resource limits",
    "clean_env": "resource limits",
}
_STATE = ("task_id", "last_run", "next_run", "run_count", "fail_count", "created_at")
_OVERLAP = {each.value: each for each in Overlap}
_EVERY = "every "


class AutoCron:
    """Reads autocron.yaml and saved tasks."""

    name = "autocron"

    def recognises(self, path: str, node: Node) -> bool:
        """Tell a list of tasks that have a script, or AutoCron's envelope."""
        if not isinstance(node, Mapping) or "tasks" not in node.entries:
            return False
        if os.path.basename(path) in ("autocron.yaml", "autocron.yml"):
            return True
        tasks = node.entries["tasks"].node
        items = tasks.items if isinstance(tasks, Sequence) else []
        scripts = any(isinstance(item, Mapping) and "script" in item.entries for item in items)
        return scripts or ("version" in node.entries and "saved_at" in node.entries)

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Return the tasks as jobs, in the order of the file."""
        faults, found = Faults(problems, source.text), Jobset(self.name)
        root = mapping_of(source.node, faults, Mark(source.path, 1, 1), "configuration")
        if root is None:
            return found
        fields = Fields(root, faults, "file")
        saved = "version" in root.entries or "saved_at" in root.entries
        fields.check_keys(_ENVELOPE if saved else _CONFIGURATION)
        if saved:
            _check_version(fields)
        pool = pool_of(self.name, os.path.join(source.directory, os.path.basename(source.path)))
        pool, zone = _settings(fields, found, source.directory, pool)
        tasks = fields.node_of("tasks")
        if not isinstance(tasks, Sequence):
            if not (saved and tasks is None and fields.node.entries.get("tasks")):
                faults.add(
                    fields.at("tasks"), "tasks must be a list", "such as: tasks: [{name: …, script: …, schedule: 5m}]"
                )
            return found
        names = Names()
        for item in tasks.items:
            task = mapping_of(item, faults, item.mark, "task")
            if task is not None:
                reader = _Task(Fields(task, Faults(problems, source.text), "task"), source.directory, found)
                job = reader.read(names, pool, zone, saved=saved)
                if job is not None:
                    found.jobs.append(job)
        return found


def _check_version(fields: Fields) -> None:
    version = fields.text("version", required=True, hint='write version: "1.0"')
    if version is not None and version.split(".")[0] != "1":
        hint = "save the tasks again with the AutoCron that reads this file, or write 1.0 if it is one"
        fields.faults.add(fields.at("version"), f"version {version!r} is unknown; rota reads 1.0", hint)


def _settings(fields: Fields, found: Jobset, directory: str, workers: str) -> tuple[str, str | None]:
    """Read what is said about the scheduler; return the pool (if there is one) and the zone of the tasks."""
    pool, zone = "", None
    if scheduler := fields.inner("scheduler", "scheduler"):
        scheduler.check_keys(_SCHEDULER)
        if scheduler.has("max_workers"):
            pool = workers
            found.pools[pool] = scheduler.number("max_workers", 4, least=1)
        zone = zone_of(scheduler)
        if scheduler.flag("use_os_scheduler", False):
            _note(
                found.general,
                scheduler,
                "use_os_scheduler",
                "rota's own engine starts these jobs; `rota export crontab` writes a crontab",
            )
    if logging := fields.inner("logging", "logging"):
        logging.check_keys(_LOGGING)
        for key in ("path", "file", "log_path"):
            if path := logging.text(key):
                found.settings["log_file"] = absolute(directory, path)
    if fields.has("notifications"):
        _note(found.general, fields, "notifications", "notifications come with a later rota")
    return pool, zone


def _note(notes: list[tuple[Mark, str]], fields: Fields, key: str, text: str) -> None:
    """Keep what was not carried over, and say it now."""
    notes.append((fields.key_at(key), f"{key}: {text}"))
    fields.faults.tell(fields.key_at(key), f"{key} is not carried over: {text}")


class _Task:
    """Reads one task."""

    def __init__(self, fields: Fields, directory: str, found: Jobset) -> None:
        self.fields, self.directory, self.found = fields, directory, found
        self.faults = fields.faults

    def read(self, names: Names, pool: str, zone: str | None, *, saved: bool) -> FoundJob | None:
        """Return the task as a job, or tell what is wrong with it."""
        fields = self.fields
        schedule_keys = ("schedule_type", "schedule_value") if saved else ("schedule", "every", "cron")
        fields.check_keys((*_TASK, *_LATER, *schedule_keys, *(_STATE if saved else ())))
        name = fields.text("name", required=True)
        if name:
            names.claim(name, fields.at("name"), self.faults)
        self._tell_later()
        zone = zone_of(fields) or zone
        command = self._command()
        spec = self._saved_schedule(zone) if saved else self._schedule(zone)
        policy = self._policy(pool)
        if not self.faults.sound:
            return None
        assert name, "required"
        assert command, "required"
        assert spec, "required"
        job = Job(
            name=name,
            action=command,
            schedules=(spec,),
            policy=policy,
            timezone=zone,
            description=fields.text("description") or "",
            enabled=fields.flag("enabled", True),
            cwd=self.directory,
        )
        return finished(job, fields.at("name"), self.faults, fields.mark)

    def _tell_later(self) -> None:
        for key, what in _LATER.items():
            if self.fields.gives(key):
                _note(self.found.notes, self.fields, key, f"{what} come with a later rota")

    def _command(self) -> Command | None:
        script = self.fields.text("script", required=True, hint="functions cannot be written to a file; name a script")
        args = self.fields.texts("args", "[--days, 30]")
        if not script:
            return None
        return script_argv(script, self.directory, args, self.faults, (self.fields.at("script"), "script"))

    def _schedule(self, zone: str | None) -> ScheduleSpec | None:
        """Read `schedule`, or `every` and `cron` as the Python API spells them."""
        given = [key for key in ("schedule", "every", "cron") if self.fields.has(key)]
        if len(given) != 1:
            what = f"{' and '.join(given)} are given; one is enough" if given else "schedule is missing in this task"
            self.faults.add(self.fields.mark, what, "write an interval such as 5m, or a cron expression")
            return None
        key = given[0]
        text = self.fields.text(key)
        if text is None:
            return None
        kind = key if key in ("every", "cron") else _kind(text)
        return self._tried(key, kind, text, zone)

    def _saved_schedule(self, zone: str | None) -> ScheduleSpec | None:
        kind = self.fields.choice("schedule_type", {"interval": "every", "cron": "cron"}, None)
        if not self.fields.has("schedule_type"):
            self.faults.add(self.fields.mark, "schedule_type is missing in this task", "it may be interval or cron")
        text = self.fields.text("schedule_value", required=True)
        if kind is None or text is None:
            return None
        return self._tried("schedule_value", kind, text, zone)

    def _tried(self, key: str, kind: str, text: str, zone: str | None) -> ScheduleSpec | None:
        if kind == "cron":
            return tried(self.faults, self.fields.place(key), key, "cron", text, zone)
        text = text.strip()
        text = text[len(_EVERY) :] if text.lower().startswith(_EVERY) else text
        spec = tried(self.faults, self.fields.place(key), key, "every", text, zone)
        return self._in_phase(spec, zone) if spec else None

    def _in_phase(self, spec: ScheduleSpec, zone: str | None) -> ScheduleSpec:
        """Go on where the saved task stood: its next run, or else its last, is a slot."""
        for key in ("next_run", "last_run"):
            if self.fields.has(key) and (slot := instant_of(self.fields, key, zone)):
                interval = parse_span(spec.text)
                anchor = slot - interval if key == "next_run" else slot
                return ScheduleSpec("every", spec.text, anchor=anchor)
        return spec

    def _policy(self, pool: str) -> Policy:
        fields = self.fields
        retries = Retries(
            count=fields.number("retries", 0), delay=fields.duration("retry_delay", RETRY_DELAY) or timedelta(0)
        )
        grace = fields.duration("misfire_grace_time")
        policy: dict[str, Any] = {
            "retries": retries if retries.count else Retries(),
            "timeout": fields.limit("timeout"),
            "pool": pool,
            "overlap": fields.choice("overlap_policy", _OVERLAP, Overlap.SKIP),
            "max_instances": fields.number("max_instances", 1, least=1),
            "catch_up": CatchUp.LATEST if fields.flag("coalesce", True) else CatchUp.ALL,
        }
        if grace is not None:
            policy["grace"] = grace
        return Policy(**policy)


def _kind(text: str) -> str:
    """Tell an interval from a cron expression: cron has several fields or an '@'."""
    text = text.strip()
    if text.lower().startswith(_EVERY):
        return "every"
    if text.startswith("@"):
        return "cron"
    try:
        parse_span(text)
    except BadSchedule:
        return "cron" if len(text.split()) > 2 or "*" in text else "every"
    return "every"


FORMAT = AutoCron()
