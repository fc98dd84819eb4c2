"""The log of tasks: lines that people's monitoring reads, that no task can forge, and that nobody's rotation loses."""

from __future__ import annotations

import os
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest

from rota.model.action import Command, Python, Shell
from rota.model.run import State
from rota.observe.task_log import TaskLog

NOW = datetime(2025, 12, 15, 10, 0, 15, 999_999, tzinfo=UTC)
BEFORE = NOW - timedelta(seconds=3, milliseconds=200)
LATER = NOW + timedelta(seconds=10)


def local(at):
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "all.log"


@pytest.fixture
def log(path):
    made = TaskLog(str(path))
    yield made
    made.close()


def lines(log, path):
    assert log.flush() == ""
    return [line.removeprefix(f"[{local(NOW)}] ") for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("action", "attempt", "said"),
    [
        (Command(("./run.sh", "--days", "30")), 1, "with args ['--days', '30']"),
        (Command(("true",)), 1, "with args []"),
        (Command(("./run.sh", "x")), 2, "with args ['x'] (attempt 2)"),
        (Shell(" echo a | wc \n"), 1, "echo a | wc"),
        (Shell("one\ntwo"), 1, r"one\ntwo"),
        (Python("pkg.mod:func", (1,), {"a": 2}), 1, "pkg.mod:func"),
    ],
)
def test_a_beginning_says_what_is_executed(log, path, action, attempt, said):
    log.began("calendar-sync", action, attempt, NOW)
    between = " " if said.startswith("with") else ": "
    assert [f"INFO: Executing 'calendar-sync'{between}{said}"] == lines(log, path)


@pytest.mark.parametrize(
    ("state", "code", "reason", "more", "said"),
    [
        (State.SUCCEEDED, 0, "", {}, "INFO: Task 'x' completed in 3.2s (exit code: 0)"),
        (State.FAILED, 3, "exit code 3", {}, "ERROR: Task 'x' failed in 3.2s (exit code: 3)"),
        (
            State.FAILED,
            127,
            "exit code 127: a command was not found",
            {},
            "ERROR: Task 'x' failed in 3.2s (exit code: 127): a command was not found",
        ),
        (
            State.FAILED,
            3,
            "exit code 3",
            {"again": 2, "again_at": LATER},
            f"WARNING: Task 'x' failed in 3.2s (exit code: 3); attempt 2 follows at {local(LATER)}",
        ),
        (
            State.TIMED_OUT,
            143,
            "timed out after 5 minutes",
            {"timeout": timedelta(seconds=300)},
            "ERROR: Task 'x' timed out after 300s",
        ),
        (
            State.TIMED_OUT,
            143,
            "timed out after 5 minutes; all 2 attempts were used",
            {"timeout": timedelta(seconds=0.5)},
            "ERROR: Task 'x' timed out after 0.5s: all 2 attempts were used",
        ),
        (State.CANCELLED, 143, "by hand", {}, "WARNING: Task 'x' was cancelled after 3.2s: by hand"),
        (
            State.LOST,
            None,
            "nobody\nknows",
            {"again": 2},
            "WARNING: Task 'x' was lost after 3.2s: nobody\\nknows; attempt 2 follows",
        ),
        (State.LOST, None, "gone", {}, "ERROR: Task 'x' was lost after 3.2s: gone"),
    ],
)
def test_an_end_says_how_long_it_took_and_what_came_of_it(log, path, state, code, reason, more, said):
    log.ended("x", state, 1, started_at=BEFORE, at=NOW, exit_code=code, reason=reason, **more)
    assert [said] == lines(log, path)


@pytest.mark.parametrize(("attempt", "said"), [(1, "it started"), (2, "attempt 2")])
def test_a_run_that_never_began_says_so(log, path, attempt, said):
    log.ended("x", State.CANCELLED, attempt, started_at=None, at=NOW, exit_code=None, reason="by hand")
    assert [f"WARNING: Task 'x' was cancelled before {said}: by hand"] == lines(log, path)


def test_slots_that_were_skipped_are_one_line(log, path):
    log.skipped("x", 1, NOW, "run 01J was still running", NOW)
    log.skipped("x", 1200, NOW, "beyond grace", NOW)
    log.skipped("x", 2, None, "beyond grace", NOW)
    assert [
        f"WARNING: Task 'x' was skipped at {local(NOW)}: run 01J was still running",
        f"WARNING: Task 'x' was skipped 1,200 times up to {local(NOW)}: beyond grace",
        "WARNING: Task 'x' was skipped 2 times: beyond grace",
    ] == lines(log, path)


