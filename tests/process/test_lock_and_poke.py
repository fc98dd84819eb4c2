"""One engine per home, and the hints that reach it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from rota.errors import EngineRunning
from rota.process import lock as lock_room
from rota.process.lock import EngineLock, engine_pid
from rota.process.poke import PokeListener, poke, socket_path

HOLD = """
import sys
from rota.process.lock import EngineLock
lock = EngineLock(sys.argv[1])
lock.take()
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert "held\n" == process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(lock_room, "_TRIES", 2)


def test_a_second_engine_is_refused_and_told_who_has_the_home(tmp_path, holder, impatient):
    with pytest.raises(
        EngineRunning, match=rf"an engine is running already for .* \(pid {holder.pid}\); stop it first"
    ):
        EngineLock(str(tmp_path)).take()
    assert holder.pid == engine_pid(str(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_goes_with_its_engine_however_it_ends(tmp_path, holder, number):
    holder.send_signal(number)
    holder.wait(timeout=20)
    assert engine_pid(str(tmp_path)) is None
    lock = EngineLock(str(tmp_path))
    lock.take()
    assert os.getpid() == engine_pid(str(tmp_path))
    lock.release()
    assert engine_pid(str(tmp_path)) is None


def test_a_home_without_an_engine_has_no_pid(tmp_path):
    assert engine_pid(str(tmp_path)) is None
    assert engine_pid(str(tmp_path / "missing")) is None


def test_a_lock_is_not_inherited_by_jobs(tmp_path):
    lock = EngineLock(str(tmp_path))
    lock.take()
    assert not os.get_inheritable(lock._fd)
    lock.release()
    lock.release()


def test_a_command_that_only_asks_keeps_no_engine_from_starting(tmp_path):
    import fcntl

    lock = EngineLock(str(tmp_path))
    lock.take()
    lock.release()
    fd = os.open(tmp_path / "engine.lock", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    asker = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    fcntl.flock(fd, fcntl.LOCK_UN)
    assert b"held\n" == asker.stdout.readline()
    asker.communicate()
    os.close(fd)


@pytest.fixture(params=["short", "long"])
def home(request, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    made = tmp_path / ("h" if request.param == "short" else "h" * 120)
    made.mkdir()
    return str(made)


def test_pokes_arrive_and_are_taken_together(home):
    listener = PokeListener(home)
    assert listener.drain() is False
    for _ in range(3):
        poke(home)
    assert [True, False] == [listener.drain(), listener.drain()]
    listener.close()


def test_a_poke_without_an_engine_is_nothing(home):
    poke(home)
    listener = PokeListener(home)
    listener.close()
    poke(home)


def test_an_engine_that_was_killed_leaves_a_socket_that_the_next_one_replaces(home):
    dead = PokeListener(home)
    dead._socket.close()
    poke(home)
    again = PokeListener(home)
    poke(home)
    assert again.drain() is True
    again.close()


def test_more_pokes_than_the_socket_takes_block_nobody(home):
    listener = PokeListener(home)
    for _ in range(2_000):
        poke(home)
    assert listener.drain() is True
    listener.close()


def test_the_socket_of_a_home_is_its_owner_s_and_short_enough(home):
    listener = PokeListener(home)
    path = socket_path(home)
    assert len(path.encode()) <= 107
    assert 0o600 == os.stat(path).st_mode & 0o777
    assert path != socket_path(home + "2")
    listener.close()
    assert not os.path.exists(path)
