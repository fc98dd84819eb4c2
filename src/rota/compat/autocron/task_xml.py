"""A task of Windows' Task Scheduler as XML: what is started, and the triggers that a cron expression becomes.

Every trigger is a time on the calendar: daily, weekly, or monthly by day or by weekday. The one exception is what is
due all day in even steps, such as each quarter of an hour: that is one trigger that repeats for ever.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rota.sdk.crontabs import CronNumbers

_SPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_MOST_TRIGGERS = 48
"""Windows takes no more of them in a task."""
_BEGINNING = "2020-01-01"
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SETTINGS = (
    ("MultipleInstancesPolicy", "IgnoreNew"),
    ("DisallowStartIfOnBatteries", "false"),
    ("StopIfGoingOnBatteries", "false"),
    ("StartWhenAvailable", "true"),
    ("Enabled", "true"),
    ("ExecutionTimeLimit", "PT0S"),
)
"""In the order of Windows' schema. What is due while it runs is not started again, and nothing is ended by Windows."""


class CannotExpress(Exception):
    """Why there are no triggers for a schedule."""


def task_xml(name: str, argv: Sequence[str], due: CronNumbers) -> str:
    """Return the document of a task; CannotExpress where Windows has no such schedule."""
    root = Element("Task", version="1.2", xmlns=_SPACE)
    SubElement(SubElement(root, "RegistrationInfo"), "Description").text = f"AutoCron: {_printable(name)}"
    _add_triggers(SubElement(root, "Triggers"), due)
    principal = SubElement(SubElement(root, "Principals"), "Principal", id="Author")
    SubElement(principal, "LogonType").text = "InteractiveToken"
    SubElement(principal, "RunLevel").text = "LeastPrivilege"
    settings = SubElement(root, "Settings")
    for key, value in _SETTINGS:
        SubElement(settings, key).text = value
    action = SubElement(SubElement(root, "Actions", Context="Author"), "Exec")
    SubElement(action, "Command").text = argv[0]
    SubElement(action, "Arguments").text = subprocess.list2cmdline(argv[1:])
    indent(root)
    return '<?xml version="1.0" encoding="UTF-16"?>\n' + tostring(root, encoding="unicode") + "\n"


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in name)


def _add_triggers(triggers: Element, due: CronNumbers) -> None:
    if not due.any_day and not due.any_weekday:
        raise CannotExpress("it has no schedule for a day of the month together with a day of the week")
    every_day = due.any_day and due.any_weekday and due.any_month
    step = _step(due)
    if every_day and step is not None:
        trigger = SubElement(triggers, "TimeTrigger")
        repetition = SubElement(trigger, "Repetition")
        SubElement(repetition, "Interval").text = f"PT{step}M"
        SubElement(repetition, "StopAtDurationEnd").text = "false"
        _begin(trigger, 0, due.minutes[0])
        return
    times = [(hour, minute) for hour in due.hours for minute in due.minutes]
    if len(times) > _MOST_TRIGGERS:
        raise CannotExpress(f"it would need {len(times)} triggers, and a task has at most {_MOST_TRIGGERS}")
    for hour, minute in times:
        trigger = SubElement(triggers, "CalendarTrigger")
        _begin(trigger, hour, minute)
        trigger.append(_days(due))


def _step(due: CronNumbers) -> int | None:
    """Return after how many minutes it is due again, all day long; None where these are not always as many."""
    if len(due.hours) != 24:
        return None
    after = [*due.minutes[1:], due.minutes[0] + 60]
    steps = {later - earlier for earlier, later in zip(due.minutes, after, strict=True)}
    return steps.pop() if len(steps) == 1 else None


def _begin(trigger: Element, hour: int, minute: int) -> None:
    SubElement(trigger, "StartBoundary").text = f"{_BEGINNING}T{hour:02}:{minute:02}:00"
    SubElement(trigger, "Enabled").text = "true"


def _days(due: CronNumbers) -> Element:
    """Return on which days a time of day is meant."""
    if not due.any_weekday:
        if due.any_month:
            week = Element("ScheduleByWeek")
            SubElement(week, "WeeksInterval").text = "1"
            _name(week, "DaysOfWeek", (_WEEKDAYS[day] for day in due.weekdays))
            return week
        by_weekday = Element("ScheduleByMonthDayOfWeek")
        weeks = SubElement(by_weekday, "Weeks")
        for number in ("1", "2", "3", "4", "Last"):
            SubElement(weeks, "Week").text = number
        _name(by_weekday, "DaysOfWeek", (_WEEKDAYS[day] for day in due.weekdays))
        _name(by_weekday, "Months", (_MONTHS[month - 1] for month in due.months))
        return by_weekday
    if due.any_day and due.any_month:
        daily = Element("ScheduleByDay")
        SubElement(daily, "DaysInterval").text = "1"
        return daily
    by_day = Element("ScheduleByMonth")
    days = SubElement(by_day, "DaysOfMonth")
    for day in due.days:
        SubElement(days, "Day").text = str(day)
    _name(by_day, "Months", (_MONTHS[month - 1] for month in due.months))
    return by_day


def _name(parent: Element, tag: str, names: Iterator[str]) -> None:
    inner = SubElement(parent, tag)
    for name in names:
        SubElement(inner, name)
