"""Settling: every write that ends or extends an attempt is fenced, and says when it matched nothing."""

from __future__ import annotations

import pytest

from rota.model.run import OutputPart, State

from .worlds import BOOT, HOST, HOUR, MINUTE, NOW, SECOND, ended

THE_WRONG = ["run", "attempt", "host"]


def wrong(claimed, what):
    import msgspec

    changes = {"run": {"run_id": "NO-SUCH-RUN"}, "attempt": {"attempt": claimed.attempt + 1}, "host": {}}[what]
    return msgspec.structs.replace(claimed, **changes), "host-two" if what == "host" else HOST


def test_an_end_is_written_once(store):
    run = store.claim_one(store.make())
    assert store.end(run) is True
    assert store.end(run, State.FAILED) is False
    found = store.runs.find(run.run_id)
    assert (State.SUCCEEDED, 0, NOW + MINUTE, 60.0) == (found.state, found.exit_code, found.ended_at, found.duration)
    assert found.spool is None


@pytest.mark.parametrize("what", THE_WRONG)
def test_the_wrong_one_ends_nothing_and_is_told_so(store, what):
    run = store.claim_one(store.make())
    stranger, host = wrong(run, what)
    before = store.kinds()
    assert store.end(stranger, host=host) is False
    assert store.rest(stranger, host=host) is False
    assert store.runs.give_back_if_running(stranger.run_id, stranger.attempt, host, NOW, "why") is False
    assert State.RUNNING is store.state(run.run_id)
    assert [] == store.runs.attempts(run.run_id)
    assert before == store.kinds()


def test_a_result_from_an_attempt_that_was_given_on_is_dropped(store):
    run = store.claim_one(store.make())
    store.rest(run, pause=SECOND)
    store.runs.wake(NOW + MINUTE)
    (second,) = store.claim(now=NOW + MINUTE, host="host-two")
    assert store.end(run) is False
    assert store.end(second, State.FAILED, host="host-two") is True
    assert State.FAILED is store.state(run.run_id)


def test_a_pause_between_attempts_keeps_the_attempt_on_record(store):
    run = store.claim_one(store.make())
    assert store.rest(run, pause=MINUTE) is True
    found = store.runs.find(run.run_id)
    assert (State.WAITING, NOW + MINUTE + SECOND, "it failed") == (found.state, found.ready_at, found.reason)
    assert (None, None, None) == (found.started_at, found.spool, found.ended_at)
    (first,) = store.runs.attempts(run.run_id)
    assert (1, State.FAILED, HOST, NOW, NOW + SECOND, 1) == (
        first.attempt, first.state, first.host, first.started_at, first.ended_at, first.exit_code,
    )  # fmt: skip
    assert store.jobs.next_wake() == NOW + MINUTE + SECOND
    assert store.runs.wake(NOW + MINUTE) == 0
    assert store.runs.wake(NOW + MINUTE + SECOND) == 1
    assert State.QUEUED is store.state(run.run_id)


def test_all_pauses_end_when_the_clock_was_corrected(store):
    run = store.claim_one(store.make())
    store.rest(run, pause=HOUR)
    assert store.runs.wake_all(NOW) == 1
    assert State.QUEUED is store.state(run.run_id)


def test_no_other_attempt_follows_once_somebody_wants_the_run_ended(store):
    run = store.claim_one(store.make())
    assert store.runs.ask_to_cancel_if_running(run.run_id, NOW, "enough") is True
    assert store.rest(run) is False
    assert State.RUNNING is store.state(run.run_id)
    assert [] == store.runs.attempts(run.run_id)
    assert store.end(run, State.FAILED) is True


def test_pauses_are_brought_forward_when_the_clock_went_back(store):
    run = store.claim_one(store.make())
    store.rest(run, pause=HOUR)
    assert store.runs.bring_forward(HOUR - MINUTE) == 1
    assert NOW + MINUTE + SECOND == store.runs.find(run.run_id).ready_at


