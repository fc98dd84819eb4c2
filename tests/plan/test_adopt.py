"""What a starting engine concludes from the evidence about a run that was left running."""

from __future__ import annotations

from itertools import product

import pytest

from rota.plan.adopt import Evidence, GiveBack, Lose, Settle, WatchOn, decide_adoption

from .slots import NOW

RESTARTED = "the machine, or its container, restarted while it ran"
NO_RECORD = "its processes ended without a record of an exit code"


def evidence(*, same_boot=True, shim=None, others=False, started=True, exit_code=None):
    return Evidence(same_boot, shim, others or shim is not None, started, exit_code, None if exit_code is None else NOW)


@pytest.mark.parametrize(
    ("what", "decision"),
    [
        (evidence(exit_code=0), Settle(0, NOW)),
        (evidence(exit_code=7, same_boot=False), Settle(7, NOW)),
        (evidence(shim=42), WatchOn(42)),
        (evidence(shim=42, started=False), WatchOn(42)),
        (evidence(others=True), WatchOn(None)),
        (evidence(started=False), GiveBack()),
        (evidence(), Lose(NO_RECORD)),
        (evidence(same_boot=False), Lose(RESTARTED)),
        (evidence(same_boot=False, started=False), Lose(RESTARTED)),
    ],
)
def test_each_kind_of_evidence_has_its_conclusion(what, decision):
    assert decision == decide_adoption(what)


@pytest.mark.parametrize(
    "what",
    [
        Evidence(boot, shim, others, started, code, None)
        for boot, shim, others, started, code in product(
            [True, False], [None, 5], [True, False], [True, False], [None, 0]
        )
    ],
)
def test_a_claim_is_given_back_only_when_nothing_says_that_it_ran(what):
    nothing = not what.started and what.shim is None and not what.others and what.exit_code is None and what.same_boot
    assert nothing is isinstance(decide_adoption(what), GiveBack)
    assert nothing is what.unstarted


def test_an_exit_on_record_is_believed_before_anything_else():
    assert isinstance(decide_adoption(evidence(exit_code=3, shim=5, others=True, same_boot=False)), Settle)
