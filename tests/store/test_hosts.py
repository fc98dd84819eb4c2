"""Hosts: known by name, alive by their beats, and owners of what they run for as long as their leases."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from rota.clock import SystemClock
from rota.control.hosts import Hosts
from rota.control.live import LiveAnywhere
from rota.errors import Conflict, StoreBusy
from rota.model.host import NewHost, RunsOn, Terms, labels_text, needs_of_target
from rota.model.job import Job
from rota.model.run import State, Trigger
from rota.model.settlement import Ended, NewRun, RunFilter
from rota.process.live import SpoolReader
from rota.store.instants import span_us

from .worlds import BOOT, HOST, MINUTE, NOW, SECOND, at_once, job

LONG, OVER = timedelta(hours=1), timedelta(seconds=-1)
GPU = {"gpu": "yes"}


def new_host(host_id: str, name: str = "box", *, named: bool = False, **labels: str) -> NewHost:
    return NewHost(host_id, name, named, labels, 4, "1.0")


def register(store, *given, **labels):
    with store.transaction():
        return store.hosts.register(new_host(*given, **labels))


def make(store, name: str, runs_on: RunsOn, **policy):
    plain = job(name, **policy)
    with store.transaction():
        made = Job(name, plain.action, policy=plain.policy, runs_on=runs_on)
        return store.jobs.add(made, "hand", NOW, None, timedelta(0))


def claim(store, terms: Terms, places: int = 10, host: str = HOST) -> list[str]:
    with store.transaction():
        spools = [f"j/{number}" for number in range(places)]
        return [run.run_id for run in store.runs.claim_ready(host, BOOT, NOW, spools, None, terms)]


def expire(store) -> list[str]:
    with store.transaction():
        return [run.id for run in store.hosts.take_expired()]


def fall_silent(store, host_id: str, silent: timedelta) -> None:
    execute = store.database._connection.execute
    execute("UPDATE host SET seen_at = seen_at - %s WHERE id = %s", [span_us(silent), host_id])


def test_a_host_is_known_by_its_name_and_its_id_until_it_is_forgotten(store):
    made = register(store, "one", "db-1", gpu="yes")
    assert made == store.hosts.find("db-1") == store.hosts.find("one")
    assert ("db-1", GPU, 4, "1.0", False) == (made.name, made.labels, made.capacity, made.version, made.drained)
    assert not store.hosts.forget_if_gone("one", LONG), "it was seen just now"
    assert store.hosts.forget_if_gone("one", OVER)
    assert [] == store.hosts.all()
    assert store.hosts.beat("one", LONG).began is None


def test_a_host_that_starts_again_has_its_new_labels_and_stays_drained(store):
    register(store, "one", gpu="yes")
    assert store.hosts.set_drained("one", True, False)
    again = register(store, "one", disk="big")
    assert ({"disk": "big"}, True) == (again.labels, again.drained)
    assert again.started_at == store.hosts.beat("one", LONG).began


def test_hosts_of_one_name_are_told_apart_and_a_chosen_name_is_nobody_elses(store):
    names = [register(store, host).name for host in ("one", "two", "three", "one")]
    assert ["box", "box-2", "box-3", "box"] == names
    with pytest.raises(Conflict, match="another host named 'box-2'"), store.transaction():
        store.hosts.register(new_host("four", "box-2", named=True))


def test_how_many_attempts_a_host_has_is_counted(store):
    assert {} == store.hosts.running_counts()
    for name in ("a", "b", "c"):
        store.queue(store.make(name))
    claim(store, Terms(), places=2, host="one")
    claim(store, Terms(), places=2, host="two")
    assert {"one": 2, "two": 1} == store.hosts.running_counts()


def test_a_host_with_runs_is_not_forgotten(store):
    register(store, HOST)
    store.claim_one(store.make())
    assert not store.hosts.forget_if_gone(HOST, OVER)


@pytest.mark.parametrize(
    ("runs_on", "here", "elsewhere"),
    [
        (RunsOn(), Terms(), Terms()),
        (RunsOn(labels=GPU), Terms(labels=GPU | {"disk": "big"}), Terms(labels={"gpu": "no"})),
        (RunsOn(host="db-1"), Terms(name="db-1"), Terms(name="db-2")),
    ],
)
def test_a_run_is_claimed_where_it_may_run_and_nowhere_else(store, runs_on, here, elsewhere):
    run = store.queue(make(store, "picky", runs_on))
    if runs_on.needs:
        assert [] == claim(store, elsewhere)
    assert [run] == claim(store, here)


def test_one_hosts_record_of_a_slot_for_all_is_claimed_by_that_host(store):
    everywhere = make(store, "everywhere", RunsOn(all=True))
    with store.transaction():
        store.jobs.add_lane("", needs_of_target("two"))
    run = store.queue(everywhere, target="two", slot=NOW)
    assert [] == claim(store, Terms(), host="one")
    assert [run] == claim(store, Terms(), host="two")


def test_what_waits_for_an_absent_host_hides_nothing_behind_it(store):
    absent = make(store, "absent", RunsOn(labels=GPU), priority=0, overlap="allow")
    for _ in range(50):
        store.queue(absent)
    run = store.queue(store.make("usual", priority=9))
    assert [run] == claim(store, Terms(), places=1)


def test_lanes_of_one_pool_share_its_places(store):
    disk = make(store, "disk", RunsOn(), pool="disk", overlap="allow")
    fast = make(store, "fast", RunsOn(labels=GPU), pool="disk", overlap="allow", priority=0)
    store.jobs.set_pool("disk", 2)
    store.queue(disk), store.queue(disk)
    first = [store.queue(fast), store.queue(fast)]
    assert first == claim(store, Terms(labels=GPU))
    assert [] == claim(store, Terms(labels=GPU))


def test_a_run_whose_earlier_attempt_still_lives_here_is_left_for_others(store):
    run = store.queue(store.make())
    assert [] == claim(store, Terms(busy_with={run}))
    assert [run] == claim(store, Terms())


def test_a_lease_that_is_over_is_taken_once_and_one_that_was_renewed_is_not(store):
    register(store, HOST)
    run = store.queue(store.make())
    claim(store, Terms(lease=OVER))
    assert {(run, 1)} == store.hosts.beat(HOST, LONG).own
    assert [] == expire(store), "it was renewed"
    store.hosts.beat(HOST, OVER)
    with store.transaction():
        (expired,) = store.hosts.take_expired()
        assert (run, 1, HOST) == (expired.id, expired.attempt, expired.host)
        lost = store.runs.settle_if_running(
            _lost(expired.id, expired.attempt, expired.started_at), expired.host, NOW + MINUTE
        )
    assert lost
    assert [] == expire(store)
    assert frozenset() == store.hosts.beat(HOST, LONG).own
    assert State.LOST is store.state(run)


def _lost(run_id, attempt, started_at):

    return Ended(run_id, attempt, State.LOST, started_at, NOW + SECOND, None, "its host is gone")


def test_a_run_without_a_lease_never_expires(store):
    store.claim_one(store.make())
    assert [] == expire(store)


def test_one_host_leads_and_another_may_once_it_is_silent_or_resigns(store):
    lead = partial(store.hosts.lead, outage=LONG, lease=OVER)
    assert "" == store.hosts.planner()
    assert lead("one", LONG).plans
    assert "one" == store.hosts.planner()
    assert not lead("two", LONG).plans
    assert lead("one", LONG).plans
    store.hosts.resign("one")
    assert "" == store.hosts.planner()
    assert lead("two", OVER).plans
    assert "" == store.hosts.planner(), "its time is over"
    assert lead("one", LONG).plans


def test_after_a_silence_of_all_no_lease_expires_until_hosts_had_time_to_renew(store):
    store.queue(store.make())
    (run,) = claim(store, Terms(lease=OVER))
    store.hosts.lead("one", LONG, OVER, LONG)
    assert [] == expire(store), "nobody was there to renew anything with"
    for _ in range(2):  # in the first grace nobody was silent; it is over when it was set to be so
        store.hosts.lead("one", LONG, OVER, OVER)
    assert [run] == expire(store)


def test_whoever_was_there_before_a_silence_of_all_is_there_after_it(postgres):
    for host in ("one", "two", "gone", "stopped"):
        register(postgres, host, host)
    postgres.upkeep.put_fact("serving:stopped", "no")
    postgres.hosts.lead("one", LONG, MINUTE, LONG)
    postgres.database._connection.execute("UPDATE fleet SET alive_at = alive_at - 600000000")
    for host in ("two", "stopped"):
        fall_silent(postgres, host, 10 * MINUTE + 5 * SECOND)
    fall_silent(postgres, "gone", 12 * MINUTE)
    postgres.hosts.lead("one", LONG, MINUTE, LONG)
    clock = postgres.hosts.clock()
    assert ["one", "two"] == [host.name for host in postgres.hosts.all() if not host.is_silent(clock)]


def test_a_host_that_is_drained_between_its_look_and_its_claim_claims_nothing(postgres, another):
    register(postgres, HOST)
    run = postgres.queue(postgres.make())
    with postgres.transaction():
        assert not postgres.hosts.standing(HOST).drained
        another().hosts.set_drained(HOST, True, False)
        assert [] == claim(postgres, Terms(lease=LONG))
    postgres.hosts.set_drained(HOST, False, False)
    assert [run] == claim(postgres, Terms(lease=LONG))


def test_a_drain_waits_for_the_claim_that_is_being_made(postgres, another):
    register(postgres, HOST)
    postgres.queue(postgres.make())
    hasty = another(patience=0.05)
    with postgres.transaction():
        claim(postgres, Terms(lease=LONG))
        with pytest.raises(StoreBusy), hasty.transaction():
            hasty.hosts.set_drained(HOST, True, False)


def test_what_only_a_host_that_is_forgotten_could_run_ends(postgres):
    register(postgres, "one", "db-1")
    everywhere = make(postgres, "everywhere", RunsOn(all=True))
    run = postgres.queue(everywhere, target="one", slot=NOW)
    fall_silent(postgres, "one", MINUTE)
    Hosts(postgres, SystemClock(), lambda: False, lambda: None).forget("db-1")
    assert (State.CANCELLED, "not started: host db-1 was forgotten") == (
        postgres.state(run),
        postgres.runs.find(run).reason,
    )


def test_labels_are_the_same_text_in_any_order():
    assert '{"a":"1","b":"2"}' == labels_text({"b": "2", "a": "1"}) == RunsOn(labels={"b": "2", "a": "1"}).needs


def test_of_hosts_that_want_to_lead_at_once_one_does(postgres, another):
    hosts = [another() for _ in range(4)]
    led = at_once(*(partial(h.hosts.lead, f"host-{n}", LONG, LONG, LONG) for n, h in enumerate(hosts)))
    assert 1 == sum(told.plans for told in led)


def test_a_slot_for_all_hosts_has_one_record_a_host(postgres):
    everywhere = make(postgres, "everywhere", RunsOn(all=True))
    ids = [postgres.queue(everywhere, target=target, slot=NOW) for target in ("one", "two", "one")]
    assert [True, True, False] == [postgres.runs.find(run) is not None for run in ids]


def test_a_run_for_all_is_one_for_each_host_that_is_there_and_not_drained(postgres):
    for host in ("one", "two", "three"):
        register(postgres, host)
    postgres.hosts.set_drained("three", True, False)
    everywhere = make(postgres, "everywhere", RunsOn(all=True))
    for slot in (NOW, NOW + MINUTE):
        new = NewRun(postgres.new_id(NOW), everywhere.id, everywhere.definition_id, Trigger.SCHEDULE, slot=slot)
        with postgres.transaction():
            postgres.add_run(new, everywhere.job, NOW, postgres.new_id)
    runs = postgres.runs.page(RunFilter(everywhere.id), None, 10)
    assert [State.QUEUED, State.QUEUED] == [run.state for run in runs if run.slot == NOW]
    assert {"#one", "#two"} == {run.needs for run in runs if run.slot == NOW}
    later = [run for run in runs if run.slot != NOW]
    assert [State.CANCELLED, State.CANCELLED] == [run.state for run in later]
    assert all("waiting to start on this host" in run.reason for run in later)


@pytest.mark.parametrize(
    ("silent", "state", "reason"),
    [
        (30 * SECOND, State.QUEUED, ""),
        (2 * MINUTE, State.CANCELLED, "not started: host db-2 was not there; it was seen last at "),
        (timedelta(days=2), None, ""),
    ],
)
def test_a_host_that_was_not_there_for_a_run_for_all_has_a_record_that_says_so(postgres, silent, state, reason):
    register(postgres, "one", "db-1")
    register(postgres, "two", "db-2")
    fall_silent(postgres, "two", silent)
    everywhere = make(postgres, "everywhere", RunsOn(all=True))
    new = NewRun(postgres.new_id(NOW), everywhere.id, everywhere.definition_id, Trigger.SCHEDULE, slot=NOW)
    with postgres.transaction():
        postgres.add_run(new, everywhere.job, NOW, postgres.new_id)
    runs = {run.needs: run for run in postgres.runs.page(RunFilter(everywhere.id), None, 10)}
    assert State.QUEUED is runs["#one"].state
    assert state is (runs["#two"].state if "#two" in runs else None)
    assert state is None or runs["#two"].reason.startswith(reason)


def test_a_run_for_all_that_is_asked_for_before_there_is_a_host_is_refused(postgres):
    everywhere = make(postgres, "everywhere", RunsOn(all=True))
    new = NewRun(postgres.new_id(NOW), everywhere.id, everywhere.definition_id, Trigger.MANUAL)
    with pytest.raises(Conflict, match="no host is known yet"), postgres.transaction():
        postgres.add_run(new, everywhere.job, NOW, postgres.new_id)


def test_with_one_host_a_run_for_all_is_one_run(memory):
    everywhere = make(memory, "everywhere", RunsOn(all=True))
    new = NewRun(memory.new_id(NOW), everywhere.id, everywhere.definition_id, Trigger.SCHEDULE, slot=NOW)
    with memory.transaction():
        memory.add_run(new, everywhere.job, NOW, memory.new_id)
    assert [new.id] == claim(memory, Terms())


def test_what_another_host_sends_of_a_running_attempt_is_read_from_any_place_until_it_ends(postgres, tmp_path):
    run = postgres.claim_one(postgres.make())
    postgres.runs.send_live(run.run_id, 1, "stdout", 0, b"hello ")
    postgres.runs.send_live(run.run_id, 1, "stdout", 6, b"world")
    postgres.runs.send_live(run.run_id, 2, "stdout", 0, b"of no attempt that runs")
    live = LiveAnywhere(postgres, "another home", SpoolReader(str(tmp_path))).open(postgres.runs.find(run.run_id))
    assert (b"hello ", 6) == (live.read("stdout", 0).content, live.read("stdout", 0).offset)
    assert (b"rld", 11) == (live.read("stdout", 8).content, live.read("stdout", 8).offset)
    assert b"" == live.read("stdout", 11).content == live.read("stderr", 0).content
    postgres.runs.send_live(run.run_id, 1, "stdout", 500_000, b"much later")
    assert (b"much later", 500_000) == (live.read("stdout", 0).content, live.read("stdout", 0).dropped)
    postgres.end(run)
    assert [] == postgres.runs.live(run.run_id, 1, "stdout", 0)


def test_the_place_in_a_spool_of_another_host_is_nothing_here(postgres, tmp_path):
    run = postgres.claim_one(postgres.make())
    (tmp_path / f"{run.spool.rpartition('/')[2]}.out").write_text("somebody else's")
    (tmp_path / f"{run.spool.rpartition('/')[2]}.err").write_text("")
    here, found = SpoolReader(str(tmp_path)), postgres.runs.find(run.run_id)
    assert b"" == LiveAnywhere(postgres, "another home", here).open(found).read("stdout", 0).content
    own = LiveAnywhere(postgres, HOST, here).open(found)
    assert b"somebody else's" == own.read("stdout", 0).content
    own.close()
