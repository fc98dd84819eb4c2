"""What a schedule does where the wall clock jumps, said before it happens.

Only slots that people did not write as such are told: a time that is skipped or shown twice. A schedule that follows
real time through a jump surprises nobody, unless all of its times lie within the jump.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from rota.schedule.base import Schedule
from rota.schedule.wallclock import Stretch, to_instant, to_second, wall_clock
from rota.schedule.walltime import Rule, WallSchedule


class Surprise(NamedTuple):
    """A jump of the wall clock that matters to a schedule."""

    at: datetime
    """The instant of the jump."""
    text: str


def surprises(schedule: Schedule, after: datetime, until: datetime) -> list[Surprise]:
    """Return the jumps in (after, until] that matter to a schedule, in order."""
    if not isinstance(schedule, WallSchedule):
        return []
    clock = wall_clock(schedule.zone)
    found: list[Surprise] = []
    before = clock.stretch_at(to_second(after))
    while before is not None and before.end <= to_second(until):
        now = clock.stretch_at(before.end)
        if now is None:
            break
        text = _at(schedule, before, now)
        found += [Surprise(to_instant(now.start), text)] if text else []
        before = now
    return found


def _at(schedule: WallSchedule, before: Stretch, now: Stretch) -> str:
    """Return what happens at a jump, or nothing if nothing does."""
    left, arrived = now.start + before.offset, now.start + now.offset
    low, high = sorted((left, arrived))
    wall = schedule.pattern.first_from(low)
    if wall is None or wall >= high:
        return ""
    if schedule.rule is Rule.FOLLOW and not _is_within(schedule, low, high):
        return ""
    day, time = f"{to_instant(low):%a %Y-%m-%d}", _clock(wall)
    if arrived > left:
        skipped = f"On {day} the clock goes from {_clock(left)} to {_clock(arrived)}, so there is no {time}: "
        return (
            skipped
            + {
                Rule.FIRE: f"it fires at {_clock(arrived)} instead",
                Rule.SKIP: "it does not fire for that time",
                Rule.FOLLOW: "it does not fire in between",
            }[schedule.rule]
        )
    twice = f"On {day} the clock goes back from {_clock(left)} to {_clock(arrived)}, so {time} comes twice: "
    return twice + ("it fires both times" if schedule.rule is Rule.FOLLOW else "it fires once, the first time")


def _is_within(schedule: WallSchedule, low: int, high: int) -> bool:
    """Tell whether nothing of the pattern is near a jump on either side of it."""
    following, earlier = schedule.pattern.first_from(high), schedule.pattern.last_until(low - 1)
    length = high - low
    return (following is None or following - high > length) and (earlier is None or low - earlier > length)


def _clock(wall: int) -> str:
    at = to_instant(wall).astimezone(UTC)
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
