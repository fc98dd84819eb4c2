"""The engine's own lines for another log: each once and in order, however its log is put aside."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from rota.observe import log as log_room
from rota.observe.engine_lines import EngineLines
from rota.observe.log import Log

NOW = datetime(2026, 1, 31, 10, 0, 15, tzinfo=UTC)
RUN = "01J00000000000000000000000"


class Side:
    """A log, its clock, and readers that come one after the other."""

    def __init__(self, folder):
        self.path, self.at, self.as_json = folder / "rota.log", NOW, False
        self.book = self.open()
        self.kept = None

    def open(self):
        return Log(str(self.path), lambda: self.at, as_json=self.as_json)

    def reader(self):
        return EngineLines(str(self.path), self.kept, self.at)


@pytest.fixture
def side(tmp_path):
    made = Side(tmp_path)
    yield made
    made.book.close()


@pytest.fixture
def reader(side):
    made = side.reader()
    yield made
    made.close()


def texts(reader):
    """Return what is new, without times and levels."""
    reader.look()
    return [line.partition("] ")[2].partition(": ")[2] for line in reader.take()]


def test_lines_of_runs_are_left_out_and_the_others_are_as_they_were(side, reader):
    side.book.info("up")
    side.book.warning("of a run", "job", RUN)
    side.book.error("odd", "job")
    reader.look()
    local = f"{NOW.astimezone():%Y-%m-%d %H:%M:%S}"
    assert [f"[{local}] INFO: up", f"[{local}] ERROR: [job] odd"] == reader.take()
    assert [] == reader.take()


def test_json_is_turned_into_the_same_text(side, reader):
    side.book.close()
    side.as_json = True
    side.book = side.open()
    side.at = NOW + timedelta(milliseconds=700)
    side.book.info("up")
    side.book.warning("of a run", "job", RUN)
    side.book.error("odd", "job")
    reader.look()
    local = f"{NOW.astimezone():%Y-%m-%d %H:%M:%S}"
    assert [f"[{local}] INFO: up", f"[{local}] ERROR: [job] odd"] == reader.take()


def test_the_first_reader_begins_with_the_engine_if_that_has_just_begun(side):
    side.book.info("old")
    side.book.info("rota 1 serving /home (pid 1, 2 at once)")
    side.book.info("soon after")
    assert ["rota 1 serving /home (pid 1, 2 at once)", "soon after"] == texts(side.reader())
    side.at += timedelta(seconds=20)
    late = side.reader()
    side.book.info("new")
    assert ["new"] == texts(late)


def test_a_line_without_its_end_waits_for_it_and_the_place_stays_before_it(side, reader):
    with side.path.open("a") as file:
        file.write("[2026-01-31 10:00:15] INFO: wh")
        file.flush()
        assert [] == texts(reader)
        side.kept = reader.place
        file.write("ole\n")
    assert ["whole"] == texts(reader)
    assert ["whole"] == texts(side.reader()), "the next reader begins before it"


def test_what_is_no_line_of_ours_is_passed_over(side, reader):
    side.path.write_bytes(b'\0\0\0\n{"at": 3}\n{\n[2026-99-99 10:00:00] INFO: x\n\xff\n')
    assert [] == texts(reader)


def test_no_line_is_lost_or_doubled_while_the_log_is_put_aside(side, reader, monkeypatch):
    monkeypatch.setattr(log_room, "_LARGEST", 200)
    told = []
    for number in range(60):
        side.book.info(f"line {number}")
        if number % 7 == 0:
            told += texts(reader)
    told += texts(reader)
    assert [f"line {number}" for number in range(60)] == told


def test_another_reader_goes_on_in_a_file_that_was_put_aside_meanwhile(side, reader, monkeypatch):
    monkeypatch.setattr(log_room, "_LARGEST", 200)
    side.book.info("line 0")
    assert ["line 0"] == texts(reader)
    side.kept = reader.place
    for number in range(1, 14):
        side.book.info(f"line {number}")
    assert (side.path.parent / "rota.log.2").exists()
    assert [f"line {number}" for number in range(1, 14)] == texts(side.reader())


def test_a_place_in_a_file_that_is_gone_is_the_beginning_of_what_is_there(side, reader):
    side.book.info("gone")
    texts(reader)
    side.kept = reader.place
    side.path.rename(side.path.with_name("elsewhere"))
    side.book.reopen()
    side.book.info("new")
    assert ["new"] == texts(side.reader())
    assert ["new"] == texts(reader), "so is it for one that had it open"


def test_a_file_that_was_emptied_is_read_from_its_beginning(side, reader):
    side.book.info("a long line before")
    texts(reader)
    os.truncate(side.path, 0)
    side.book.info("new")
    assert ["new"] == texts(reader)


def test_a_log_that_comes_later_is_read_when_it_is_there(side):
    side.path.unlink()
    reader = side.reader()
    assert [] == texts(reader)
    side.book.reopen()
    side.book.info("up")
    assert ["up"] == texts(reader)


def test_lines_are_taken_up_to_a_second_and_the_place_is_before_the_rest(side, reader):
    for _ in range(3):
        side.book.info(f"at {side.at:%S}")
        side.at += timedelta(seconds=1)
    reader.look()
    second = NOW + timedelta(seconds=1, milliseconds=300)
    assert (1, 1) == (len(reader.take(second, including=False)), len(reader.take(second)))
    side.kept = reader.place
    assert ["at 17"] == texts(reader) == texts(side.reader())


def test_very_many_lines_are_read_in_parts(side, reader):
    with side.path.open("a") as file:
        file.writelines(f"[2026-01-31 10:00:15] INFO: {number}\n" for number in range(30_000))
    told = texts(reader)
    assert reader.more
    while reader.more:
        told += texts(reader)
    assert [str(number) for number in range(30_000)] == told
