"""Runs: made, claimed, settled. Every write that ends or extends an attempt is fenced on host and attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from rota.ids import first_run_id
from rota.model.host import Terms, may_run, needs_of_target
from rota.model.job import Job
from rota.model.run import ACTIVE, TROUBLE, Attempt, OutputPart, Run, State, Trigger, states_of
from rota.model.settlement import Claimed, Ended, JobSample, NewRun, RunFilter
from rota.plan.overlap import ActiveRun
from rota.store import rows
from rota.store.database import Database
from rota.store.filters import containing
from rota.store.instants import from_us, maybe_from_us, maybe_us, span_us, to_us
from rota.store.rows import AnyRow

_LAST_ID = "~"
LIVE_KEPT = 256 * 1024
ALONE = Terms()
"""How a host claims that shares the store with nobody."""


class RunTable:
    """The moves on runs; see ports.RunStore."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def active(self, job_id: int) -> list[ActiveRun]:
        """Return the job's runs that have not ended."""
        return [
            ActiveRun(row["id"], State(row["state"]), bool(row["held"]))
            for row in self._db.all("active_runs", job_id=job_id)
        ]

    def active_by_target(self, job_id: int) -> dict[str, list[ActiveRun]]:
        """Return the same of a job for all hosts, by the host that has them."""
        found: dict[str, list[ActiveRun]] = {}
        for row in self._db.all("active_runs", job_id=job_id):
            run = ActiveRun(row["id"], State(row["state"]), bool(row["held"]))
            found.setdefault(row["target"], []).append(run)
        return found

    def active_of(self, job_ids: Sequence[int]) -> dict[int, list[ActiveRun]]:
        """Return the same of many jobs, by job."""
        found: dict[int, list[ActiveRun]] = {}
        for row in self._db.all("active_runs_of", ids=_as_list(job_ids)) if job_ids else ():
            run = ActiveRun(row["id"], State(row["state"]), bool(row["held"]))
            found.setdefault(row["job_id"], []).append(run)
        return found

    def active_counts(self, job_ids: Sequence[int]) -> dict[int, dict[State, int]]:
        """Return how many runs of some jobs have not ended, by state."""
        found: dict[int, dict[State, int]] = {}
        for row in self._db.all("active_counts", ids=_as_list(job_ids)):
            found.setdefault(row["job_id"], {})[State(row["state"])] = row["runs"]
        return found

    def placed(self, job_id: int) -> int:
        """Return how many of the job's places are taken."""
        row = self._db.one("placed_count", job_id=job_id)
        return row[0] if row else 0

    def add(self, new: NewRun, job: Job, now: datetime) -> bool:
        """Add a run; False when its slot or its request key has one already."""
        return self._db.run("add_run", **_columns(new, job, now)) > 0

    def add_unless_there(self, new: NewRun, job: Job, now: datetime) -> None:
        """Add a run, unless its slot has one already; it is there before anything is asked."""
        self._db.later("add_run", **_columns(new, job, now))

    def with_request_key(self, key: str) -> str | None:
        """Return the run that an earlier request with this key made."""
        self._db.lock("lock_request_key", request_key=key)
        row = self._db.one("run_by_request_key", request_key=key)
        return None if row is None else row[0]

    def claim_ready(
        self,
        host: str,
        boot: str,
        now: datetime,
        spools: Sequence[str],
        max_running: int | None,
        terms: Terms = ALONE,
    ) -> list[Claimed]:
        """Claim ready runs for this host, in order, one for each spool that is free.

        1. Where others share the store, look before waiting in line with them: mostly there is nothing. And look after
           it whether the host has been drained meanwhile.
        2. Ask each lane that the host may take from for its next runs, as far as its pool has free places.
        3. Merge by priority, due time and age; the order holds over all lanes.
        4. Claim as many as there are spools and the limits over everything and of each pool allow.
        """
        free = len(spools)
        if terms.lease is not None and self._db.one("any_ready") is None:
            return []
        self._db.lock("lock_claims")
        if terms.lease is not None and self._db.one("drained", host=host) is not None:
            return []
        if max_running is not None:
            row = self._db.one("running_count")
            free = min(free, max_running - (row[0] if row else 0))
        if free <= 0:
            return []
        found, places = self._next_in_lanes(host, free, terms)
        found.sort(key=lambda row: (row["priority"], row["due_at"], row["id"]))
        chosen = list(zip(_within(places, found)[:free], spools, strict=False))
        at, lease = to_us(now), None if terms.lease is None else span_us(terms.lease)
        self._db.many(
            "claim_if_ready",
            [
                {"id": row["id"], "host": host, "boot": boot, "spool": spool, "now": at, "lease": lease}
                for row, spool in chosen
            ],
        )
        return [
            Claimed(
                run_id=row["id"],
                attempt=row["attempt"] + 1,
                job_name=row["name"],
                definition_id=row["definition_id"],
                trigger=Trigger(row["trigger"]),
                slot=maybe_from_us(row["slot"]),
                params=rows.text_map(row["params"]),
                spool=spool,
                claimed_at=now,
            )
            for row, spool in chosen
        ]

    def _next_in_lanes(self, host: str, free: int, terms: Terms) -> tuple[list[AnyRow], dict[str, int]]:
        """Return the next runs of each lane that a host may take from, and the free places of their pools."""
        more = free + len(terms.busy_with)
        found = list(self._db.all("ready_in_lane", pool="", needs="", limit=more))
        places: dict[str, int] = {}
        for lane in self._db.all("ready_lanes"):
            pool = lane["pool"]
            if pool:
                places[pool] = lane["size"] - lane["taken"]
            if places.get(pool, free) > 0 and may_run(lane["needs"], host, terms):
                most = min(more, places.get(pool, free) + len(terms.busy_with))
                found += self._db.all("ready_in_lane", pool=pool, needs=lane["needs"], limit=most)
        return [row for row in found if row["id"] not in terms.busy_with], places

    def settle_if_running(self, ended: Ended, host: str, now: datetime) -> bool:
        """End a run; False when this host does not own the attempt any more."""
        settled = self._db.run(
            "settle_if_running",
            id=ended.run_id,
            state=ended.state.value,
            host=host,
            attempt=ended.attempt,
            started_at=maybe_us(ended.started_at),
            ended_at=to_us(ended.ended_at),
            now=to_us(now),
            exit_code=ended.exit_code,
            reason=ended.reason,
            result=ended.result,
        )
        return settled > 0

    def rest_if_running(self, ended: Ended, host: str, now: datetime, ready_at: datetime, reason: str) -> bool:
        """End an attempt that another follows; False when this host does not own it any more."""
        rested = self._db.run(
            "rest_if_running",
            id=ended.run_id,
            host=host,
            attempt=ended.attempt,
            ready_at=to_us(ready_at),
            now=to_us(now),
            reason=reason,
        )
        if rested:
            self._db.run(
                "add_attempt",
                run_id=ended.run_id,
                attempt=ended.attempt,
                state=ended.state.value,
                host=host,
                started_at=maybe_us(ended.started_at),
                ended_at=to_us(ended.ended_at),
                exit_code=ended.exit_code,
                reason=ended.reason,
            )
        return rested > 0

    def give_back_if_running(self, run_id: str, attempt: int, host: str, now: datetime, reason: str) -> bool:
        """Undo a claim whose command was never started."""
        return (
            self._db.run("give_back_if_running", id=run_id, host=host, attempt=attempt, now=to_us(now), reason=reason)
            > 0
        )

    def add_output(self, run_id: str, attempt: int, parts: Iterable[OutputPart]) -> None:
        """Keep what an attempt wrote."""
        for part in parts:
            self._db.later(
                "add_output",
                run_id=run_id,
                attempt=attempt,
                stream=part.stream,
                head=part.head,
                tail=part.tail,
                size=part.size,
            )

    def send_live(self, run_id: str, attempt: int, stream: str, start: int, content: bytes) -> None:
        """Let others see more of what a running attempt writes; of what is long ago they see nothing."""
        here = {"run_id": run_id, "attempt": attempt, "stream": stream}
        self._db.all("send_live", start=start, content=content, **here)
        self._db.all("forget_live", before=start - LIVE_KEPT, **here)

    def live(self, run_id: str, attempt: int, stream: str, offset: int) -> list[tuple[int, bytes]]:
        """Return some of what a running attempt on another host has written from a place on, each with its place."""
        found = self._db.all("live_after", run_id=run_id, attempt=attempt, stream=stream, offset=offset)
        return [(row["start"], bytes(row["content"])) for row in found]

    def output(self, run_id: str, attempt: int) -> list[OutputPart]:
        """Return what an attempt wrote, standard output first."""
        return [rows.output_part(row) for row in self._db.all("output_of", run_id=run_id, attempt=attempt)]

    def wake(self, now: datetime) -> int:
        """Make runs ready whose pause is over, and end those that waited longer than start_by for a place."""
        at = to_us(now)
        return self._db.run("wake_waiting", now=at) + self._db.run("expire_start_by", now=at)

    def wake_all(self, now: datetime) -> int:
        """Make every run ready that pauses between attempts."""
        return self._db.run("wake_all_waiting", now=to_us(now))

    def bring_forward(self, span: timedelta) -> int:
        """Let pauses between attempts end earlier, because the clock went back."""
        return self._db.run("bring_waiting_forward", span=span_us(span))

    def cancel_if_not_running(self, run_id: str, now: datetime, reason: str) -> bool:
        """End a run that is queued or waiting."""
        return self._db.run("cancel_if_not_running", id=run_id, now=to_us(now), reason=reason) > 0

    def ask_to_cancel_if_running(self, run_id: str, now: datetime, reason: str) -> bool:
        """Write down the wish that a running run ends."""
        return self._db.run("ask_to_cancel_if_running", id=run_id, now=to_us(now), reason=reason) > 0

    def cancel_requests(self, host: str) -> list[tuple[str, str]]:
        """Return running runs of this host that somebody wants ended, with the reason."""
        return [(row["id"], row["cancel_reason"]) for row in self._db.all("cancel_requests", host=host)]

    def release_held(self) -> int:
        """Let held runs go whose job has places after all."""
        self._db.lock("lock_jobs_with_held")
        return self._db.run("release_held")

    def running_on(self, host: str) -> list[Run]:
        """Return what this host's engine left running."""
        return [rows.run(row) for row in self._db.all("running_on_host", host=host)]

    def waiting_for(self, host: str) -> list[str]:
        """Return the runs that are this host's alone, and have not been started."""
        return [row["id"] for row in self._db.all("waiting_for_host", needs=needs_of_target(host))]

    def find(self, run_id: str) -> Run | None:
        """Return a run by its id."""
        row = self._db.one("run_by_id", id=run_id)
        return None if row is None else rows.run(row)

    def beginning_with(self, prefix: str) -> list[Run]:
        """Return up to two runs whose id begins so."""
        return [rows.run(row) for row in self._db.all("runs_by_prefix", prefix=prefix)]

    def for_slot(self, job_id: int, slot: datetime) -> Run | None:
        """Return the run of a slot."""
        row = self._db.one("run_for_slot", job_id=job_id, slot=to_us(slot))
        return None if row is None else rows.run(row)

    def retries_of(self, run_id: str, limit: int) -> list[Run]:
        """Return the newest of the runs that somebody asked for in place of this one."""
        return [rows.run(row) for row in self._db.all("runs_retrying", run_id=run_id, limit=limit)]

    def in_slots(self, job_id: int, since: datetime, until: datetime, limit: int) -> list[Run]:
        """Return the job's runs for slots in [since, until), in order."""
        found = self._db.all("runs_in_slots", job_id=job_id, since=to_us(since), until=to_us(until), limit=limit)
        return [rows.run(row) for row in found]

    def page(self, wanted: RunFilter, before: str | None, limit: int) -> list[Run]:
        """Return runs, newest first, before the cursor."""
        last = first_run_id(wanted.until) if wanted.until else _LAST_ID
        params: dict[str, Any] = {
            "before": min(before or _LAST_ID, last),
            "since": first_run_id(wanted.since) if wanted.since else "",
            "job_id": wanted.job_id,
            "state": wanted.state,
            "states": msgspec.json.encode(sorted(states_of(wanted.state))).decode(),
            "text": containing(wanted.text),
            "tag": wanted.tag,
            "host": wanted.host,
            "limit": limit,
        }
        return [rows.run(row) for row in self._page(wanted, params)]

    def _page(self, wanted: RunFilter, params: dict[str, Any]) -> Sequence[AnyRow]:
        """Ask in the way that reads little, however rare what is wanted is among a million runs."""
        filters = ["filter_job"] if wanted.job_id is not None else []
        filters += ["filter_name"] if wanted.text else []
        filters += ["filter_tag"] if wanted.tag else []
        filters += ["filter_host"] if wanted.host else []
        states = states_of(wanted.state)
        if states and states <= ACTIVE:
            filters += ["filter_state"] if len(states) == 1 else []
            return self._db.page("active_runs_page", filters, **params)
        if wanted.host:  # it has had about as many of the newest runs as any other, so they are looked through
            filters += ["filter_states"] if states else []
            filters += ["filter_trouble"] if states and states <= TROUBLE else []
            return self._db.page("runs_page", filters, **params)
        if wanted.state == "trouble" and not filters:
            return self._db.page("runs_page", ["filter_trouble"], **params)
        if states:
            return self._db.page("runs_page_in_states", filters, **params)
        if wanted.text or wanted.tag:
            return self._db.page("runs_page_of_jobs", filters, **params)
        return self._db.page("runs_page", filters, **params)

    def attempts(self, run_id: str) -> list[Attempt]:
        """Return the attempts that others followed."""
        return [rows.attempt(row) for row in self._db.all("attempts_of", run_id=run_id)]

    def last_of(self, job_ids: Sequence[int]) -> dict[int, Run]:
        """Return the newest run of each of these jobs."""
        found = self._db.all("last_runs", ids=msgspec.json.encode(list(job_ids)).decode())
        return {row["job_id"]: rows.run(row) for row in found}

    def state_counts(self) -> dict[State, int]:
        """Return how many runs are in each active state."""
        return {State(row[0]): row[1] for row in self._db.all("state_counts")}

    def samples(self, job_id: int, limit: int) -> list[JobSample]:
        """Return the job's newest ended runs as statistics see them."""
        return [
            JobSample(
                state=State(row["state"]),
                busy=row["busy"] / 1e6,
                late=None if row["late"] is None else row["late"] / 1e6,
                attempts=row["attempt"],
                ended_at=from_us(row["ended_at"]),
            )
            for row in self._db.all("durations", job_id=job_id, limit=limit)
        ]


