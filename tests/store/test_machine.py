"""The databases refuse what the model's table of moves refuses."""

from __future__ import annotations

from itertools import product

import pytest

from rota.model.run import ACTIVE, FINAL, MOVES, State

from .worlds import BOOT, HOST, NOW, REFUSED, SECOND, World

PAIRS = [(old, new) for old, new in product(State, State) if old is not new]
COLUMNS = {
    State.QUEUED: "host = NULL, boot = NULL, spool = NULL, started_at = NULL, ready_at = NULL, ended_at = NULL",
    State.RUNNING: "host = 'h', boot = 'b', spool = 's', started_at = 1, attempt = 1, ready_at = NULL, ended_at = NULL",
    State.WAITING: "spool = NULL, started_at = NULL, ready_at = 5, ended_at = NULL",
    **dict.fromkeys(FINAL, "spool = NULL, started_at = 1, ready_at = NULL, ended_at = 9, exit_code = 0"),
}
"""What each state asks of the other columns, so that only the move itself can be refused."""


def put(store: World, run_id: str, state: State) -> None:
    """Reach into the database, past every fence of the code."""
    store.database._connection.execute(f"UPDATE run SET state = '{state}', {COLUMNS[state]} WHERE id = '{run_id}'")


def bring(store: World, run_id: str, state: State) -> None:
    """Bring a queued run into a state along the table's own ways."""
    if state is not State.QUEUED:
        put(store, run_id, State.RUNNING)
    if state not in (State.QUEUED, State.RUNNING):
        put(store, run_id, state)


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=lambda state: state.value)
def test_the_database_allows_exactly_the_moves_of_the_table(store, old, new):
    run = store.queue(store.make())
    bring(store, run, old)
    if new in MOVES[old]:
        put(store, run, new)
        assert new is store.state(run)
    else:
        with pytest.raises(Exception, match="a run cannot move so"):
            put(store, run, new)
        assert old is store.state(run)


def test_nothing_leaves_a_final_state():
    assert {state for state in State if not MOVES[state]} == FINAL
    assert set(State) == FINAL | ACTIVE


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("a state that nobody knows", "state = 'paused'"),
        ("a running run without a place", "state = 'running', host = 'h', boot = 'b', started_at = 1, attempt = 1"),
        ("a running run without a host", "state = 'running', spool = 's', boot = 'b', started_at = 1, attempt = 1"),
        ("a running run that had no attempt", "state = 'running', host = 'h', boot = 'b', spool = 's', started_at = 1"),
        ("a place that nobody runs in", "spool = 's'"),
        ("a queued run with an end", "ended_at = 5"),
        ("a queued run that pauses", "ready_at = 5"),
        ("a cancelled run without an end", "state = 'cancelled'"),
        ("a negative attempt", "attempt = -1"),
        ("a run held more than once", "held = 2"),
        ("a trigger that nobody knows", "trigger = 'cosmic'"),
        ("a scheduled run without a slot", "trigger = 'schedule'"),
        ("a manual run with a slot", "slot = 5"),
        ("a run of no job", "job_id = 99"),
    ],
)
def test_a_row_that_cannot_be_true_is_refused(store, what, change):
    run = store.queue(store.make())
    with pytest.raises(Exception, match=REFUSED):
        store.database._connection.execute(f"UPDATE run SET {change} WHERE id = '{run}'")
    assert State.QUEUED is store.state(run), what


@pytest.mark.parametrize("code", ["NULL", "1", "-1"])
def test_a_run_succeeds_only_with_exit_code_0(store, code):
    run = store.queue(store.make())
    bring(store, run, State.RUNNING)
    with pytest.raises(Exception, match=REFUSED):
        store.database._connection.execute(
            f"UPDATE run SET state = 'succeeded', spool = NULL, ended_at = 9, exit_code = {code} WHERE id = '{run}'"
        )


def test_no_run_ends_before_it_starts(store):
    run = store.queue(store.make())
    bring(store, run, State.RUNNING)
    with pytest.raises(Exception, match=REFUSED):
        store.database._connection.execute(
            f"UPDATE run SET state = 'failed', spool = NULL, started_at = 9, ended_at = 8 WHERE id = '{run}'"
        )


def test_a_slot_has_one_run_for_ever(store):
    stored = store.make()
    first = store.queue(stored, slot=NOW)
    second = store.queue(stored, slot=NOW)
    assert first == store.runs.for_slot(stored.id, NOW).id
    assert store.runs.find(second) is None
    store.end(store.claim(1)[0])
    third = store.queue(stored, slot=NOW)
    assert store.runs.find(third) is None, "not even after its end"
    assert store.runs.find(store.queue(store.make("other"), slot=NOW)) is not None, "another job has its own"


def test_adding_a_run_twice_says_that_the_slot_has_one(store):
    from rota.model.run import Trigger
    from rota.model.settlement import NewRun

    stored = store.make()

    def add() -> bool:
        new = NewRun(store.new_id(NOW), stored.id, stored.definition_id, Trigger.CATCH_UP, slot=NOW)
        return store.runs.add(new, stored.job, NOW)

    assert add() is True
    assert add() is False


def test_every_move_leaves_its_event_in_order(store):
    run = store.claim_one(store.make())
    store.rest(run)
    store.runs.wake(NOW + 10 * SECOND * 60)
    again = store.claim(1, now=NOW + 20 * SECOND * 60)[0]
    store.end(again)
    kinds = ["run.queued", "run.running", "run.waiting", "run.queued", "run.running", "run.succeeded"]
    assert kinds == store.kinds()
    assert {run.run_id} == {event.run_id for event in store.ledger.events(0, 100)}
    assert {"backup"} == {event.job for event in store.ledger.events(0, 100)}


def test_a_transaction_that_fails_leaves_neither_the_fact_nor_its_event(store):
    stored = store.make()
    before = store.kinds()
    with pytest.raises(ZeroDivisionError), store.transaction():  # noqa: PT012 -- the writes are the point
        store.queue(stored)
        store.runs.claim_ready(HOST, BOOT, NOW, ["j/1"], None)
        store.ledger.add_event("job.paused", NOW, stored.id)
        _ = 1 / 0
    assert before == store.kinds()
    assert [] == store.runs.active(stored.id)
    assert {} == store.ledger.totals(None, 0)


def test_an_inner_transaction_belongs_to_the_outer_one(store):
    with pytest.raises(ZeroDivisionError), store.transaction():  # noqa: PT012 -- the writes are the point
        with store.transaction():
            store.upkeep.put_fact("inner", "there")
        _ = 1 / 0
    assert store.upkeep.fact("inner") is None
