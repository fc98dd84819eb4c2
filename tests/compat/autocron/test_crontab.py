"""Tasks in a crontab, by what is written into it; the real cron is in test_against_cron."""

from __future__ import annotations

import subprocess
import threading

import pytest

from rota.compat.autocron.core import os_adapters as newer
from rota.compat.autocron.crontab import UnixAdapter
from rota.compat.autocron.errors import OSAdapterError
from rota.compat.autocron.os_adapters import OSAdapter, get_os_adapter
from rota.sdk.crontabs import cron_numbers
from rota.sdk.schedules import Cron

OTHERS = b"""\
# mine\r
\r
MAILTO=""
0 1 * * * /bin/true # not AutoCron: a
  \x0c\xff odd bytes
#5 * * * * x # AutoCron: a
"""


class Table:
    """A crontab in memory, behind the commands that read and write the real one."""

    def __init__(self, content: bytes | None = None) -> None:
        self.content = content
        self.writes = 0
        self._lock = threading.Lock()

    def __call__(self, argv, *, check, capture_output, input=None, env=None):  # noqa: A002 -- subprocess.run's name
        if argv == ["crontab", "-l"]:
            if self.content is None:
                return subprocess.CompletedProcess(argv, 1, b"", b"no crontab for somebody\n")
            return subprocess.CompletedProcess(argv, 0, self.content, b"")
        assert ["crontab", "-"] == argv
        assert self._lock.acquire(blocking=False), "two writers at once"
        self.content, self.writes = input, self.writes + 1
        self._lock.release()
        return subprocess.CompletedProcess(argv, 0, b"", b"")

    @property
    def lines(self) -> list[str]:
        return self.content.decode().splitlines()


def test_a_task_is_a_line_of_the_crontab_as_autocron_writes_it():
    table = Table()
    adapter = UnixAdapter(table)
    assert adapter.create_scheduled_task("backup", "/srv/my script.py", "*/5 * * * *", "/usr/bin/python3")
    assert ["*/5 * * * * /usr/bin/python3 '/srv/my script.py' # AutoCron: backup"] == table.lines
    assert (["backup"], True, False) == (
        adapter.list_scheduled_tasks(),
        adapter.task_exists("backup"),
        adapter.task_exists("back"),
    )
    assert adapter.remove_scheduled_task("backup")
    assert not adapter.remove_scheduled_task("backup")
    assert (b"", 2) == (table.content, table.writes)


def test_what_others_have_written_stays_byte_for_byte():
    table = Table(OTHERS)
    adapter = UnixAdapter(table)
    adapter.create_task("a", "/a.py", "@daily", "python3")
    adapter.create_task("ab", "/ab.py", "0 9 * * mon-fri", "python3")
    assert table.content.startswith(OTHERS)
    assert ["a", "ab"] == adapter.list_tasks()
    assert adapter.remove_task("a")
    assert ["ab"] == adapter.list_tasks()
    assert OTHERS + b"0 9 * * 1-5 python3 /ab.py # AutoCron: ab\n" == table.content
    adapter.remove_task("ab")
    assert table.content == OTHERS


def test_a_task_of_the_same_name_takes_the_place_of_the_old_one():
    table = Table(b"1 1 * * * first")
    adapter = UnixAdapter(table)
    for cron in ("0 1 * * *", "0 2 * * *"):
        adapter.create_task("a", "/a.py", cron, "python3")
        adapter.create_task("b", "/b.py", cron, "python3")
    assert [
        "1 1 * * * first",
        "0 2 * * * python3 /a.py # AutoCron: a",
        "0 2 * * * python3 /b.py # AutoCron: b",
    ] == table.lines


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        " a ",
        "50% off",
        'say "hi"',
        '"quoted"',
        "# AutoCron: a",
        "über",
        "日本",
        "a\nb",
        "it's",
        "\x1b[31m",
        "",
        "\\",
    ],
)
def test_every_name_is_found_again_and_touches_no_other(name):
    table = Table(b"")
    adapter = UnixAdapter(table)
    adapter.create_task("other", "/a.py", "* * * * *", "python3")
    adapter.create_task(name, "/a.py", "* * * * *", "python3")
    assert (2, ["other", name]) == (len(table.lines), adapter.list_tasks())
    assert adapter.remove_task(name)
    assert ["other"] == adapter.list_tasks()


