"""A check-up: every fact has its judgement, and every bad one its advice."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rota.control.health import Facts, Finding, check
from rota.control.pulse import Served
from rota.model.machine import MachineFacts

from .worlds import DAY, HOUR, NOW, World

MACHINE = MachineFacts(
    user=1000,
    home_owner=1000,
    home_mode=0o700,
    store_owner=1000,
    store_mode=0o600,
    disk_free=100 << 30,
    disk_size=200 << 30,
    files_free=1_000_000,
    has_shell=True,
    open_files=(1024, 4096),
)
FACTS = Facts(
    home="/home/x/.rota",
    store="/home/x/.rota/rota.db",
    served=Served(42),
    file_system="ext4",
    sqlite="3.51.3",
    wal_warning="",
    machine=MACHINE,
)


def findings(world: World, machine: dict[str, Any] | None = None, **facts: Any) -> dict[str, Finding]:
    changed = msgspec.structs.replace(FACTS, machine=msgspec.structs.replace(MACHINE, **(machine or {})), **facts)
    return {finding.what: finding for finding in check(changed, world.store, world.clock.at)}


def test_a_sound_home_is_ok_in_every_line(world):
    assert {"ok"} == {finding.verdict for finding in findings(world).values()}


@pytest.mark.parametrize(
    ("machine", "facts", "what", "verdict"),
    [
        ({"home_owner": 0}, {}, "home", "fail"),
        ({"home_mode": 0o755}, {}, "modes", "warn"),
        ({"disk_free": 1 << 20}, {}, "disk", "fail"),
        ({"disk_free": 500 << 20}, {}, "disk", "warn"),
        ({"files_free": 10}, {}, "disk", "fail"),
        ({"has_shell": False}, {}, "shell", "fail"),
        ({"open_files": (64, 64)}, {}, "open files", "warn"),
        ({}, {"file_system": "tmpfs"}, "file system", "warn"),
        ({}, {"wal_warning": "a known fault"}, "sqlite", "warn"),
        ({}, {"silent": HOUR}, "engine", "fail"),
        ({}, {"silent": HOUR, "served": Served(None, ("db-1", "db-2"))}, "engine", "fail"),
        ({}, {"clock_off": -HOUR}, "clock", "warn"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(world, machine, facts, what, verdict):
    found = findings(world, machine, **facts)
    assert verdict == found[what].verdict
    assert found[what].advice
    assert [what] == [name for name, finding in found.items() if finding.verdict != "ok"]


def test_no_engine_matters_only_when_there_are_jobs(world):
    assert "ok" == findings(world, served=Served(None))["engine"].verdict
    world.add()
    assert "warn" == findings(world, served=Served(None))["engine"].verdict
    elsewhere = findings(world, served=Served(None, ("db-1", "db-2")))["engine"]
    assert ("ok", "none of this home; db-1, db-2 work on the store") == (elsewhere.verdict, elsewhere.text)


def test_a_clock_that_is_behind_what_the_engine_has_seen_is_noticed(world):
    world.store.upkeep.put_fact("clock", (NOW + HOUR).isoformat())
    assert "warn" == findings(world)["clock"].verdict
    world.clock.at = NOW - 10_000 * DAY
    assert "fail" == findings(world)["clock"].verdict


def test_runs_that_wait_behind_nothing_are_noticed(world):
    world.add()
    world.verbs.trigger("backup")
    world.verbs.trigger("backup")
    assert "2 waiting" == findings(world)["queue"].text
