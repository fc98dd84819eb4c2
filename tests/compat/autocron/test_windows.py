"""Windows' Task Scheduler, by its command lines and documents."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rota.compat.autocron.errors import OSAdapterError
from rota.compat.autocron.os_adapters import WindowsAdapter, get_os_adapter

SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
WORKDAYS = "Monday Tuesday Wednesday Thursday Friday"
WEEKS = "Weeks(Week=1 Week=2 Week=3 Week=4 Week=Last)"
PYTHON = r"C:\Program Files\Python\python.exe"


class Windows:
    """What schtasks is asked, and the document that it was given."""

    def __init__(self, listed: str = "", code: int = 0, stderr: str = "") -> None:
        self.asked: list[list[str]] = []
        self.document = ""
        self._answer = (listed, code, stderr)

    def __call__(self, argv, *, check, capture_output, text):
        self.asked.append(list(argv))
        if "/XML" in argv:
            self.document = Path(argv[argv.index("/XML") + 1]).read_text(encoding="utf-16")
        listed, code, stderr = self._answer
        return subprocess.CompletedProcess(argv, code, listed, stderr)

    def triggers(self) -> list[ET.Element]:
        return list(ET.fromstring(self.document).find(f"{SPACE}Triggers"))


def create(cron: str, name: str = "task", script: str = r"C:\jobs\a.py") -> Windows:
    windows = Windows()
    assert WindowsAdapter(windows).create_scheduled_task(name, script, cron, PYTHON)
    return windows


def words(element: ET.Element) -> str:
    """Return a trigger as a line: its tags and texts, in their order."""
    text = (element.text or "").strip()
    inner = " ".join(words(each) for each in element)
    return element.tag.removeprefix(SPACE) + (f"={text}" if text else "") + (f"({inner})" if inner else "")


def at(time: str) -> str:
    return f"StartBoundary=2020-01-01T{time}:00 Enabled=true"


def test_a_task_is_created_with_a_document_that_is_gone_afterwards():
    windows = create("0 9 * * *", script=r"C:\my jobs\say \"50%\" & more.py")
    [argv] = windows.asked
    path = argv.pop(5)
    assert ["schtasks", "/Create", "/TN", "AutoCron_task", "/XML", "/F"] == argv
    assert not Path(path).exists()
    assert windows.document.startswith('<?xml version="1.0" encoding="UTF-16"?>\n<Task version="1.2" ')
    action = ET.fromstring(windows.document).find(f"{SPACE}Actions/{SPACE}Exec")
    assert PYTHON == action.findtext(f"{SPACE}Command")
    assert subprocess.list2cmdline([r"C:\my jobs\say \"50%\" & more.py"]) == action.findtext(f"{SPACE}Arguments")


@pytest.mark.parametrize(
    ("cron", "triggers"),
    [
        ("30 9 * * *", [f"CalendarTrigger({at('09:30')} ScheduleByDay(DaysInterval=1))"]),
        (
            "0 9,17 * * *",
            [f"CalendarTrigger({at(f'{hour}:00')} ScheduleByDay(DaysInterval=1))" for hour in ("09", "17")],
        ),
        (
            "5 8 * * mon-fri",
            [f"CalendarTrigger({at('08:05')} ScheduleByWeek(WeeksInterval=1 DaysOfWeek({WORKDAYS})))"],
        ),
        ("0 0 * * 7", [f"CalendarTrigger({at('00:00')} ScheduleByWeek(WeeksInterval=1 DaysOfWeek(Sunday)))"]),
        (
            "0 6 1,15 jun,dec *",
            [f"CalendarTrigger({at('06:00')} ScheduleByMonth(DaysOfMonth(Day=1 Day=15) Months(June December)))"],
        ),
        (
            "0 6 * 2 1",
            [f"CalendarTrigger({at('06:00')} ScheduleByMonthDayOfWeek({WEEKS} DaysOfWeek(Monday) Months(February)))"],
        ),
        ("*/15 * * * *", [f"TimeTrigger(Repetition(Interval=PT15M StopAtDurationEnd=false) {at('00:00')})"]),
        ("7-59/10 * * * *", [f"TimeTrigger(Repetition(Interval=PT10M StopAtDurationEnd=false) {at('00:07')})"]),
        ("20 * * * *", [f"TimeTrigger(Repetition(Interval=PT60M StopAtDurationEnd=false) {at('00:20')})"]),
        ("* * * * *", [f"TimeTrigger(Repetition(Interval=PT1M StopAtDurationEnd=false) {at('00:00')})"]),
    ],
)
def test_a_cron_expression_becomes_triggers_that_mean_the_same(cron, triggers):
    assert triggers == [words(each) for each in create(cron).triggers()]


def test_hours_on_some_days_are_a_trigger_each():
    assert 24 == len(create("0 * * * 1-5").triggers())


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("0 9 13 * 5", "day of the month together with a day of the week"),
        ("*/7 * * * *", "would need 216 triggers, and a task has at most 48"),
        ("*/2 */3 * * *", "would need 240 triggers"),
        ("*/15 * * * mon", "would need 96 triggers"),
        ("0 9 L * *", "no L, W or #"),
        ("30 0 9 * * *", "no seconds"),
        ("0 25 * * *", "hour must be 0 to 23"),
    ],
)
def test_what_windows_cannot_express_is_refused_and_never_approximated(cron, message):
    windows = Windows()
    with pytest.raises(OSAdapterError, match=message):
        WindowsAdapter(windows).create_scheduled_task("task", r"C:\a.py", cron)
    assert [] == windows.asked


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("task", "AutoCron_task"),
        ("my task", "AutoCron_my.20.task"),
        ("my_task", "AutoCron_my_task"),
        ("a\\b/c:d*é\n", "AutoCron_a.5c.b.2f.c.3a.d.2a..e9..a."),
        ("a.20.b", "AutoCron_a.2e.20.2e.b"),
    ],
)
def test_every_name_is_found_again_and_touches_no_other(name, known):
    assert known in create("* * * * *", name=name).asked[0]
    windows = Windows(
        f'"\\{known}","01/01/2030 9:00","Ready"\r\n"\\Other","N/A","Ready"\r\n"\\AutoCron_x","N/A","Ready"\r\n'
    )
    adapter = WindowsAdapter(windows)
    assert [name, "x"] == adapter.list_scheduled_tasks()
    assert adapter.task_exists(name)
    assert adapter.remove_scheduled_task(name)
    assert [["schtasks", "/Query", "/FO", "CSV", "/NH"], ["schtasks", "/Delete", "/TN", known, "/F"]] == windows.asked[
        -2:
    ]
    asked = len(windows.asked)
    assert not adapter.remove_scheduled_task(name + "y")
    assert asked + 1 == len(windows.asked), "nothing but the question"


def test_what_schtasks_refuses_is_told():
    windows = Windows(code=1, stderr="ERROR: Access is denied.\r\n")
    for ask in (lambda a: a.create_task("task", r"C:\a.py", "* * * * *"), lambda a: a.list_tasks()):
        with pytest.raises(OSAdapterError, match="Access is denied"):
            ask(WindowsAdapter(windows))
    with pytest.raises(OSAdapterError, match="is empty"):
        WindowsAdapter(windows).create_task("", r"C:\a.py", "* * * * *")


def test_it_is_the_adapter_of_windows_alone(monkeypatch):
    with pytest.raises(OSAdapterError, match="Windows only"):
        WindowsAdapter()
    monkeypatch.setattr("sys.platform", "win32")
    assert isinstance(get_os_adapter(), WindowsAdapter)
