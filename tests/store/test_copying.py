"""A store copied from one database into another is the same store."""

from __future__ import annotations

import random

import pytest

from rota.errors import Conflict, RotaError
from rota.model.access import Credential, Kind, Role, Scope, Who
from rota.model.ledger import Skip, SkipCode
from rota.model.run import OutputPart, State
from rota.model.settlement import RunFilter
from rota.store.copying import TABLES, copy_store

from .worlds import DAY, HOUR, MINUTE, NOW, SECOND, SQLITE, World

WAYS = [("sqlite", "postgres"), ("postgres", "sqlite"), ("sqlite", "sqlite")]
HASH = "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA"


def quietly(_done, _whole):
    """Say nothing."""


@pytest.fixture
def worlds(request, tmp_path):
    """Two stores: one to copy, and an empty one."""
    made, opened = [], []
    for number, kind in enumerate(request.param):
        if kind == "postgres":
            made.append(request.getfixturevalue("postgres"))
            continue
        (tmp_path / str(number)).mkdir()
        made.append(World(SQLITE["sqlite file"](str(tmp_path / str(number)))))
        opened.append(made[-1])
    yield made
    for world in opened:
        world.close()


def fill(store):
    """Write a little of everything, with what is hard to carry over."""
    chance = random.Random(5)
    jobs = [
        store.make(f"job-{number} \\N 'ä\t☃'", pool=["", "disk"][number % 2], overlap="allow") for number in range(4)
    ]
    for number in range(40):
        run = store.claim_one(chance.choice(jobs), now=NOW + number * MINUTE, params={"k": 'a"\\\n'})
        store.runs.add_output(run.run_id, 1, [OutputPart("stdout", bytes(range(256)), b"\\x00\n", 999)])
        if number % 5 == 0:
            store.rest(run)
        else:
            store.end(run, chance.choice([State.SUCCEEDED, State.FAILED, State.LOST]), after=SECOND)
    store.queue(jobs[0], slot=NOW)
    store.ledger.add_skips(jobs[1].id, [Skip(NOW, NOW + HOUR, 7, SkipCode.PAUSED, "it was paused")], NOW)
    store.upkeep.put_fact("revision", "41")
    store.access.add_user("ann", Role.ADMIN, HASH, NOW)
    who = Who("ann", frozenset({Scope.READ}), "token")
    store.access.add_credential(Credential("c", "ann", Kind.TOKEN, "", who.scopes, NOW, None, None), "a" * 64)
    store.access.use_nonce("n", NOW + HOUR)
    store.access.add_audit(NOW, who, "job.run", "job", "ok", "127.0.0.1")
    store.ledger.add_event("told", NOW)
    store.upkeep.drop_events_before(NOW + DAY, 3)


def seen(store):
    runs = store.runs.page(RunFilter(), None, 1000)
    return {
        "jobs": store.jobs.page("", 100),
        "pools": store.jobs.pools(),
        "runs": runs,
        "attempts": [store.runs.attempts(run.id) for run in runs],
        "output": [store.runs.output(run.id, 1) for run in runs],
        "kept": store.upkeep.output_kept(),
        "skips": store.ledger.page(None, NOW - DAY, None, 100),
        "events": store.ledger.events(0, 1000),
        "bounds": store.ledger.event_bounds(),
        "totals": store.ledger.totals(None, 0),
        "load": store.ledger.load(NOW - DAY),
        "people": store.access.users(),
        "credentials": store.access.credentials("", Kind.TOKEN, NOW),
        "audit": store.access.audit("", None, 100),
        "facts": [store.upkeep.fact(key) for key in ("revision", "nothing")],
    }


@pytest.mark.parametrize("worlds", WAYS, indirect=True, ids="-".join)
def test_a_copy_is_the_same_store_and_goes_on_as_one(worlds):
    source, target = worlds
    fill(source)
    steps = []

    counts = copy_store(source.database.side(), target.database.side(), lambda *step: steps.append(step))

    assert seen(source) == seen(target)
    assert set(TABLES) == set(counts)
    assert 41 == counts["run"]
    assert steps[-1] == (sum(counts.values()), sum(counts.values()))
    assert [] == target.upkeep.faults()
    assert not target.access.use_nonce("n", NOW + HOUR)
    (newest,) = {event.seq for event in target.ledger.events(0, 1000)[-1:]}
    run = target.claim_one(target.make("another"), now=NOW + DAY)
    assert target.end(run), "the triggers are there again"
    assert newest < target.ledger.events(newest, 1)[0].seq
    assert not target.access.use_nonce("n", NOW + HOUR)


@pytest.mark.parametrize("worlds", WAYS, indirect=True, ids="-".join)
def test_nothing_is_copied_over_what_is_there(worlds):
    source, target = worlds
    source.make()
    target.make("mine")
    with pytest.raises(Conflict, match="holds jobs already, and nothing is copied over them"):
        copy_store(source.database.side(), target.database.side(), quietly)
    assert ["mine"] == target.jobs.names()


@pytest.mark.parametrize("worlds", [("postgres", "sqlite")], indirect=True)
def test_a_file_has_no_room_for_a_slots_records_on_several_hosts_and_says_so(worlds):
    source, target = worlds
    everywhere = source.make("everywhere")
    for host in ("one", "two"):
        source.queue(everywhere, slot=NOW, target=host)
    with pytest.raises(Conflict, match="1 slots, of 1 jobs for all hosts, with a record on each of several hosts"):
        copy_store(source.database.side(), target.database.side(), quietly)
    assert 0 == target.jobs.count()


@pytest.mark.parametrize("worlds", WAYS, indirect=True, ids="-".join)
def test_a_copy_that_differs_is_not_kept(worlds, monkeypatch):
    source, target = worlds
    fill(source)
    side = target.database.side()
    add = side.add

    def lose_one(table, columns, rows):
        add(table, columns, rows[1:] if table == "attempt" else rows)

    monkeypatch.setattr(side, "add", lose_one)
    with pytest.raises(RotaError, match="the copy of table attempt differs"):
        copy_store(source.database.side(), side, quietly)
    assert [] == target.jobs.names()
    assert target.make().id, "and the store can be used"
