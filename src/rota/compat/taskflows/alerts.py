"""Alerts: who is told when a task starts, fails or finishes, and how the message gets there.

They are sent in threads of their own, so that a slow one is not in the task's way; before a task returns, it waits for
them, but not for ever. What goes wrong with one is in the log, and changes nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from rota.compat.taskflows.exceptions import TaskflowsError, ValidationError

LOG = logging.getLogger("rota.taskflows")
_EVENTS = ("start", "error", "finish")
_PATIENCE = 30.0


class Alerts:
    """Whom to tell (`send_to`), and when (`send_on`: start, error, finish).

    Each to be told is an object with `notify(message)`, a function that takes the message, or a URL of apprise's as
    text, such as `mailto://…`.
    """

    def __init__(self, send_to: Any, send_on: str | Iterable[str] = _EVENTS) -> None:
        self.send_to: list[Any] = list(send_to) if isinstance(send_to, (list, tuple)) else [send_to]
        self.send_on: list[str] = [send_on] if isinstance(send_on, str) else list(send_on)
        for event in self.send_on:
            if event not in _EVENTS:
                raise ValidationError(f"send_on has {event!r}; it may have {', '.join(_EVENTS)}")
        for target in self.send_to:
            _sender(target)

    def __repr__(self) -> str:
        return f"Alerts(send_to={len(self.send_to)}, send_on={self.send_on})"


def alerts_of(given: Any) -> list[Alerts]:
    """Return alerts, whichever way they were given; whom to tell alone is told of everything."""
    several = given if isinstance(given, (list, tuple)) else [given] if given else []
    return [each if isinstance(each, Alerts) else Alerts(each) for each in several]


def _sender(target: Any) -> Callable[[str, str], object]:
    """Return what takes a subject and a message to a target."""
    if isinstance(target, str):
        return _by_apprise(target)
    notify = getattr(target, "notify", None)
    if callable(notify):
        return lambda _, message: notify(message)
    if callable(target):
        return lambda _, message: target(message)
    raise ValidationError(
        f"{target!r} cannot be told anything; give an object with notify(message), a function, or a URL as text"
    )


def _by_apprise(url: str) -> Callable[[str, str], object]:
    if find_spec("apprise") is None:
        raise TaskflowsError("an alert to a URL needs apprise: pip install 'rota[notify]'")
    apprise: Any = import_module("apprise")
    made = apprise.Apprise()
    if not made.add(url):
        raise ValidationError(
            f"apprise does not know what to do with {url.partition(':')[0]}://…; see its list of URLs"
        )

    def send(subject: str, message: str) -> None:
        if not made.notify(title=subject, body=message):
            raise TaskflowsError(f"it did not get through to {url.partition(':')[0]}://…")

    return send


class Sending:
    """Alerts on their way. Await it to have waited for them; who does not, loses none."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._threads: list[threading.Thread] = []

    @property
    def is_under_way(self) -> bool:
        """Tell whether there is anything to wait for."""
        return bool(self._threads)

    def send(self, targets: Iterable[Any], subject: str, message: str) -> None:
        """Begin to tell all of them."""
        for target in targets:
            thread = threading.Thread(target=self._deliver, args=(target, subject, message), name="rota alert")
            self._threads.append(thread)
            thread.start()

    def _deliver(self, target: Any, subject: str, message: str) -> None:
        try:
            _sender(target)(subject, message)
        except Exception:
            LOG.exception("[%s] an alert was not sent: %s", self._task, subject)

    def wait(self) -> None:
        """Wait until all are told."""
        for thread in self._threads:
            thread.join(_PATIENCE)
            if thread.is_alive():
                LOG.warning("[%s] an alert is still on its way after %g s", self._task, _PATIENCE)
        self._threads = [thread for thread in self._threads if thread.is_alive()]

    def __await__(self) -> Generator[Any, None, None]:
        """Wait without holding up the event loop."""
        import asyncio

        if self._threads:
            yield from asyncio.to_thread(self.wait).__await__()
