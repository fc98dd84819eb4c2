"""Taskflows' services: `services:` with commands and their schedules.

```yaml
services:
  - {name: report, exec_start: python report.py, schedule: Mon..Fri 09:00, timeout: 30m, env: {LEVEL: info}}
```

A service that ends is a job. What systemd or Docker did around it — dependencies, limits, containers, services that
never end — comes with later rotas: such a key is an error that says so, because a job that runs without its limits or
before what it needs is worse than one that is not taken. An unknown key is refused.
"""

from __future__ import annotations

import os
import shlex
from datetime import timedelta
from typing import Any

from rota.config.formats.building import Names, finished, mapping_of
from rota.config.formats.fields import Faults, Fields, scalar_text
from rota.config.formats.registry import Source
from rota.config.formats.taskflows_schedule import Schedules, read_schedules
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.yaml_reader import Mapping, Node, Scalar, Sequence
from rota.model.action import Action, Command, Shell
from rota.model.job import Job
from rota.model.policy import CatchUp, Policy, Retries

_FOR_EVER = timedelta(days=36_525)
_RESTARTS = 5
_MANY_RESTARTS = 1_000_000
_RESTART_PAUSE = timedelta(milliseconds=100)
_SERVICE = {
    *("name", "description", "exec_start", "start_command", "schedule", "start_schedule", "restart_policy", "env"),
    *("env_file", "working_directory", "timeout", "enabled", "type", "kill_signal"),
}
_LATER = {
    "services that go on": (
        *("stop_command", "exec_stop", "restart_command", "exec_reload", "stop_schedule", "restart_schedule"),
        *("timeout_start", "timeout_stop"),
    ),
    "dependencies between jobs": (
        *("after", "before", "start_after", "start_before", "requires", "wants", "upholds", "requisite", "binds_to"),
        *("part_of", "conflicts", "on_failure", "on_success", "propagate_stop_to", "propagate_stop_from"),
    ),
    "resource limits": (
        *("cgroup", "cgroup_config", "startup_requirements", "memory_limit", "memory_high", "cpu_quota", "cpu_weight"),
        *("cpu_shares", "cpuset_cpus", "io_weight", "pids_limit", "oom_score_adj", "cap_drop", "read_only_rootfs"),
    ),
    "containers": ("environment", "container", "docker", "image", "volumes", "network_mode"),
    "notifications": ("alerts",),
}
_WHEN = {key: what for what, keys in _LATER.items() for key in keys}
_NEVER_ENDS = ("always", "on-success", "unless-stopped", "on-watchdog")
_ONE_SIGNAL = ("on-abnormal", "on-abort")


