"""From rows to values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from rota.errors import Unreadable, UnreadableJob
from rota.model.host import Host
from rota.model.job import Job, StoredJob
from rota.model.ledger import Event, Skip, SkipCode, SkipRecord
from rota.model.run import Attempt, OutputPart, Run, State, Trigger
from rota.store.instants import from_us, maybe_from_us

_job_decoder = msgspec.json.Decoder(Job)
_text_map_decoder = msgspec.json.Decoder(dict[str, str])
_encoder = msgspec.json.Encoder()


class AnyRow(Protocol):
    """A row of any database: values by column name or position."""

    def __getitem__(self, key: int | str, /) -> Any: ...


def job_from_body(body: str) -> Job:
    """Decode a definition: cheaper than most lookups, so it is not kept here.

    What a newer rota wrote may have words in it that this one does not know; they are not passed over, because then the
    job would be another than the one that somebody asked for.
    """
    try:
        return _job_decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Unreadable(f"a newer rota wrote this definition, and this one does not understand it: {error}") from error


def body_of(job: Job) -> str:
    """Encode a definition."""
    return _encoder.encode(job).decode()


def text_map(text: str) -> dict[str, str]:
    """Decode a small map of texts."""
    return _text_map_decoder.decode(text) if text != "{}" else {}


def encode_map(values: Mapping[str, str]) -> str:
    """Encode a small map of texts."""
    return _encoder.encode(values).decode() if values else "{}"


def stored_job(row: AnyRow) -> StoredJob:
    """Build a job from its row joined with its definition."""
    try:
        job = job_from_body(row["body"])
    except Unreadable as error:
        where = row["id"], row["name"], row["definition_id"], from_us(row["planned_to"])
        raise UnreadableJob(str(error), *where) from error
    return StoredJob(
        id=row["id"],
        job=job,
        definition_id=row["definition_id"],
        origin=row["origin"],
        revision=row["revision"],
        paused_at=maybe_from_us(row["paused_at"]),
        removed_at=maybe_from_us(row["removed_at"]),
        planned_to=from_us(row["planned_to"]),
        next_slot=maybe_from_us(row["next_slot"]),
        jitter=timedelta(microseconds=row["jitter"]),
        skip_streak=row["skip_streak"],
        created_at=from_us(row["created_at"]),
    )


def run(row: AnyRow) -> Run:
    """Build a run from its row joined with its job's name."""
    return Run(
        id=row["id"],
        job=row["job"],
        job_id=row["job_id"],
        definition_id=row["definition_id"],
        trigger=Trigger(row["trigger"]),
        slot=maybe_from_us(row["slot"]),
        state=State(row["state"]),
        attempt=row["attempt"],
        host=row["host"],
        boot=row["boot"],
        spool=row["spool"],
        queued_at=from_us(row["queued_at"]),
        ready_at=maybe_from_us(row["ready_at"]),
        start_by=maybe_from_us(row["start_by"]),
        started_at=maybe_from_us(row["started_at"]),
        ended_at=maybe_from_us(row["ended_at"]),
        exit_code=row["exit_code"],
        reason=row["reason"],
        cancel_at=maybe_from_us(row["cancel_at"]),
        cancel_reason=row["cancel_reason"],
        params=text_map(row["params"]),
        result=row["result"],
        retry_of=row["retry_of"],
        needs=row["needs"],
    )


def host(row: AnyRow) -> Host:
    """Build a host."""
    return Host(
        id=row["id"],
        name=row["name"],
        labels=text_map(row["labels"]),
        capacity=row["capacity"],
        version=row["version"],
        schema=row["schema"],
        drained=bool(row["drained"]),
        hands_over=bool(row["hands_over"]),
        max_running=row["max_running"],
        stopped=bool(row["stopped"]),
        started_at=from_us(row["started_at"]),
        seen_at=from_us(row["seen_at"]),
    )


def attempt(row: AnyRow) -> Attempt:
    """Build an attempt."""
    return Attempt(
        run_id=row["run_id"],
        attempt=row["attempt"],
        state=State(row["state"]),
        host=row["host"],
        started_at=maybe_from_us(row["started_at"]),
        ended_at=from_us(row["ended_at"]),
        exit_code=row["exit_code"],
        reason=row["reason"],
    )


def output_part(row: AnyRow) -> OutputPart:
    """Build one stream's kept output."""
    return OutputPart(row["stream"], row["head"], row["tail"], row["size"])


def skip_record(row: AnyRow) -> SkipRecord:
    """Build a skip as stored."""
    skip = Skip(
        first_slot=from_us(row["first_slot"]),
        last_slot=from_us(row["last_slot"]),
        count=row["count"],
        code=SkipCode(row["code"]),
        reason=row["reason"],
        run_id=row["run_id"],
    )
    return SkipRecord(row["id"], row["job"], from_us(row["at"]), skip)


def event(row: AnyRow) -> Event:
    """Build an event."""
    return Event(row["seq"], from_us(row["at"]), row["kind"], row["job"], row["run_id"], text_map(row["data"]))
