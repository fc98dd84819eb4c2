"""Lists with filters: what is rare among very many is found by looking at little, and nothing is left out."""

from __future__ import annotations

import random
import re

import msgspec
import pytest

from rota.model.host import RunsOn
from rota.model.job import ScheduleSpec
from rota.model.run import State, states_of
from rota.model.settlement import JobFilter, RunFilter
from rota.plan.timetables import timetable_of
from rota.store.filters import containing
from rota.store.statements import load_statements

from .worlds import DAY, HOUR, MINUTE, NOW, SECOND, SQLITE, job

ENDS = (State.SUCCEEDED, State.SUCCEEDED, State.SUCCEEDED, State.FAILED, State.LOST, State.CANCELLED, State.TIMED_OUT)


HOSTS = ("one", "two")
FOUND_BY = (
    *(("", "", ""), ("job", "", ""), ("B-1", "", ""), ("", "odd", ""), ("job", "odd", ""), ("nothing", "", "")),
    *(("", "", "one"), ("job", "odd", "two"), ("", "", "nobody")),
)


def make(store, name, *tags, origin="hand", **given):
    wanted = msgspec.structs.replace(job(name, overlap="allow"), tags=tags, **given)
    with store.transaction():
        return store.jobs.add(wanted, origin, NOW, None, 0 * SECOND)


def history(store, seed):
    """Write a random history of some jobs, one of which runs all the time and one never."""
    chance = random.Random(seed)
    jobs = [make(store, f"job-{number}", *(["odd"] if number % 2 else [])) for number in range(6)]
    for number in range(60):
        stored = jobs[0] if chance.random() < 0.6 else chance.choice(jobs[:5])
        store.queue(stored, now=NOW + number * MINUTE)
        host = chance.choice(HOSTS)
        (run,) = store.claim(1, host=host)
        if chance.random() < 0.9:
            store.end(run, chance.choice(ENDS), host=host, after=SECOND)
    return {stored.id: stored for stored in jobs}


def is_wanted(run, jobs, wanted):
    name, tags = jobs[run.job_id].name, jobs[run.job_id].job.tags
    states = states_of(wanted.state)
    return (
        (wanted.job_id in (None, run.job_id))
        and (not states or run.state in states)
        and wanted.text.lower() in name
        and (not wanted.tag or wanted.tag in tags)
        and (not wanted.host or wanted.host == run.host)
        and (wanted.since is None or run.queued_at >= wanted.since)
        and (wanted.until is None or run.queued_at < wanted.until)
    )


@pytest.mark.parametrize(
    ("store", "seed"), [*((kind, seed) for kind in SQLITE for seed in range(4)), ("postgres", 0)], indirect=["store"]
)
def test_every_filter_finds_exactly_the_runs_that_a_look_at_all_of_them_finds(store, seed):
    jobs = history(store, seed)
    everything = store.runs.page(RunFilter(), None, 1000)
    assert 60 == len(everything)
    for state in ("", "active", "trouble", *State):
        for job_id in (None, 1, 6):
            for text, tag, host in FOUND_BY:
                for since, until in ((None, None), (NOW + 20 * MINUTE, NOW + 40 * MINUTE)):
                    wanted = RunFilter(job_id, str(state), since, until, text, tag, host)
                    expected = [run.id for run in everything if is_wanted(run, jobs, wanted)]
                    for size in (1, 7, 100):
                        assert expected == paged(store, wanted, size), (wanted, size)


def paged(store, wanted, size):
    found, before = [], None
    while page := store.runs.page(wanted, before, size):
        found += [run.id for run in page]
        before = found[-1]
    return found