def test_each_line_of_output_has_its_task_and_its_stream(log, path):
    log.wrote("calendar-sync", "stdout", [b"Fetching events...", b"", "Grüße\tan 备份".encode()], NOW)
    log.wrote("calendar-sync", "stderr", [b"careful"], NOW)
    assert [
        "[calendar-sync] STDOUT: Fetching events...",
        "[calendar-sync] STDOUT: ",
        "[calendar-sync] STDOUT: Grüße\tan 备份",
        "[calendar-sync] STDERR: careful",
    ] == lines(log, path)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"dos\r", "dos"),
        (b"10%\r20%", r"10%\r20%"),
        (b"\x1b[31mred", r"\x1b[31mred"),
        (b"bell\x07 nul\x00 \x7f\xc2\x9b", r"bell\x07 nul\x00 \x7f\x9b"),
        ("next\u2028line \u202edeceit".encode(), r"next\u2028line \u202edeceit"),
        (b"\xff half \xc3", "\ufffd half \ufffd"),
        (b"\x0b\x0c\x1c\x1d\x1e\xc2\x85", r"\x0b\x0c\x1c\x1d\x1e\x85"),
    ],
)
def test_no_task_can_forge_a_line_or_paint_a_terminal(log, path, content, shown):
    log.wrote("x", "stdout", [content], NOW)
    assert [f"[x] STDOUT: {shown}"] == lines(log, path)


def test_every_byte_gives_one_line(log, path):
    log.wrote("x", "stdout", [bytes([number]) * 3 for number in range(256) if number != ord("\n")], NOW)
    assert 255 == len(lines(log, path))


def test_what_is_missing_is_told(log, path):
    log.dropped("x", "stdout", 12345, NOW)
    log.dropped("x", "stderr", 0, NOW)
    assert [
        "WARNING: Task 'x': 12,345 bytes of stdout were left out here: it is more than is kept, or told here",
        "WARNING: Task 'x': the task emptied its own stderr here; what it writes now follows",
    ] == lines(log, path)


def test_the_time_of_a_line_is_its_own(log, path):
    for seconds in (0, 1, -60):
        log.noted("x", NOW + timedelta(seconds=seconds))
    log.flush()
    assert ["15", "16", "15"] == re.findall(r":(\d\d)\]", path.read_text())


def test_folders_are_made_and_everybody_may_read_whom_the_umask_lets(tmp_path):
    before = os.umask(0o022)
    try:
        log = TaskLog(str(tmp_path / "deep" / "er" / "all.log"))
        assert log.open() == ""
        log.close()
    finally:
        os.umask(before)
    assert 0o644 == (tmp_path / "deep" / "er" / "all.log").stat().st_mode & 0o777


@pytest.mark.parametrize("how", ["moved", "deleted", "replaced"])
def test_a_log_that_somebody_took_away_is_begun_anew(log, path, how):
    log.noted("before", NOW)
    log.flush()
    path.rename(path.with_name("old"))
    if how == "deleted":
        path.with_name("old").unlink()
    elif how == "replaced":
        path.touch()
    log.noted("after", NOW)
    assert ["WARNING: after"] == lines(log, path)


def test_a_log_that_somebody_emptied_is_written_from_its_new_end(log, path):
    log.noted("before", NOW)
    log.flush()
    os.truncate(path, 0)
    log.noted("after", NOW)
    assert ["WARNING: after"] == lines(log, path)


def test_lines_of_somebody_else_stay_whole_between_ours(log, path):
    log.noted("ours", NOW)
    log.flush()
    with path.open("a") as engine:
        engine.write(f"[{local(NOW)}] INFO: theirs\n")
    log.noted("ours again", NOW)
    assert ["WARNING: ours", "INFO: theirs", "WARNING: ours again"] == lines(log, path)


def test_what_cannot_be_written_is_kept_and_written_later(log, path):
    path.mkdir()
    log.noted("kept", NOW)
    assert f"cannot write {path}: Is a directory" == log.flush() == log.flush() == log.open()
    assert log.pending
    path.rmdir()
    assert ["WARNING: kept"] == lines(log, path)
    assert 0 == log.pending


def test_a_disk_that_takes_a_part_gets_the_rest_later(log, path, monkeypatch):
    room, write = [30], os.write

    def small_disk(fd, content):
        if not room[0]:
            raise OSError(28, "No space left on device")
        taken = write(fd, bytes(content)[: room[0]])
        room[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", small_disk)
    log.wrote("x", "stdout", [b"one", b"two"], NOW)
    assert f"cannot write {path}: No space left on device" == log.flush()
    room[0] = 1000
    assert ["[x] STDOUT: one", "[x] STDOUT: two"] == lines(log, path)


def test_a_pipe_that_nobody_reads_is_an_error_and_no_reason_to_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    log = TaskLog(str(tmp_path / "pipe"))
    log.noted("x", NOW)
    assert "No such device or address" in log.flush()
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    while log.flush():
        pass
    log.sync()
    log.close()
    reader.join()
    assert read[0].endswith(b"WARNING: x\n")
