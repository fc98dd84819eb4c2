"""Who belongs to an attempt, and ending all of it and nothing else: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from rota.process import identity, tree

from .waiting import wait_for

HOME = "0123456789abcdef"
MARK = identity.mark_of(HOME, "RUN", 1)
SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="marks are looked up in /proc here")


class Zoo:
    """Processes of a test, ended with it."""

    def __init__(self):
        self._all = []

    def start(self, mark=MARK, *, session=True, code=SLEEPER, clean=False):
        env = {"PATH": os.environ["PATH"]} if clean else {**os.environ}
        if mark is not None and not clean:
            env[identity.MARK] = mark
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code], env=env, start_new_session=session, stdout=subprocess.PIPE
        )
        self._all.append(process)
        assert process.stdout.readline()
        return process

    def shim(self, script, mark=MARK):
        """Start a shell that leads a session, as the shim does, and return it with the pids that it prints."""
        process = subprocess.Popen(
            ["sh", "-c", script],
            env={**os.environ, identity.MARK: mark},
            start_new_session=True,
            stdout=subprocess.PIPE,
        )
        self._all.append(process)
        return process, [int(word) for word in process.stdout.readline().split()]

    def close(self):
        for process in self._all:
            with process:
                process.kill()


@pytest.fixture
def zoo():
    made = Zoo()
    yield made
    made.close()


def gone(pid):
    return wait_for(lambda: identity.is_zombie(pid) or not os.path.exists(f"/proc/{pid}"))


def alive(pid):
    return os.path.exists(f"/proc/{pid}") and not identity.is_zombie(pid)


def test_a_process_is_known_by_its_mark(zoo):
    marked, plain = zoo.start(), zoo.start(mark=None)
    assert MARK == identity.mark_in(marked.pid)
    assert identity.mark_in(plain.pid) is None
    assert identity.mark_in(2**22 + 1) is None
    assert {("RUN", 1): [marked.pid]} == identity.marked_processes(HOME)
    assert {} == identity.marked_processes("another home")


@pytest.mark.parametrize("mark", ["no slashes", f"{HOME}/RUN", f"{HOME}/RUN/x", f"{HOME}/RUN/1/2/3", ""])
def test_a_mark_that_is_none_of_ours_is_passed_over(zoo, mark):
    zoo.start(mark=mark)
    wanted = {("RUN", 1)} if mark.endswith("1/2/3") else set()
    assert wanted == set(identity.marked_processes(HOME))


def test_a_variable_that_only_ends_like_the_mark_is_none():
    assert identity._find(b"XROTA_MARK=a/b/1\0PATH=/bin\0") is None
    assert "a/b/1" == identity._find(b"ROTA_MARK=a/b/1\0PATH=/bin\0")
    assert "a/b/1" == identity._find(b"X=1\0ROTA_MARK=a/b/1")
    assert identity._find(b"") is None


def test_a_child_that_has_daemonised_keeps_the_mark_and_one_that_cleared_it_the_session(zoo):
    daemon, cleared = zoo.start(), zoo.start(mark=None)
    shim, (child,) = zoo.shim("env -i sleep 60 & echo $!; wait")
    members = tree.members(MARK, shim.pid)
    assert {daemon.pid, child} == set(members)
    assert cleared.pid not in members


def test_the_shim_itself_and_what_has_ended_are_no_members(zoo):
    shim, _ = zoo.shim("echo; exec sleep 60")
    ended = zoo.start(code="print('up', flush=True)")
    assert gone(ended.pid)
    assert [] == tree.members(MARK, shim.pid)


def test_a_signal_reaches_the_whole_tree_but_its_shim(zoo):
    shim, pids = zoo.shim("trap : TERM; sleep 60 & a=$!; (sleep 60) & echo $a $!; wait; exec sleep 60")
    daemon = zoo.start()
    assert tree.signal_tree(MARK, shim.pid, signal.SIGTERM) >= 3
    assert all(gone(pid) for pid in (*pids, daemon.pid))
    assert alive(shim.pid)


def test_another_attempt_and_another_run_are_never_met(zoo):
    mine = zoo.start()
    others = [zoo.start(identity.mark_of(HOME, *which)) for which in (("RUN", 2), ("RUN2", 1), ("OTHER", 1))]
    others.append(zoo.start(identity.mark_of("f" * 16, "RUN", 1)))
    assert tree.kill_tree(MARK, None) == 1
    assert gone(mine.pid)
    assert [True] * 4 == [alive(other.pid) for other in others]


def test_a_kill_goes_on_until_nothing_that_was_forked_meanwhile_is_left(zoo):
    code = "import os, time; [os.fork() for _ in range(4)]; print('up', flush=True); time.sleep(60)"
    zoo.start(code=code)
    wait_for(lambda: len(tree.members(MARK, None)) >= 16)
    assert tree.kill_tree(MARK, None) >= 16
    wait_for(lambda: not tree.members(MARK, None))


def test_what_ignores_the_request_is_killed(zoo):
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    stubborn = zoo.start(code=code)
    assert tree.signal_tree(MARK, None, signal.SIGTERM) == 1
    assert alive(stubborn.pid)
    assert tree.kill_tree(MARK, None) == 1
    assert gone(stubborn.pid)


def test_the_shim_is_killed_only_as_the_attempt_s(zoo):
    shim = zoo.start()
    tree.kill_shim(shim.pid, identity.mark_of(HOME, "RUN", 1))
    assert gone(shim.pid)
    tree.kill_shim(2**22 + 1, MARK)


def test_a_pid_that_is_somebody_else_s_by_now_is_not_signalled(zoo):
    stranger = zoo.start(mark=None)
    assert tree._signal_if_member(stranger.pid, MARK, None, signal.SIGKILL) == 0
    assert tree._signal_if_member(2**22 + 1, MARK, None, signal.SIGKILL) == 0
    assert alive(stranger.pid)


def test_nobody_kills_itself(monkeypatch):
    monkeypatch.setattr(tree, "has_mark", lambda _pid, mark: mark == MARK)
    assert os.getpid() not in tree.members(MARK, None)


def test_the_boot_is_the_same_for_all_who_share_pids():
    one = identity.boot_identity()
    other = subprocess.run(
        [sys.executable, "-c", "from rota.process.identity import boot_identity; print(boot_identity())"],
        capture_output=True, text=True, timeout=30,
    ).stdout.strip()  # fmt: skip
    assert one == other
    assert len(one) > 10


def test_a_process_that_is_gone_has_neither_group_nor_session():
    assert (0, 0) == identity.group_and_session(2**22 + 1)
    assert (os.getpgid(0), os.getsid(0)) == identity.group_and_session(os.getpid())
    assert not identity.is_zombie(2**22 + 1)
