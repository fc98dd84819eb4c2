"""Figures of a job, and what they advise. Totals count every run there ever was; samples are the newest runs.

Pure: values in, figures and sentences out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from shlex import quote
from statistics import median

import msgspec

from rota.control.times import brief
from rota.model.policy import Policy
from rota.model.run import State
from rota.model.settlement import JobSample

SAMPLES = 100
_SKIPPED = "skipped"
_ENOUGH = 5
_OFTEN = 0.5
_CLOSE = 0.9
_LATE = 5.0
_RARELY = 0.8
_FEW = 3


class Figures(msgspec.Struct, frozen=True):
    """What there is to count about a job."""

    job: str
    runs: int = 0
    succeeded: int = 0
    failed: int = 0
    timed_out: int = 0
    cancelled: int = 0
    lost: int = 0
    skipped: int = 0
    retries: int = 0
    success_rate: float | None = None
    """Of the runs that ended by themselves."""
    average: float | None = None
    median: float | None = None
    p95: float | None = None
    late_p50: float | None = None
    late_p99: float | None = None
    advice: tuple[str, ...] = ()


def figures(
    name: str,
    totals: Mapping[str, tuple[int, int, float]],
    samples: Sequence[JobSample],
    policy: Policy,
    interval: timedelta | None,
) -> Figures:
    """Return a job's figures; `totals` are runs, attempts and seconds by outcome, `interval` is between slots."""
    runs = {state: totals.get(state.value, (0, 0, 0.0))[0] for state in State}
    tried = {state: totals.get(state.value, (0, 0, 0.0))[1] for state in State}
    by_themselves = sum(runs[state] for state in (State.SUCCEEDED, State.FAILED, State.TIMED_OUT, State.LOST))
    durations = sorted(sample.busy for sample in samples)
    lateness = sorted(sample.late for sample in samples if sample.late is not None and sample.attempts == 1)
    counted = Figures(
        job=name,
        runs=sum(runs.values()),
        succeeded=runs[State.SUCCEEDED],
        failed=runs[State.FAILED],
        timed_out=runs[State.TIMED_OUT],
        cancelled=runs[State.CANCELLED],
        lost=runs[State.LOST],
        skipped=totals.get(_SKIPPED, (0, 0, 0.0))[0],
        retries=sum(max(0, tried[state] - runs[state]) for state in State),
        success_rate=None if not by_themselves else runs[State.SUCCEEDED] / by_themselves,
        average=None if not durations else sum(durations) / len(durations),
        median=None if not durations else median(durations),
        p95=percentile(durations, 0.95),
        late_p50=percentile(lateness, 0.5),
        late_p99=percentile(lateness, 0.99),
    )
    return msgspec.structs.replace(counted, advice=tuple(advise(counted, samples, policy, interval)))


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value that this share of the ordered values does not exceed (nearest rank)."""
    if not ordered:
        return None
    rank = max(1, -(-int(share * 1000) * len(ordered) // 1000))
    return ordered[min(rank, len(ordered)) - 1]


def advise(counted: Figures, samples: Sequence[JobSample], policy: Policy, interval: timedelta | None) -> list[str]:
    """Return what somebody who knows rota would say about these figures; nothing when all is well."""
    found = [
        _on_success(counted, samples),
        _on_timeouts(samples, policy),
        _on_duration(counted, policy, interval),
        _on_retries(samples, policy),
        _on_skips(counted),
        _on_lateness(counted),
        _on_losses(counted),
    ]
    return [sentence for sentence in found if sentence]


def _on_success(counted: Figures, samples: Sequence[JobSample]) -> str:
    ended = counted.succeeded + counted.failed + counted.timed_out + counted.lost
    if ended >= _FEW and not counted.succeeded:
        return f"It has never succeeded in {ended} runs. Look at: rota logs {quote(counted.job)}"
    newest = samples[:_FEW]
    if len(newest) == _FEW and counted.succeeded and all(sample.state is not State.SUCCEEDED for sample in newest):
        return f"Its last {_run_of_trouble(samples)} runs all went wrong. Look at: rota logs {quote(counted.job)}"
    if counted.success_rate is not None and ended >= 2 * _ENOUGH and counted.success_rate < _RARELY:
        return (
            f"Only {counted.success_rate:.0%} of its runs succeed. See: rota runs {quote(counted.job)} --state trouble"
        )
    return ""


def _run_of_trouble(samples: Sequence[JobSample]) -> int:
    return next((i for i, sample in enumerate(samples) if sample.state is State.SUCCEEDED), len(samples))


def _on_timeouts(samples: Sequence[JobSample], policy: Policy) -> str:
    late = sum(sample.state is State.TIMED_OUT for sample in samples)
    if policy.timeout is None or not late:
        return ""
    limit = brief(policy.timeout)
    if late >= _FEW and late >= _OFTEN * len(samples):
        return f"{late} of its last {len(samples)} runs hit the timeout of {limit}: raise it, or find out what hangs."
    well = [sample.busy for sample in samples if sample.state is State.SUCCEEDED]
    if well and max(well) > _CLOSE * policy.timeout.total_seconds():
        return f"Its successful runs take up to {brief(max(well))}, close to the timeout of {limit}: raise it."
    return ""


def _on_duration(counted: Figures, policy: Policy, interval: timedelta | None) -> str:
    if interval is None or counted.p95 is None or policy.job_limit != 1:
        return ""
    often = brief(interval)
    usual = f"It usually takes {brief(counted.median or 0)} (p95 {brief(counted.p95)}) and is due every {often}"
    if counted.p95 >= interval.total_seconds():
        return f"{usual}, so slots are skipped or wait: make it rarer, or faster, or allow overlap."
    if counted.p95 >= _CLOSE * interval.total_seconds():
        return f"{usual}: a little slower, and slots will be skipped or wait."
    return ""


def _on_retries(samples: Sequence[JobSample], policy: Policy) -> str:
    again = [sample for sample in samples if sample.attempts > 1 and sample.state is State.SUCCEEDED]
    if len(again) >= _FEW and len(again) >= 0.2 * len(samples):
        return (
            f"{len(again)} of its last {len(samples)} runs failed first and succeeded when tried again: "
            "what it depends on is unreliable, or not ready at that time."
        )
    failed = [sample for sample in samples if sample.state is State.FAILED]
    mixed = any(sample.state is State.SUCCEEDED for sample in samples)
    if policy.retries.count == 0 and mixed and len(failed) >= _FEW and len(samples) >= 2 * _ENOUGH:
        return f"{len(failed)} of its last {len(samples)} runs failed and others did well: --retries may help."
    return ""


def _on_skips(counted: Figures) -> str:
    whole = counted.runs + counted.skipped
    if counted.skipped >= _ENOUGH and counted.skipped >= 0.1 * whole:
        return f"{counted.skipped:,} of {whole:,} slots were skipped. The reasons are in: rota why {quote(counted.job)}"
    return ""


def _on_lateness(counted: Figures) -> str:
    if counted.late_p99 is not None and counted.late_p50 is not None and counted.late_p50 >= _LATE:
        return (
            f"Half of its runs start more than {brief(counted.late_p50)} late: the engine is down at that time, or has "
            "no free place. More places: rota serve --capacity N"
        )
    return ""


def _on_losses(counted: Figures) -> str:
    if counted.lost >= _FEW and counted.lost >= 0.05 * counted.runs:
        return f"{counted.lost} of its runs were lost: they, or the machine, were killed. See: rota missed"
    return ""
