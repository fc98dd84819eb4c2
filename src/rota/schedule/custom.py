"""Schedules of others: classes that know instants rota does not, such as sunsets or the days of an exchange.

A job keeps such a schedule as text: the name of the class, and behind it what the class makes of the rest. The class is
one of this program, or of an installed distribution (entry point `rota.schedules`). This is the one place in the room
of schedules that looks beyond its arguments, and only when a text is read: a schedule by name cannot be had otherwise.

What a plug-in answers is not believed. It may raise, give instants without a zone, go back in time, or stand still, and
each of that is a BadSchedule: it concerns its own job, and nobody else waits for it. Slots that are less than a second
apart are refused as well, for whatever asks for each of them would never come to an end. What cannot be guarded against
is a plug-in that does not return.

Failure modes: only next_after is known. The latest slot is found by halving the time before an instant, which is exact
for a schedule that says the same whenever it is asked. Slots are counted one by one, up to a number at which a count
stays: of a longer range the ledger has its first and last slot and `at least so many`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from rota.errors import BadPlugin, BadSchedule, RotaError, did_you_mean
from rota.plugins import SCHEDULES, load, names

MOST_COUNTED = 10_000
SHORTEST = timedelta(seconds=1)
_PROBE = datetime(2024, 1, 1, tzinfo=UTC)
"""Any instant will do to see whether a schedule answers at all."""
_MOST_ROUNDS = 200
_GROWTH, _OLDEST = 16, timedelta(days=365 * 100)
_KNOWN: dict[str, type[Schedule]] = {}


class Schedule:
    """When something is due; the base of rota's own schedules and of yours.

    A subclass has a `name` and says `next_after`. Its text is what stands behind the name where it is written down:
    `Sunset("Berlin")` is `sunset Berlin`, which is read by calling the class with that text, or with nothing if there
    is none. Keep it in `text`.
    """

    name: ClassVar[str] = ""
    text: str = ""

    def __init_subclass__(cls, **given: Any) -> None:
        """Make the class known by its name in this program."""
        super().__init_subclass__(**given)
        name = cls.__dict__.get("name", "")
        if not isinstance(name, str) or not name:
            return
        if len(name.split()) != 1:
            raise RotaError(f"the schedule {cls.__name__} is named {name!r}; a name is one word")
        known = _KNOWN.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            where = f"{known.__module__}.{known.__qualname__}"
            raise RotaError(f"a schedule named {name!r} is there already ({where}); choose another name")
        _KNOWN[name] = cls  # the same class anew is a cell that was run again, or a module that was reloaded

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first instant that is due strictly after another, or None when there is no more.

        Both are aware datetimes in UTC. It is asked by the engine itself: answer at once, and do not ask a network.
        """
        raise NotImplementedError(f"{type(self).__name__} says nothing about when it is due; give it next_after")

    def explain(self) -> str:
        """Say in plain English when this is due."""
        return f"{self.name} {self.text}".strip()


class Custom:
    """A schedule of others behind the answers that the rest of rota relies on; see base.Schedule."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._kind, self._inner = _made(text)
        self.next_after(_PROBE)

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first slot strictly after the instant."""
        found = self._ask(instant)
        if found is not None:
            self._following(found)
        return found

    def latest_until(self, instant: datetime) -> datetime | None:
        """Return the last slot at or before the instant.

        1. Look back further and further, until there is a slot between.
        2. As long as another follows it: halve what lies between the last slot that is known and where none is known to
           be. Each slot that is met is later, so this comes to an end after some sixty rounds, and mostly after one.
        """
        slot, high = self._some_until(instant), instant
        if slot is None:
            return None
        for _ in range(_MOST_ROUNDS):
            following = self._slot_until(slot, instant)
            if following is None:
                return slot
            middle = following + (high - following) / 2
            found = self._slot_until(middle, instant)
            slot, high = (following, middle) if found is None else (found, high)
        raise self._bad(f"it has no latest slot until {instant}", "next_after must say the same whenever it is asked")

    def count(self, after: datetime, until: datetime) -> int:
        """Return the number of slots in (after, until], or the number at which a count stays."""
        number, slot = 0, self._ask(after)
        while slot is not None and slot <= until and number < MOST_COUNTED:
            number, slot = number + 1, self._following(slot)
        return number

    def explain(self) -> str:
        """Say when, in the plug-in's words if it has some."""
        try:
            words = self._current().explain()
        except (Exception, SystemExit):  # noqa: BLE001 -- what cannot be said in words is said as it is written
            words = ""
        return words if isinstance(words, str) and words else self._text

    def _some_until(self, instant: datetime) -> datetime | None:
        """Return a slot at or before the instant that is not long ago, if there is any."""
        span = SHORTEST
        while span < _OLDEST:
            found = self._slot_until(instant - span, instant)
            if found is not None:
                return found
            span *= _GROWTH
        return None

    def _slot_until(self, after: datetime, until: datetime) -> datetime | None:
        found = self._ask(after)
        return found if found is not None and found <= until else None

    def _following(self, slot: datetime) -> datetime | None:
        found = self._ask(slot)
        if found is not None and found - slot < SHORTEST:
            raise self._bad(f"{slot} and {found} are due, which is too often", "slots are a second apart, or more")
        return found

    def _ask(self, instant: datetime) -> datetime | None:
        try:
            found = self._current().next_after(instant)
        except (Exception, SystemExit) as error:
            raise self._bad(f"its next_after raised {type(error).__name__}: {error}") from error
        if found is None:
            return None
        if not isinstance(found, datetime) or found.utcoffset() is None:
            raise self._bad(f"its next_after returned {found!r}", "return an aware datetime, or None")
        try:
            found = found.astimezone(UTC)
        except OverflowError:
            return None
        if found <= instant:
            raise self._bad(f"asked for what comes after {instant}, its next_after returned {found}")
        return found

    def _current(self) -> Schedule:
        """Return the plug-in; a class that was defined anew takes the place of the one before."""
        if _KNOWN.get(self._kind.name, self._kind) is not self._kind:
            self._kind, self._inner = _made(self._text)
        return self._inner

    def _bad(self, problem: str, hint: str = "") -> BadSchedule:
        return BadSchedule(self._text, 0, problem, hint)


def is_of_program(text: str) -> bool:
    """Tell whether only this program knows the schedule of a text, because no installed distribution has it."""
    return text.split(maxsplit=1)[0] not in names(SCHEDULES)


def _made(text: str) -> tuple[type[Schedule], Schedule]:
    """Return the class that a text names, and what it makes of the rest."""
    name, *rest = text.strip().split(maxsplit=1)
    try:
        kind = _KNOWN.get(name) or load(SCHEDULES, name)
    except BadPlugin as error:
        hint = did_you_mean(name, _KNOWN).removeprefix("; ") or error.hint
        raise BadSchedule(text, 1, error.problem, hint) from error
    if not (isinstance(kind, type) and issubclass(kind, Schedule)):
        raise BadSchedule(text, 1, f"{name!r} stands for {kind!r}", "it must be a subclass of rota.Schedule")
    try:
        return kind, kind(*rest)
    except BadSchedule as error:
        raise BadSchedule(text, 0, error.problem, error.hint) from error
    except (Exception, SystemExit) as error:
        shown = f"{kind.__name__}({', '.join(map(repr, rest))})"
        raise BadSchedule(text, 0, f"{shown} raised {type(error).__name__}: {error}") from error
