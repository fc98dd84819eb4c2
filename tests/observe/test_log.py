"""The log: lines that scripts rely on, in files that never grow without end, and that never stop the engine."""

from __future__ import annotations

import io
import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest

from rota.observe import log as room
from rota.observe.log import Log

NOW = datetime(2026, 1, 31, 10, 0, 15, 999_999, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rota.log"


@pytest.fixture
def book(path):
    made = Log(str(path), lambda: NOW)
    yield made
    made.close()


def test_a_line_has_the_form_that_scripts_rely_on(book, path):
    book.info("completed in 15.2s (exit code: 0)", "backup", "01J")
    book.warning("late")
    book.error("failed", "backup")
    local = f"{NOW.astimezone():%Y-%m-%d %H:%M:%S}"
    assert [
        f"[{local}] INFO: [backup] completed in 15.2s (exit code: 0) run=01J",
        f"[{local}] WARNING: late",
        f"[{local}] ERROR: [backup] failed",
    ] == path.read_text().splitlines()


def test_the_time_of_a_line_is_its_own(path):
    times = iter([NOW, NOW + timedelta(microseconds=1), NOW + timedelta(seconds=1), NOW - timedelta(days=1)])
    book = Log(str(path), lambda: next(times))
    for _ in range(4):
        book.info("x")
    book.close()
    assert ["15", "16", "16", "15"] == re.findall(r":(\d\d)\]", path.read_text())


def test_a_machine_reads_one_object_a_line(path):
    book = Log(str(path), lambda: NOW, as_json=True)
    book.error('it said "no"\n', "bäckup", "01J")
    book.info("up")
    book.close()
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert NOW.replace(microsecond=999_000) == datetime.fromisoformat(first.pop("at"))
    assert {"level": "ERROR", "message": 'it said "no"\n', "job": "bäckup", "run": "01J"} == first
    assert {"at", "level", "message"} == set(second)


@pytest.mark.parametrize("text", ["two\nlines", "a\x1b[31mcolour", "carriage\rreturn", "half \udc80 letter"])
def test_no_text_can_forge_a_line_or_paint_the_terminal(book, path, text):
    book.info(text)
    (line,) = path.read_text().split("\n")[:-1]
    assert line.isprintable()


def test_letters_of_all_languages_stay_as_they_are(book, path):
    book.info("Sicherung fällig: 备份")
    assert "Sicherung fällig: 备份" in path.read_text()


def test_a_stream_gets_the_same_lines(path):
    stream = io.StringIO()
    book = Log(str(path), lambda: NOW, stream=stream)
    book.info("up")
    book.close()
    assert path.read_text() == stream.getvalue()


def test_a_terminal_that_was_closed_is_no_reason_to_stop(path):
    class Closed(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    book = Log(str(path), lambda: NOW, stream=Closed())
    book.info("up")
    book.close()
    assert "up" in path.read_text()


def test_a_log_without_a_file_goes_to_its_stream_alone():
    stream = io.StringIO()
    book = Log(None, lambda: NOW, stream=stream)
    book.info("up")
    book.close()
    assert "INFO: up" in stream.getvalue()


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(room, "_LARGEST", 100)


def test_a_log_that_has_grown_is_put_aside_and_the_oldest_goes(book, path, small):
    for number in range(40):
        book.info(f"line {number}")
    names = sorted(each.name for each in path.parent.iterdir())
    assert ["rota.log", "rota.log.1", "rota.log.2", "rota.log.3"] == names
    assert all(each.stat().st_size < 200 for each in path.parent.iterdir())
    kept = "".join((path.parent / name).read_text() for name in [*names[:0:-1], names[0]])
    numbers = [int(number) for number in re.findall(r"line (\d+)", kept)]
    assert list(range(numbers[0], 40)) == numbers, "nothing in between is lost"


def test_a_log_that_somebody_moved_away_is_begun_anew(book, path, small):
    book.info("x" * 90)
    os.unlink(path)
    for number in range(5):
        book.info(f"line {number}")
    assert "line 4" in path.read_text()


def test_a_log_that_cannot_be_written_says_so_once_and_stops_nobody(book, path, small, capsys, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    for _ in range(6):
        book.info("x" * 60)
    assert f"rota: cannot write {path}: [Errno 28] No space left on device\n" == capsys.readouterr().err
    monkeypatch.undo()
    book.info("again")
    assert "again" in path.read_text()


@pytest.mark.parametrize("what", ["moved", "deleted", "replaced"])
def test_a_log_that_somebody_took_away_is_written_anew_when_it_is_opened_again(book, path, what):
    book.info("before")
    path.rename(path.with_name("old"))
    if what == "deleted":
        path.with_name("old").unlink()
    elif what == "replaced":
        path.touch()
    book.info("lost or moved")
    book.reopen()
    book.info("after")
    assert ["after"] == re.findall(r"INFO: (.*)", path.read_text())


def test_a_log_that_is_in_its_place_is_written_on(book, path):
    book.info("before")
    book.reopen()
    book.info("after")
    assert ["before", "after"] == re.findall(r"INFO: (.*)", path.read_text())


def test_a_log_is_its_owner_s_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        Log(str(tmp_path / "mine.log"), lambda: NOW).close()
    finally:
        os.umask(before)
    assert 0o600 == (tmp_path / "mine.log").stat().st_mode & 0o777
