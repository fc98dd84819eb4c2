"""Telling everything: each beginning, line and end once, whenever the teller stops, fails or begins anew."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest

from rota.control import telling
from rota.errors import StoreBusy

from .listening import Listening, brief
from .test_following import EngineSide
from .worlds import DAY, HOST, SECOND


def test_a_run_is_told_from_its_beginning_to_its_end(engine, listening):
    assert [] == brief(listening.look())
    engine.start()
    assert ["backup 1 began"] == brief(listening.look())
    engine.write("stdout", b"one\ntwo\n")
    engine.write("stderr", b"careful\n")
    assert ["backup stdout: one", "backup stdout: two", "backup stderr: careful"] == brief(listening.look())
    assert [] == brief(listening.look())
    engine.write("stdout", b"three\n")
    engine.settle()
    assert ["backup stdout: three", "backup 1 failed"] == brief(listening.look())
    assert [] == brief(listening.look())


def test_a_run_that_came_and_went_between_two_looks_is_told_once(engine, listening):
    engine.start()
    engine.write("stdout", b"quick\n")
    engine.settle()
    assert ["backup 1 began", "backup stdout: quick", "backup 1 failed"] == brief(listening.look())
    assert [] == brief(listening.look())


def test_a_line_without_its_end_is_held_until_there_is_more_or_the_attempt_has_ended(engine, listening):
    engine.start()
    engine.write("stdout", b"half")
    assert ["backup 1 began"] == brief(listening.look())
    engine.write("stdout", b" whole\nrest")
    assert ["backup stdout: half whole"] == brief(listening.look())
    engine.settle()
    assert ["backup stdout: rest", "backup 1 failed"] == brief(listening.look())


def test_every_attempt_is_told_and_when_the_next_one_follows(engine, listening):
    engine.start()
    engine.write("stdout", b"first")
    engine.settle(again=True)
    facts = listening.look()
    assert ["backup 1 began", "backup stdout: first", "backup 1 failed, then 2"] == brief(facts)
    assert engine.clock.at == facts[-1].again_at
    engine.start()
    engine.write("stdout", b"second")
    engine.settle(again=True)
    engine.start()
    engine.settle()
    told = ["backup 2 began", "backup stdout: second", "backup 2 failed, then 3", "backup 3 began", "backup 3 failed"]
    assert told == brief(listening.look())


def test_a_run_that_is_cancelled_before_an_attempt_is_told(engine, listening):
    engine.verbs.cancel(engine.run)
    assert ["backup 1 cancelled unbegun"] == brief(listening.look())
    engine.run = engine.verbs.trigger("backup")
    engine.start()
    engine.settle(again=True)
    engine.verbs.cancel(engine.run)
    told = ["backup 1 began", "backup 1 failed, then 2", "backup 2 cancelled unbegun"]
    assert told == brief(listening.look())
    assert [] == brief(listening.look())


def test_a_claim_that_was_given_back_is_told_and_begins_anew(engine, listening):
    engine.start()
    listening.look()
    engine.slots.clear()
    with engine.store.transaction():
        assert engine.store.runs.give_back_if_running(engine.run, 1, HOST, engine.clock.at, "never started")
    assert ["Task 'backup' had not started when its engine ended; it is queued again"] == brief(listening.look())
    engine.start()
    engine.write("stdout", b"now")
    engine.settle()
    assert ["backup 1 began", "backup stdout: now", "backup 1 failed"] == brief(listening.look())


def test_a_claim_that_was_given_back_and_ran_elsewhere_between_two_looks_loses_no_output(engine, listening):
    engine.start()
    listening.look()
    engine.slots.clear()
    with engine.store.transaction():
        assert engine.store.runs.give_back_if_running(engine.run, 1, HOST, engine.clock.at, "never started")
    engine.start()
    engine.write("stdout", b"elsewhere\n")
    engine.settle()
    assert ["backup stdout: elsewhere", "backup 1 failed"] == brief(listening.look())


def test_the_first_teller_begins_with_what_runs_now(engine, tmp_path):
    engine.start()
    engine.write("stdout", b"history\n")
    engine.settle(again=True)
    engine.start()
    engine.write("stdout", b"so far\n")
    listening = Listening(engine, str(tmp_path))
    assert ["backup 2 began", "backup stdout: so far"] == brief(listening.look())
    engine.settle()
    assert ["backup 2 failed"] == brief(listening.look())
    listening.close()


def test_the_first_teller_begins_with_the_engine_that_has_just_started(engine, tmp_path):
    for told in (["backup 1 began", "backup 1 failed", "backup 1 began"], ["backup 1 began"]):
        with engine.store.transaction():
            engine.store.ledger.add_event("engine.started", engine.clock.at)
        engine.start()
        engine.settle()
        engine.run = engine.verbs.trigger("backup")
        engine.start()
        engine.clock.at += (10 if len(told) == 1 else 1) * SECOND
        listening = Listening(engine, str(tmp_path))
        assert told == brief(listening.look())
        listening.close()
        engine.settle()
        engine.run = engine.verbs.trigger("backup")


def test_the_first_teller_finds_the_end_of_very_many_events(engine, tmp_path):
    for number in range(1, 40):
        with engine.store.transaction():
            engine.store.ledger.add_event("job.broken", engine.clock.at)
        listening = Listening(engine, str(tmp_path))
        assert number == listening.teller._event - 1, "and the event of the run that is queued"
        listening.close()


def test_what_is_left_out_is_told_in_its_place(engine, listening):
    engine.start()
    engine.write("stdout", b"begin\n" + b"x" * (3 << 20))
    engine.watch()
    engine.write("stdout", b"\nend\n")
    engine.settle()
    told = brief(listening.look())
    lost = [int(line.split()[-1]) for line in told if " lost " in line]
    shown = sum(len(line) - len("backup stdout: ") for line in told if " stdout: " in line and "x" in line)
    assert ["backup 1 began", "backup stdout: begin"] == told[:2]
    assert ["backup stdout: end", "backup 1 failed"] == told[-2:]
    assert 3 << 20 == sum(lost) + shown


def test_output_that_the_job_has_emptied_is_told_from_its_new_beginning(engine, listening):
    engine.start()
    engine.write("stdout", b"long gone, and a half")
    listening.look()
    os.truncate(engine.spool.paths(engine.slots[engine.run])[0], 0)
    engine.write("stdout", b"new\n")
    engine.settle()
    told = ["backup stdout: long gone, and a half", "backup stdout lost 0", "backup stdout: new", "backup 1 failed"]
    assert told == brief(listening.look())


def story(engine: EngineSide) -> list[Callable[[], object]]:
    """Return what an engine and its jobs do, step by step: two attempts, another run beside them, skips."""
    other: list[str] = []

    def start_other() -> None:
        other.append(engine.verbs.trigger("other"))
        engine.start()
        engine.write("stderr", b"hm\nwell", other[0])

    return [
        engine.start,
        lambda: engine.write("stdout", b"one\ntw"),
        start_other,
        lambda: engine.write("stdout", b"o\nhalf"),
        lambda: engine.write("stderr", b"err\n"),
        lambda: engine.settle(again=True),
        engine.start,
        lambda: engine.write("stdout", b"three\n"),
        lambda: engine.settle(run=other[0]),
        lambda: (engine.verbs.trigger("third"), engine.verbs.cancel("third")),
        engine.settle,
    ]


WHOLE = [
    "backup 1 began",
    "backup 1 failed, then 2",
    "backup 2 began",
    "backup 2 failed",
    "backup stderr: err",
    "backup stdout: half",
    "backup stdout: one",
    "backup stdout: three",
    "backup stdout: two",
    "other 1 began",
    "other 1 failed",
    "other stderr: hm",
    "other stderr: well",
    "third 1 cancelled unbegun",
]


@pytest.fixture
def steps(engine) -> list[Callable[[], object]]:
    engine.add("other")
    engine.add("third")
    return story(engine)


@pytest.mark.parametrize("every", [1, 2, 3, 5, 20])
def test_a_teller_that_goes_on_from_what_was_kept_tells_everything_once(engine, listening, steps, every):
    for number, step in enumerate(steps):
        step()
        listening.look()
        if number % every == 0:
            listening.be_killed()
    assert WHOLE == sorted(brief(listening.facts))


@pytest.mark.parametrize("looks", ["always", "seldom", "once"])
def test_a_teller_may_stop_after_any_fact(engine, listening, steps, looks):
    def look_by_single_facts() -> None:
        while True:
            fact = next(iter(listening.teller.look()), None)
            listening.kept = listening.teller.cursor
            if fact is None and not listening.teller.behind:
                return
            listening.facts += [] if fact is None else [fact]
            listening.be_killed()

    for number, step in enumerate(steps):
        step()
        if looks == "always" or (looks == "seldom" and number % 4 == 3):
            look_by_single_facts()
    look_by_single_facts()
    assert WHOLE == sorted(brief(listening.facts))


def test_a_store_that_fails_at_any_question_loses_and_doubles_nothing(engine, listening, steps, monkeypatch):
    counts: dict[str, int] = {"asked": 0, "fails_at": 0}

    def failing(call: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*given: Any) -> Any:
            counts["asked"] += 1
            if counts["asked"] == counts["fails_at"]:
                raise StoreBusy("locked")
            return call(*given)

        return ask

    store = listening.store
    for table, name in [
        ("runs", "find"),
        ("runs", "output"),
        ("runs", "attempts"),
        ("ledger", "events"),
        ("jobs", "definition"),
    ]:
        monkeypatch.setattr(getattr(store, table), name, failing(getattr(getattr(store, table), name)))

    def look_in_spite_of_failures() -> None:
        for fails_at in range(1, 30):
            counts.update(asked=0, fails_at=fails_at)
            try:
                for fact in listening.teller.look():
                    listening.facts.append(fact)
            except StoreBusy:
                listening.kept = listening.teller.cursor
                listening.be_killed() if fails_at % 3 == 0 else None
        counts.update(asked=0, fails_at=0)

    for step in steps:
        step()
        look_in_spite_of_failures()
    assert WHOLE == sorted(brief(listening.facts))


def test_many_runs_are_told_once_each_however_far_behind_the_teller_is(engine, listening):
    for number in range(400):
        engine.run = engine.run if number == 0 else engine.verbs.trigger("backup")
        engine.start()
        engine.write("stdout", b"%d\n" % number)
        engine.settle()
    told = brief(listening.look())
    assert 1200 == len(told)
    assert [f"backup stdout: {number}" for number in range(400)] == told[1::3]
    assert '"runs":[]' in listening.teller.cursor, "nothing is remembered of what has ended"


def test_events_that_were_pruned_are_noted_and_active_runs_are_told_all_the_same(engine, listening):
    engine.start()
    listening.look()
    listening.be_killed()
    engine.write("stdout", b"said\n")
    engine.settle()
    engine.clock.at += 20 * DAY
    with engine.store.transaction():
        assert engine.store.upkeep.drop_events_before(engine.clock.at, 1000)
    engine.run = engine.verbs.trigger("backup")
    engine.start()
    told = brief(listening.look())
    assert ["backup stdout: said", "backup 1 failed"] == told[:2]
    assert "1 events were pruned before they could be told here; `rota runs` shows what is left" == told[2]
    assert ["backup 1 began"] == told[3:]


def test_a_run_that_was_pruned_is_told_as_gone(engine, listening):
    engine.start()
    listening.look()
    engine.settle()
    for _ in range(3):
        engine.run, gone = engine.verbs.trigger("backup"), engine.run
        engine.start()
        engine.settle()
    engine.clock.at += 200 * DAY
    with engine.store.transaction():
        assert engine.store.upkeep.drop_history_before(engine.store.jobs.get("backup").id, engine.clock.at, 1, 100)
    told = brief(listening.look())
    assert 3 == sum("was pruned before all of it could be told here" in line for line in told)
    assert gone not in "".join(brief(listening.look()))


def test_a_cursor_that_cannot_be_read_is_none(engine, listening):
    engine.start()
    listening.kept = '{"version":1'
    listening.be_killed()
    assert ["backup 1 began"] == brief(listening.look())


def test_a_teller_listens_only_while_something_runs(engine, listening):
    engine.start()
    listening.look()
    assert listening.teller.listens
    engine.settle()
    listening.look()
    assert not listening.teller.listens


def test_a_run_that_never_rests_is_told_in_parts_and_its_end_whole(engine, listening, monkeypatch):
    monkeypatch.setattr(telling, "_AT_ONCE", 1 << 20)
    monkeypatch.setattr(telling, "_A_SECOND", 1 << 10)
    monkeypatch.setattr(telling, "_A_LINE", 0)

    def write_much(line: bytes) -> list[str]:
        engine.write("stdout", line * (3 << 20 >> 3))
        told = brief(listening.look())
        engine.watch()
        return told

    engine.start()
    told = write_much(b"beginn\n\n")
    assert 1 << 20 <= 4 * (len(told) - 1) < 2 << 20
    assert [] == write_much(b"middle\n\n")
    engine.clock.at += 10_000 * SECOND
    told = write_much(b"samples\n")
    assert re.fullmatch(r"backup stdout lost \d+", told[0])
    assert "backup stdout: samples" == told[-1]
    assert [] == write_much(b"unseen!\n")
    engine.write("stdout", b"the end")
    engine.settle()
    assert ["backup stdout: the end", "backup 1 failed"] == brief(listening.look())[-2:]


def test_what_lines_cost_in_the_log_counts_at_the_end_of_a_run_as_well(engine, listening, monkeypatch):
    monkeypatch.setattr(telling, "_AT_ONCE", 1 << 20)
    engine.start()
    listening.look()
    engine.write("stdout", b"\n" * (1 << 20) + b"the end")
    engine.settle()
    told = brief(listening.look())
    assert ["backup stdout: the end", "backup 1 failed"] == told[-2:]
    assert 40 * len(told) < 8 << 20
    (lost,) = (int(line.rpartition(" ")[2]) for line in told if " lost " in line)
    assert (1 << 20) + len("the end") == lost + sum(line == "backup stdout: " for line in told) + len("the end")
