"""A call in a process of its own: its answer comes back, and nothing of it outlives its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rota.errors import CallFailed, NotCarried, TaskTimeout
from rota.process.apart import Apart
from rota.process.identity import is_zombie
from rota.sdk.functions import by_value

from .waiting import wait_for


def call(function: Callable[..., Any], *args: Any, timeout: float = 30.0, kill_after: float = 2.0) -> Any:
    with Apart(by_value(function, args, {}), "it") as made:
        return made.result(timeout, kill_after)


def is_alive(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}") and not is_zombie(pid)


def number_in(path: Path) -> int:
    return int(path.read_text()) if path.exists() and path.read_text().endswith("\n") else 0


def family(folder: Path, *, stubborn: bool = False) -> Callable[[], None]:
    """Return a function with a child, and a daemon that has left its session; none of them ends by itself."""

    def grow() -> None:
        if stubborn:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen(["sh", "-c", f"echo $$ > {folder}/child; exec sleep 1000"])
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                (folder / "daemon").write_text(f"{os.getpid()}\n")
                time.sleep(1000)
            os._exit(0)
        (folder / "own").write_text(f"{os.getpid()}\n")
        time.sleep(1000)

    return grow


def pids_of(folder: Path) -> list[int]:
    return [wait_for(lambda name=name: number_in(folder / name)) for name in ("child", "daemon", "own")]


def test_what_is_returned_comes_back_by_value():
    shared = {"a": (1, {2}, b"3")}
    assert [shared, os.getpid()] == call(lambda: [shared, os.getppid()])


def test_an_answer_may_be_large():
    assert b"x" * 5_000_000 == call(lambda: b"x" * 5_000_000)


def test_what_is_raised_comes_back_with_the_place_where_it_was_raised():
    def fails() -> None:
        raise KeyError("no such thing")

    with pytest.raises(KeyError, match="no such thing") as raised:
        call(fails)
    assert "test_apart.py" in raised.value.__notes__[0]
    assert "rota" not in raised.value.__notes__[0]


def test_an_exit_is_an_exit_here():
    with pytest.raises(SystemExit) as raised:
        call(lambda: sys.exit(3))
    assert 3 == raised.value.code


def test_a_result_that_cannot_be_sent_is_named():
    with pytest.raises(NotCarried, match=r"it returned <unlocked _thread.lock .* cannot pickle"):
        call(threading.Lock)


def test_an_exception_that_cannot_be_sent_is_named_with_its_place():
    class Odd(Exception):
        def __init__(self, first: int, second: int) -> None:
            super().__init__("an odd one")

    def fails() -> None:
        raise Odd(1, 2)

    with pytest.raises(CallFailed, match=r"it raised Odd\('an odd one'\), which cannot be sent back") as raised:
        call(fails)
    assert "in fails" in raised.value.__notes__[0]


@pytest.mark.parametrize(
    ("how", "said"),
    [(lambda: os._exit(3), "exit code 3"), (lambda: os.kill(os.getpid(), signal.SIGKILL), "ended by SIGKILL")],
)
def test_a_process_that_dies_is_no_answer(how, said):
    with pytest.raises(CallFailed, match=f"ended without an answer \\({said}\\)"):
        call(how)


def test_a_fork_that_escapes_answers_nothing(tmp_path):
    def forks() -> str:
        if os.fork() == 0:
            return "the fork"
        os.wait()
        return "the process itself"

    assert "the process itself" == call(forks)


def call_until_grown(folder: Path, *, stubborn: bool = False) -> tuple[TaskTimeout, float, list[int]]:
    """Call a family with a timeout in which all of it is there, however busy the machine is."""
    for timeout in (1, 4, 16, 64):
        begun = time.monotonic()
        with pytest.raises(TaskTimeout) as raised:
            call(family(folder, stubborn=stubborn), timeout=timeout, kill_after=0.3)
        pids = [number_in(folder / name) for name in ("child", "daemon", "own")]
        if all(pids):
            return raised.value, time.monotonic() - begun - timeout, pids
    raise AssertionError("it never grew")


@pytest.mark.parametrize("stubborn", [False, True], ids=["that heeds SIGTERM", "that does not"])
def test_at_the_timeout_nothing_of_a_family_is_left(tmp_path, stubborn):
    error, late, pids = call_until_grown(tmp_path, stubborn=stubborn)
    assert [] == [pid for pid in pids if is_alive(pid)]
    assert late >= 0
    assert str(error).startswith("it took longer than ")
    assert str(error).endswith("s, and was ended with everything that it had started")


def test_a_call_within_a_call_ends_with_it(tmp_path):
    inner = by_value(family(tmp_path), (), {})

    def outer() -> None:
        with Apart(inner, "inner") as made:
            made.result(1000, 0.3)

    with Apart(by_value(outer, (), {}), "outer") as made:
        pids = []

        def interrupt() -> None:
            pids.extend(pids_of(tmp_path))
            made.interrupt()

        other = threading.Thread(target=interrupt)
        other.start()
        with pytest.raises(TaskTimeout, match="interrupted"):
            made.result(60, 0.3)
        other.join()
    assert [] == [pid for pid in pids if is_alive(pid)]


def test_who_interrupts_ends_it_from_another_thread(tmp_path):
    with Apart(by_value(family(tmp_path), (), {}), "it") as made:
        pids = []

        def interrupt() -> None:
            pids.extend(pids_of(tmp_path))
            made.interrupt()

        other = threading.Thread(target=interrupt)
        other.start()
        with pytest.raises(TaskTimeout, match="interrupted"):
            made.result(60, 0.3)
        other.join()
    assert [] == [pid for pid in pids if is_alive(pid)]


def test_a_daemon_that_a_call_leaves_on_purpose_goes_on(tmp_path):
    def leaves() -> int:
        return subprocess.Popen(["sleep", "1000"], start_new_session=True).pid

    pid = call(leaves)
    try:
        assert is_alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_process_begins_with_signals_and_descriptors_as_if_started_anew(tmp_path):
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        reader, writer = os.pipe()
        os.set_inheritable(writer, True)
        state = call(
            lambda: (
                signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL,
                os.getsid(0) == os.getpid(),
                os.read(0, 1),
                [os.get_inheritable(fd) for fd in (5, 6)],
            )
        )
        assert (True, True, b"", [False, False]) == state
    finally:
        signal.signal(signal.SIGUSR1, before)
        os.close(reader)
        os.close(writer)


def test_no_descriptor_is_left_open():
    call(int)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        call(int)
    assert before == len(os.listdir("/proc/self/fd"))


def test_where_others_collect_all_children_the_answer_is_read_all_the_same():
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert 7 == call(lambda: 7)
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_without_pidfds_the_process_is_looked_for(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.delattr(signal, "pidfd_send_signal")
    assert 7 == call(lambda: 7)
    assert [] == [pid for pid in call_until_grown(tmp_path)[2] if is_alive(pid)]
