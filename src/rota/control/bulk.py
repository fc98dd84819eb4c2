"""One verb on many jobs: each has an outcome of its own, and what is wrong with one stops no other.

They go in groups, each one transaction: the engine waits for a group at most, and a thousand jobs do not cost a
thousand commits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import islice

import msgspec

from rota.control.ownership import check_by_hand
from rota.control.verbs import Verbs
from rota.errors import NoSuchJob, RotaError, StoreUnavailable, kind_of
from rota.ports import Store

MOST = 10_000
_GROUP = 50
_HINTS = 20


class Action(StrEnum):
    """What can be done to many jobs."""

    PAUSE = "pause"
    RESUME = "resume"
    RUN = "run"
    DELETE = "delete"


class Outcome(msgspec.Struct, frozen=True):
    """What came of it for one job."""

    name: str
    ok: bool
    run: str | None = None
    """The run that was made."""
    problem: str = ""
    kind: str = "ok"
    """What kind of problem, in the words of the audit."""


class Bulk:
    """Does it."""

    def __init__(self, store: Store, verbs: Verbs) -> None:
        self._store = store
        self._verbs = verbs
        self._actions: dict[Action, Callable[[str], str | None]] = {
            Action.PAUSE: self._pause,
            Action.RESUME: self._resume,
            Action.RUN: verbs.trigger,
            Action.DELETE: self._delete,
        }

    def do(self, action: Action, names: Sequence[str]) -> list[Outcome]:
        """Do it to each of these jobs, in their order; the same name again is the same job.

        Names that nobody has are told apart first: to look for what was meant takes a while, and no transaction waits
        for that. The first few are told what was meant.
        """
        wanted, known = list(dict.fromkeys(names)), self._store.jobs.names()
        there = frozenset(known)
        missing = [name for name in wanted if name not in there]
        outcomes = {
            name: self._missing(name, known if number < _HINTS else None) for number, name in enumerate(missing)
        }
        left = iter([name for name in wanted if name in there])
        while group := list(islice(left, _GROUP)):
            with self._verbs.together():
                outcomes |= {name: self._one(action, name) for name in group}
        return [outcomes[name] for name in wanted]

    def _missing(self, name: str, known: Sequence[str] | None) -> Outcome:
        error = NoSuchJob(name, known, removed=self._store.jobs.find(name) is not None)
        return Outcome(name, False, problem=str(error), kind=kind_of(error))

    def _one(self, action: Action, name: str) -> Outcome:
        try:
            return Outcome(name, True, self._actions[action](name))
        except StoreUnavailable:
            raise  # it is not this job's, and nothing of the group has happened
        except RotaError as error:
            return Outcome(name, False, problem=str(error), kind=kind_of(error))

    def _pause(self, name: str) -> None:
        self._verbs.pause(name)

    def _resume(self, name: str) -> None:
        if self._store.jobs.get(name).paused_at is not None:
            self._verbs.resume(name)

    def _delete(self, name: str) -> None:
        check_by_hand(self._store.jobs.get(name))
        self._verbs.remove(name)
