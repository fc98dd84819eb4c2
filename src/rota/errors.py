"""Everything that rota raises on purpose, drawn as a tree; the exit code is the command line's.

RotaError                      1
├── UsageError                 2   what was asked cannot mean anything
│   ├── BadSchedule                a schedule's text is wrong; knows the column and suggests
│   ├── BadJob                     a job's definition is wrong
│   ├── BadNotifier                nobody can be told this way, or not on this machine
│   ├── BadPlugin                  a plug-in is missing, or cannot be used
│   ├── BadHome                    the home directory cannot be used
│   ├── BadAccount                 a name, a password or a role that nobody can have
│   ├── StoreCorrupt               the store's file is damaged
│   └── StoreTooNew                a newer rota wrote the store
├── NotFound                   3   no such job or run
│   ├── NoSuchJob
│   ├── NoSuchRun
│   ├── NoSuchUser
│   └── NoSuchHost
├── Conflict                   4   true as asked, but not now
│   ├── JobExists
│   ├── UserExists
│   ├── Outdated                   somebody changed it in between
│   ├── NotByHand                  a file's or a program's job is changed there
│   ├── IllegalMove                the state machine forbids it
│   ├── StoreInUse                 older programs work on the store, and could not after the change of its schema
│   └── EngineRunning              the home has an engine already
├── EngineNotRunning           5   only an engine could do this
├── HomeGone                   1   somebody took the home away while an engine served it
├── NotTold                    1   a notification did not arrive; knows the reason
├── PortTaken                  1   the pages and REST cannot be served there
├── CannotStart                1   an attempt's program cannot be started; knows a shell's code
├── TaskTimeout                1   a call took longer than it may; a TimeoutError, too
├── CallFailed                 1   a call's process ended without an answer, or with an exception that cannot be sent
├── NotCarried                 1   a call returned something that cannot be sent back from its process
├── NotKept                    1   a run has succeeded, but what its function returned could not be kept
├── Unreadable                 1   a newer rota wrote it, and this one does not understand it
│   └── UnreadableJob
└── StoreUnavailable           1   passing: locked by another program, its disk full, its server away
    ├── StoreBusy
    └── StoreFull
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

_FEW = 10
_MANY = 500
"""So many names fit into a message."""


class RotaError(Exception):
    """The root: its text says what, which, why and what next."""

    exit_code = 1


class UsageError(RotaError):
    """What was asked cannot mean anything; the text says how to ask."""

    exit_code = 2


class BadSchedule(UsageError):
    """A schedule's text is wrong at a column (1-based, or 0 when the whole of it is)."""

    def __init__(self, text: str, column: int, problem: str, hint: str = "") -> None:
        self.text, self.column, self.problem, self.hint = text, column, problem, hint
        where = f"column {column}: " if column else ""
        super().__init__(f"schedule {text!r}: {where}{problem}" + (f"; {hint}" if hint else ""))


class BadJob(UsageError):
    """A job's definition is wrong."""


class BadNotifier(UsageError):
    """Nobody can be told this way, or not on this machine; the text says what would help."""


class BadPlugin(UsageError):
    """A plug-in is missing, or cannot be used."""

    def __init__(self, problem: str, hint: str = "") -> None:
        self.problem, self.hint = problem, hint
        super().__init__(problem + (f"; {hint}" if hint else ""))


class BadHome(UsageError):
    """The home directory cannot be used."""


class BadAccount(UsageError):
    """A name, a password or a role that nobody can have."""


class StoreCorrupt(UsageError):
    """The store is damaged; it is left as it was found."""


class StoreTooNew(UsageError):
    """A newer rota wrote the store."""


class NotFound(RotaError):
    """No such job or run."""

    exit_code = 3


class NoSuchJob(NotFound):
    """No job has this name; or one had it, and was removed."""

    def __init__(self, name: str, known: Iterable[str] | None = None, *, removed: bool = False) -> None:
        if removed:
            told = f"job {name!r} was removed; its history is left, and whoever adds it again has it back"
        else:
            names = None if known is None else sorted(known)
            told = f"no job named {name!r}{'' if names is None else did_you_mean(name, names) or _there_are(names)}"
        super().__init__(told)


