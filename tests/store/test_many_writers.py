"""What many writers at once ask of PostgreSQL: each row is one writer's, counts are true, and no event is missed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from process.waiting import wait_for
from rota.errors import StoreBusy
from rota.model.access import Role
from rota.model.host import Terms
from rota.model.run import OutputPart, State

from .worlds import DAY, HOUR, NOW, at_once

HASH = "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA"


def test_two_hosts_that_claim_at_once_share_the_runs_and_keep_the_limits(postgres, another):
    plain, disk = postgres.make("plain", overlap="allow"), postgres.make("disk", pool="disk", overlap="allow")
    postgres.jobs.set_pool("disk", 2)
    for _ in range(10):
        postgres.queue(plain)
        postgres.queue(disk)
    hosts = [another() for _ in range(4)]

    claimed = at_once(*(partial(h.claim, 9, host=f"host-{n}", max_running=7) for n, h in enumerate(hosts)))

    ids = [run.run_id for runs in claimed for run in runs]
    assert 7 == len(ids) == len(set(ids))
    assert postgres.jobs.pools()["disk"][1] <= 2
    assert 7 == postgres.runs.state_counts()[State.RUNNING]


def test_a_host_that_finds_nothing_ready_waits_for_no_other(postgres, another):
    terms = Terms("two", {}, HOUR)
    busy, idle = another(), another(patience=0.05)
    with busy.transaction():
        assert [] == busy.claim(1, host="one"), "and the claims are this host's until the end"
        with idle.transaction():
            assert [] == idle.runs.claim_ready("two", "boot", NOW, ["j/0"], None, terms)
        postgres.queue(postgres.make())
        with pytest.raises(StoreBusy), idle.transaction():
            idle.runs.claim_ready("two", "boot", NOW, ["j/0"], None, terms)


def test_a_run_that_is_being_cancelled_is_not_claimed(postgres, another):
    going = postgres.queue(postgres.make("going", priority=1))
    staying = postgres.queue(postgres.make("staying", priority=2))
    other = another()
    with other.transaction():
        assert other.runs.cancel_if_not_running(going, NOW, "by hand")
        assert [staying] == [run.run_id for run in postgres.claim(1)]
    assert State.CANCELLED is postgres.state(going)


def test_two_runs_of_a_job_that_end_at_once_let_two_held_ones_go(postgres, another):
    for number in range(5):
        stored = postgres.make(f"job-{number}", max_instances=2)
        running = [postgres.claim_one(stored), postgres.claim_one(stored)]
        held = [postgres.queue(stored, held=True) for _ in range(2)]
        hosts = another(), another()
        ends = [partial(h.end, r) for h, r in zip(hosts, running, strict=True)]
        assert [True, True] == at_once(*ends)
        assert [] == postgres.held(stored), held
        assert sorted(held) == sorted(run.run_id for run in postgres.claim(9)), "they are ready"


def test_of_two_triggers_at_once_one_waits_for_its_place(postgres, another):
    stored = postgres.make()

    def trigger(world):
        with world.transaction():
            job_now = world.jobs.get("backup")
            held = world.runs.placed(job_now.id) >= 1
            world.queue(job_now, held=held)
            return held

    assert [False, True] == sorted(at_once(*(partial(trigger, another()) for _ in range(2))))
    assert 1 == postgres.runs.placed(stored.id)


def test_of_two_requests_with_one_key_at_once_one_makes_the_run(postgres, another):
    postgres.make("one")
    postgres.make("two")

    def ask(world, name):
        with world.transaction():
            stored = world.jobs.get(name)
            known = world.runs.with_request_key("key")
            return known or world.queue(stored, request_key="key")

    first, second = at_once(partial(ask, another(), "one"), partial(ask, another(), "two"))
    assert first == second


def test_a_fact_that_is_read_to_be_written_is_counted_up_by_everybody(postgres, another):
    def count_up(world):
        for _ in range(20):
            with world.transaction():
                world.upkeep.put_fact("n", str(int(world.upkeep.fact("n") or 0) + 1))

    at_once(*(partial(count_up, another()) for _ in range(4)))
    assert "80" == postgres.upkeep.fact("n")


def test_of_two_admins_who_remove_each_other_one_stays(postgres, another):
    for name in ("ann", "bob"):
        postgres.access.add_user(name, Role.ADMIN, HASH, NOW)

    def remove(world, name):
        with suppress(ZeroDivisionError), world.transaction():
            world.access.remove_user(name)
            if not world.access.users():
                raise ZeroDivisionError

    at_once(partial(remove, another(), "ann"), partial(remove, another(), "bob"))
    assert 1 == len(postgres.access.users())


def test_a_due_job_that_somebody_changes_is_left_to_the_next_look(postgres, another):
    stored = [postgres.make(name, now=NOW - DAY) for name in ("one", "two")]
    for each in stored:
        postgres.jobs.set_cursor(each.id, NOW - HOUR, NOW)
    other = another()
    with other.transaction():
        other.jobs.get("one")
        with postgres.transaction():
            assert ["two"] == [each.name for each in postgres.jobs.due(NOW, 10)]
    assert ["one", "two"] == sorted(each.name for each in postgres.jobs.due(NOW, 10))


def test_a_reader_never_waits_for_a_writer(postgres, another):
    postgres.make()
    other = another(patience=0.05)
    with postgres.transaction():
        postgres.jobs.get("backup")
        postgres.upkeep.put_fact("x", "1")
        assert "backup" == other.jobs.get("backup").name
        assert other.upkeep.fact("x") is None


def test_who_waits_too_long_for_a_lock_is_told_that_it_is_busy(postgres, another):
    postgres.make()
    other = another(patience=0.05)
    with postgres.transaction():
        postgres.jobs.get("backup")
        with pytest.raises(StoreBusy, match="is locked by somebody else"), other.transaction():
            other.jobs.get("backup")
    with other.transaction():
        assert other.jobs.get("backup")


def test_of_two_that_wait_for_each_other_one_gives_way(postgres, another):
    postgres.make("a")
    postgres.make("b")
    gate = threading.Barrier(2)

    def both(world, first, second):
        try:
            with world.transaction():
                world.jobs.get(first)
                gate.wait(30)
                world.jobs.get(second)
        except StoreBusy:
            return "busy"
        return "done"

    worlds = another(), another()
    assert {"done", "busy"} == set(at_once(partial(both, worlds[0], "a", "b"), partial(both, worlds[1], "b", "a")))


def test_outputs_that_are_kept_at_once_do_not_wait_for_each_other_and_are_counted(postgres, another):
    runs = [postgres.claim_one(postgres.make(f"job-{number}")) for number in range(2)]
    other = another(patience=0.2)
    with postgres.transaction(), other.transaction():
        postgres.runs.add_output(runs[0].run_id, 1, [OutputPart("stdout", b"123", b"", 3)])
        other.runs.add_output(runs[1].run_id, 1, [OutputPart("stdout", b"45", b"", 2)])
    assert 5 == postgres.upkeep.output_kept()
    postgres.upkeep.drop_output_before(NOW - DAY, 10)
    assert 5 == postgres.upkeep.output_kept(), "folded into one row, it is the same"
    assert 1 == postgres.database._connection.execute("SELECT count(*) FROM output_kept").fetchone()[0]


def test_no_reader_goes_past_an_event_that_is_still_to_be_committed(postgres, another):
    slow, fast = another(), another()
    postgres.ledger.add_event("first", NOW)
    with slow.transaction():
        slow.ledger.add_event("slow", NOW)
        fast.ledger.add_event("fast", NOW)
        assert ["first"] == postgres.kinds(), "the fast one has the greater number, and waits"
        assert 1 == postgres.ledger.event_bounds()[1]
    assert ["first", "slow", "fast"] == postgres.kinds()


def test_events_that_were_undone_hold_nobody_up(postgres, another):
    other = another()
    with pytest.raises(ZeroDivisionError), other.transaction():  # noqa: PT012 -- the write is the point
        other.ledger.add_event("undone", NOW)
        _ = 1 / 0
    postgres.ledger.add_event("done", NOW)
    assert ["done"] == postgres.kinds()


def test_whoever_follows_events_misses_none_of_many_writers(postgres, another):
    def write(world, name):
        for number in range(60):
            with world.transaction():
                for part in range(1 + number % 3):
                    world.ledger.add_event(f"{name}.{number}.{part}", NOW)

    writers, reader, seen, cursor = [another() for _ in range(3)], another(), [], 0
    wanted = {f"{n}.{k}.{p}" for n in range(3) for k in range(60) for p in range(1 + k % 3)}
    with ThreadPoolExecutor(3) as threads:
        for number, world in enumerate(writers):
            threads.submit(write, world, str(number))

        def read():
            nonlocal cursor
            for event in reader.ledger.events(cursor, 7):
                seen.append(event.kind)
                cursor = event.seq
            return len(seen) >= len(wanted)

        wait_for(read, seconds=60)
    assert wanted == set(seen)
    assert len(wanted) == len(seen)