def test_a_claim_that_is_given_back_does_not_count_as_an_attempt(store):
    run = store.claim_one(store.make())
    assert store.runs.give_back_if_running(run.run_id, 1, HOST, NOW, "the engine ended") is True
    found = store.runs.find(run.run_id)
    assert (State.QUEUED, 0, None, None, "the engine ended") == (
        found.state, found.attempt, found.host, found.started_at, found.reason,
    )  # fmt: skip
    assert [1] == [again.attempt for again in store.claim()]


def test_an_end_before_the_start_is_moved_to_the_start(store):
    run = store.claim_one(store.make())
    assert store.end(run, after=-HOUR) is True
    found = store.runs.find(run.run_id)
    assert (NOW, 0.0) == (found.ended_at, found.duration)


def test_a_wish_to_cancel_is_on_record_and_told_to_the_right_host(store):
    run = store.claim_one(store.make())
    assert [] == store.runs.cancel_requests(HOST)
    assert store.runs.ask_to_cancel_if_running(run.run_id, NOW, "too slow") is True
    assert store.runs.ask_to_cancel_if_running(run.run_id, NOW, "a second reason") is False
    assert [(run.run_id, "too slow")] == store.runs.cancel_requests(HOST)
    assert [] == store.runs.cancel_requests("host-two")
    store.end(run, State.CANCELLED)
    assert [] == store.runs.cancel_requests(HOST)


def test_only_a_run_that_does_not_run_is_cancelled_at_once(store):
    stored = store.make(overlap="allow")
    running = store.claim_one(stored)
    waiting = store.claim_one(stored)
    store.rest(waiting)
    queued = store.queue(stored)
    assert store.runs.cancel_if_not_running(running.run_id, NOW, "no") is False
    assert store.runs.ask_to_cancel_if_running(queued, NOW, "no") is False
    for run_id in (waiting.run_id, queued):
        assert store.runs.cancel_if_not_running(run_id, NOW, "no more") is True
        assert (State.CANCELLED, "no more") == (store.state(run_id), store.runs.find(run_id).reason)
        assert store.runs.cancel_if_not_running(run_id, NOW, "again") is False


def test_what_a_host_left_running_is_found_by_its_id_alone(store):
    stored = store.make(overlap="allow")
    mine = [store.claim_one(stored).run_id for _ in range(2)]
    store.queue(stored)
    store.claim(host="host-two")
    assert mine == [run.id for run in store.runs.running_on(HOST)]
    assert {BOOT} == {run.boot for run in store.runs.running_on(HOST)}


def test_output_is_kept_by_attempt_and_counted(store):
    run = store.claim_one(store.make())
    parts = [OutputPart("stderr", b"oh", b"", 2), OutputPart("stdout", b"head", b"tail", 4_000)]
    store.runs.add_output(run.run_id, 1, parts)
    store.runs.add_output(run.run_id, 2, [OutputPart("stdout", b"\x00\xff", b"", 2)])
    assert ["stdout", "stderr"] == [part.stream for part in store.runs.output(run.run_id, 1)]
    assert 3992 == store.runs.output(run.run_id, 1)[0].dropped
    assert b"\x00\xff" == store.runs.output(run.run_id, 2)[0].head
    assert 12 == store.upkeep.output_kept()


def test_output_that_is_added_again_is_not_doubled(store):
    run = store.claim_one(store.make())
    for _ in range(2):
        store.runs.add_output(run.run_id, 1, [OutputPart("stdout", b"12345", b"", 5)])
    assert 5 == store.upkeep.output_kept()


def test_results_and_reasons_are_kept_as_they_are(store):
    run = store.claim_one(store.make())
    text = '{"ü": "∞", "n": [1, null]}'
    store.runs.settle_if_running(ended(run, State.SUCCEEDED, result=text, reason="Ünïcode"), HOST, NOW + MINUTE)
    found = store.runs.find(run.run_id)
    assert (text, "Ünïcode") == (found.result, found.reason)


def test_a_request_key_asks_only_once(store):
    stored = store.make(overlap="allow")
    first = store.queue(stored, request_key="monday")
    second = store.queue(stored, request_key="monday")
    assert first == store.runs.with_request_key("monday")
    assert store.runs.find(second) is None
    assert store.runs.with_request_key("tuesday") is None
