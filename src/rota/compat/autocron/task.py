"""A task: what is run, when, how, and what has come of it so far."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from rota import Cron, Every
from rota.compat.autocron import work
from rota.compat.autocron.checking import check
from rota.compat.autocron.utils import parse_cron, parse_interval, timezone_name, zone_name
from rota.sdk.times import next_slot, now, zone_named

if TYPE_CHECKING:
    from typing import Protocol

    class House(Protocol):
        """Who runs a task."""

        def next_run_of(self, task: Task) -> datetime | None:
            """Return when it is due next."""

        def renew(self, task: Task, *, at_once: bool) -> None:
            """Go by what the task says now, and perhaps run it."""


_SAID = (
    *("retries", "retry_delay", "timeout", "notify", "email_config", "safe_mode", "max_memory_mb", "max_cpu_percent"),
    *("timezone", "overlap_policy", "max_instances", "misfire_grace_time", "coalesce", "clean_env", "max_output_bytes"),
)
"""What a task may be told, and a file may hold."""
_NOT_SENT = ("_house", "_lock", "on_success", "on_failure", "notifier", "last_error")
"""What stays in the program when a task is sent to a process."""
_PUBLIC_MAIL = ("smtp_server", "smtp_port", "from_email", "to_email", "use_tls", "use_ssl")
"""What of a mail account may be written down: no password, under whichever name."""


class Task:
    """What is run, when and how. A subclass may override `execute`, which is what the scheduler calls."""

    def __init__(
        self,
        name: str,
        func: Callable[..., Any] | None = None,
        script: str | None = None,
        every: str | None = None,
        cron: str | None = None,
        retries: int = 0,
        retry_delay: float = 60,
        timeout: float | None = None,
        notify: str | list[str] | None = None,
        email_config: dict[str, Any] | None = None,
        on_success: Callable[..., Any] | None = None,
        on_failure: Callable[..., Any] | None = None,
        safe_mode: bool = False,
        max_memory_mb: int | None = None,
        max_cpu_percent: float | None = None,
        timezone: str | tzinfo | None = None,
        overlap_policy: str = "skip",
        max_instances: int = 1,
        misfire_grace_time: float | None = 60.0,
        coalesce: bool = True,
        clean_env: bool = False,
        max_output_bytes: int = 1_000_000,
        notifier: Any = None,
    ) -> None:
        check(locals())
        self.task_id = str(uuid4())
        self.name, self.func, self.script = name.strip(), func, script
        self.retries, self.retry_delay, self.timeout = retries, retry_delay, timeout
        self.notify, self.email_config, self.notifier = notify, email_config, notifier
        self.on_success, self.on_failure = on_success, on_failure
        self.safe_mode, self.max_memory_mb, self.max_cpu_percent = safe_mode, max_memory_mb, max_cpu_percent
        self.clean_env, self.max_output_bytes = clean_env, max_output_bytes
        self.overlap_policy, self.max_instances = overlap_policy, max_instances
        self.misfire_grace_time, self.coalesce = misfire_grace_time, coalesce
        self.timezone = timezone_name(timezone)
        self.schedule_type = "interval" if every is not None else "cron" if cron is not None else "manual"
        self.schedule_value = str(every if every is not None else cron or "")
        if every is not None:
            self.interval_seconds = parse_interval(every)
        elif cron is not None:
            parse_cron(self.schedule_value)
        self.run_count = self.fail_count = 0
        self.last_run: datetime | None = None
        self.last_error: BaseException | None = None
        self.last_output = ""
        self._enabled = True
        self._house: House | None = None
        self._lock = threading.Lock()
        present = now(self.zone)
        self._next_run = present if every is not None else self.due_after(present)

    def __repr__(self) -> str:
        return f"Task(name={self.name!r}, {self.schedule_type}={self.schedule_value!r}, enabled={self.enabled})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _NOT_SENT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(dict.fromkeys(_NOT_SENT) | state)
        self._lock = threading.Lock()

    # -- what runs ----------------------------------------------------------------------------------------------------

    def execute(self) -> Any:
        """Run the function or the script, and return what the function returned or the script wrote.

        The scheduler calls this for a task whose class overrides it, within the task's timeout and retries.
        """
        return work.execute(self)

    @property
    def has_own_way(self) -> bool:
        """Tell whether a subclass says what running it means."""
        return type(self).execute is not Task.execute

    # -- when ---------------------------------------------------------------------------------------------------------

    @property
    def zone(self) -> str | None:
        """The IANA name of the time zone; None is the host's own."""
        return zone_name(self.timezone)

    @property
    def tzinfo(self) -> tzinfo:
        """The time zone."""
        return zone_named(self.zone)

    @property
    def plan(self) -> Cron | Every | None:
        """The schedule, as rota has it; None for a task that runs when somebody asks for it."""
        if self.schedule_type == "cron":
            return Cron(self.schedule_value)
        return Every(timedelta(seconds=self.interval_seconds)) if self.schedule_type == "interval" else None

    def due_after(self, instant: datetime) -> datetime | None:
        """Return when the task is due next after an instant."""
        return None if self.plan is None else next_slot(self.plan, instant, self.zone)

    @property
    def planned(self) -> datetime | None:
        """When the task is due next, as far as it was said or computed the last time."""
        return self._next_run

    @property
    def next_run(self) -> datetime | None:
        """When the task is due next; a new interval is due at once."""
        found = self._house.next_run_of(self) if self._house is not None else None
        return self._next_run if found is None else found.astimezone(self.tzinfo)

    @next_run.setter
    def next_run(self, at: datetime | None) -> None:
        present = now(self.zone)
        self._next_run = present if at is None else self._in_zone(at)
        if self._house is not None:
            self._house.renew(self, at_once=self.enabled and self._next_run <= present)

    @property
    def enabled(self) -> bool:
        """Whether the task is due at all."""
        return self._enabled

    @enabled.setter
    def enabled(self, wanted: bool) -> None:
        if wanted != self._enabled:
            self._enabled = bool(wanted)
            if self._house is not None:
                self._house.renew(self, at_once=False)

    def should_run(self, at: datetime | None = None) -> bool:
        """Tell whether the task is due."""
        due, at = self.next_run, self._in_zone(at) if at is not None else now(self.zone)
        return self.enabled and due is not None and due <= at

    def update_next_run(self, at: datetime | None = None) -> None:
        """Take the task for run at a time (or now), and compute when it is due next."""
        self.last_run = self._in_zone(at) if at is not None else now(self.zone)
        following = self.due_after(self.last_run)
        if following is not None:
            self.next_run = following

    def belong_to(self, house: House | None) -> None:
        """Be run by somebody, or by nobody any more."""
        if house is None and self._house is not None:
            self._next_run = self.next_run
        self._house = house

    def _in_zone(self, at: datetime) -> datetime:
        return at.replace(tzinfo=self.tzinfo) if at.tzinfo is None else at.astimezone(self.tzinfo)

    # -- what has come of it ------------------------------------------------------------------------------------------

    def note_failure(self, error: BaseException) -> None:
        """Keep that an attempt has failed; the run goes on."""
        with self._lock:
            self.fail_count += 1
            self.last_error = error

    def note(self, started: datetime | None, failed: int, error: BaseException | None, output: str) -> None:
        """Keep how a run went: `failed` attempts more did not succeed, and `error` is why the last did not."""
        with self._lock:
            if started is not None:
                self.last_run = started.astimezone(self.tzinfo)
            self.fail_count += failed
            self.run_count += error is None
            self.last_error, self.last_output = error, output

    # -- as plain data ------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return the task as plain data, without functions and secrets."""
        data: dict[str, Any] = {"task_id": self.task_id, "name": self.name, "script": self.script}
        data |= {"schedule_type": self.schedule_type, "schedule_value": self.schedule_value, "enabled": self.enabled}
        data |= {word: getattr(self, word) for word in _SAID}
        if self.email_config is not None:
            data["email_config"] = {key: self.email_config[key] for key in _PUBLIC_MAIL if key in self.email_config}
        for word, at in (("last_run", self.last_run), ("next_run", self.next_run)):
            data[word] = None if at is None else at.isoformat()
        return data | {"run_count": self.run_count, "fail_count": self.fail_count}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make a task of plain data, as `to_dict` and files have it; only one with a script can be made so."""
        if not isinstance(data, Mapping) or not data.get("name") or not data.get("script"):
            raise ValueError("a saved task needs a name and a script; functions are added by the program itself")
        kind = data.get("schedule_type") or ("interval" if data.get("every") is not None else "cron")
        if kind not in ("interval", "cron"):
            raise ValueError(f"task {data['name']!r}: schedule_type is {kind!r}; it may be interval or cron")
        value = data.get("schedule_value", data.get("every" if kind == "interval" else "cron"))
        said = {word: data[word] for word in _SAID if data.get(word) is not None}
        if "misfire_grace_time" in data:  # of this one, None is a value
            said["misfire_grace_time"] = data["misfire_grace_time"]
        when: dict[str, Any] = {"every" if kind == "interval" else "cron": None if value is None else str(value)}
        task = cls(str(data["name"]), script=str(data["script"]), **when, **said)
        task.task_id = str(data.get("task_id") or task.task_id)
        task._enabled = bool(data.get("enabled", True))
        task.run_count, task.fail_count = int(data.get("run_count") or 0), int(data.get("fail_count") or 0)
        for word in ("last_run", "next_run"):
            if data.get(word):
                setattr(task, word, task._in_zone(datetime.fromisoformat(str(data[word]))))
        return task

    # -- as others spell it -------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The same as `task_id`."""
        return self.task_id

    @property
    def schedule_expr(self) -> str:
        """The same as `schedule_value`."""
        return self.schedule_value
