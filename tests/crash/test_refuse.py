"""What an engine refuses: a home that has one, and a store that is damaged, which it leaves as it is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rota.errors import StoreCorrupt
from rota.wiring.client import Client

from .harness import Home, wait_for


def test_a_second_engine_refuses_and_names_the_first(home: Home):
    first = home.start_engine()
    second = home.start_engine()

    assert second.wait() == 4
    assert f"an engine is running already for {home.path} (pid {first.pid})" in second.errors
    assert home.wait_for_end(home.trigger("one", command="exit 3")).exit_code == 3


def test_a_second_engine_leaves_everything_of_the_first_alone(home: Home):
    home.start_engine()
    run = home.trigger("long", command="echo begun > begun; sleep 1.5; exit 3")
    home.wait_for_mark("begun")
    home.start_engine().wait()

    assert home.wait_for_end(run).exit_code == 3
    assert home.attempts(run) == 1
    poked = home.trigger("poked", command="exit 4")  # a second engine has not taken the socket away
    assert home.wait_for_end(poked, 0.9).exit_code == 4


def test_of_many_engines_that_start_at_once_exactly_one_serves(home: Home):
    engines = [home.start_engine(ready=False) for _ in range(5)]
    wait_for(lambda: sum(engine.process.poll() == 4 for engine in engines) == 4, "four have refused")
    serving = [engine.pid for engine in engines if engine.process.poll() is None]
    assert serving == [home.client.engine_pid()]


def garbage_at(offset: int, length: int) -> object:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(os.urandom(length))

    return damage


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


DAMAGE = {
    "its first page": garbage_at(0, 4096),
    "the schema": garbage_at(100, 3000),
    "cut in half": cut,
    "emptied": emptied,
    "all but its header": garbage_at(4096, 1 << 20),
}


def history(home: Home) -> Path:
    """Make a store with some history, closed in order, and a backup of it."""
    engine = home.start_engine()
    for number in range(5):
        home.wait_for_end(home.trigger(f"job{number}", command="head -c 30000 /dev/zero"))
    engine.kill(15)
    engine.wait()
    backup = home.path.parent / "backup.db"
    assert home.client.backup(str(backup), lambda *_: None) == []
    home.client.close()
    assert not Path(f"{home.path}/rota.db-wal").exists()
    return backup


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_store_is_refused_left_as_it_is_and_says_how_to_go_on(home: Home, kind: str):
    backup = history(home)
    store = home.path / "rota.db"
    DAMAGE[kind](store)
    before = store.read_bytes()

    engine = home.start_engine()
    assert engine.wait() == 2
    assert "Move it aside, and its -wal and -shm files with it" in engine.errors
    assert "put a backup in its place" in engine.errors
    assert "Traceback" not in engine.errors
    with pytest.raises(StoreCorrupt):
        Client(str(home.path))
    assert store.read_bytes() == before

    for path in home.path.glob("rota.db*"):
        path.rename(path.with_name(f"damaged-{path.name}"))
    shutil.copy(backup, store)
    home.client = Client(str(home.path))
    home.store, home.verbs = home.client.store, home.client.verbs
    home.start_engine()
    assert home.wait_for_end(home.verbs.trigger("job0")).exit_code == 0
    assert len(home.runs("job0")) == 2