class Taskflows:
    """Reads services of Taskflows."""

    name = "taskflows"

    def recognises(self, path: str, node: Node) -> bool:  # noqa: ARG002 -- the shape says enough
        """Tell a mapping with services."""
        return isinstance(node, Mapping) and "services" in node.entries and "jobs" not in node.entries

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Return the services as jobs, in the order of the file."""
        faults, found, names = Faults(problems, source.text), Jobset(self.name), Names()
        root = mapping_of(source.node, faults, Mark(source.path, 1, 1), "configuration")
        if root is None:
            return found
        fields = Fields(root, faults, "file")
        fields.check_keys(("services",))
        for name, node in _services(fields):
            mapping = mapping_of(node, faults, node.mark, "service")
            if mapping is None:
                continue
            job = _Service(Fields(mapping, Faults(problems, source.text), "service"), source.directory, found).read(
                name, names
            )
            if job is not None:
                found.jobs.append(job)
        return found


def _services(fields: Fields) -> list[tuple[Scalar | None, Node]]:
    """Return each service, with its name where the file has them by name."""
    node = fields.node_of("services")
    if isinstance(node, Sequence):
        return [(None, item) for item in node.items]
    if isinstance(node, Mapping):
        return [(Scalar(key, key, entry.key_mark), entry.node) for key, entry in node.entries.items()]
    fields.faults.add(fields.at("services"), "services must be a list, or a mapping by name", "begin with: - name: …")
    return []


class _Service:
    """Reads one service."""

    def __init__(self, fields: Fields, directory: str, found: Jobset) -> None:
        self.fields, self.faults = fields, fields.faults
        self.directory, self.found = directory, found

    def read(self, key: Scalar | None, names: Names) -> FoundJob | None:
        """Return the service as a job, or tell what is wrong with it."""
        fields = self.fields
        self._refuse_later()
        fields.check_keys((*_SERVICE, *_WHEN))
        name = fields.text("name", required=key is None) or (key.text if key else None)
        mark = fields.at("name") if fields.has("name") or key is None else key.mark
        if name:
            names.claim(name, mark, self.faults)
        action, schedules = self._action(), self._schedules()
        self._check_type()
        policy, env = self._policy(schedules), fields.words("env")
        cwd = fields.text("working_directory") or self.directory
        if not self.faults.sound or action is None:
            return None
        assert name, "required"
        job = Job(
            name=name,
            action=action,
            schedules=schedules.specs,
            policy=policy,
            description=fields.text("description") or "",
            cwd=os.path.normpath(os.path.join(self.directory, os.path.expanduser(cwd))),
            env=env,
            env_files=self._env_files(),
        )
        self.found.notes += schedules.notes
        return finished(job, mark, self.faults)

    def _refuse_later(self) -> None:
        for key, what in _WHEN.items():
            if self.fields.value(key) not in (None, False, [], {}, ""):
                hint = (
                    "variables go into env"
                    if key == "environment"
                    else f"remove {key}, or keep this service in Taskflows"
                )
                self.faults.add(self.fields.key_at(key), f"{key}: {what} come with a later rota", hint)

    def _action(self) -> Action | None:
        """Return the command: words as systemd splits them, and no shell unless it has a variable in it."""
        given = [key for key in ("exec_start", "start_command") if self.fields.has(key)]
        if len(given) != 1:
            what = (
                "exec_start and start_command are both given" if given else "start_command is missing in this service"
            )
            self.faults.add(self.fields.mark, what, "write one of them, such as: start_command: python report.py")
            return None
        key = given[0]
        node = self.fields.node_of(key)
        if isinstance(node, Sequence):
            return Command(self.fields.texts(key, "[python, report.py]"))
        if isinstance(node, Mapping):
            self.faults.add(node.mark, f"{key}: a pickled function cannot be started from a file", "write a command")
            return None
        text = (self.fields.text(key) or "").strip()
        if "$" in text:
            self.faults.tell(self.fields.at(key), f"{key} has a '$' in it, so /bin/sh runs the line")
            return Shell(text)
        try:
            return Command(tuple(word.replace("%%", "%") for word in shlex.split(text)))
        except ValueError as error:
            self.faults.add(self.fields.at(key), f"{key} cannot be split into words: {error}", "close the quote")
            return None

    def _schedules(self) -> Schedules:
        given = [key for key in ("schedule", "start_schedule") if self.fields.has(key)]
        if len(given) > 1:
            self.faults.add(
                self.fields.key_at("schedule"), "schedule and start_schedule are both given", "one is enough"
            )
            return Schedules()
        node = self.fields.node_of(given[0]) if given else None
        schedules = Schedules() if node is None else read_schedules(node, self.faults)
        if self.fields.flag("enabled", False):
            if not given:
                text = "enabled without a schedule is a service that starts with the machine and goes on"
                self.faults.add(
                    self.fields.key_at("enabled"), f"{text}; those come with a later rota", "give it a schedule"
                )
            else:
                note = "enabled: rota starts it by its schedule, and not when the machine starts"
                schedules = schedules._replace(notes=(*schedules.notes, (self.fields.key_at("enabled"), note)))
        return schedules

    def _check_type(self) -> None:
        known = {"service": True, "simple": True, "oneshot": True, "exec": True, "forking": False, "notify": False}
        if self.fields.choice("type", known, True) is False:
            text = f"type: a {self.fields.text('type')} service goes on; those come with a later rota"
            self.faults.add(self.fields.at("type"), text, "write oneshot if the command ends")
        signal = self.fields.text("kill_signal") or "SIGTERM"
        if signal.upper().removeprefix("SIG") not in ("TERM", "15"):
            text = f"kill_signal {signal!r}: rota ends a job with SIGTERM, and after kill_after with SIGKILL"
            self.faults.add(self.fields.at("kill_signal"), text, "remove it")

    def _env_files(self) -> tuple[str, ...]:
        """Return the files of variables; systemd's '-' before a path, which allows it to be missing, is not kept."""
        path = self.fields.text("env_file")
        if not path:
            return ()
        return (os.path.normpath(os.path.join(self.directory, os.path.expanduser(path))),)

    def _policy(self, schedules: Schedules) -> Policy:
        policy: dict[str, Any] = {
            "timeout": self.fields.limit("timeout"),
            "retries": self._retries(),
            "jitter": schedules.jitter,
        }
        if schedules.persistent:
            policy["grace"] = _FOR_EVER  # Persistent=true: as soon as the machine is back, however late
        elif schedules.calendar:
            policy["catch_up"] = CatchUp.NONE
        return Policy(**policy)

    def _retries(self) -> Retries:
        """Restarting after a failure is trying again; what restarts after success is a service that goes on."""
        node = self.fields.node_of("restart_policy")
        if node is None:
            return Retries()
        if isinstance(node, Scalar):
            condition = scalar_text(node).lower()
            if condition == "on-failure":
                text = f"restart_policy: on-failure is {_RESTARTS} retries here, as systemd's start limit has it"
                self.found.notes.append((node.mark, text))
                return Retries(count=_RESTARTS)
            self._refuse_condition(condition, node.mark)
            return Retries()
        inner = self.fields.inner("restart_policy", "restart policy")
        if inner is None:
            return Retries()
        inner.check_keys(("type", "condition", "delay", "max_attempts", "window"))
        condition = (inner.text("condition", required=True) or "no").lower()
        count = inner.number("max_attempts", 0) or _MANY_RESTARTS
        delay = inner.duration("delay") or _RESTART_PAUSE
        if inner.has("window"):
            self.found.notes.append(
                (inner.key_at("window"), "window: retries are counted for each run, not in a window of time")
            )
        if condition == "on-failure":
            return Retries(count=count, delay=delay, backoff=1.0, max_delay=max(delay, timedelta(hours=1)))
        self._refuse_condition(condition, inner.at("condition"))
        return Retries()

    def _refuse_condition(self, condition: str, mark: Mark) -> None:
        if condition in ("no", "false", ""):
            return
        if condition in _NEVER_ENDS:
            text = f"restart_policy {condition!r} keeps a service going; those come with a later rota"
            self.faults.add(mark, text, "write on-failure or no")
        elif condition in _ONE_SIGNAL:
            text = f"restart_policy {condition!r} looks at signals only, which rota cannot do"
            self.faults.add(mark, text, "write on-failure or no")
        else:
            from rota.errors import did_you_mean

            near = did_you_mean(condition, ("no", "on-failure", *_NEVER_ENDS)).removeprefix("; ")
            self.faults.add(mark, f"restart_policy {condition!r} is unknown", near or "it may be no or on-failure")


FORMAT = Taskflows()
