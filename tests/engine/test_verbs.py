"""What people's verbs do to the ledger: pause, resume, edit, remove and add account for every slot."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from rota.errors import BadJob, Conflict, IllegalMove, JobExists, NoSuchJob
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import CatchUp, Policy
from rota.model.run import State, Trigger

from .machine import NOW, Act

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def slots(world, name):
    return [run.slot for run in world.runs(name)]


def accounted(world, name, step):
    """Compare runs and skips with the slots up to the cursor."""
    stored = world.store.jobs.find(name)
    skipped = sum(count for _, count in world.skips(name))
    return (len(world.runs(name)) + skipped, (stored.planned_to - NOW) // step)


def edited(world, name, **policy):
    job = world.store.jobs.get(name).job
    return msgspec.structs.replace(job, policy=msgspec.structs.replace(job.policy, **policy))


def at_job(name, *instants, **policy):
    specs = tuple(ScheduleSpec("at", instant.isoformat()) for instant in instants)
    return Job(name, Shell("true"), specs, Policy(**policy), timezone="UTC")


def test_a_pause_is_one_range_and_resuming_catches_nothing_up(world):
    world.add("backup", "1m", catch_up=CatchUp.ALL)
    world.live(2 * MINUTE + SECOND)
    assert world.verbs.pause("backup") is True
    assert world.verbs.pause("backup") is False
    world.live(HOUR)
    assert 60 == world.verbs.resume("backup")
    world.live(MINUTE)
    assert [("paused", 60)] == world.skips("backup")
    assert [NOW + number * MINUTE for number in (1, 2, 63)] == slots(world, "backup")
    assert accounted(world, "backup", MINUTE)[0] == 63
    kinds = [event.kind for event in world.store.ledger.events(0, 1000)]
    assert (1, 1) == (kinds.count("job.paused"), kinds.count("job.resumed"))


def test_a_job_that_is_not_paused_cannot_be_resumed(world):
    world.add("backup", "1m")
    with pytest.raises(Conflict, match="job 'backup' is not paused"):
        world.verbs.resume("backup")


def test_what_was_due_when_it_was_paused_is_decided_as_if_it_was_not(world):
    world.add("backup", "1m")
    world.sleep_without_engine(5 * MINUTE)
    world.verbs.pause("backup")
    assert [NOW + 5 * MINUTE] == slots(world, "backup")
    assert [("coalesced", 4)] == world.skips("backup")


@pytest.mark.parametrize("verb", ["edit", "remove", "pause again"])
def test_slots_of_a_pause_are_on_record_whatever_ends_it(world, verb):
    world.add("backup", "1m")
    world.verbs.pause("backup")
    world.live(30 * MINUTE)
    if verb == "edit":
        world.verbs.change("backup", edited(world, "backup", priority=1))
        assert world.store.jobs.get("backup").paused_at is not None, "an edit ends no pause"
        world.live(30 * MINUTE)
        world.verbs.resume("backup")
    elif verb == "remove":
        world.verbs.remove("backup")
    else:
        world.verbs.pause("backup")
    assert {"edit": [("paused", 60)]}.get(verb, [("paused", 30)]) == world.skips("backup")


def test_an_edit_decides_what_was_due_under_the_old_definition(world):
    world.add("backup", "1m", catch_up=CatchUp.ALL)
    world.sleep_without_engine(5 * MINUTE + 30 * SECOND)
    world.verbs.change("backup", edited(world, "backup", catch_up=CatchUp.NONE))
    assert [NOW + number * MINUTE for number in range(1, 6)] == slots(world, "backup")
    world.live(MINUTE)
    assert 6 == len(world.runs("backup"))
    assert accounted(world, "backup", MINUTE)[0] == 6


def test_an_edit_keeps_the_phase_of_an_unchanged_every_and_starts_a_changed_one_anew(world):
    world.add("backup", "7m")
    world.live(10 * MINUTE)
    world.verbs.change("backup", edited(world, "backup", priority=1))
    assert NOW + 14 * MINUTE == world.store.jobs.get("backup").next_slot
    job = msgspec.structs.replace(
        world.store.jobs.get("backup").job, schedules=(ScheduleSpec("every", "8m"), ScheduleSpec("every", "7m"))
    )
    world.verbs.change("backup", job)
    assert [NOW + 10 * MINUTE, NOW] == [spec.anchor for spec in world.store.jobs.get("backup").job.schedules]


def test_many_edits_lose_and_double_no_slot(world):
    world.add("backup", "1m", overlap="allow")
    for number in range(100):
        world.live(7 + number % 60)
        world.verbs.change("backup", edited(world, "backup", priority=number))
    made, due = accounted(world, "backup", MINUTE)
    assert made == due
    assert len(set(slots(world, "backup"))) == len(slots(world, "backup"))


def test_an_edit_of_a_job_with_jitter_loses_no_slot_that_it_has_not_woken_for(world):
    world.add("backup", "10m", jitter=9 * MINUTE, catch_up=CatchUp.NONE)
    shift = world.store.jobs.get("backup").jitter
    assert SECOND < shift
    world.live(10 * MINUTE + shift / 2)
    assert [] == slots(world, "backup")
    world.verbs.change("backup", edited(world, "backup", priority=1))
    assert [NOW + 10 * MINUTE] == slots(world, "backup")
    world.live(HOUR)
    assert [] == world.skips("backup")


def test_somebody_elses_edit_is_noticed(world):
    world.add("backup", "1m")
    world.verbs.change("backup", edited(world, "backup", priority=1), revision=1)
    with pytest.raises(Conflict, match="job 'backup' is at revision 2, not 1"):
        world.verbs.change("backup", edited(world, "backup", priority=2), revision=1)


def test_a_disabled_job_is_due_for_nothing_and_starts_again_from_then_on(world):
    world.add("backup", "1m")
    world.verbs.change("backup", msgspec.structs.replace(world.store.jobs.get("backup").job, enabled=False))
    world.live(10 * MINUTE)
    world.verbs.change("backup", msgspec.structs.replace(world.store.jobs.get("backup").job, enabled=True))
    world.live(MINUTE)
    assert ([NOW + 11 * MINUTE], []) == (slots(world, "backup"), world.skips("backup"))


def test_removing_ends_what_waits_leaves_what_runs_and_keeps_the_history(world):
    world.add("backup", act=Act(seconds=60))
    running = world.verbs.trigger("backup")
    world.live(1)
    waiting = [world.verbs.trigger("backup") for _ in range(3)]
    (left,) = world.verbs.remove("backup")
    assert (running, State.RUNNING) == (left.id, left.state)
    assert [State.CANCELLED] * 3 == [world.store.runs.find(run_id).state for run_id in waiting]
    world.live(2 * MINUTE)
    assert State.SUCCEEDED is world.store.runs.find(running).state
    with pytest.raises(NoSuchJob):
        world.verbs.trigger("backup")


def test_a_job_that_was_removed_can_be_added_again_and_goes_on_from_then(world):
    world.add("backup", "10m", act=[Act(seconds=3 * 3600), Act()])
    world.live(11 * MINUTE)
    world.verbs.remove("backup")
    world.live(HOUR)
    world.add("backup", "10m")
    with pytest.raises(JobExists, match="there is a job named 'backup' already; remove it first"):
        world.add("backup", "10m")
    world.live(15 * MINUTE)
    assert [("overlap", 1)] == world.skips("backup"), "the old run is still its run"
    world.live(3 * HOUR)
    stored = world.store.jobs.get("backup")
    assert NOW + 71 * MINUTE == stored.job.schedules[0].anchor
    last = world.runs("backup")[-1]
    assert (last.slot - NOW - 71 * MINUTE) % (10 * MINUTE) == timedelta(0)


def test_an_at_that_has_just_passed_runs_once_however_often_it_is_applied(world):
    job = at_job("once", NOW - 10 * MINUTE)
    assert () == world.verbs.add(job).warnings
    world.live(MINUTE)
    world.verbs.change("once", job)
    world.verbs.remove("once")
    world.verbs.add(job)
    world.live(MINUTE)
    assert [(NOW - 10 * MINUTE, Trigger.CATCH_UP)] == [(run.slot, run.trigger) for run in world.runs("once")]


def test_an_at_beyond_grace_is_a_skip_with_a_warning_once(world):
    job = at_job("once", NOW - 2 * HOUR)
    (warning,) = world.verbs.add(job).warnings
    assert warning == (
        "2026-03-01 10:00:00 UTC has passed already and will not run: "
        "it had passed more than 1 hour (grace) before the job was made"
    )
    assert () == world.verbs.change("once", job).warnings
    world.verbs.remove("once")
    assert () == world.verbs.add(job).warnings
    world.live(MINUTE)
    assert ([], [("beyond_grace", 1)]) == (world.runs("once"), world.skips("once"))


def test_an_at_to_come_runs_at_its_time(world):
    world.verbs.add(at_job("once", NOW + HOUR, NOW + 2 * HOUR))
    world.live(DAY)
    assert [NOW + HOUR, NOW + 2 * HOUR] == slots(world, "once")
    assert world.store.jobs.get("once").next_slot is None


def test_an_at_outside_the_job_s_dates_is_no_slot(world):
    world.verbs.add(at_job("once", NOW - MINUTE, not_before=NOW))
    world.live(MINUTE)
    assert ([], []) == (world.runs("once"), world.skips("once"))


def test_an_at_that_is_added_inside_an_old_range_of_skips_still_runs(world):
    world.add("backup", "1m")
    world.verbs.pause("backup")
    world.live(10 * MINUTE)
    world.verbs.resume("backup")
    job = world.store.jobs.get("backup").job
    between = NOW + 5 * MINUTE + 30 * SECOND
    world.verbs.change(
        "backup", msgspec.structs.replace(job, schedules=(*job.schedules, ScheduleSpec("at", between.isoformat())))
    )
    assert [between] == slots(world, "backup")


def test_a_schedule_that_counts_from_the_end_survives_pause_and_edit(world):
    world.add("backup", "10m after", act=Act(seconds=60))
    world.live(10 * MINUTE + 30 * SECOND)
    world.verbs.pause("backup")
    world.live(HOUR)
    world.verbs.resume("backup")
    world.live(10 * MINUTE)
    assert [600.0, 4830.0] == [at for at, _ in world.since(NOW)]


def test_one_request_key_is_one_run_of_one_job(world):
    world.add("backup")
    world.add("other")
    first = world.verbs.trigger("backup", request_key="k")
    assert first == world.verbs.trigger("backup", request_key="k")
    world.live(MINUTE)
    assert first == world.verbs.trigger("backup", request_key="k")
    with pytest.raises(Conflict, match=rf"the request key 'k' has asked for run {first} of job 'backup' already"):
        world.verbs.trigger("other", request_key="k")
    assert ([first], []) == ([run.id for run in world.runs("backup")], world.runs("other"))


def test_a_cancel_of_a_job_ends_all_of_its_runs_and_starts_none_of_them(world):
    world.add("backup", act=Act(seconds=None))
    for _ in range(4):
        world.verbs.trigger("backup")
    world.live(2)
    assert 4 == len(world.verbs.cancel("backup"))
    world.live(MINUTE)
    assert ({State.CANCELLED}, 1) == (set(world.states("backup")), len(world.launcher.starts))
    with pytest.raises(Conflict, match="job 'backup' has no run that is queued, running or waiting"):
        world.verbs.cancel("backup")


def test_only_a_run_that_has_ended_is_retried(world):
    world.add("backup", act=Act(seconds=60))
    run_id = world.verbs.trigger("backup")
    world.live(1)
    with pytest.raises(IllegalMove, match="is running; only a run that has ended can be tried again"):
        world.verbs.retry(run_id)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"a-b": "1"}, "a name is letters, digits and '_'"),
        ({"ü": "1"}, "a name is letters, digits and '_'"),
        ({"a": "\0"}, "cannot hold a NUL character"),
        ({"a": "x" * 70_000}, "the parameters are longer than 65536 characters"),
    ],
)
def test_a_parameter_that_no_environment_takes_is_refused(world, params, problem):
    world.add("backup")
    with pytest.raises(BadJob, match=problem):
        world.verbs.trigger("backup", params)


def test_a_pool_of_nothing_is_refused(world):
    with pytest.raises(BadJob, match="pool 'disk': its size is 0; it must be 1 or more"):
        world.verbs.set_pool("disk", 0)
