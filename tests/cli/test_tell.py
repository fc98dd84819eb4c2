"""`rota tell`: one log of everything, beside a real engine; whatever is killed or taken away, no line is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from process.waiting import wait_for

from .conftest import DEADLINE, Home

_STAMP = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] ")


class Telling:
    """A home with an engine, one log, and the helpers that write it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.path = home.folder / "logs" / "all.log"
        self.helpers: list[subprocess.Popen[bytes]] = []
        for gate in ("gate", "second"):
            os.mkfifo(home.folder / gate)

    def start(self, path: Path | None = None, **given: Any) -> subprocess.Popen[bytes]:
        given.setdefault("stdin", subprocess.PIPE)
        helper = self.home.start("tell", "--log", str(path or self.path), **given)
        self.helpers.append(helper)
        return helper

    def begin(self) -> subprocess.Popen[bytes]:
        """Start a helper, and return when it has its place."""
        helper = self.start()
        wait_for(self.place)
        return helper

    def place(self) -> Any:
        """Return what the store knows of how far the log has come."""
        with sqlite3.connect(f"file:{self.home.path}/rota.db?mode=ro", uri=True) as store:
            row = store.execute("SELECT value FROM meta WHERE key = ?", (f"told:{self.path}",)).fetchone()
        store.close()
        return json.loads(row[0]) if row else None

    def lines(self, path: Path | None = None) -> list[str]:
        """Return the log without its times, each line has one, and without what the engine says of itself."""
        return [line for line in self.all_lines(path) if line not in self.engine_says()]

    def engine_says(self) -> list[str]:
        return [_STAMP.sub("", line) for line in (self.home.path / "rota.log").read_text().splitlines()]

    def all_lines(self, path: Path | None = None) -> list[str]:
        path = path or self.path
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        found = text.split("\n")[:-1]
        assert [] == [line for line in found if not _STAMP.match(line)]
        return [_STAMP.sub("", line) for line in found]

    def wait_for_line(self, *words: str) -> None:
        """Wait for a line with these words."""
        wait_for(lambda: any(all(word in line for word in words) for line in self.lines()))

    def open_gate(self, name: str = "gate") -> None:
        """Let the job that reads from a gate go on; who reads from the same one again may meet its closing."""
        (self.home.folder / name).write_text("go\n")

    def stop(self) -> None:
        for helper in self.helpers:
            if helper.poll() is None:
                helper.kill()
            helper.communicate()


@pytest.fixture
def telling(served) -> Iterator[Telling]:
    made = Telling(served)
    yield made
    made.stop()


def end(helper: subprocess.Popen[bytes]) -> str:
    """Let the engine be gone, as far as the helper can tell; return what it said."""
    assert helper.stdin is not None
    began = time.monotonic()
    _, errors = helper.communicate(timeout=DEADLINE)
    assert time.monotonic() - began < 10
    assert 0 == helper.returncode, errors
    return errors.decode()


def numbers(lines: list[str], job: str) -> list[int]:
    return [int(line.rpartition(" ")[2]) for line in lines if line.startswith(f"[{job}] STDOUT: ")]


def test_a_task_is_in_the_log_while_it_runs_and_when_it_has_ended(telling):
    telling.home.ok("add", "job", "--", "sh", "-c", "echo up; echo careful >&2; read x < gate; printf last; exit 3")
    helper = telling.begin()
    telling.home.ok("run", "job")
    telling.wait_for_line("[job] STDERR: careful")
    began, *said = telling.lines()
    assert began.startswith("INFO: Executing 'job' with args ['-c', 'echo up; ")
    assert ["[job] STDERR: careful", "[job] STDOUT: up"] == sorted(said)
    telling.open_gate()
    telling.wait_for_line("Task 'job'")
    *_, last, ended = telling.lines()
    assert "[job] STDOUT: last" == last
    assert re.fullmatch(r"ERROR: Task 'job' failed in \d+\.\ds \(exit code: 3\)", ended)
    assert "" == end(helper)


