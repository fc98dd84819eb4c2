"""Homes that are copied, moved or taken away while they serve: nobody touches what is another's."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rota.model.run import State

from .harness import Home, alive, every, wait_for


@pytest.fixture
def other(home: Home, tmp_path: Path) -> Iterator[Callable[[], Home]]:
    """Opens a copy of the home beside it; made when the test asks for it."""
    made: list[Home] = []

    def copy() -> Home:
        target = tmp_path / "other"
        shutil.copytree(home.path, target / "home", ignore=shutil.ignore_patterns("*.sock"))
        made.append(Home(target))
        return made[0]

    try:
        yield copy
    finally:
        for one in made:
            one.close()


def test_a_copy_of_a_running_home_leaves_the_original_s_processes_alone(home: Home, other: Callable[[], Home]):
    home.start_engine()
    run = home.trigger("long", command="sleep 60")
    home.wait_until_running(run)
    copy = other()
    copy.verbs.cancel(run)
    copy.start_engine()

    lost = copy.wait_for_end(run)
    wait_for(lambda: copy.events("home.copied") == 1, "the copy tells that it is one")
    assert (State.LOST, f"this home is a copy of {home.path}; its runs belong to the original") == (
        lost.state, lost.reason
    )  # fmt: skip
    assert "this home is a copy of" in copy.log
    assert home.run(run).state is State.RUNNING
    assert alive(home.shim(run))
    assert home.client.home_id != copy.store.upkeep.fact("home")

    own = copy.trigger("own", command="exit 3")
    assert copy.wait_for_end(own).exit_code == 3
    assert copy.events("home.copied") == 1


def test_a_copy_that_never_served_is_a_home_of_its_own_as_well(home: Home, other: Callable[[], Home]):
    run = home.trigger("queued", command="sleep 60")
    copy = other()
    for one in (home, copy):
        one.start_engine()
    home.wait_until_running(run)
    wait_for(lambda: copy.run(run).state is State.RUNNING, "the copy runs it too")
    copy.verbs.cancel(run)
    assert copy.wait_for_end(run).state is State.CANCELLED
    assert home.run(run).state is State.RUNNING
    assert alive(home.shim(run))


def test_a_home_that_was_moved_keeps_its_id_and_its_runs(home: Home, tmp_path: Path):
    home.start_engine().kill()
    first = home.start_engine()
    run = home.trigger("long", command="while [ ! -e go ]; do sleep 0.05; done; exit 3")
    home.wait_until_running(run)
    before = home.client.home_id
    first.kill()
    home.client.close()
    (tmp_path / "moved").mkdir()
    home.path.rename(tmp_path / "moved" / "home")
    (home.work / "go").touch()
    moved = Home(tmp_path / "moved")
    moved.start_engine()
    try:
        assert (before, 3) == (moved.client.home_id, moved.wait_for_end(run).exit_code)
        assert moved.events("home.copied") == 0
    finally:
        moved.close()


def the_home(home: Home) -> None:
    shutil.rmtree(home.path)


def the_store(home: Home) -> None:
    for path in home.path.glob("rota.db*"):
        path.unlink()


def the_lock(home: Home) -> None:
    (home.path / "engine.lock").unlink()


@pytest.mark.parametrize("what", [the_home, the_store, the_lock])
def test_an_engine_whose_home_is_deleted_says_so_and_stops_and_leaves_what_runs(
    home: Home, what: Callable[[Home], None]
):
    home.add("tick", "true", every("1s"))
    engine = home.start_engine()
    run = home.trigger("long", command="sleep 60")
    home.wait_until_running(run)
    shim = home.shim(run)
    what(home)

    assert engine.wait(5) == 1
    assert "while this engine served it" in engine.errors
    assert "Traceback" not in engine.errors
    assert alive(shim)
    assert not (home.path / "spool").exists() or what is not the_home


def test_an_engine_that_may_not_open_enough_files_says_so_and_leaves_what_runs(home: Home):
    first = home.start_engine(capacity=40)
    runs = [home.trigger(f"many{number}", command="sleep 60") for number in range(30)]
    for run in runs:
        home.wait_until_running(run)
    first.kill()
    second = home.start_engine(prefix=("sh", "-c", 'ulimit -n 64; exec "$@"', "sh"), ready=False, capacity=40)
    assert second.wait() == 4
    assert "30 runs are to be taken over" in second.errors
    assert "Traceback" not in second.errors

    home.start_engine(capacity=40)
    assert {State.RUNNING} == {home.run(run).state for run in runs}
    home.verbs.cancel(runs[0])
    assert home.wait_for_end(runs[0]).state is State.CANCELLED


def test_a_hangup_lets_logrotate_take_the_log(home: Home):
    engine = home.start_engine()
    (home.path / "rota.log").rename(home.path / "rota.log.old")
    os.kill(engine.pid, signal.SIGHUP)
    wait_for(lambda: (home.path / "rota.log").exists() and "SIGHUP" in home.log, "the log is written anew")


def test_a_home_whose_path_is_too_long_for_a_socket_serves(tmp_path: Path):
    home = Home(tmp_path / ("h" * 120))
    try:
        engine = home.start_engine(env={"XDG_RUNTIME_DIR": str(tmp_path / "none")})
        assert home.wait_for_end(home.trigger("one", command="exit 3")).exit_code == 3
        engine.kill(signal.SIGTERM)  # in order, so that nothing of it stays in /tmp
        assert engine.wait() == 0
    finally:
        home.close()
