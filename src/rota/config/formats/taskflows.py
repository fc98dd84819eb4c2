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
from datetime import timedelta
from typing import Any

from rota.config.absolute import absolute
from rota.config.formats.building import Names, finished, mapping_of
from rota.config.formats.fields import Faults, Fields, scalar_text
from rota.config.formats.registry import Source
from rota.config.formats.systemd_command import BadCommand, read_command, with_specifiers
from rota.config.formats.taskflows_schedule import Schedules, read_schedules
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import Mapping, Node, Scalar, Sequence
from rota.errors import did_you_mean
from rota.model.action import Action, Command, Shell
from rota.model.job import Job
from rota.model.policy import CatchUp, Policy, Retries

FOR_EVER = timedelta(days=36_525)
RESTARTS = 5
_SPOKEN_PAUSE = "10 seconds after the failure, and each later one twice as late"
_SERVICE = (
    *("name", "description", "start_command", "exec_start", "schedule", "start_schedule", "restart_policy", "timeout"),
    *("env", "env_file", "working_directory", "enabled", "type", "kill_signal"),
)
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
        *("limits", "resources", "cpu_limit", "mem_limit"),
    ),
    "containers": ("environment", "container", "docker", "image", "volumes", "network_mode"),
    "notifications": ("alerts",),
}
LATER = {key: what for what, keys in _LATER.items() for key in keys}
"""Words of a service that mean nothing here yet, and what they are about."""
_NEVER_ENDS = ("always", "on-success", "unless-stopped", "on-watchdog")
_ONE_SIGNAL = ("on-abnormal", "on-abort")
_ON_FAILURE = "write on-failure or no"


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
        self.notes: list[tuple[Mark, str]] = []

    def read(self, key: Scalar | None, names: Names) -> FoundJob | None:
        """Return the service as a job, or tell what is wrong with it."""
        fields = self.fields
        self._refuse_later()
        fields.check_keys((*_SERVICE, *LATER), listed=_SERVICE)
        name = fields.text("name", required=key is None) or (key.text if key else None)
        mark = fields.at("name") if fields.has("name") or key is None else key.mark
        if name:
            names.claim(name, mark, self.faults)
        action, schedules = self._action(), self._schedules()
        self._check_type()
        policy, env = self._policy(schedules), fields.words("env")
        cwd, env_files = self._path("working_directory") or self.directory, self._env_files()
        if not self.faults.sound or action is None:
            return None
        assert name, "required"
        job = Job(
            name=name,
            action=action,
            schedules=schedules.specs,
            policy=policy,
            description=fields.text("description") or "",
            cwd=cwd,
            env=env,
            env_files=env_files,
        )
        self.found.notes += [*self.notes, *schedules.notes]
        return finished(job, mark, self.faults, key.mark if key else fields.mark)

    def _note(self, mark: Mark, text: str) -> None:
        """Keep what is different here, and say it now."""
        self.notes.append((mark, text))
        self.faults.tell(mark, text)

    def _refuse_later(self) -> None:
        for key, what in LATER.items():
            if self.fields.gives(key):
                hint = (
                    "variables go into env"
                    if key == "environment"
                    else f"remove {key}, or keep this service in Taskflows"
                )
                self.faults.add(self.fields.key_at(key), f"{key}: {what} come with a later rota", hint)

    def _action(self) -> Action | None:
        """Return the command as systemd reads it; with a variable in it, it is a line of shell."""
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
        try:
            action = read_command(text)
        except BadCommand as error:
            self.faults.add(self.fields.at(key), f"{key}: {error.problem}", error.hint)
            return None
        if isinstance(action, Shell):
            split = "; a bare $NAME is split at spaces, whatever quotes are in it" if "set -f" in action.line else ""
            self.faults.tell(self.fields.at(key), f"{key}: /bin/sh puts the variables in{split}")
        return action

    def _schedules(self) -> Schedules:
        given = [key for key in ("schedule", "start_schedule") if self.fields.has(key)]
        if len(given) > 1:
            self.faults.add(
                self.fields.key_at("schedule"), "schedule and start_schedule are both given", "one is enough"
            )
            return Schedules()
        node = self.fields.node_of(given[0]) if given else None
        enabled = self.fields.flag("enabled", False)
        schedules = Schedules() if node is None else read_schedules(node, self.faults, enabled=enabled)
        if enabled:
            if not given:
                text = "enabled without a schedule is a service that starts with the machine and goes on"
                self.faults.add(
                    self.fields.key_at("enabled"), f"{text}; those come with a later rota", "give it a schedule"
                )
            else:
                note = "enabled: rota starts it by its schedule, and not when the machine starts"
                self._note(self.fields.key_at("enabled"), note)
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
        """Return the files of variables; one that may be missing is not, for rota wants it when a run starts."""
        text = (self.fields.text("env_file") or "").strip()
        if not text:
            return ()
        if set(text) & set("*?["):
            self.faults.add(self.fields.at("env_file"), "env_file: a pattern of several files", "name one file")
            return ()
        path = self._path("env_file", text.removeprefix("-"))
        if path and text.startswith("-"):
            note = "env_file: the '-' lets it be missing in Taskflows; here a run fails while it is"
            self._note(self.fields.at("env_file"), note)
        if path and not os.path.isfile(path):
            self.faults.tell(
                self.fields.at("env_file"), f"env_file: {path} is not there now; the job fails until it is"
            )
        return (path,) if path else ()

    def _path(self, key: str, text: str | None = None) -> str | None:
        """Return an absolute path, with systemd's specifiers put in; a relative one counts from the file."""
        text = self.fields.text(key) if text is None else text
        if not text:
            return None
        try:
            text = with_specifiers(text)
        except BadCommand as error:
            self.faults.add(self.fields.at(key), f"{key}: {error.problem}", error.hint)
            return None
        return absolute(self.directory, text)

    def _policy(self, schedules: Schedules) -> Policy:
        policy: dict[str, Any] = {
            "timeout": self.fields.limit("timeout"),
            "retries": self._retries(),
            "jitter": schedules.jitter,
        }
        if schedules.persistent:
            policy["grace"] = FOR_EVER  # Persistent=true: as soon as the machine is back, however late
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
                self._note(node.mark, f"restart_policy: on-failure is {RESTARTS} retries here, {_SPOKEN_PAUSE}")
                return restart_retries()
            self._refuse_condition(condition, node.mark)
            return Retries()
        inner = self.fields.inner("restart_policy", "restart policy")
        if inner is None:
            return Retries()
        inner.check_keys(("type", "condition", "delay", "max_attempts", "window"))
        condition = (inner.text("condition", required=True) or "no").lower()
        if condition != "on-failure":
            self._refuse_condition(condition, inner.at("condition"))
            return Retries()
        return self._limited(inner)

    def _limited(self, inner: Fields) -> Retries:
        """Return the retries of a policy; what it leaves open is said, for systemd would go on for ever."""
        count, delay = inner.number("max_attempts", 0), inner.duration("delay")
        place = inner.key_at("max_attempts" if inner.has("max_attempts") else "condition")
        if not count:
            self._note(place, f"restart_policy: without max_attempts there are {RESTARTS} retries here")
        if not delay:
            self._note(place, f"restart_policy: without a delay retries begin {_SPOKEN_PAUSE}")
        if inner.has("window"):
            note = "window: retries are counted for each run, not in a window of time"
            self._note(inner.key_at("window"), note)
        return restart_retries(count, delay)

    def _refuse_condition(self, condition: str, mark: Mark) -> None:
        fault = restart_fault(condition)
        if fault is not None:
            self.faults.add(mark, *fault)


def restart_retries(count: int | None = None, delay: timedelta | None = None) -> Retries:
    """Return what a restart after a failure is here: so many retries, and where a delay is given, always the same."""
    count = count or RESTARTS
    if not delay:
        return Retries(count=count)
    return Retries(count=count, delay=delay, backoff=1.0, max_delay=max(delay, timedelta(hours=1)))


def restart_fault(condition: str) -> tuple[str, str] | None:
    """Return why a restart policy that is not on-failure cannot be taken, and what to write; None for 'no'."""
    if condition in ("no", "false", ""):
        return None
    if condition in _NEVER_ENDS:
        return f"restart_policy {condition!r} keeps a service going; those come with a later rota", _ON_FAILURE
    if condition in _ONE_SIGNAL:
        return f"restart_policy {condition!r} looks at signals only, which rota cannot do", _ON_FAILURE
    near = did_you_mean(condition, ("no", "on-failure", *_NEVER_ENDS)).removeprefix("; ")
    return f"restart_policy {condition!r} is unknown", near or "it may be no or on-failure"


FORMAT = Taskflows()