def test_retries_timeouts_and_ends_by_hand_are_told(telling):
    telling.home.ok("add", "retried", "--retries", "1", "--retry-delay", "0s", "--shell", "exit $((2 - ROTA_ATTEMPT))")
    telling.home.ok("add", "slow", "--timeout", "300ms", "--shell", "echo begun; sleep 60")
    telling.home.ok("add", "endless", "--shell", "echo up; sleep 60")
    helper = telling.begin()
    telling.home.call("run", "retried", "--wait")
    telling.home.call("run", "slow", "--wait")
    telling.home.ok("run", "endless")
    telling.wait_for_line("[endless] STDOUT: up")
    telling.home.ok("cancel", "endless")
    telling.wait_for_line("was cancelled")
    end(helper)
    shown = "\n".join(re.sub(r"\d+\.\ds", "T", line) for line in telling.lines())
    assert re.search(
        r"INFO: Executing 'retried': exit .*\n"
        r"WARNING: Task 'retried' failed in T \(exit code: 1\); attempt 2 follows.*\n"
        r"INFO: Executing 'retried': exit .* \(attempt 2\)\n"
        r"INFO: Task 'retried' completed in T \(exit code: 0\)",
        shown,
    )
    assert "[slow] STDOUT: begun\nERROR: Task 'slow' timed out after T" in shown
    assert "[endless] STDOUT: up\nWARNING: Task 'endless' was cancelled after T: " in shown


def test_much_output_is_told_whole_and_bytes_that_are_no_text_harm_nobody(telling):
    telling.home.ok("add", "long", "--shell", "seq 1 100000")
    telling.home.ok("add", "bytes", "--shell", "head -c 300000 /dev/urandom; printf '\\033[2J\\r\\n\\n[x] forged' >&2")
    helper = telling.begin()
    telling.home.ok("run", "long")
    telling.home.ok("run", "bytes")
    telling.wait_for_line("Task 'long' completed")
    telling.wait_for_line("Task 'bytes' completed")
    end(helper)
    assert list(range(1, 100_001)) == numbers(telling.lines(), "long")
    errors = [line for line in telling.lines() if "STDERR" in line]
    assert ["[bytes] STDERR: \\x1b[2J", "[bytes] STDERR: ", "[bytes] STDERR: [x] forged"] == errors
    assert not set(telling.path.read_bytes()) & ({*range(32), 127} - {ord("\t"), ord("\n")})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_helper_that_is_asked_to_end_tells_what_there_is_and_the_next_one_goes_on(telling, number):
    telling.home.ok("add", "job", "--shell", "echo one; printf tw; read x < gate; echo o")
    helper = telling.start(stdin=subprocess.DEVNULL)
    wait_for(telling.place)
    telling.home.ok("run", "job")
    telling.wait_for_line("[job] STDOUT: one")
    helper.send_signal(number)
    assert 0 == helper.wait(DEADLINE)
    telling.open_gate()
    telling.begin()
    telling.wait_for_line("completed")
    assert ["[job] STDOUT: one", "[job] STDOUT: two"] == telling.lines()[1:-1]


def test_a_killed_helper_doubles_nothing_that_it_has_kept(telling):
    telling.home.ok("add", "job", "--shell", "seq 1 50; printf 5; read x < gate; echo 1; seq 52 99")
    first = telling.begin()
    telling.home.ok("run", "job")
    size = len("".join(f"{number}\n" for number in range(1, 51)))
    wait_for(lambda: [run[1][3][0] for run in telling.place()["runs"]] == [size])
    first.kill()
    first.wait()
    telling.open_gate()
    telling.begin()
    telling.wait_for_line("completed")
    assert list(range(1, 100)) == numbers(telling.lines(), "job")


def test_helpers_that_are_killed_at_any_moment_lose_nothing(telling):
    loop = "i=0; while [ $i -lt 400 ]; do echo $i; i=$((i+1)); sleep 0.01; done"
    telling.home.ok("add", "job", "--shell", loop)
    telling.home.ok("add", "short", "--every", "1s", "--shell", "echo short")
    telling.begin()
    telling.home.ok("run", "job")
    for wanted in (20, 50, 90, 200, 300):
        wait_for(lambda wanted=wanted: len(set(numbers(telling.lines(), "job"))) >= wanted)
        telling.helpers[-1].kill()
        telling.helpers[-1].wait()
        telling.start()
    telling.wait_for_line("Task 'job' completed")
    told = numbers(telling.lines(), "job")
    assert set(range(400)) == set(told)
    assert max(Counter(told).values()) <= 2
    assert list(range(400)) == sorted(set(told))


