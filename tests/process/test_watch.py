"""Both watchers do the same: they wait for the end of any process, and know the exit status of our own children."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from rota.process.watch import PidfdWatcher, SigchldWatcher, Watcher, new_watcher


class WithoutDescriptors(PidfdWatcher):
    """The first kind in an engine that may open no more files."""

    def watch_pid(self, key: str, pid: int, *, ours: bool) -> bool:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(os, "pidfd_open", self._refuse)
            return super().watch_pid(key, pid, ours=ours)

    def _refuse(self, pid: int, flags: int = 0) -> int:
        os.kill(pid, 0)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


_NEEDS_PIDFDS = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfds")
KINDS = [
    pytest.param(PidfdWatcher, marks=_NEEDS_PIDFDS),
    pytest.param(WithoutDescriptors, marks=_NEEDS_PIDFDS),
    SigchldWatcher,
]


@pytest.fixture(params=KINDS)
def watcher(request: pytest.FixtureRequest) -> Iterator[Watcher]:
    """A watcher, with SIGCHLD wired to a descriptor as the engine wires it."""
    awake, alarm = socket.socketpair()
    awake.setblocking(False)
    alarm.setblocking(False)
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    old = signal.set_wakeup_fd(alarm.fileno(), warn_on_full_buffer=False)
    made = request.param()
    made.watch_fd(awake.fileno())
    made.awake = awake
    try:
        yield made
    finally:
        signal.set_wakeup_fd(old)
        signal.signal(signal.SIGCHLD, before)
        made.close()
        awake.close()
        alarm.close()


@pytest.fixture
def spawn() -> Iterator[Callable[[str], int]]:
    """Start a shell line as our child, and return its pid; whatever is left of it ends with the test."""
    started: list[int] = []

    def start(line: str) -> int:
        started.append(os.posix_spawn("/bin/sh", ["sh", "-c", line], os.environ))
        return started[-1]

    yield start
    for pid in started:
        with suppress(ChildProcessError):  # else it was collected already, and its number may be another's
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def stranger(line: str) -> int:
    """Start a shell line as nobody's child of ours, and return its pid."""
    code = "import os, sys; print(os.spawnv(os.P_NOWAIT, '/bin/sh', ['sh', '-c', sys.argv[1]]), flush=True)"
    started = subprocess.run([sys.executable, "-c", code, f"exec >&-; {line}"], capture_output=True, text=True)
    return int(started.stdout)


def ends(watcher: Watcher, count: int, seconds: float = 5.0) -> list[tuple[str, int | None]]:
    """Wait until so many have ended, and return them."""
    found: list[tuple[str, int | None]] = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        watcher.wait(0.5)
        with suppress(BlockingIOError):
            while watcher.awake.recv(4096):
                pass
        found += watcher.take_ended()
    return found


@pytest.mark.parametrize(("line", "status"), [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", -9)])
def test_the_end_of_our_child_comes_with_its_status(watcher: Watcher, spawn, line: str, status: int):
    assert watcher.watch_pid("child", spawn(line), ours=True)
    assert ends(watcher, 1) == [("child", status)]
    assert ends(watcher, 1, 0.2) == []


def test_an_end_cuts_the_wait_short(watcher: Watcher, spawn):
    watcher.watch_pid("child", spawn("sleep 0.2; exit 3"), ours=True)
    began = time.monotonic()
    watcher.wait(5.0)
    assert time.monotonic() - began < 2.0


def test_a_child_that_ended_before_it_was_watched_is_found_all_the_same(watcher: Watcher, spawn):
    pid = spawn("exit 4")
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert watcher.watch_pid("child", pid, ours=True)
    assert ends(watcher, 1) == [("child", 4)]


def test_the_end_of_a_stranger_is_seen_without_a_status(watcher: Watcher):
    assert watcher.watch_pid("stranger", stranger("sleep 0.3; exit 5"), ours=False)
    assert ends(watcher, 1) == [("stranger", None)]


def test_a_process_that_is_gone_cannot_be_watched(watcher: Watcher, spawn):
    pid = spawn("exit 0")
    os.waitpid(pid, 0)
    assert not watcher.watch_pid("gone", pid, ours=False)


def test_what_is_forgotten_is_not_told(watcher: Watcher, spawn):
    watcher.watch_pid("forgotten", spawn("sleep 0.2"), ours=True)
    watcher.watch_pid("child", spawn("sleep 0.3; exit 2"), ours=True)
    watcher.forget("forgotten")
    watcher.forget("never heard of")
    assert ends(watcher, 2, 0.8) == [("child", 2)]


def test_a_key_may_be_watched_again_after_its_end(watcher: Watcher, spawn):
    watcher.watch_pid("key", spawn("exit 1"), ours=True)
    assert ends(watcher, 1) == [("key", 1)]
    watcher.watch_pid("key", spawn("exit 2"), ours=True)
    assert ends(watcher, 1) == [("key", 2)]


def test_many_ends_at_once_are_all_seen(watcher: Watcher, spawn):
    for number in range(60):
        watcher.watch_pid(f"child{number}", spawn(f"exit {number}"), ours=True)
    assert sorted(ends(watcher, 60)) == sorted((f"child{number}", number) for number in range(60))


def test_a_byte_on_a_descriptor_ends_the_wait(watcher: Watcher):
    ours, theirs = socket.socketpair()
    watcher.watch_fd(ours.fileno())
    theirs.send(b".")
    began = time.monotonic()
    watcher.wait(5.0)
    assert time.monotonic() - began < 1.0
    assert watcher.take_ended() == []
    ours.close()
    theirs.close()


def test_the_wait_ends_when_its_time_is_over(watcher: Watcher):
    began = time.monotonic()
    watcher.wait(0.1)
    assert 0.09 <= time.monotonic() - began < 1.0


def test_collecting_strangers_steals_no_end_of_our_own(watcher: Watcher, spawn):
    for number in range(10):
        watcher.watch_pid(f"child{number}", spawn(f"exit {number}"), ours=True)
    others = [spawn("exit 77") for _ in range(10)]  # not watched: as process 1 sees orphans
    deadline = time.monotonic() + 5
    while others and time.monotonic() < deadline:
        watcher.reap_strangers()
        others = [pid for pid in others if os.path.exists(f"/proc/{pid}")]
    assert others == []
    assert sorted(ends(watcher, 10)) == sorted((f"child{number}", number) for number in range(10))


def test_closing_leaves_the_processes_alone(watcher: Watcher, spawn):
    pid = spawn("sleep 5")
    other = type(watcher)()
    other.watch_pid("child", pid, ours=True)
    other.close()
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)


def test_linux_gets_the_watcher_that_the_kernel_wakes():
    expected = PidfdWatcher if hasattr(os, "pidfd_open") else SigchldWatcher
    assert isinstance(new_watcher(), expected)
