"""Telling people of runs: who is told of which, and how nobody is held up by a notifier that hangs.

Every notifier has a few threads at most and a line of limited length. A notification that finds the line full is
dropped, and the log says which; one that fails is in the log with the reason. No run waits for any of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from rota.call import told
from rota.clock import SystemClock
from rota.errors import BadNotifier, did_you_mean
from rota.model.run import FINAL, TROUBLE, Run, State
from rota.observe.notifiers.desktop import Desktop
from rota.observe.notifiers.email import Email
from rota.observe.notifiers.named import notifier_named
from rota.observe.notifiers.notifier import Notifier, Tells, give
from rota.sdk.listening import Listeners

__all__ = [
    "AT_ONCE",
    "WAITING",
    "Desktop",
    "Email",
    "Notices",
    "Notifier",
    "Teller",
    "Tells",
    "notifier_named",
    "notifiers_of",
]

AT_ONCE = 4
WAITING = 100
_PATIENCE = 5.0
_ON = {"failure": TROUBLE, "success": frozenset({State.SUCCEEDED}), "always": FINAL}
Say = Callable[[str, str, str], None]
"""Says in a log what went wrong: the text, the job, the run."""


def notifiers_of(given: str | Tells | Iterable[str | Tells] | None) -> list[Tells]:
    """Return notifiers that were given as they are, by name, or several at once."""
    if given is None:
        return []
    if isinstance(given, str):
        return [notifier_named(given)]
    if callable(getattr(given, "notify", None)):
        return [given]  # type: ignore[list-item]
    if isinstance(given, (list, tuple, set, frozenset)):
        return [each for one in given for each in notifiers_of(one)]
    raise BadNotifier(f"{given!r} cannot be told anything: it has no method notify(message)")


def _name_of(notifier: Tells) -> str:
    """Return how a notifier shows itself; one that shows nothing but an address is shown by its class."""
    kind = type(notifier)
    return kind.__name__ if kind.__repr__ is object.__repr__ else repr(notifier)


class _Note(msgspec.Struct, frozen=True):
    """One message on its way to one notifier."""

    message: str
    title: str
    job: str
    run: str
    done: threading.Event


class _Line:
    """The notifications for one notifier."""

    def __init__(self, notifier: Tells, say: Say) -> None:
        self.notifier = notifier
        self._name = _name_of(notifier)
        self._say = say
        self._changed = threading.Condition()
        self._waiting: deque[_Note] = deque()
        self._at_work = 0

    def put(self, note: _Note) -> None:
        """Have a note told soon, or say that it is dropped."""
        with self._changed:
            if self._at_work >= AT_ONCE:
                if len(self._waiting) < WAITING:
                    self._waiting.append(note)
                else:
                    self._drop(note, f"{AT_ONCE} others are on their way, and {WAITING} wait")
                return
            self._at_work += 1
        thread = threading.Thread(target=self._work, args=(note,), name="rota notifier", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the program is ending, and starts no more threads
            self._work(note)

    def _drop(self, note: _Note, why: str) -> None:
        self._say(f"{self._name} was not told {note.title or note.message!r}: {why}", note.job, note.run)
        note.done.set()

    def _work(self, note: _Note) -> None:
        while True:
            self._tell(note)
            with self._changed:
                if not self._waiting:
                    self._at_work -= 1
                    self._changed.notify_all()
                    return
                note = self._waiting.popleft()

    def _tell(self, note: _Note) -> None:
        try:
            give(self.notifier, note.message, note.title)
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- what a notifier does wrong is no run's fault
            self._say(f"the notifier {self._name} failed: {told(error)}", note.job, note.run)
        finally:
            note.done.set()

    def close(self, seconds: float) -> None:
        """Give those on their way their time, and drop the rest."""
        with self._changed:
            if self._changed.wait_for(lambda: not self._at_work, seconds):
                return
            while self._waiting:
                self._drop(self._waiting.popleft(), "the scheduler was closed before its turn came")
            self._say(f"{self._name} does not come to an end, and is left alone", "", "")


class Teller:
    """Gives messages to notifiers, each in threads of its own."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._lines: list[_Line] = []

    def tell(self, notifier: Tells, message: str, title: str = "", job: str = "", run: str = "") -> threading.Event:
        """Have a notifier told; the event is set when it was, or when it could not be."""
        note = _Note(message, title, job, run, threading.Event())
        with self._lock:
            line = next((each for each in self._lines if each.notifier is notifier), None)
            if line is None:
                line = _Line(notifier, self._say)
                self._lines.append(line)
        line.put(note)
        return note.done

    def close(self, seconds: float = _PATIENCE) -> None:
        """Give what is on its way its time: so many seconds for all notifiers together."""
        with self._lock:
            lines, self._lines = self._lines, []
        clock = SystemClock()
        until = clock.monotonic() + seconds
        for line in lines:
            line.close(max(0.0, until - clock.monotonic()))


class Notices:
    """Knows who is to be told of the runs of which jobs; that is the program's, and in no store."""

    def __init__(self, listeners: Listeners, say: Say) -> None:
        self._listeners = listeners
        self._teller = Teller(say)
        self._wanted: dict[str, tuple[list[Tells], frozenset[State]]] = {}
        self._listens = False

    def read(self, job: str, options: dict[str, Any]) -> tuple[list[Tells], frozenset[State]]:
        """Take `notify` and `notify_on` out of a job's options; what cannot mean anything is refused."""
        given, on = options.pop("notify", None), options.pop("notify_on", None) or "failure"
        if on not in _ON:
            raise BadNotifier(
                f"job {job!r}: notify_on is {on!r}; it may be {', '.join(_ON)}{did_you_mean(str(on), _ON)}"
            )
        try:
            return notifiers_of(given), _ON[on]
        except BadNotifier as error:
            raise BadNotifier(f"job {job!r}: {error}") from error

    def put(self, job: str, wanted: tuple[list[Tells], frozenset[State]]) -> None:
        """Go by what was read for a job from now on."""
        self._wanted.pop(job, None)
        if wanted[0]:
            self._wanted[job] = wanted
            if not self._listens:
                self._listens = True
                self._listeners.add(None, frozenset(state.value for state in FINAL), self._hear)

    def _hear(self, run: Run) -> None:
        notifiers, states = self._wanted.get(run.job, ([], frozenset[State]()))
        if run.state in states:
            for notifier in notifiers:
                self._teller.tell(notifier, _message(run), f"rota: {run.job} {_outcome(run)}", run.job, run.id)

    def close(self) -> None:
        """Give what is on its way its time."""
        self._teller.close()


def _outcome(run: Run) -> str:
    return {State.LOST: "was lost", State.CANCELLED: "was cancelled"}.get(run.state, run.state.words)


def _message(run: Run) -> str:
    """Return what happened in a sentence; how many attempts it took to fail is part of the reason."""
    text = f"Run {run.id} of {run.job} {_outcome(run)}"
    if run.state is not State.SUCCEEDED:
        return f"{text}: {run.reason}" if run.reason else text
    took = f" in {run.duration:.1f}s" if run.duration is not None else ""
    return text + took + (f", in attempt {run.attempt}" if run.attempt > 1 else "")
