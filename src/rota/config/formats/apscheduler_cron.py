"""APScheduler's cron fields, translated into schedules that mean exactly the same instants.

Three things differ from cron, and none of them may be lost on the way:

- all fields must match, day and day_of_week too, where cron takes either;
- weekday numbers count from Monday = 0;
- a field that is not given is `*`, or its least value if every field that is given comes before it.

So a translation takes the first of these that says exactly the same: one cron expression; one or several OnCalendar
expressions (a year, or day and day_of_week both). Weeks of the year are in neither, and are refused by name; what to
write instead is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from rota.errors import did_you_mean

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LIMITS = {
    "year": (1970, 2199),
    "month": (1, 12),
    "day": (1, 31),
    "week": (1, 53),
    "day_of_week": (0, 6),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
}
FIELDS = tuple(LIMITS)
_LEAST = {"month": "1", "day": "1", "hour": "0", "minute": "0", "second": "0"}
_INSTEAD_OF_WEEKS = (
    "write the days themselves, such as month: 1, day: 4-10; for every second week write "
    "{type: interval, weeks: 2, start_date: '2027-01-04 09:00:00'}"
)
_ORDINALS = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "last": 0}
_RANGE = re.compile(r"(?P<first>\*|[0-9]{1,4}|[a-z]+)(?:-(?P<last>[0-9]{1,4}|[a-z]+))?(?:/(?P<step>[0-9]{1,4}))?")
_PLACE = re.compile(r"(?P<nth>1st|2nd|3rd|4th|5th|last)[ \t]+(?P<weekday>[a-z]+)")
_SEPARATOR = re.compile(r"[ \t]*,[ \t]*")


class BadField(Exception):
    """A field that cannot be translated: which, why, and what to write."""

    def __init__(self, field: str, problem: str, hint: str = "") -> None:
        self.field, self.problem, self.hint = field, problem, hint
        super().__init__(problem)


class Range(NamedTuple):
    """Values from first to last by a step; a star is the whole range."""

    first: int
    last: int
    step: int
    star: bool = False
    single: bool = False


class Days(NamedTuple):
    """The day field: plain days, days by weekday and place in the month (0 is the last), and the last day."""

    ranges: list[Range]
    places: list[tuple[int, int]]
    last: bool


class Translation(NamedTuple):
    """Schedules whose union is what the fields mean, and what people should know of it."""

    schedules: list[tuple[str, str]]
    """Kind and text."""
    remarks: list[tuple[str, str]]
    """Field and sentence."""


def translate(given: Mapping[str, str]) -> Translation:
    """Translate the fields that are given, or raise BadField."""
    if not given:
        raise BadField("type", "a cron trigger without a field would fire every second", "such as hour: 2")
    texts = _filled(given)
    if _values(_ranges("week", texts["week"])) != set(range(1, 54)):
        raise BadField("week", "weeks of the year are in neither cron nor OnCalendar", _INSTEAD_OF_WEEKS)
    ranges = {name: _ranges(name, texts[name]) for name in FIELDS if name not in ("day", "week")}
    days = _days(texts["day"])
    remarks = _remarks(given)
    weekdays = _values(ranges["day_of_week"])
    all_weekdays, all_days = len(weekdays) == len(WEEKDAYS), any(each.star and each.step == 1 for each in days.ranges)
    if _is_all(ranges["year"]) and (all_weekdays or all_days):
        return Translation([("cron", _cron(ranges, days, weekdays))], remarks)
    if not all_weekdays and not all_days:
        remarks.append(
            ("day_of_week", "day and day_of_week must both match, as in APScheduler; cron would take either")
        )
    texts_found = _calendars(ranges, days, weekdays)
    if not texts_found:
        raise BadField("day", "day and day_of_week never match on one day", "leave one of them out")
    return Translation([("calendar", text) for text in texts_found], remarks)


def _filled(given: Mapping[str, str]) -> dict[str, str]:
    """Fill in the fields that are not given, by APScheduler's rule."""
    lowest = max(FIELDS.index(name) for name in given)
    return {
        name: given.get(name, "*" if place < lowest else _LEAST.get(name, "*")) for place, name in enumerate(FIELDS)
    }


def _remarks(given: Mapping[str, str]) -> list[tuple[str, str]]:
    text = given.get("day_of_week", "")
    if not any(letter.isdigit() for letter in re.sub(r"/[0-9]+", "", text)):
        return []
    names = ", ".join(WEEKDAYS[each] for each in sorted(_values(_ranges("day_of_week", text))))
    return [
        ("day_of_week", f"{text} means {names} here: APScheduler counts from Monday = 0, cron from Sunday; write names")
    ]


def _ranges(name: str, text: str) -> list[Range]:
    return [_range(name, item) for item in _SEPARATOR.split(text.strip().lower())]


def _range(name: str, item: str) -> Range:
    """Read one item of a field."""
    low, high = LIMITS[name]
    found = _RANGE.fullmatch(item)
    if found is None or (found["first"] == "*" and found["last"]):
        raise BadField(name, f"{name} has an item {item!r} that is unknown", _example(name))
    step = int(found["step"] or 1)
    if step < 1:
        raise BadField(name, f"{name} has the step 0, which never ends", "write 1 or more")
    if found["first"] == "*":
        return Range(low, high, step, star=True)
    first = _value(name, found["first"])
    last = _value(name, found["last"]) if found["last"] else high if found["step"] else first
    if last < first:
        raise BadField(name, f"{name} has the range {item}, which is reversed", "write the lower end first")
    return Range(first, last, step, single=not found["last"] and not found["step"])


