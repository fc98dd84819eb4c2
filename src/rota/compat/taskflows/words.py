"""What a service may be told, one word at a time; what rota cannot do yet is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import rota
from rota.compat.taskflows.exceptions import NotYet, TaskflowsError, ValidationError
from rota.compat.taskflows.schedule import LOG, Calendar, Periodic, Schedule
from rota.errors import did_you_mean
from rota.sdk.services import FOR_EVER, LATER, can_be_imported, command_of, retry_of

_ENDS = ("simple", "oneshot", "exec", "service")
_GOES_ON = ("forking", "notify", "dbus", "idle")
_WORDS = (
    *("name", "start_command", "exec_start", "description", "schedule", "start_schedule", "restart_policy", "timeout"),
    *("environment", "env", "env_file", "working_directory", "enabled", "kill_signal", "type", "home"),
)
_LATER = {**LATER, "slice": "resource limits", "system_load_constraints": "resource limits"}


@contextmanager
def in_their_words(what: str) -> Iterator[None]:
    """Let what cannot mean anything be a ValidationError that says where."""
    try:
        yield
    except TaskflowsError:
        raise
    except rota.RotaError as error:
        raise ValidationError(f"{what}: {error}") from None


class Venv:
    """A named environment of conda's; it comes with a later rota, and until then it is refused by name."""

    def __init__(self, env_name: str) -> None:
        raise NotYet(f"Venv({env_name!r})", "environments of conda's")


class RestartPolicy:
    """Whether a command that failed is tried again (on-failure, no): after `delay` seconds, `max_attempts` times."""

    def __init__(
        self, condition: str, delay: float | None = None, max_attempts: int | None = None, window: float | None = None
    ) -> None:
        self.condition, self.delay, self.max_attempts, self.window = condition, delay, max_attempts, window
        with in_their_words("a service"):
            self.retry = retry_of(condition, max_attempts, None if delay is None else timedelta(seconds=delay))
        if window:
            LOG.warning("window: retries are counted for each run, not in a window of time")

    def __repr__(self) -> str:
        return f"RestartPolicy({self.condition!r}, delay={self.delay}, max_attempts={self.max_attempts})"


def refuse(more: Mapping[str, Any]) -> None:
    """Refuse words that mean something which rota cannot do yet, and those that mean nothing."""
    for word, value in more.items():
        if word in _LATER and value is not None:
            raise NotYet(word, _LATER[word])
        if word not in _LATER:
            raise ValidationError(f"a service has no {word!r}{did_you_mean(word, _WORDS)}")


def either(name: str, **given: Any) -> Any:
    """Return what was given under one of two names."""
    said = {word: value for word, value in given.items() if value is not None}
    if len(said) > 1:
        raise ValidationError(f"service {name!r}: {' and '.join(said)} are both given; one is enough")
    return next(iter(said.values()), None)


def variables(name: str, environment: Any) -> dict[str, str]:
    """Return `environment` as variables; in Taskflows it may also be where a command runs, and that comes later."""
    if environment is None:
        return {}
    if not isinstance(environment, Mapping):
        raise NotYet("environment", f"environments such as that of service {name!r} ({environment!r})")
    return {key: str(value) for key, value in environment.items()}


def check_type(name: str, kind: str, kill_signal: str) -> None:
    """Refuse services that go on, and signals that rota does not send."""
    if kind in _GOES_ON:
        raise NotYet(f"type={kind!r}", "services that go on")
    if kind not in _ENDS:
        raise ValidationError(f"service {name!r}: type is {kind!r}{did_you_mean(kind, (*_ENDS, *_GOES_ON))}")
    if kill_signal.upper().removeprefix("SIG") != "TERM":
        raise ValidationError(
            f"service {name!r}: kill_signal is {kill_signal!r}; rota ends a job with SIGTERM, and then with SIGKILL"
        )


def what_runs(name: str, command: Any) -> str | Sequence[str] | Callable[..., Any]:
    """Return what a scheduler runs for a command: words, a line of shell, or a function that others can import."""
    if callable(command):
        if not can_be_imported(command):
            raise ValidationError(
                f"service {name!r}: {command!r} cannot be imported, and whoever serves the home has to; put it into a "
                "module, or write a command"
            )
        return command  # type: ignore[no-any-return]
    if isinstance(command, (list, tuple)):
        return [str(word) for word in command]
    with in_their_words(f"service {name!r}: {command!r}"):
        return command_of(str(command))


def when(schedules: Sequence[Schedule], *, enabled: bool) -> dict[str, Any]:
    """Return a service's schedules, and what they say of slots that are missed, in rota's words."""
    made = [each.rota_schedule(enabled=enabled) for each in schedules]
    found = [each for each in made if each is not None]
    words: dict[str, Any] = {"schedule": found} if found else {}
    calendars = [each for each in schedules if isinstance(each, Calendar)]
    if any(each.persistent for each in calendars):
        words["grace"] = FOR_EVER  # as soon as the machine is back, however late
    elif calendars:
        words["catch_up"] = "none"
    spread = max((each.randomized_delay or 0 for each in schedules), default=0)
    if spread:
        words["jitter"] = spread
    return words


def tell_what_differs(name: str, schedules: Sequence[Schedule], *, enabled: bool) -> None:
    """Say in the log which schedules are not quite what they are in Taskflows."""
    for each in schedules:
        if each.rota_schedule(enabled=enabled) is None:
            LOG.warning(
                "[%s] %r begins when it is told to, and rota has no such switch: start() runs it once", name, each
            )
        elif isinstance(each, Periodic) and each.start_on == "login":
            LOG.warning("[%s] start_on='login': rota runs whether or not somebody is logged in", name)
