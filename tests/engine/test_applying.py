"""What an apply does to jobs, their slots and their runs, on a machine on paper."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from rota.control.applying import Wanted, Wish
from rota.control.changes import difference_view, firings, shortened, words_changed
from rota.errors import Outdated, StoreFull
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Overlap, Policy
from rota.model.run import State

from .machine import NOW, Act
from .on_paper import FILE, OTHER, Files, job

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def files(world):
    return Files(world)


def said(found):
    return (
        [one.job.name for one in found.added],
        [one.after.name for one in found.changed],
        [one.name for one in found.removed],
        found.unchanged,
    )


def test_new_jobs_come_changed_ones_change_and_missing_ones_go(files):
    assert (["a", "b", "c"], [], [], 0) == said(files.apply(job("a"), job("b"), job("c")))
    assert (["d"], ["b"], ["c"], 1) == said(files.apply(job("a"), job("b", line="false"), job("d")))
    assert ["a", "b", "d"] == files.names()
    assert (Shell("false"), FILE) == (files.job("b").job.action, files.job("b").origin)


def test_an_unchanged_job_keeps_its_phase_and_its_revision(world, files):
    files.apply(job("a"), job("b"))
    world.clock.pass_(30)
    before = files.job("a")
    files.apply(job("a"), job("b", every="5m"))
    assert before == files.job("a")
    assert NOW + MINUTE == files.job("a").next_slot
    assert NOW + 30 * SECOND + 5 * MINUTE == files.job("b").next_slot


def test_a_change_that_is_no_change_of_the_schedule_keeps_the_phase(world, files):
    files.apply(job("a"))
    world.clock.pass_(30)
    files.apply(job("a", line="false"))
    assert NOW + MINUTE == files.job("a").next_slot


def test_nothing_is_written_when_nothing_has_changed(world, files):
    files.apply(job("a"), pools={"db": 2})
    revision, before = files.applier.revision, world.store.upkeep.fact("revision")
    assert files.apply(job("a"), pools={"db": 2}).is_empty
    assert (revision, before) == (files.applier.revision, world.store.upkeep.fact("revision"))


def test_slots_up_to_the_change_belong_to_the_old_definition(world, files):
    files.apply(job("a"))
    world.clock.pass_(3 * 60 + 1)
    files.apply(job("a", every="1h"))
    world.live(SECOND)
    assert [NOW + 3 * MINUTE] == [run.slot for run in world.runs("a")]
    assert 2 == sum(count for _, count in world.skips("a"))


def test_jobs_made_by_hand_and_by_other_files_are_never_touched(world, files):
    world.add("hand", "1m")
    files.apply(job("other"), origin=OTHER)
    files.apply(job("a"))
    files.apply()
    assert ["hand", "other"] == files.names()


@pytest.mark.parametrize(
    ("owner", "words"),
    [("hand", "job 'mine' was made by hand and is kept apart"), (OTHER, "job 'mine' belongs to /etc/other.yaml")],
)
def test_a_name_that_somebody_else_owns_is_a_conflict_with_its_place(world, files, owner, words):
    world.verbs.add(job("mine"), owner)
    (conflict,) = files.look(job("mine")).conflicts
    assert conflict.startswith(f"rota.yaml:2:3: {words}")


def test_a_job_may_move_between_files_that_are_applied_together(world, files):
    files.apply(job("a"), origin=OTHER)
    world.verbs.pause("a")
    before = files.job("a")
    wish = Wish((Wanted(job("a"), FILE, "rota.yaml:2:3"),), frozenset({FILE, OTHER}))
    files.applier.write(files.applier.look(wish, files.there.__contains__))
    after = files.job("a")
    assert (FILE, before.paused_at, before.job) == (after.origin, after.paused_at, after.job)


def test_a_job_may_be_taken_over_from_a_file_that_is_gone(files):
    files.apply(job("a"), origin=OTHER)
    files.there.remove("file:/etc/other.yaml")
    assert (["a"], []) == ([edit.after.name for edit in files.apply(job("a")).changed], files.names()[1:])


def test_jobs_of_a_vanished_file_go_only_when_it_is_asked_for(files):
    files.apply(job("a"), origin=OTHER)
    files.there.remove("file:/etc/other.yaml")
    (kept,) = files.apply(job("b")).kept
    assert ("a", "although /etc/other.yaml has vanished; --prune removes it") == (kept.stored.name, kept.why)
    assert ["a", "b"] == files.names()
    files.apply(job("b"), prune=True)
    assert ["b"] == files.names()


def test_a_job_that_could_not_be_read_stays_as_it_is(files):
    files.apply(job("a"), job("b"))
    files.apply(job("a"), skipped=["b"])
    assert ["a", "b"] == files.names()


def test_no_job_goes_while_one_of_its_file_has_no_name_that_can_be_read(files):
    files.apply(job("a"), job("b"))
    (kept,) = files.apply(job("a"), unsure=True).kept
    why = "because something in /etc/rota.yaml has no name that can be read, and might be it"
    assert ("b", why) == (kept.stored.name, kept.why)
    assert ["a", "b"] == files.names()
    files.apply(job("a"))
    assert ["a"] == files.names()


def test_paused_stays_paused(world, files):
    files.apply(job("a"))
    world.verbs.pause("a")
    files.apply(job("a", every="5m"))
    assert files.job("a").paused_at is not None
    assert files.job("a").next_slot is None


def test_what_runs_goes_on_under_its_definition_and_what_waits_is_cancelled_with_its_job(world, files):
    world.launcher.script["a"] = [Act(seconds=600)]
    files.apply(job("a", policy=Policy(max_instances=1)))
    world.verbs.trigger("a")
    world.live(SECOND)
    world.verbs.trigger("a")
    world.live(SECOND)
    runs = files.applier.touched(files.look())
    assert ["a"] == list(runs)
    files.apply()
    world.live(700)
    assert [State.SUCCEEDED, State.CANCELLED] == world.states("a")


def test_a_removed_job_that_comes_back_has_its_history(world, files):
    files.apply(job("a"))
    world.live(MINUTE + SECOND)
    first = files.job("a").id
    files.apply()
    files.apply(job("a"))
    assert (first, 1) == (files.job("a").id, len(world.runs("a")))


def test_a_file_s_job_that_was_gone_for_a_moment_comes_back_with_its_pause_and_its_phase(world, files):
    files.apply(job("a"), job("b"))
    anchor = files.job("b").job.schedules[0].anchor
    world.verbs.pause("b")
    files.apply(job("a"))
    world.clock.pass_(90)
    found = files.look(job("a"), job("b"))
    (warning,) = files.applier.write(found)
    assert "job 'b': it was paused when it was removed, and still is; to end that: rota resume b" == warning
    assert (anchor, True) == (files.job("b").job.schedules[0].anchor, files.job("b").paused_at is not None)


def test_a_job_that_is_made_by_hand_in_the_place_of_a_removed_one_is_not_paused(world, files):
    files.apply(job("a"), job("b"))
    world.verbs.pause("b")
    files.apply(job("a"))
    world.verbs.add(job("b"))
    assert files.job("b").paused_at is None


def test_a_job_of_another_file_may_be_taken_over_when_that_is_asked_for(files):
    files.apply(job("a"), origin=OTHER)
    (conflict,) = files.look(job("a")).conflicts
    assert "rota apply --take-over" in conflict
    assert ["a"] == [edit.after.name for edit in files.apply(job("a"), take_over=True).changed]
    assert FILE == files.job("a").origin


def test_runs_that_wait_are_told_with_the_job_that_goes(world, files):
    files.apply(job("a"))
    run = world.verbs.trigger("a")
    found = files.look()
    assert {"a": [run]} == {name: [each.id for each in runs] for name, runs in files.applier.touched(found).items()}


def test_a_difference_in_the_far_end_of_a_long_text_is_seen(files):
    files.apply(job("a", env={"A": "a" * 70 + "1"}))
    (edit,) = files.look(job("a", env={"A": "a" * 70 + "2"})).changed
    ((word, old, new),) = words_changed(edit)
    assert ("env.A", "a" * 70 + "1", "a" * 70 + "2") == (word, old, new)
    assert ("…" + "a" * 20 + "1", "…" + "a" * 20 + "2") == shortened(old, new)


def test_a_word_that_was_left_to_its_default_is_told_with_it(files):
    files.apply(job("a"))
    (edit,) = files.look(job("a", policy=Policy(overlap=Overlap.ALLOW), enabled=False)).changed
    assert {("overlap", "skip", "allow"), ("enabled", "true", "false")} == set(words_changed(edit))


def test_of_two_appliers_the_second_writes_nothing(files):
    first, second = files.look(job("a")), files.look(job("b"))
    files.applier.write(first)
    with pytest.raises(Outdated, match="at revision 1, and this was worked out at 0: somebody else has changed them"):
        files.another().write(second)
    assert ["a"] == files.names()


@pytest.mark.parametrize("verb", ["add", "remove", "change", "set_pool"])
def test_a_change_by_hand_moves_the_revision_too(world, files, verb):
    files.apply(job("a"))
    found = files.look(job("a", line="false"))
    calls = {
        "add": lambda: world.verbs.add(job("x")),
        "remove": lambda: world.verbs.remove("a"),
        "change": lambda: world.verbs.change("a", job("a", every="7m")),
        "set_pool": lambda: world.verbs.set_pool("db", 3),
    }
    calls[verb]()
    with pytest.raises(Outdated):
        files.applier.write(found)


def test_a_pause_in_between_is_no_conflict(world, files):
    files.apply(job("a"))
    found = files.look(job("a", line="false"))
    world.verbs.pause("a")
    files.applier.write(found)
    assert files.job("a").paused_at is not None


def test_an_apply_that_fails_has_written_nothing(world, files):
    files.apply(job("a"))
    world.store.fail = lambda _number: StoreFull("full")
    with pytest.raises(StoreFull):
        files.apply(job("a", line="false"), job("b"))
    world.store.fail = lambda _number: None
    assert (["a"], Shell("true")) == (files.names(), files.job("a").job.action)


def test_pools_are_made_and_resized(world, files):
    assert (("db", None, 2),) == files.apply(job("a", policy=Policy(pool="db")), pools={"db": 2}).pools
    assert (("db", 2, 5),) == files.apply(job("a", policy=Policy(pool="db")), pools={"db": 5}).pools
    assert {"db": (5, 0)} == world.store.jobs.pools()


def test_facts_are_written_with_the_new_revision(world, files):
    files.applier.write(files.look(job("a")), {"applied:x": lambda revision: f"at {revision}"})
    assert "at 1" == world.store.upkeep.fact("applied:x")


def test_an_instant_that_has_passed_is_a_warning_with_its_job(files):
    old = Job("once", Shell("true"), (ScheduleSpec("at", "2026-02-01 10:00"),), timezone="UTC")
    (warning,) = files.applier.write(files.look(old))
    assert warning.startswith("job 'once': 2026-02-01 10:00:00 UTC has passed already")


def test_a_difference_says_which_words_changed_and_what_fires_when(world, files):
    files.apply(job("a", every="1h"), job("b"))
    changed = job("a", every="2h", policy=Policy(timeout=5 * MINUTE), env={"A": "1"}, tags=("x",), umask=0o27)
    found = files.look(changed, job("c"))
    assert [
        ("schedules", "every 1h", "every 2h"),
        ("timeout", "-", "5m"),
        ("tags", "-", "x"),
        ("env.A", "-", "1"),
        ("umask", "-", "027"),
    ] == words_changed(found.changed[0])
    view = difference_view(found, {}, NOW)
    assert ["2026-03-01T13:00:00.000Z", "2026-03-01T14:00:00.000Z"] == view["changed"][0]["next_before"][:2]
    assert ["2026-03-01T14:00:00.000Z", "2026-03-01T16:00:00.000Z"] == view["changed"][0]["next_after"][:2]
    assert ("c", "b", 0) == (view["added"][0]["name"], view["removed"][0]["name"], view["unchanged"])


def test_another_anchor_alone_is_told(files):
    at = [NOW, NOW + MINUTE]
    old, new = (Job("a", Shell("true"), (ScheduleSpec("every", "1h", anchor),)) for anchor in at)
    files.apply(old)
    assert [("anchor", "every 1h from 2026-03-01T12:00:00.000Z", "every 1h from 2026-03-01T12:01:00.000Z")] == (
        words_changed(files.look(new).changed[0])
    )


def test_a_job_that_is_disabled_or_counts_from_an_end_has_no_firings_to_show():
    assert [] == firings(msgspec.structs.replace(job("a"), enabled=False), NOW)
    resting = Job("a", Shell("true"), (ScheduleSpec("every", "5m", from_end=True),))
    assert [] == firings(resting, NOW)
