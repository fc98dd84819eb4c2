"""Which attempts a drained host can part with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rota.model.action import Shell
from rota.model.host import ANYWHERE, Host, RunsOn
from rota.model.job import Job
from rota.model.policy import Policy, Retries
from rota.plan.handover import can_hand_over

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TWICE = Policy(retries=Retries(count=1))
GPU = RunsOn(labels={"gpu": "yes"})


def host(name: str, *, drained: bool = False, silent: timedelta = timedelta(0), **labels: str) -> Host:
    return Host(name, name, labels, 4, "1.0", 6, drained, False, None, False, NOW, NOW - silent)


@pytest.mark.parametrize(
    ("expected", "why", "policy", "runs_on", "attempt", "others"),
    [
        (True, "another host may begin it again", TWICE, ANYWHERE, 1, [host("two")]),
        (False, "it has no retries, so it is begun once", Policy(), ANYWHERE, 1, [host("two")]),
        (False, "its attempts are used up", TWICE, ANYWHERE, 2, [host("two")]),
        (False, "there is no other host", TWICE, ANYWHERE, 1, []),
        (False, "the other host is drained", TWICE, ANYWHERE, 1, [host("two", drained=True)]),
        (False, "the other host is gone", TWICE, ANYWHERE, 1, [host("two", silent=timedelta(minutes=1))]),
        (False, "the other host lacks the label", TWICE, GPU, 1, [host("two")]),
        (True, "one of the others has the label", TWICE, GPU, 1, [host("two"), host("three", gpu="yes")]),
        (False, "it may run on this host alone", TWICE, RunsOn(host="one"), 1, [host("two")]),
        (False, "each host has its own run", TWICE, RunsOn(all=True), 1, [host("two")]),
    ],
)
def test_an_attempt_is_parted_with_when_another_host_may_begin_it_again(
    expected, why, policy, runs_on, attempt, others
):
    job = Job("job", Shell("true"), policy=policy, runs_on=runs_on)
    assert expected is can_hand_over(job, attempt, others, NOW), why