def _value(name: str, word: str) -> int:
    low, high = LIMITS[name]
    known = {"day_of_week": WEEKDAYS, "month": MONTHS}.get(name, ())
    if word in known:
        return known.index(word) + low
    if not word.isdigit():
        near = did_you_mean(word, known).removeprefix("; ")
        raise BadField(name, f"{name} has an item {word!r} that is unknown", near or _example(name))
    if not low <= int(word) <= high:
        what = " (Monday to Sunday)" if name == "day_of_week" else ""
        raise BadField(name, f"{name} must be {low} to {high}{what}, not {word}", _example(name))
    return int(word)


def _example(name: str) -> str:
    return {
        "day_of_week": "such as mon-fri or sat,sun",
        "month": "such as jan-mar or 1-3",
        "day": "such as 1, 1-7, last, '2nd fri' or 'last mon'",
    }.get(name, "such as *, */5, 1-5 or 1,3,5")


def _days(text: str) -> Days:
    days = Days([], [], last=False)
    for item in _SEPARATOR.split(text.strip().lower()):
        place = _PLACE.fullmatch(item)
        if place is not None:
            days.places.append((_ORDINALS[place["nth"]], _value("day_of_week", place["weekday"])))
        elif item == "last":
            days = days._replace(last=True)
        else:
            days.ranges.append(_range("day", item))
    return days


def _values(ranges: list[Range]) -> set[int]:
    return {value for each in ranges for value in range(each.first, each.last + 1, each.step)}


def _is_all(ranges: list[Range]) -> bool:
    return any(each.star and each.step == 1 for each in ranges)


# --- as cron -------------------------------------------------------------------------------------------------------


def _cron(ranges: Mapping[str, list[Range]], days: Days, weekdays: set[int]) -> str:
    """Return one expression: day and weekday are never restricted both, but for places, which cron takes as either."""
    fields = [_cron_field(ranges[name]) for name in ("second", "minute", "hour")]
    day, weekday = "*", "*"
    if len(weekdays) < len(WEEKDAYS):
        weekday = _weekday_names(weekdays)
    elif not _is_all(days.ranges):
        day = ",".join(
            [*(_cron_item(each, star=not days.places) for each in days.ranges), *(["L"] if days.last else [])]
        )
        weekday = ",".join(f"{WEEKDAYS[at]}{f'#{nth}' if nth else 'L'}" for nth, at in days.places) or "*"
    fields += [day or "*", _cron_field(ranges["month"]), weekday]
    return " ".join(fields[1:] if fields[0] == "0" else fields)


def _cron_field(ranges: list[Range]) -> str:
    return "*" if _is_all(ranges) else ",".join(_cron_item(each) for each in ranges)


def _cron_item(each: Range, *, star: bool = True) -> str:
    """Return one item; where a star would change what the day fields mean together, its range is written out."""
    if each.single:
        return str(each.first)
    step = f"/{each.step}" if each.step > 1 else ""
    return f"*{step}" if each.star and star else f"{each.first}-{each.last}{step}"


def _weekday_names(weekdays: set[int]) -> str:
    """Return weekdays by name, runs of three or more as a range."""
    found, left = [], sorted(weekdays)
    while left:
        length = next((n for n in range(1, len(left)) if left[n] != left[0] + n), len(left))
        run, left = left[:length], left[length:]
        names = [WEEKDAYS[each] for each in run]
        found += [f"{names[0]}-{names[-1]}"] if len(names) > 2 else names
    return ",".join(found)


# --- as OnCalendar -------------------------------------------------------------------------------------------------


def _calendars(ranges: Mapping[str, list[Range]], days: Days, weekdays: set[int]) -> list[str]:
    """Return expressions whose union is meant: for plain days, for the last, for each place in the month."""
    year, month = _calendar_field(ranges["year"]), _calendar_field(ranges["month"])
    hour, minute, second = (_calendar_field(ranges[name]) for name in ("hour", "minute", "second"))
    time = f"{hour}:{minute}" if second == "00" else f"{hour}:{minute}:{second}"
    names = "" if len(weekdays) == len(WEEKDAYS) else _calendar_weekdays(weekdays) + " "
    found = []
    if days.ranges:
        found.append(f"{names}{year}-{month}-{_calendar_field(days.ranges)} {time}")
    if days.last:
        found.append(f"{names}{year}-{month}~01 {time}")
    for nth, at in days.places:
        if at in weekdays:
            day = f"-{nth * 7 - 6:02}..{min(nth * 7, 31):02}" if nth else "~07/1"
            found.append(f"{_calendar_weekdays({at})} {year}-{month}{day} {time}")
    return found


def _calendar_weekdays(weekdays: set[int]) -> str:
    return _weekday_names(weekdays).title().replace("-", "..")


def _calendar_field(ranges: list[Range]) -> str:
    return "*" if _is_all(ranges) else ",".join(_calendar_item(each) for each in ranges)


def _calendar_item(each: Range) -> str:
    if each.star:
        return f"{each.first}/{each.step}"
    step = f"/{each.step}" if each.step > 1 else ""
    return f"{each.first:02}..{each.last:02}{step}" if each.first < each.last else f"{each.first:02}"