def test_lines_of_autocron_itself_are_its_tasks():
    table = Table(b'0 9 * * * /usr/bin/python "/srv/job file.py" # AutoCron: my "old" task\n')
    adapter = UnixAdapter(table)
    assert ['my "old" task'] == adapter.list_tasks()
    assert adapter.remove_task('my "old" task')
    assert b"" == table.content


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("*/10 * * *", "4 fields were found"),
        ("0 0 * * *\n0 1 * * *", "one schedule in plain text on one line"),
        ("30 0 0 * * *", "no seconds"),
        ("0 0 L * *", "no L, W or #"),
        ("0 25 * * *", "hour must be 0 to 23"),
        ("@reboot", "is no time"),
    ],
)
def test_a_schedule_that_cron_does_not_have_is_refused(cron, message):
    table = Table(b"")
    with pytest.raises(OSAdapterError, match=message):
        UnixAdapter(table).create_task("a", "/a.py", cron)
    assert 0 == table.writes


def test_a_line_that_is_too_long_is_refused():
    with pytest.raises(OSAdapterError, match="longer than the 900 letters"):
        UnixAdapter(Table(b"")).create_task("a", "/" + "x" * 900, "* * * * *")


def test_a_crontab_that_cannot_be_read_or_written_is_told():
    def refused(argv, **how):
        return subprocess.CompletedProcess(argv, 1, b"", b"you (somebody) are not allowed to use this program")

    def missing(argv, **how):
        raise FileNotFoundError(2, "No such file or directory", argv[0])

    def full(argv, **how):
        return subprocess.CompletedProcess(argv, int(argv[1] == "-"), b"", b"No space left on device")

    with pytest.raises(OSAdapterError, match=r"cannot be read: you .* are not allowed"):
        UnixAdapter(refused).list_tasks()
    with pytest.raises(OSAdapterError, match="there is no program 'crontab' here; install cron"):
        UnixAdapter(missing).create_task("a", "/a.py", "* * * * *")
    with pytest.raises(OSAdapterError, match="cannot be written: No space left"):
        UnixAdapter(full).create_task("a", "/a.py", "* * * * *")


def test_many_at_once_lose_nothing():
    table = Table(OTHERS)
    adapter = UnixAdapter(table)
    names = [f"task {number}" for number in range(12)]
    threads = [threading.Thread(target=adapter.create_task, args=(name, "/a.py", "* * * * *")) for name in names]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(names) == sorted(adapter.list_tasks())


def test_the_adapter_of_this_system_is_chosen(monkeypatch):
    assert isinstance(get_os_adapter(), UnixAdapter)
    monkeypatch.setattr("sys.platform", "plan9")
    with pytest.raises(OSAdapterError, match="there is no adapter for"):
        get_os_adapter()
    with pytest.raises(OSAdapterError, match="Linux and macOS only"):
        UnixAdapter()


def test_an_adapter_is_abstract_and_either_spelling_makes_it_whole():
    with pytest.raises(TypeError, match="abstract"):
        OSAdapter()

    class Old(OSAdapter):
        def create_scheduled_task(self, task_name, script_path, cron_expr, python_executable=None):
            return task_name

        def remove_scheduled_task(self, task_name):
            return task_name

        def list_tasks(self):
            return ["a"]

    old = Old()
    assert ("a", "b", ["a"], True) == (
        old.create_task("a", "", ""), old.remove_task("b"), old.list_scheduled_tasks(), old.task_exists("a"),
    )  # fmt: skip

    class New(OSAdapter):
        def create_task(self, *given):
            return given

    assert ("a",) == New().create_scheduled_task("a")
    for ask in (lambda: New().remove_task("a"), lambda: New().task_exists("a")):
        with pytest.raises(OSAdapterError, match="New cannot"):
            ask()


def test_newer_programs_find_the_names_where_they_look():
    assert newer.UnixAdapter is UnixAdapter
    assert [] == [name for name in newer.__all__ if not hasattr(newer, name)]


def test_a_cron_expression_stands_for_these_numbers():
    found = cron_numbers(Cron("5/20,59 9-17/4 1,15 jan-mar sun-tue"))
    assert ((5, 25, 45, 59), (9, 13, 17), (1, 15), (1, 2, 3), (0, 1, 2)) == tuple(found)
    assert (0, 6) == cron_numbers(Cron("0 0 * * 6-7")).weekdays
    found = cron_numbers(Cron("@daily"))
    assert (True, True, True) == (found.any_day, found.any_weekday, found.any_month)
