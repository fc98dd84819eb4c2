"""What a due run does while earlier runs of its job are active."""

from __future__ import annotations

import pytest

from rota.model.policy import Overlap, Policy
from rota.model.run import State
from rota.plan.overlap import ActiveRun, Refuse, Start, decide_overlap

from .slots import running

ALL = list(Overlap)


@pytest.mark.parametrize("overlap", ALL)
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_run_starts_while_its_job_has_a_place(overlap, limit):
    policy = Policy(overlap=overlap, max_instances=limit)
    assert Start() == decide_overlap(policy, running(*"abcd"[: limit - 1]))


def test_allow_starts_however_many_there_are():
    assert Start() == decide_overlap(Policy(overlap=Overlap.ALLOW), running(*"abcdefgh"))


@pytest.mark.parametrize(
    ("state", "doing"),
    [
        (State.RUNNING, "running"),
        (State.QUEUED, "waiting to start"),
        (State.WAITING, "waiting for its next attempt"),
    ],
)
def test_skip_names_the_run_that_was_in_the_way_and_what_it_did(state, doing):
    assert Refuse("X", f"run X was still {doing}") == decide_overlap(Policy(), [ActiveRun("X", state, False)])


def test_one_run_may_wait_for_its_turn():
    policy = Policy(overlap=Overlap.QUEUE)
    assert Start(held=True) == decide_overlap(policy, running("a"))
    refused = Refuse("b", "run b waits for its turn already, and one may wait")
    assert refused == decide_overlap(policy, running("a", held=("b",)))


def test_a_run_of_the_same_plan_is_named_by_its_place():
    policy = Policy(overlap=Overlap.QUEUE)
    pending = [*running("a"), ActiveRun("", State.QUEUED, True)]
    assert Refuse("", "the run for the slot before waits for its turn already, and one may wait") == decide_overlap(
        policy, pending
    )


@pytest.mark.parametrize(
    ("limit", "active", "victims"),
    [
        (1, running("a"), ("a",)),
        (1, running("a", held=("b",)), ("a", "b")),
        (2, running("a", "b"), ("a",)),
        (3, running("a", "b", "c"), ("a",)),
        (2, running("a", "b", held=("c",)), ("a", "b")),
        (1, running("a", "b", "c"), ("a", "b", "c")),
    ],
)
def test_replace_ends_as_many_of_the_oldest_as_it_needs_a_place(limit, active, victims):
    policy = Policy(overlap=Overlap.REPLACE, max_instances=limit)
    assert Start(held=True, victims=victims) == decide_overlap(policy, active)
