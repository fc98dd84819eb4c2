"""Jobs, runs and the rest as plain data: what `--json` prints and the REST API answers. Others rely on these names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from rota.control.host_names import HostNames, called
from rota.model.job import ScheduleSpec, StoredJob
from rota.model.ledger import Event, SkipRecord
from rota.model.policy import Policy, priority_name
from rota.model.run import Attempt, Run

if TYPE_CHECKING:
    from rota.control.hosts import HostView
    from rota.control.stats import Figures
    from rota.control.why import Answer

View = dict[str, Any]


def instant_view(instant: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC with milliseconds."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_view(seconds: float | None) -> float | None:
    """Return a duration in seconds, to the microsecond."""
    return None if seconds is None else round(seconds, 6)


def job_view(stored: StoredJob, last: Run | None, broken: str = "") -> View:
    """Return a job; `broken` is there only if its schedule cannot be read."""
    job = stored.job
    view: View = {
        "name": stored.name,
        "origin": stored.origin,
        "action": msgspec.to_builtins(job.action),
        "schedules": [schedule_view(spec, job.timezone) for spec in job.schedules],
        "enabled": job.enabled,
        "paused": stored.paused_at is not None,
        "priority": _priority(job.policy),
        "next_slot": instant_view(stored.next_slot),
        "last_run": None if last is None else last_run_view(last),
        "tags": list(job.tags),
    }
    return view | {"broken": broken} if broken else view


def job_details_view(stored: StoredJob, last: Run | None, broken: str = "") -> View:
    """Return a job with everything that its author said."""
    job = stored.job
    return job_view(stored, last, broken) | {
        "description": job.description,
        "timezone": job.timezone,
        "cwd": job.cwd,
        "env": dict(job.env),
        "secrets": dict(job.secrets),
        "env_files": list(job.env_files),
        "user": job.user,
        "umask": None if job.umask is None else f"{job.umask:03o}",
        "runs_on": job.runs_on.document() or None,
        "policy": _in_seconds(job.policy),
        "revision": stored.revision,
        "paused_at": instant_view(stored.paused_at),
        "created_at": instant_view(stored.created_at),
        "planned_to": instant_view(stored.planned_to),
    }


def schedule_view(spec: ScheduleSpec, timezone: str | None) -> View:
    """Return a schedule."""
    view: View = {"kind": spec.kind, "text": spec.text, "timezone": timezone}
    if spec.anchor is not None:
        view["anchor"] = instant_view(spec.anchor)
    if spec.from_end:
        view["from_end"] = True
    return view


def last_run_view(run: Run) -> View:
    """Return what a job tells of its newest run."""
    return {
        "id": run.id,
        "state": run.state.value,
        "started_at": instant_view(run.started_at),
        "ended_at": instant_view(run.ended_at),
        "exit_code": run.exit_code,
    }


def run_view(run: Run, names: HostNames) -> View:
    """Return a run; its host is called by its name."""
    return {
        "id": run.id,
        "job": run.job,
        "trigger": run.trigger.value,
        "slot": instant_view(run.slot),
        "state": run.state.value,
        "attempt": run.attempt,
        "host": called(run.host, names),
        "queued_at": instant_view(run.queued_at),
        "started_at": instant_view(run.started_at),
        "ended_at": instant_view(run.ended_at),
        "duration": seconds_view(run.duration),
        "exit_code": run.exit_code,
        "signal": run.signal,
        "reason": run.reason,
        "lateness": seconds_view(run.lateness),
    }


def run_details_view(run: Run, earlier: Sequence[Attempt], names: HostNames) -> View:
    """Return a run with all its attempts, and what it was asked for with."""
    attempts = [attempt_view(each, names) for each in earlier]
    if run.attempt > len(attempts):
        attempts.append(
            {
                "attempt": run.attempt,
                "state": run.state.value,
                "host": called(run.host, names),
                "started_at": instant_view(run.started_at),
                "ended_at": instant_view(run.ended_at),
                "exit_code": run.exit_code,
                "reason": run.reason,
            }
        )
    return run_view(run, names) | {
        "attempts": attempts,
        "params": run.params,
        "result": None if run.result is None else msgspec.json.decode(run.result),
        "retry_of": run.retry_of,
        "cancel_asked_at": instant_view(run.cancel_at),
    }


def attempt_view(attempt: Attempt, names: HostNames) -> View:
    """Return one try of a run."""
    return {
        "attempt": attempt.attempt,
        "state": attempt.state.value,
        "host": called(attempt.host, names),
        "started_at": instant_view(attempt.started_at),
        "ended_at": instant_view(attempt.ended_at),
        "exit_code": attempt.exit_code,
        "reason": attempt.reason,
    }


def host_view(view: HostView) -> View:
    """Return a host."""
    host = view.host
    return {
        "name": host.name,
        "state": view.state,
        "plans": view.plans,
        "hands_over": host.hands_over,
        "running": view.running,
        "capacity": host.capacity,
        "max_running": host.max_running,
        "labels": host.labels,
        "version": host.version,
        "schema": host.schema,
        "started_at": instant_view(host.started_at),
        "seen_at": instant_view(host.seen_at),
        "id": host.id,
    }


def skip_view(record: SkipRecord) -> View:
    """Return slots that did not run."""
    skip = record.skip
    return {
        "job": record.job,
        "first_slot": instant_view(skip.first_slot),
        "last_slot": instant_view(skip.last_slot),
        "count": skip.count,
        "code": skip.code.value,
        "reason": skip.reason,
        "run": skip.run_id,
        "at": instant_view(record.at),
    }


def answer_view(answer: Answer, names: HostNames) -> View:
    """Return what `why` found."""
    run = answer.run
    return {
        "about": answer.about,
        "job": answer.job,
        "sentences": list(answer.sentences),
        "slot": instant_view(answer.slot),
        "run": None if run is None else run_view(run, names),
        "result": None if run is None or run.result is None else msgspec.json.decode(run.result),
        "attempts": [attempt_view(attempt, names) for attempt in answer.attempts],
        "skip": None if answer.skip is None else skip_view(answer.skip),
    }


def event_view(event: Event) -> View:
    """Return a fact."""
    return {
        "seq": event.seq,
        "at": instant_view(event.at),
        "kind": event.kind,
        "job": event.job,
        "run": event.run_id,
        "data": event.data,
    }


def figures_view(figures: Figures) -> View:
    """Return a job's figures."""
    view: View = msgspec.structs.asdict(figures)
    for name in ("average", "median", "p95", "late_p50", "late_p99"):
        view[name] = seconds_view(view[name])
    view["success_rate"] = None if figures.success_rate is None else round(figures.success_rate, 4)
    view["advice"] = list(figures.advice)
    return view


def _priority(policy: Policy) -> str | int:
    """Return the priority as its author may write it: a name, or a number."""
    name = priority_name(policy.priority)
    return policy.priority if name == str(policy.priority) else name


def _in_seconds(policy: Policy) -> View:
    """Return all policies, durations in seconds."""
    retries = policy.retries
    return {
        "overlap": policy.overlap.value,
        "max_instances": policy.max_instances,
        "catch_up": policy.catch_up.value,
        "grace": policy.grace.total_seconds(),
        "retries": {
            "count": retries.count,
            "delay": retries.delay.total_seconds(),
            "backoff": retries.backoff,
            "max_delay": retries.max_delay.total_seconds(),
            "jitter": retries.jitter,
            "only_on": list(retries.only_on),
        },
        "timeout": None if policy.timeout is None else policy.timeout.total_seconds(),
        "kill_after": policy.kill_after.total_seconds(),
        "start_by": None if policy.start_by is None else policy.start_by.total_seconds(),
        "pool": policy.pool or None,
        "jitter": policy.jitter.total_seconds(),
        "not_before": instant_view(policy.not_before),
        "not_after": instant_view(policy.not_after),
    }