def test_two_helpers_of_one_log_take_turns(telling):
    telling.home.ok("add", "job", "--shell", "echo $ROTA_RUN_ID")
    first = telling.begin()
    second = telling.start()
    telling.home.ok("run", "job", "--wait")
    telling.wait_for_line("completed")
    end(first)
    telling.home.ok("run", "job", "--wait")
    wait_for(lambda: sum("completed" in line for line in telling.lines()) == 2)
    end(second)
    assert (
        6 == len(telling.lines()) == len(set(telling.lines()) | {str(n) for n in range(6 - len(set(telling.lines())))})
    )


def test_a_log_that_is_rotated_away_is_begun_anew_and_no_line_is_in_both(telling):
    telling.home.ok("add", "job", "--shell", "seq 1 10; read x < gate; seq 11 20")
    telling.begin()
    telling.home.ok("run", "job")
    telling.wait_for_line("[job] STDOUT: 10")
    old = telling.path.with_name("all.log.1")
    telling.path.rename(old)
    telling.open_gate()
    telling.wait_for_line("completed")
    assert list(range(1, 11)) == numbers(telling.lines(old), "job")
    assert list(range(11, 21)) == numbers(telling.lines(), "job")


def test_a_log_that_cannot_be_written_is_said_once_and_nothing_is_lost(telling):
    telling.path.parent.write_text("in the way")
    helper = telling.start()
    assert helper.stderr is not None
    assert b"rota: cannot write " + os.fsencode(telling.path) in helper.stderr.readline()
    wait_for(telling.place)
    telling.home.ok("add", "job", "--shell", "echo said")
    telling.home.ok("run", "job", "--wait")
    _, errors = helper.communicate(timeout=DEADLINE)
    assert 1 == helper.returncode
    assert re.fullmatch(rb"rota: cannot write .*; what could not be written is told the next time\n", errors)
    again = telling.start()
    assert again.stderr is not None
    again.stderr.readline()
    telling.path.parent.unlink()
    telling.wait_for_line("completed")
    assert "[job] STDOUT: said" == telling.lines()[1]
    assert 3 == len(telling.lines())
    assert "rota: the log can be used again\n" == end(again)


def test_a_store_that_is_locked_holds_up_no_line(telling):
    telling.home.ok("add", "job", "--shell", "echo one; read x < gate; echo two; read x < second")
    helper = telling.begin()
    telling.home.ok("run", "job")
    telling.wait_for_line("[job] STDOUT: one")
    locker = sqlite3.connect(telling.home.path / "rota.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    telling.open_gate()
    telling.wait_for_line("[job] STDOUT: two")
    assert helper.stderr is not None
    assert b"is locked by another program" in helper.stderr.readline()
    locker.execute("ROLLBACK")
    locker.close()
    telling.open_gate("second")
    telling.wait_for_line("completed")
    assert "rota: the store can be used again\n" == end(helper)
    assert ["[job] STDOUT: one", "[job] STDOUT: two"] == telling.lines()[1:-1]


def test_the_first_helper_begins_with_the_engine_and_not_with_history(telling):
    telling.home.ok("add", "job", "--shell", "echo $ROTA_RUN_ID")
    telling.home.ok("run", "job", "--wait")
    telling.home.stop()
    telling.home.serve()
    telling.home.ok("run", "job", "--wait")
    helper = telling.begin()
    telling.home.ok("run", "job", "--wait")
    wait_for(lambda: sum("completed" in line for line in telling.lines()) == 2)
    end(helper)
    assert 6 == len(telling.lines())


def test_the_verb_is_not_for_people_and_needs_a_home(home, tmp_path):
    assert "tell" not in re.findall(r"^  (\w+) ", home.ok("--help"), re.MULTILINE)
    assert "Write everything that runs do" in home.ok("tell", "--help")
    assert "there is no rota home at" in home.fails(2, "tell", "--log", "x", "--home", str(tmp_path / "none"))
    assert "missing option '--log'" in home.fails(2, "tell")
