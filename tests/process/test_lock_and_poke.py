"""One engine per home, and the hints that reach it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from rota.errors import EngineRunning
from rota.process import poke as poke_room
from rota.process.engines import is_here
from rota.process.ground import Ground
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


def test_a_second_engine_is_refused_and_told_who_has_the_home(tmp_path, holder):
    with pytest.raises(
        EngineRunning, match=rf"an engine is running already for .* \(pid {holder.pid}\); stop it first"
    ):
        EngineLock(str(tmp_path)).take(tries=2)
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
    (tmp_path / "run").mkdir()
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
    assert [] == os.listdir(home)
    listener = PokeListener(home)
    listener.close()
    poke(home)
    assert [] == os.listdir(home)
    again = PokeListener(home)
    assert again.drain() is False, "nobody kept what was sent while nobody listened"
    again.close()


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


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A home whose path is too long, as the runtime directory's is; and the private place that is left."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("y" * 120)))
    own = tmp_path / "own"
    monkeypatch.setattr(poke_room, "_OWN", str(own))
    made = tmp_path / ("h" * 120)
    made.mkdir()
    return str(made), own


def test_a_runtime_directory_with_a_long_path_is_left_for_a_private_one(nowhere):
    home, own = nowhere
    listener = PokeListener(home)
    poke(home)
    assert (True, "") == (listener.drain(), listener.problem)
    assert str(own) == os.path.dirname(socket_path(home))
    assert 0o700 == own.stat().st_mode & 0o777
    listener.close()


def a_file(own):
    own.touch()


def open_to_all(own):
    own.mkdir()
    own.chmod(0o777)


def a_link(own):
    own.with_name("elsewhere").mkdir()
    own.symlink_to(own.with_name("elsewhere"))


@pytest.mark.parametrize("trap", [a_file, open_to_all, a_link])
def test_whoever_puts_something_in_the_way_of_a_socket_costs_a_second_and_no_verb_and_no_engine(nowhere, trap):
    home, own = nowhere
    trap(own)
    assert socket_path(home) is None
    poke(home)
    listener = PokeListener(home)
    assert "too long for a socket" in listener.problem
    assert listener.drain() is False
    listener.close()


def test_a_directory_in_the_place_of_the_socket_stops_neither_verb_nor_engine(tmp_path):
    (tmp_path / "poke.sock").mkdir()
    poke(str(tmp_path))
    listener = PokeListener(str(tmp_path))
    assert "no socket can be made at" in listener.problem
    listener.close()
    assert (tmp_path / "poke.sock").is_dir()


def test_the_socket_of_the_next_engine_is_left_alone(tmp_path):
    first = PokeListener(str(tmp_path))
    second = PokeListener(str(tmp_path))
    first.close()
    poke(str(tmp_path))
    assert second.drain() is True
    second.close()


def test_a_lock_whose_file_was_deleted_is_not_in_its_place_any_more(tmp_path):
    lock = EngineLock(str(tmp_path))
    lock.take()
    assert lock.is_in_place() is True
    (tmp_path / "engine.lock").unlink()
    assert lock.is_in_place() is False
    (tmp_path / "engine.lock").touch()
    assert lock.is_in_place() is False
    lock.release()


def test_a_lock_that_was_deleted_while_it_was_taken_is_taken_again(tmp_path, monkeypatch):
    path, tried = tmp_path / "engine.lock", []
    real = EngineLock._try

    def late(lock):
        tried.append(1)
        if len(tried) == 1:
            path.unlink()
        return real(lock)

    monkeypatch.setattr(EngineLock, "_try", late)
    lock = EngineLock(str(tmp_path))
    lock.take()
    assert (2, True) == (len(tried), lock.is_in_place())
    assert os.getpid() == engine_pid(str(tmp_path))
    lock.release()


def test_an_engine_is_here_only_if_its_pid_holds_the_lock(tmp_path, holder):
    assert is_here(holder.pid, str(tmp_path)) is True
    assert is_here(os.getpid(), str(tmp_path)) is False, "as the pid of an engine in another container"
    assert is_here(2**22 + 1, str(tmp_path)) is False


def test_ground_that_is_taken_away_is_noticed(tmp_path):
    store = tmp_path / "rota.db"
    store.touch()
    lock = EngineLock(str(tmp_path))
    lock.take()
    ground = Ground(lock, str(store))
    assert "" == ground.problem()
    store.rename(tmp_path / "kept")
    assert "rota.db is gone, or is another file now" in ground.problem()
    store.touch()
    assert "rota.db is gone, or is another file now" in ground.problem()
    (tmp_path / "kept").rename(store)
    assert "" == ground.problem()
    (tmp_path / "engine.lock").unlink()
    assert "lock" in ground.problem()
    lock.release()
