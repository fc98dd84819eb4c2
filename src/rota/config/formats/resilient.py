"""The Resilient Task Scheduler's jobs.yaml: a list of jobs with APScheduler triggers.

```yaml
- id: daily_backup
  func: /path/to/backup_script.sh
  trigger: {type: cron, day_of_week: mon-sun, hour: '2', minute: '30'}
```

`func` is `pkg.mod.function`, `pkg.mod:function`, or a path to a script. Trigger fields keep APScheduler's meaning to
the instant (see `apscheduler_cron`); `coalesce` is catch_up, `misfire_grace_time` is grace.
"""

from __future__ import annotations

import os
import re
import shlex
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rota.config.absolute import absolute
from rota.config.formats.apscheduler_cron import FIELDS, BadField, translate
from rota.config.formats.building import (
    Names,
    finished,
    instant_of,
    mapping_of,
    script_argv,
    tried,
    zone_of,
)
from rota.config.formats.fields import Faults, Fields, kind_of, scalar_text
from rota.config.formats.python_modules import is_there, source_of
from rota.config.formats.registry import Source
from rota.config.formats.shell_signs import shell_sign
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import Mapping, Node, Scalar, Sequence, plain
from rota.config.syntax.yaml_writer import scalar
from rota.model.action import Action, Command, Python
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import CatchUp, Policy
from rota.schedule.duration import format_duration

GRACE = timedelta(hours=1)
_FOR_EVER = timedelta(days=36_525)
_JOB = {
    *("id", "func", "name", "description", "is_enabled", "trigger", "timezone", "args", "kwargs", "max_instances"),
    *("coalesce", "misfire_grace_time", "replace_existing"),
}
_APSCHEDULERS = {"executor": "each run is a process of its own", "jobstore": "jobs are kept in rota's store"}
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_BOUNDS = ("start_date", "end_date", "jitter", "timezone")
_NEVER = "write a day that the month has, or day: last"
_FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_SCRIPTS = (".sh", ".py", ".bash", ".zsh", ".pl", ".rb", ".js", ".bat", ".cmd", ".ps1", ".exe")


class _When(NamedTuple):
    """What a trigger says."""

    schedules: tuple[ScheduleSpec, ...]
    zone: str | None
    not_before: datetime | None = None
    not_after: datetime | None = None
    jitter: timedelta = timedelta(0)


