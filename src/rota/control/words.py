"""What a job does, when it is due and how it went, in a few words: the same in a terminal and on a page."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta
from typing import NamedTuple

from rota.control.preview import explain
from rota.control.questions import JobLine
from rota.control.times import brief, relative, rough, short
from rota.model.run import Run, Trigger

_TRIGGERS = {
    Trigger.SCHEDULE: "on schedule",
    Trigger.CATCH_UP: "caught up",
    Trigger.MANUAL: "by hand",
    Trigger.RETRY: "asked for again",
}
_ASKED_BY = {
    Trigger.SCHEDULE: "its schedule",
    Trigger.CATCH_UP: "catch-up: its time passed while nobody planned",
    Trigger.MANUAL: "somebody, by hand",
    Trigger.RETRY: "somebody, who asked for an earlier run again",
}
_MEANS = {0: "it went well", 126: "found, but could not be started", 127: "a command was not found"}
_NOTABLE = 1.0
_NO_TIME = timedelta(0)


class Said(NamedTuple):
    """A few words, and how they are meant: a state's name, `dim`, or nothing."""

    text: str
    tone: str = ""


def schedule_of(line: JobLine) -> str:
    """Say when a job is due."""
    job = line.stored.job
    return "; ".join(explain(spec, job.timezone) for spec in job.schedules) or "by hand"


def doing(line: JobLine) -> Said:
    """Say what a job does now."""
    stored = line.stored
    words = []
    if line.running:
        words.append("running" if line.running == 1 else f"running {line.running}")
    if line.queued:
        words.append(f"queued {line.queued}")
    if line.waiting:
        words.append("to be retried")
    if stored.paused_at is not None:
        words.append("paused")
    if not stored.job.enabled:
        words.append("disabled")
    if line.broken:
        words.append("not planned")
    tone = "failed" if line.broken else "running" if line.running else "paused" if stored.paused_at else ""
    return Said(", ".join(words), tone) if words else Said("idle", "dim")


def next_of(line: JobLine) -> Said | datetime:
    """Return when a job is due next, or say why there is no telling."""
    stored = line.stored
    if stored.next_slot is not None:
        return stored.next_slot
    if not stored.wants_slots or not stored.job.schedules:
        return Said("-", "dim")
    if line.broken:
        return Said("unknown", "failed")
    if stored.job.at_boot:
        return Said("at boot", "dim")
    after_end = any(spec.from_end for spec in stored.job.schedules)
    return Said("after this run" if after_end and (line.running or line.queued) else "never again", "dim")


def due(line: JobLine, now: datetime) -> Said:
    """Say when a job is due next, on the wall clock of this machine."""
    when = next_of(line)
    if isinstance(when, Said):
        return when
    if when <= now:
        return Said(f"due {relative(when, now)}", "paused")
    return Said(f"{relative(when, now)} ({short(when, now, said_in=line.stored.job.timezone)})")


def last_of(run: Run | None, now: datetime) -> Said:
    """Say how a job's newest run went."""
    if run is None:
        return Said("-", "dim")
    state = run.state.value.replace("_", " ")
    when = run.ended_at or run.started_at or run.queued_at
    if run.ended_at is None and run.started_at is not None:
        return Said(f"{state} for {rough(now - when)}", state)
    length = f", took {brief(run.duration)}" if run.duration is not None else ""
    code = f" ({run.exit_code})" if run.exit_code and state == "failed" else ""
    return Said(f"{state}{code} {relative(when, now)}{length}", state)


def trigger_of(run: Run) -> str:
    """Say what made a run."""
    return _TRIGGERS[run.trigger]


def asked_by(run: Run) -> str:
    """Say who made a run."""
    return _ASKED_BY[run.trigger]


def late_of(run: Run) -> str:
    """Say how late a run began; nothing, if nobody would call it late."""
    late = run.lateness
    return f"{brief(late)} late" if late is not None and late >= _NOTABLE else ""


def ending_of(run: Run) -> str:
    """Say why a run ended, or waits, as it did: its reason, its exit code, and which try it is."""
    code = f"exit code {run.exit_code}" if run.exit_code and "exit code" not in run.reason else ""
    tries = f"attempt {run.attempt}" if run.attempt > 1 else ""
    return "; ".join(part for part in (run.reason, code, tries) if part)


def length_of(run: Run, now: datetime) -> str:
    """Say how long a run took, or has been running."""
    if run.duration is not None:
        return brief(run.duration)
    return "" if run.started_at is None or run.ended_at is not None else rough(max(_NO_TIME, now - run.started_at))


def exit_of(code: int) -> str:
    """Say what an exit code means."""
    if code in _MEANS:
        return f"exit {code}: {_MEANS[code]}"
    number = code - 128
    if not 0 < number < 65:
        return f"exit {code}"
    known = number in set(signal.Signals)
    name = f" ({signal.Signals(number).name})" if known else ""
    return f"exit {code}: probably killed by signal {number}{name}"


def promptness_of(run: Run) -> str:
    """Say how long after its slot a run started; nothing, if it had none."""
    return "" if run.lateness is None else late_of(run) or "on time"


def reason_beside_exit(run: Run) -> str:
    """Return a run's reason without what its exit code says already."""
    code = run.exit_code
    if code is None:
        return run.reason
    known = {f"exit code {code}", f"exit code {code}: {_MEANS.get(code, '')}"}
    parts = [part for part in run.reason.split("; ") if part not in known]
    return "; ".join(part for part in parts if run.signal is None or not part.startswith(f"exit code {code}:"))