def _within(places: Mapping[str, int], found: Sequence[AnyRow]) -> list[AnyRow]:
    """Return the first of them that the free places of their pools allow: several lanes may share a pool."""
    left, chosen = dict(places), []
    for row in found:
        pool = row["pool"]
        if left.setdefault(pool, len(found)) > 0:
            left[pool] -= 1
            chosen.append(row)
    return chosen


def _columns(new: NewRun, job: Job, now: datetime) -> dict[str, Any]:
    """Return a new run as its row has it."""
    policy = job.policy
    return {
        "id": new.id,
        "job_id": new.job_id,
        "definition_id": new.definition_id,
        "trigger": new.trigger.value,
        "slot": maybe_us(new.slot),
        "due_at": to_us(new.slot or now),
        "priority": policy.priority,
        "pool": policy.pool,
        "held": int(new.held),
        "now": to_us(now),
        "start_by": None if policy.start_by is None else to_us(now + policy.start_by),
        "params": rows.encode_map(new.params),
        "retry_of": new.retry_of,
        "request_key": new.request_key,
        "needs": needs_of_target(new.target) if new.target else job.runs_on.needs,
        "target": new.target,
    }


def _as_list(job_ids: Sequence[int]) -> str:
    return msgspec.json.encode(list(job_ids)).decode()
