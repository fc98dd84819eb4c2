"""Jobs: made, changed behind the revision's fence, planned behind the cursor's."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from rota.errors import NoSuchJob, Outdated
from rota.model.job import ScheduleSpec
from rota.model.ledger import Skip, SkipCode
from rota.model.run import State, Trigger
from rota.plan.due import Plan, PlannedRun

from .worlds import DAY, HOUR, MINUTE, NOW, REFUSED, SECOND, job

HOURLY = ScheduleSpec("every", "1h", anchor=NOW)
AFTER_END = ScheduleSpec("every", "10m", anchor=NOW, from_end=True)


def redefine(store, stored, new, now=NOW, jitter=timedelta(0), rest=None):
    with store.transaction():
        return store.jobs.change_if_unchanged(stored, new, "hand", now, rest, jitter)


def plan_of(*slots, until=NOW, following=None, skips=(), victims=(), streak=0, stuck=False):
    runs = tuple(PlannedRun(slot, Trigger.SCHEDULE) for slot in slots)
    return Plan(runs, tuple(skips), tuple(victims), until, following, streak, stuck)


def test_a_job_is_stored_as_its_author_wrote_it(store):
    stored = store.make("backup", HOURLY, jitter=MINUTE, max_instances=3, grace=timedelta(microseconds=7))
    assert stored == store.jobs.get("backup") == store.jobs.by_id(stored.id) == store.jobs.find("backup")
    assert job("backup", HOURLY, jitter=MINUTE, max_instances=3, grace=timedelta(microseconds=7)) == stored.job
    assert ("hand", 1, NOW, NOW, None) == (
        stored.origin, stored.revision, stored.created_at, stored.planned_to, stored.next_slot,
    )  # fmt: skip
    assert timedelta(0) < stored.jitter < MINUTE


def test_a_name_that_is_not_there_is_refused_with_the_nearest_one(store):
    store.make("backup")
    assert store.jobs.find("bakcup") is None
    with pytest.raises(NoSuchJob, match="no job named 'bakcup'; did you mean 'backup'"):
        store.jobs.get("bakcup")
    with pytest.raises(NoSuchJob):
        store.jobs.by_id(77)


def test_two_editors_cannot_both_change_what_they_read(store):
    stored = store.make()
    changed = redefine(store, stored, job(priority=1))
    assert changed.revision == 2
    assert changed.definition_id != stored.definition_id
    for late in (
        lambda: redefine(store, stored, job(priority=2)),
        lambda: store.jobs.pause_if_unchanged(stored, NOW, NOW),
        lambda: store.jobs.remove_if_unchanged(stored, NOW),
    ):
        with pytest.raises(Outdated, match="job 'backup' was changed by somebody else"):
            late()
    assert changed == store.jobs.get("backup")


def test_a_change_of_definition_leaves_old_runs_with_theirs(store):
    stored = store.make()
    store.queue(stored)
    redefine(store, stored, job(priority=1))
    assert 50 == store.jobs.definition(stored.definition_id).policy.priority


def test_a_paused_or_removed_job_wakes_nobody(store):
    for name in ("paused", "removed"):
        store.jobs.set_cursor(store.make(name, HOURLY).id, NOW, NOW + HOUR)
    assert NOW + HOUR == store.jobs.next_wake()
    store.jobs.pause_if_unchanged(store.jobs.get("paused"), NOW, NOW)
    store.jobs.remove_if_unchanged(store.jobs.get("removed"), NOW)
    assert store.jobs.next_wake() is None
    assert [] == store.jobs.due(NOW + DAY, 10)
    assert (1, ["paused"]) == (store.jobs.count(), store.jobs.names())


@pytest.mark.parametrize("how", ["paused_at = 5", "enabled = 0", "removed_at = 5", "planned_to = next_slot"])
def test_the_database_refuses_a_next_slot_that_cannot_come(store, how):
    stored = store.make("backup", HOURLY)
    store.jobs.set_cursor(stored.id, NOW, NOW + HOUR)
    with pytest.raises(Exception, match=REFUSED):
        store.database._connection.execute(f"UPDATE job SET {how}")


def test_a_removed_job_comes_back_with_its_history(store):
    stored = store.make()
    run = store.queue(stored)
    store.jobs.remove_if_unchanged(stored, NOW)
    gone = store.jobs.find("backup")
    assert gone.removed_at == NOW
    with pytest.raises(NoSuchJob):
        store.jobs.get("backup")
    again = redefine(store, gone, job(priority=3))
    assert (stored.id, None, 3) == (again.id, again.removed_at, again.revision)
    assert [run] == [found.id for found in store.runs.active(again.id)]


def test_the_cursor_is_the_fence_of_planners(store):
    stored = store.make("backup", HOURLY)
    skip = Skip(NOW, NOW, 1, SkipCode.OVERLAP, "why")
    plan = plan_of(NOW + HOUR, until=NOW + HOUR, following=NOW + 2 * HOUR, skips=[skip])
    with store.transaction():
        assert store.record_plan_if_unmoved(stored, plan, NOW, store.new_id) is True
        assert store.record_plan_if_unmoved(stored, plan, NOW, store.new_id) is False
    fresh = store.jobs.get("backup")
    assert (NOW + HOUR, NOW + 2 * HOUR) == (fresh.planned_to, fresh.next_slot)
    assert len(store.runs.active(stored.id)) == 1
    assert len(store.ledger.page(None, NOW - DAY, None, 10)) == 1


def test_a_planned_slot_that_has_its_run_already_keeps_it(store):
    stored = store.make("backup", HOURLY)
    run = store.queue(stored, slot=NOW + HOUR)
    plan = plan_of(NOW + HOUR, until=NOW + HOUR)
    assert store.record_plan_if_unmoved(stored, plan, NOW, store.new_id) is True
    assert [run] == [found.id for found in store.runs.active(stored.id)]


def test_a_plan_asks_its_victims_to_end(store):
    stored = store.make("backup", HOURLY, max_instances=2, overlap="replace")
    running = store.claim_one(stored)
    queued = store.queue(stored)
    store.record_plan_if_unmoved(stored, plan_of(victims=[running.run_id, queued]), NOW, store.new_id)
    assert [running.run_id] == [run_id for run_id, _ in store.runs.cancel_requests("host-one")]
    assert State.CANCELLED is store.state(queued)


def test_missed_slots_and_jobs_that_are_stuck_are_events(store):
    stored = store.make("backup", HOURLY)
    missed = Skip(NOW, NOW + HOUR, 2, SkipCode.BEYOND_GRACE, "late")
    refused = Skip(NOW + 2 * HOUR, NOW + 2 * HOUR, 1, SkipCode.OVERLAP, "run X was still running", "X")
    plan = plan_of(skips=[missed, refused], until=NOW + 2 * HOUR, streak=3, stuck=True)
    store.record_plan_if_unmoved(stored, plan, NOW, store.new_id)
    events = {event.kind: event.data for event in store.ledger.events(0, 10)}
    assert {"count": "2", "code": "beyond_grace", "reason": "late"} == events["job.missed"]
    assert {"skips": "3", "reason": "run X was still running"} == events["job.stuck"]
    assert store.jobs.get("backup").skip_streak == 3


def test_jitter_wakes_the_job_later_than_its_slot(store):
    stored = redefine(store, store.make("backup", HOURLY), job("backup", HOURLY), jitter=5 * MINUTE)
    store.jobs.set_cursor(stored.id, NOW, NOW + HOUR)
    assert NOW + HOUR + 5 * MINUTE == store.jobs.next_wake()
    assert [] == store.jobs.due(NOW + HOUR, 10)
    (due,) = store.jobs.due(NOW + HOUR + 5 * MINUTE, 10)
    assert (NOW + HOUR, 5 * MINUTE) == (due.next_slot, due.jitter)


def test_the_oldest_wake_is_planned_first(store):
    for name, wait in (("late", 3), ("soon", 1), ("middle", 2)):
        store.jobs.set_cursor(store.make(name, HOURLY).id, NOW, NOW + wait * MINUTE)
    assert ["soon", "middle"] == [stored.name for stored in store.jobs.due(NOW + HOUR, 2)]


def test_the_end_of_a_run_sets_the_next_slot_of_a_schedule_that_counts_from_it(store):
    stored = redefine(store, store.make("backup", AFTER_END), job("backup", AFTER_END), rest=10 * MINUTE, jitter=SECOND)
    run = store.claim_one(stored)
    assert store.jobs.get("backup").next_slot is None
    store.rest(run)
    assert store.jobs.get("backup").next_slot is None, "an attempt's end is not the run's"
    store.runs.wake(NOW + HOUR)
    (again,) = store.claim(now=NOW + HOUR)
    store.end(again, after=MINUTE)
    assert NOW + HOUR + 11 * MINUTE == store.jobs.get("backup").next_slot
    assert NOW + HOUR + 11 * MINUTE + SECOND == store.jobs.next_wake(), "jitter counts here too"


def test_the_end_of_a_run_wakes_no_job_that_is_paused(store):
    stored = redefine(store, store.make("backup", AFTER_END), job("backup", AFTER_END), rest=10 * MINUTE)
    run = store.claim_one(stored)
    store.jobs.pause_if_unchanged(store.jobs.get("backup"), NOW, NOW)
    store.end(run)
    assert store.jobs.next_wake() is None


def test_next_wake_is_the_soonest_of_slots_pauses_and_limits(store):
    stored = store.make("slot", HOURLY)
    store.jobs.set_cursor(stored.id, NOW, NOW + HOUR)
    assert NOW + HOUR == store.jobs.next_wake()
    store.queue(store.make("limit", start_by=30 * MINUTE, priority=99))
    assert NOW + 30 * MINUTE == store.jobs.next_wake()
    store.rest(store.claim_one(store.make("pause", priority=0)), pause=MINUTE)
    assert NOW + MINUTE + SECOND == store.jobs.next_wake()


def test_a_clock_correction_finds_every_job_that_time_may_move(store):
    names = ["due", "ahead", "idle"]
    due, ahead, _ = (store.make(name, HOURLY) for name in names)
    store.jobs.set_cursor(due.id, NOW, NOW + HOUR)
    store.jobs.set_cursor(ahead.id, NOW + DAY, None)
    assert ["due", "ahead"] == [stored.name for stored in store.jobs.timed(0, NOW, 10)]
    assert ["ahead"] == [stored.name for stored in store.jobs.timed(due.id, NOW, 10)]


def test_jobs_that_may_be_due_at_a_start_of_the_machine_are_found_page_by_page(store):
    boot, instant = ScheduleSpec("at", "boot"), ScheduleSpec("at", "2027-01-31 10:00")
    for name, specs in {"a": (boot,), "b": (HOURLY,), "c": (HOURLY, ScheduleSpec("at", " Boot")), "d": (boot,)}.items():
        store.make(name, *specs)
    store.make("e", instant)
    with store.transaction():
        store.jobs.remove_if_unchanged(store.make("removed", boot), NOW)
        store.jobs.pause_if_unchanged(store.jobs.get("d"), NOW, NOW)
    redefine(store, store.make("disabled", boot), msgspec.structs.replace(job("disabled", boot), enabled=False))
    redefine(store, store.make("changed", boot), job("changed", HOURLY))
    first = store.jobs.maybe_at_boot(0, 2)
    second = store.jobs.maybe_at_boot(first[-1].id, 2)
    assert ["a", "c", "d"] == [stored.name for stored in (*first, *second)]
    assert [] == store.jobs.maybe_at_boot(second[-1].id, 2)


def test_letters_of_the_word_elsewhere_in_a_definition_may_be_found_but_are_told_apart_by_it(store):
    made = job("agent", ScheduleSpec("at", "2027-01-31 10:00"))
    store.make("agent")
    with store.transaction():
        action = msgspec.structs.replace(made.action, line='echo "kind":"at","text":"boot"')
        redefine(store, store.jobs.get("agent"), msgspec.structs.replace(made, action=action))
    assert [] == [stored.name for stored in store.jobs.maybe_at_boot(0, 9) if stored.job.at_boot]