def test_jobs_are_filtered_by_name_tag_origin_state_and_whether_they_are_due(store):
    one = make(store, "Backup_db", "nightly", "it's")
    make(store, "backup-files", origin="file:/etc/a.yaml")
    make(store, "report", enabled=False, origin="file:/etc/b.yaml", runs_on=RunsOn(host="it's"))
    store.end(store.claim_one(one), State.FAILED)
    with store.transaction():
        store.jobs.pause_if_unchanged(store.jobs.get("report"), NOW, NOW)

    def names(**wanted):
        return [stored.name for stored in store.jobs.page("", 10, JobFilter(**wanted))]

    assert ["Backup_db", "backup-files"] == names(text="backup")
    assert ["Backup_db"] == names(text="p_d") == names(tag="it's") == names(state="failed") == names(state="trouble")
    assert [] == names(text="%") == names(text="\\") == names(tag="night") == names(state="active")
    assert ["backup-files", "report"] == names(origin="file")
    assert ["backup-files"] == names(origin="file:/etc/a.yaml")
    assert ["report"] == names(paused=True) == names(enabled=False) == names(host="it's")
    assert ["Backup_db", "backup-files"] == names(paused=False) == names(enabled=True)
    assert [3, 0, 1] == list(msgspec.structs.astuple(store.jobs.counts()))


@pytest.mark.parametrize("text", ["%", "_", "\\", "\\%", "a%b_c\\d"])
def test_no_character_of_a_text_means_anything_but_itself(store, text):
    make(store, "other")
    make(store, f"with {text} inside")
    assert [f"with {text} inside"] == [found.name for found in store.jobs.page("", 9, JobFilter(text=text))]
    assert containing("plain") == "%plain%"


def test_the_jobs_with_the_next_slots_are_few(store):
    for number in range(6):
        stored = make(store, f"job-{number}", schedules=(ScheduleSpec("every", f"{number + 1}h", NOW),))
        store.jobs.set_cursor(stored.id, NOW, timetable_of(stored.job).next_after(NOW))
    names = {stored.name for stored in store.jobs.coming(NOW, 2)}
    assert {"job-0", "job-1"} == names
    assert {"job-0", "job-1", "job-2"} == {stored.name for stored in store.jobs.coming(NOW + 2 * HOUR, 1)}
    assert 2 == len(store.jobs.coming(NOW + 2 * HOUR, 1, overdue=1))


def test_active_runs_are_counted_by_job_and_state(store):
    one, two = make(store, "one"), make(store, "two")
    store.claim_one(one)
    store.queue(one)
    assert {one.id: {State.RUNNING: 1, State.QUEUED: 1}} == store.runs.active_counts([one.id, two.id])


def test_what_ran_in_each_hour_is_counted_and_survives_pruning(store):
    stored = make(store, "one")
    for number, state in enumerate((State.SUCCEEDED, State.SUCCEEDED, State.FAILED)):
        store.queue(stored)
        store.end(store.claim(1, now=NOW + number * 40 * MINUTE)[0], state)
    store.upkeep.drop_history_before(stored.id, NOW + DAY, 0, 100)
    found = {(load.hour, load.state): (load.runs, load.busy) for load in store.ledger.load(NOW)}
    hours = (NOW, NOW + HOUR)
    assert {(hours[0], "succeeded"): (2, 120.0), (hours[1], "failed"): (1, 60.0)} == found
    assert 1 == len(store.ledger.load(NOW + HOUR))


def test_missed_slots_are_counted_as_they_were_told(store):
    stored = make(store, "one")
    store.ledger.add_event("job.missed", NOW, stored.id, count="5", code="beyond_grace", reason="x")
    store.ledger.add_event("job.paused", NOW, stored.id)
    assert (5, 0) == (store.ledger.missed_since(NOW), store.ledger.missed_since(NOW + SECOND))
    assert (1, 2) == store.ledger.event_bounds()


def test_a_store_without_events_has_no_bounds(store):
    assert (0, 0) == store.ledger.event_bounds()


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("active_runs_page", "run_active"),
        ("runs_page_of_jobs", "run_of_job"),
        ("runs_page_in_states", "run_ended_of_job"),
        ("active_counts", "run_active"),
        ("skips_of_job", "skip_of_job"),
        ("missed_since", "event_missed"),
    ],
)
def test_what_pages_ask_is_answered_by_its_index(memory, name, index):
    names = ("before", "since", "job_id", "states", "limit", "ids")
    given = dict.fromkeys(names, 1) | {"states": "[]", "ids": "[]"}
    rows = memory.database._connection.execute("EXPLAIN QUERY PLAN " + load_statements("sqlite")[name], given)
    plan = "\n".join(row[3] for row in rows)
    assert re.search(rf"USING (COVERING )?INDEX {index}\b", plan)
    assert not re.search(r"SCAN (run|skip|event|other)\b(?! USING INDEX run_active)", plan)
