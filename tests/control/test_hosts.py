"""What people say to hosts of a shared store, and what they are told of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from rota.clock import SystemClock
from rota.control.applying import Applier, Difference, Wanted, Wish
from rota.control.editing import Editor
from rota.control.health import check
from rota.control.host_names import a_few
from rota.control.hosts import Hosts, unwatched, waits_for_host
from rota.control.pulse import Served
from rota.errors import Conflict
from rota.ids import RunIds
from rota.model.action import Shell
from rota.model.host import NewHost, RunsOn, Terms
from rota.model.job import Job
from rota.model.policy import Policy
from rota.model.run import Run, State, Trigger
from rota.model.settlement import NewRun, RunFilter
from rota.store.address import parse_address
from rota.store.instants import span_us
from rota.store.postgres import PostgresDatabase
from rota.store.store import TableStore

from .test_health import FACTS

CLOCK = SystemClock()
IDS = RunIds()


@pytest.fixture
def database(postgres_url) -> Iterator[PostgresDatabase]:
    made = PostgresDatabase(parse_address(postgres_url), patience=5.0)
    yield made
    made.close()


@pytest.fixture
def store(database) -> TableStore:
    made = TableStore(database)
    with made.transaction():
        for name in ("db-1", "db-2"):
            made.hosts.register(NewHost(f"id-of-{name}", name, True, {}, 4, "1.0"))
    return made


@pytest.fixture
def hosts(store) -> Hosts:
    return Hosts(store, CLOCK, lambda: True, lambda: None)


def run_now(store: TableStore, runs_on: RunsOn) -> None:
    """Make a job, and ask for it."""
    job, now = Job("clean", Shell("true"), policy=Policy(), runs_on=runs_on), CLOCK.now()
    with store.transaction():
        made = store.jobs.add(job, "hand", now, None, timedelta(0))
        store.add_run(NewRun(IDS.new(now), made.id, made.definition_id, Trigger.MANUAL), job, now, IDS.new)


def runs_of(store: TableStore) -> dict[str, Run]:
    return {run.needs: run for run in store.runs.page(RunFilter(), None, 10)}


def fall_silent(database: PostgresDatabase, name: str) -> None:
    execute = database._connection.execute
    execute("UPDATE host SET seen_at = seen_at - %s WHERE name = %s", [span_us(timedelta(seconds=50)), name])


def stop_in_order(store: TableStore, name: str) -> None:
    with store.transaction():
        store.upkeep.put_fact(f"serving:id-of-{name}", "no")


def test_forgetting_a_host_cancels_what_only_it_could_have_started(store, database, hosts):
    run_now(store, RunsOn(all=True))
    fall_silent(database, "db-2")
    forgotten = hosts.forget("db-2")
    assert "gone" == forgotten.state
    runs = runs_of(store)
    assert State.QUEUED is runs["#id-of-db-1"].state
    gone = runs["#id-of-db-2"]
    assert (State.CANCELLED, "not started: host db-2 was forgotten") == (gone.state, gone.reason)


def test_a_run_that_any_host_may_have_says_that_all_are_drained(store, hosts):
    run_now(store, RunsOn())
    (run,) = runs_of(store).values()
    hosts.drain("db-1")
    assert "" == waits_for_host(store, CLOCK, run)
    hosts.drain("db-2")
    said = "every host that is there is drained (db-1, db-2); `rota hosts resume` ends that"
    assert said == waits_for_host(store, CLOCK, run)


def test_a_run_that_waits_for_one_host_names_it_once(store, database):
    run_now(store, RunsOn(host="db-2"))
    (run,) = runs_of(store).values()
    fall_silent(database, "db-2")
    assert "it may only run on host db-2, and no engine was seen there lately" == waits_for_host(store, CLOCK, run)


def test_a_run_that_waits_for_labels_says_which_hosts_are_drained(store, hosts):
    run_now(store, RunsOn(labels={"gpu": "yes"}))
    (run,) = runs_of(store).values()
    with store.transaction():
        store.hosts.register(NewHost("id-of-db-2", "db-2", True, {"gpu": "yes"}, 4, "1.0"))
    hosts.drain("db-2")
    said = "it may only run on hosts with gpu=yes, which are drained (db-2); `rota hosts resume` ends that"
    assert said == waits_for_host(store, CLOCK, run)


def test_a_host_that_was_stopped_just_now_is_not_forgotten_yet(store, hosts):
    stop_in_order(store, "db-2")
    with pytest.raises(Conflict, match="host 'db-2' was seen less than 30 seconds ago"):
        hosts.forget("db-2")


def test_a_run_whose_host_was_stopped_says_so(store):
    run_now(store, RunsOn())
    with store.transaction():
        store.runs.claim_ready(
            "id-of-db-2", "boot", CLOCK.now(), ["spool/1"], None, Terms("db-2", {}, timedelta(minutes=1))
        )
    (run,) = runs_of(store).values()
    assert "" == unwatched(store, CLOCK, run, Served(None, ("db-2",)))
    stop_in_order(store, "db-2")
    said = "its host db-2 was stopped; when its lease is over, the run is given away"
    assert said == unwatched(store, CLOCK, run, Served(None))


def test_a_check_up_misses_a_host_that_fell_silent_and_none_that_was_stopped(store, database):
    def said() -> tuple[str, str]:
        (found,) = [finding for finding in check(FACTS, store, CLOCK.now()) if finding.what == "hosts"]
        return found.verdict, found.text

    stop_in_order(store, "db-2")
    assert ("ok", "2 known, 1 there") == said()
    fall_silent(database, "db-1")
    assert ("warn", "not seen lately: db-1") == said()


def test_of_many_hosts_a_few_are_named():
    names = [f"h{number}" for number in range(12)]
    assert "h0, h1" == a_few(names[:2])
    assert ", ".join(names[:10]) + " and 2 more" == a_few(names)


def test_the_file_of_another_host_is_not_taken_for_one_that_has_vanished(store):
    def look(path: str, *names: str, **wish: bool) -> Difference:
        mine = f"file:{path}"
        wanted = tuple(Wanted(Job(name, Shell("true")), mine, f"{path}:1") for name in names)
        return applier.look(Wish(wanted, frozenset({mine}), **wish), lambda source: source == mine)

    applier = Applier(store, CLOCK, Editor(store, "home", IDS.new), lambda: None)
    applier.write(look("/srv/one.yaml", "a", "b"))
    found = look("/srv/two.yaml", "a", prune=True)
    assert ((), ()) == (found.changed, found.removed)
    assert "job 'a' belongs to /srv/one.yaml" in found.conflicts[0]
    taken = look("/srv/two.yaml", "a", take_over=True)
    assert ["a"] == [edit.after.name for edit in taken.changed]
    with store.transaction():
        store.hosts.forget_if_gone("id-of-db-2", timedelta(seconds=-1))
    alone = look("/srv/two.yaml", "a", prune=True)
    assert (["a"], ["b"]) == ([edit.after.name for edit in alone.changed], [job.name for job in alone.removed])