class Resilient:
    """Reads jobs.yaml of the Resilient Task Scheduler."""

    name = "resilient"

    def recognises(self, path: str, node: Node) -> bool:
        """Tell a list of jobs with a function or a trigger."""
        if not isinstance(node, Sequence):
            return False
        keys = [set(item.entries) for item in node.items if isinstance(item, Mapping)]
        return any({"func", "trigger"} & each for each in keys) or (
            not node.items and os.path.basename(path) in ("jobs.yaml", "jobs.yml")
        )

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Return the jobs of the list, in its order."""
        faults, found, names = Faults(problems, source.text), Jobset(self.name), Names()
        if not isinstance(source.node, Sequence):
            what = "empty" if source.node is None else kind_of(source.node)
            faults.add(
                Mark(source.path, 1, 1), f"a jobs.yaml is a list of jobs, and this is {what}", "begin with: - id: …"
            )
            return found
        for item in source.node.items:
            mapping = mapping_of(item, faults, item.mark, "job")
            if mapping is None:
                continue
            job = _Job(Fields(mapping, Faults(problems, source.text), "job"), source.directory, found).read(names)
            if job is not None:
                found.jobs.append(job)
        return found


class _Job:
    """Reads one job."""

    def __init__(self, fields: Fields, directory: str, found: Jobset) -> None:
        self.fields, self.faults = fields, fields.faults
        self.directory, self.found = directory, found

    def read(self, names: Names) -> FoundJob | None:
        """Return the job, or tell what is wrong with it."""
        fields = self.fields
        fields.check_keys((*_JOB, *_APSCHEDULERS))
        for key, text in _APSCHEDULERS.items():
            if fields.has(key):
                self.found.notes.append((fields.key_at(key), f"{key}: {text}"))
                self.faults.tell(fields.key_at(key), f"{key} is not carried over: {text}")
        name = fields.text("id", required=True)
        if name:
            names.claim(name, fields.at("id"), self.faults, key="id")
        zone = zone_of(fields)
        action, when = self._action(), self._trigger(zone)
        policy = self._policy(when)
        fields.flag("replace_existing", True)
        description, enabled = fields.text("description") or fields.text("name"), fields.flag("is_enabled", True)
        if not self.faults.sound or action is None or when is None:
            return None
        assert name, "required"
        job = Job(
            name=name,
            action=action,
            schedules=when.schedules,
            policy=policy,
            timezone=when.zone,
            description=description or "",
            enabled=enabled,
            cwd=self.directory,
            env=self._python_path(action),
        )
        return finished(job, fields.at("id"), self.faults, fields.mark)

    def _action(self) -> Action | None:
        """Tell a function from a script: a colon, a slash, a known suffix, or else dots."""
        func = self.fields.text("func", required=True, hint="pkg.mod.function, pkg.mod:function or a path to a script")
        kwargs = self._kwargs()
        if not func:
            return None
        func = func.strip()
        if _FUNCTION.fullmatch(func):
            return self._function(func, kwargs)
        if _DOTTED.fullmatch(func) and not func.lower().endswith(_SCRIPTS):
            module, _, function = func.rpartition(".")
            return self._function(f"{module}:{function}", kwargs)
        if kwargs:
            hint = "a script gets its arguments by place: write args"
            self.faults.add(self.fields.key_at("kwargs"), "kwargs are for Python functions, and func is a script", hint)
        return self._script(func, self.fields.texts("args", "[--days, 30]"))

    def _function(self, target: str, kwargs: dict[str, Any]) -> Python:
        """Return a call; a module that is not to be found is told now, and not at three in the morning."""
        module = target.partition(":")[0]
        if not is_there(self.directory, module):
            where = f"neither in {self.directory}, nor in its src/, nor installed"
            self.faults.tell(
                self.fields.at("func"),
                f"func: the module {module} is not there now, {where}; the job fails until it is",
            )
        return Python(target, tuple(self._plain_args()), kwargs)

    def _script(self, func: str, args: tuple[str, ...]) -> Command | None:
        """Return a script or a command; one with arguments of its own is split as a shell would."""
        words = [func] if os.path.exists(self._beside(func)) else self._words(func)
        if not words:
            return None
        program, args = words[0], (*words[1:], *args)
        if "/" not in program and not program.lower().endswith(_SCRIPTS) and not os.path.exists(self._beside(program)):
            return Command((program, *args))
        return script_argv(program, self.directory, args, self.faults, (self.fields.at("func"), "func"))

    def _beside(self, path: str) -> str:
        return absolute(self.directory, path)

    def _words(self, func: str) -> list[str]:
        """Return the words of a command that is started without a shell, and refuse what only a shell could do."""
        sign = shell_sign(func)
        if sign is not None:
            text = f"func: {sign!r} needs a shell, and func is started without one"
            self.faults.add(self.fields.at("func"), text, f"write func: sh, and args: [-c, {scalar(func, flow=True)}]")
            return []
        if not any(letter.isspace() for letter in func):
            return [func]
        try:
            return shlex.split(func)
        except ValueError as error:
            self.faults.add(
                self.fields.at("func"), f"func: {func!r} cannot be split into words: {error}", "close the quote"
            )
            return []

    def _plain_args(self) -> list[Any]:
        node = self.fields.node_of("args")
        if node is None:
            return []
        if not isinstance(node, Sequence):
            self.faults.add(node.mark, f"args must be a list, not {kind_of(node)}", "such as [1, two]")
            return []
        return [plain(item) for item in node.items]

    def _kwargs(self) -> dict[str, Any]:
        inner = self.fields.inner("kwargs", "kwargs")
        return {} if inner is None else {key: plain(entry.node) for key, entry in inner.node.entries.items()}

    def _python_path(self, action: Action) -> dict[str, str]:
        """Let a function be found in `src/` beside the file, where the Resilient Task Scheduler keeps its own."""
        if not isinstance(action, Python):
            return {}
        place = source_of(self.directory, action.target.partition(":")[0])
        return {} if place in (None, self.directory) else {"PYTHONPATH": str(place)}

    def _policy(self, when: _When | None) -> Policy:
        fields = self.fields
        return Policy(
            max_instances=fields.number("max_instances", 1, least=1),
            catch_up=CatchUp.LATEST if fields.flag("coalesce", True) else CatchUp.ALL,
            grace=self._grace(),
            not_before=when.not_before if when else None,
            not_after=when.not_after if when else None,
            jitter=when.jitter if when else timedelta(0),
        )

    def _grace(self) -> timedelta:
        """Return how late a run may start; as in APScheduler null is no limit, and 0 is refused."""
        if "misfire_grace_time" in self.fields.node.entries and not self.fields.has("misfire_grace_time"):
            return _FOR_EVER
        grace = self.fields.duration("misfire_grace_time", GRACE)
        if not grace and self.fields.has("misfire_grace_time"):
            text = "misfire_grace_time must be more than 0, as in APScheduler"
            hint = "write 1 for runs that may not be late, or null for no limit"
            self.faults.add(self.fields.at("misfire_grace_time"), text, hint)
        return grace or GRACE

    # --- triggers

    def _trigger(self, zone: str | None) -> _When | None:
        node = self.fields.node_of("trigger")
        if node is None:
            hint = "such as: trigger: {type: cron, hour: 2}"
            self.faults.add(self.fields.mark, "trigger is missing in this job", hint)
            return None
        trigger = self.fields.inner("trigger", "trigger")
        if trigger is None:
            return None
        kinds = {"cron": self._cron, "interval": self._interval, "date": self._date}
        read = trigger.choice("type", kinds, None)
        if read is None:
            if not trigger.has("type"):
                self.faults.add(trigger.mark, "type is missing in this trigger", f"it may be {', '.join(kinds)}")
            return None
        when: _When | None = read(trigger, zone_of(trigger) or zone)
        return when

    def _cron(self, trigger: Fields, zone: str | None) -> _When | None:
        trigger.check_keys(("type", *FIELDS, *_BOUNDS))
        given: dict[str, str] = {}
        for name in FIELDS:
            node = trigger.node_of(name)
            if isinstance(node, Scalar):
                given[name] = scalar_text(node)
            elif isinstance(node, Sequence) and all(isinstance(item, Scalar) for item in node.items):
                given[name] = ",".join(scalar_text(item) for item in node.items if isinstance(item, Scalar))
            elif node is not None:
                self.faults.add(node.mark, f"{name} must be a number or text, not {kind_of(node)}")
                return None
        if not given and not self.faults.sound:
            return None
        try:
            translation = translate(given)
        except BadField as error:
            self.faults.add(trigger.at(error.field), error.problem, error.hint)
            return None
        for name, remark in translation.remarks:
            self.faults.tell(trigger.at(name), remark)
        place = trigger.at("day") if trigger.has("day") else trigger.mark
        specs = [
            tried(self.faults, place, "trigger", kind, text, zone, never=_NEVER) for kind, text in translation.schedules
        ]
        return self._bounded(trigger, zone, tuple(spec for spec in specs if spec))

    def _interval(self, trigger: Fields, zone: str | None) -> _When | None:
        """Read an interval; its start is the first slot, so the anchor is one interval before it."""
        trigger.check_keys(("type", *_UNITS, *_BOUNDS))
        span = timedelta(0)
        for unit in _UNITS:
            if trigger.has(unit):
                number = trigger.amount(unit)
                if number is None:
                    return None
                span += timedelta(**{unit: number})
        if not span:
            self.faults.add(trigger.mark, "this interval has no length", "such as minutes: 5")
            return None
        spec = tried(self.faults, trigger.mark, "trigger", "every", format_duration(span), zone)
        when = self._bounded(trigger, zone, (spec,) if spec else ())
        if spec is None or when is None or when.not_before is None:
            return when
        try:
            anchored = ScheduleSpec("every", spec.text, anchor=when.not_before - span)
        except OverflowError:
            self.faults.add(trigger.at("start_date"), "start_date is out of range")
            return None
        return when._replace(schedules=(anchored,))

    def _date(self, trigger: Fields, zone: str | None) -> _When | None:
        trigger.check_keys(("type", "run_date", "timezone"))
        text = trigger.text("run_date", required=True, hint="such as '2027-01-31 10:00:00'")
        spec = tried(self.faults, trigger.place("run_date"), "run_date", "at", text, zone) if text else None
        return _When((spec,), zone) if spec else None

    def _bounded(self, trigger: Fields, zone: str | None, schedules: tuple[ScheduleSpec, ...]) -> _When:
        return _When(
            schedules,
            zone,
            not_before=instant_of(trigger, "start_date", zone),
            not_after=instant_of(trigger, "end_date", zone),
            jitter=trigger.duration("jitter") or timedelta(0),
        )


FORMAT = Resilient()
