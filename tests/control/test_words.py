"""Runs and definitions in a few words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.control.definition import bounds_of, policies_of
from rota.control.figures import Statistics
from rota.control.words import asked_by, exit_of, promptness_of, reason_beside_exit
from rota.model.policy import Output, OutputMode, Policy, Retries
from rota.model.run import Run, State

from .worlds import NOW, World


def ended(world: World, code: int, reason: str = "") -> Run:
    world.add("backup")
    world.verbs.trigger("backup")
    run_id = world.claim()
    world.end(run_id, State.FAILED if code else State.SUCCEEDED, code, reason)
    found = world.store.runs.find(run_id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit 0: it went well"),
        (3, "exit 3"),
        (127, "exit 127: a command was not found"),
        (137, "exit 137: probably killed by signal 9 (SIGKILL)"),
        (161, "exit 161: probably killed by signal 33"),
        (255, "exit 255"),
    ],
)
def test_an_exit_code_is_said_in_words(code, words):
    assert words == exit_of(code)


@pytest.mark.parametrize(
    ("code", "reason", "left"),
    [
        (3, "exit code 3", ""),
        (3, "exit code 3; all 2 attempts were used", "all 2 attempts were used"),
        (127, "exit code 127: a command was not found", ""),
        (126, "exit code 126: the directory /gone, in which it runs, is not there", None),
        (137, "exit code 137: ended by SIGKILL, or it chose this code itself", ""),
    ],
)
def test_a_reason_says_nothing_twice(world, code, reason, left):
    assert (reason if left is None else left) == reason_beside_exit(ended(world, code, reason))


def test_a_run_by_hand_was_asked_for_and_is_never_late(world):
    run = ended(world, 0)
    assert ("somebody, by hand", "") == (asked_by(run), promptness_of(run))


def test_only_policies_that_were_chosen_are_said():
    assert [] == policies_of(Policy())
    chosen = Policy(
        max_instances=2,
        timeout=timedelta(minutes=5),
        priority=0,
        retries=Retries(3, only_on=(75,)),
        output=Output(head=1024, mode=OutputMode.PIPE),
    )
    said = dict(policies_of(chosen))
    assert ["max_instances", "timeout", "priority", "output-mode", "output.head", "retries"] == [
        word.replace("-i", "_i") for word in said
    ]
    assert ("5m", "urgent", "1 KiB") == (said["timeout"], said["priority"], said["output.head"])
    assert said["retries"].endswith("only on exit codes 75")


def test_bounds_are_said_with_their_day():
    assert "" == bounds_of(Policy())
    assert "not before Mon 2026-03-02" in bounds_of(Policy(not_before=NOW))


def test_a_run_names_those_that_were_asked_for_in_its_place(world):
    run = ended(world, 1)
    made = [world.verbs.retry(run.id) for _ in range(2)]
    assert made[::-1] == [each.id for each in world.store.runs.retries_of(run.id, 10)]
    assert [] == world.store.runs.retries_of(made[0], 10)


def test_a_removed_job_keeps_its_figures(world):
    ended(world, 0)
    world.verbs.remove("backup")
    stored = world.store.jobs.find("backup")
    assert stored is not None
    assert 1 == Statistics(world.store, world.clock).of_job(stored).succeeded