class NoSuchRun(NotFound):
    """No run has this id."""


class NoSuchUser(NotFound):
    """Nobody has this name."""


class NoSuchHost(NotFound):
    """There is no such host."""


class Conflict(RotaError):
    """True as asked, but not now."""

    exit_code = 4


class JobExists(Conflict):
    """A job of this name is there already."""


class UserExists(Conflict):
    """Somebody of this name is there already."""


class Outdated(Conflict):
    """Somebody changed it in between."""


class NotByHand(Conflict):
    """What a file or a program says of a job can only be changed there."""


class IllegalMove(Conflict):
    """The state machine of runs forbids it."""


class StoreInUse(Conflict):
    """Older programs work on the store, and could not go on after the change of its schema."""


class EngineRunning(Conflict):
    """The home has an engine already."""


class EngineNotRunning(RotaError):
    """Only an engine could do this, and none is running."""

    exit_code = 5


class HomeGone(RotaError):
    """Somebody took the home away, or put another in its place, while an engine served it."""


class NotTold(RotaError):
    """A notification did not arrive; the text is the reason, and has no secret in it."""


class PortTaken(RotaError):
    """The pages and REST cannot be served there."""


class CannotStart(RotaError):
    """An attempt's program cannot be started; the code is a shell's: 126 or 127."""

    def __init__(self, code: int, why: str) -> None:
        self.code, self.why = code, why
        super().__init__(why)


class TaskTimeout(RotaError, TimeoutError):
    """A call took longer than it may, and was ended."""


class CallFailed(RotaError):
    """A call's process ended without an answer, or its exception cannot be sent back; the text says what is known."""


class NotCarried(RotaError):
    """A call has succeeded, but what it returned cannot be sent back from its process."""


class NotKept(RotaError):
    """A run has succeeded, but what its function returned could not be kept with it; the text says why."""


class Unreadable(RotaError):
    """A newer rota wrote it, and this one does not understand it; whoever does goes on with it."""


class UnreadableJob(Unreadable):
    """A job of which that is true; knows as much of it as is to be read."""

    def __init__(self, why: str, job_id: int, name: str, definition_id: int, planned_to: datetime) -> None:
        self.why, self.job_id, self.name = why, job_id, name
        self.definition_id, self.planned_to = definition_id, planned_to
        super().__init__(f"job {name!r}: {why}")


class StoreUnavailable(RotaError):
    """Passing: the store cannot be used now; trying again later loses nothing."""


class StoreBusy(StoreUnavailable):
    """Another program holds what is to be locked, or has changed it just now."""


class StoreFull(StoreUnavailable):
    """The disk is full, or does not answer."""


def _there_are(names: list[str]) -> str:
    """Return '; there are …', with the first few of the names."""
    if not names:
        return "; there are no jobs"
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"; there are: {', '.join(names[:_FEW])}{more}"


def kind_of(error: RotaError) -> str:
    """Return an error's class in the words of REST and the audit: `no-such-job`."""
    return re.sub(r"(?<!^)([A-Z])", r"-\1", type(error).__name__).lower()


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return '; did you mean …?' for the nearest known word, or nothing.

    To compare with ten thousand names takes a tenth of a second, and a slip may be told inside of a transaction. So of
    very many those are compared that begin alike or end alike: most slips are in one place.
    """
    from difflib import get_close_matches

    meant, words = str(word), list(known)
    if len(words) > _MANY:
        backwards = [each[::-1] for each in words]
        words = _beside(meant, words) + [each[::-1] for each in _beside(meant[::-1], backwards)]
    near = get_close_matches(meant, words, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _beside(word: str, words: list[str]) -> list[str]:
    """Return the words that stand beside a word in their order."""
    from bisect import bisect

    words.sort()
    place = bisect(words, word)
    return words[max(0, place - _MANY // 4) : place + _MANY // 4]
