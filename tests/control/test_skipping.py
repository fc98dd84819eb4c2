"""Slots that were skipped are told as they come, once each, by their ranges."""

from __future__ import annotations

from rota.control.facts import Skipped

from .listening import brief
from .worlds import DAY, MINUTE


def test_slots_that_were_skipped_because_of_another_run_are_told_as_they_come(engine, listening):
    engine.add("minutely", ("cron", "* * * * *"))
    listening.look()
    start = engine.clock.at
    engine.plan(start + MINUTE)
    run = engine.store.runs.active(engine.store.jobs.get("minutely").id)[0].id
    told = []
    for minute in (2, 3, 4, 5):
        engine.plan(start + minute * MINUTE)
        if minute != 4:
            told += brief(listening.look())
            listening.be_killed()
    why = f"run {run} was still waiting to start"
    assert [f"minutely skipped {count}: {why}" for count in (1, 1, 2)] == told
    assert [] == brief(listening.look())


def test_slots_that_nobody_planned_in_time_are_told_with_their_number(engine, listening):
    engine.add("minutely", ("cron", "* * * * *"))
    listening.look()
    engine.plan(engine.clock.at + 10 * MINUTE)
    (fact,) = [fact for fact in listening.look() if isinstance(fact, Skipped)]
    assert ("minutely", 9, engine.clock.at - MINUTE) == (fact.job, fact.count, fact.last_slot)


def test_what_was_skipped_before_the_first_teller_is_history(engine, listening):
    engine.add("minutely", ("cron", "* * * * *"))
    for minute in (1, 2, 3):
        engine.plan(engine.clock.at + minute * MINUTE)
    listening.kept = None
    listening.be_killed()
    assert [] == brief(listening.look())


def test_a_range_that_has_ended_is_not_looked_at_any_more(engine, listening):
    engine.add("minutely", ("cron", "* * * * *"))
    start = engine.clock.at
    for minute in (1, 2):
        engine.plan(start + minute * MINUTE)
        listening.look()
    assert 1 == len(listening.teller._skips.place.ranges)
    engine.verbs.cancel("minutely")
    engine.clock.at += MINUTE
    listening.look()
    assert {} == listening.teller._skips.place.ranges


def test_ranges_that_were_pruned_do_not_hide_new_ones(engine, listening):
    engine.add("minutely", ("cron", "* * * * *"))
    for minute in (1, 2):
        engine.plan(engine.clock.at + minute * MINUTE)
        listening.look()
    with engine.store.transaction():
        jobs = engine.store.jobs
        assert engine.store.upkeep.drop_history_before(jobs.get("minutely").id, engine.clock.at + DAY, 1000, 100)
    listening.look()
    engine.plan(engine.clock.at + MINUTE)
    assert 1 == len(brief(listening.look()))
