"""Settling: an attempt's end becomes a durable fact, then another attempt or the run's last word."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta

import msgspec

from rota.engine.flights import Ending, Exited, Flight
from rota.model.run import State
from rota.model.settlement import Ended, Harvest
from rota.plan.retry import GiveUp, TryAgain, decide_retry
from rota.ports import Launcher, Log, Store
from rota.schedule.duration import words

UNKNOWN_END = "its processes ended without a record of an exit code"


class Settled(msgspec.Struct, frozen=True):
    """What was settled, to be told when it is on disk."""

    flight: Flight
    ended: Ended
    owned: bool
    again_in: str = ""


class Settler:
    """Writes ends, inside the engine's transaction; tells of them after it."""

    def __init__(self, store: Store, launcher: Launcher, host: str, log: Log) -> None:
        self._store = store
        self._launcher = launcher
        self._host = host
        self._log = log

    def settle(self, flight: Flight, exited: Exited, now: datetime) -> Settled:
        """Write down how an attempt ended.

        1. Read what it left, and judge the outcome.
        2. Another attempt, if policy gives one, else the end of the run. Either is fenced: whoever lost the run to
           somebody else in the meantime writes nothing.
        3. Its output goes with it, in the same transaction.
        """
        left = self._launcher.harvest(flight.run_id)
        ended = _judge(flight, exited, left)
        retries = flight.job.policy.retries
        decision = decide_retry(retries, flight.attempt, ended.state, ended.exit_code, _chance())
        again_in, owned = "", False
        if isinstance(decision, TryAgain):
            if flight.ending is Ending.HAND_OVER:
                decision = TryAgain(timedelta(0))
            again_in = f"{decision.delay.total_seconds():.1f}s"
            reason = f"attempt {flight.attempt} {ended.state.words}: {ended.reason}; the next one follows"
            owned = self._store.runs.rest_if_running(ended, self._host, now, now + decision.delay, reason)
            if not owned:  # it was asked to end in the last moment, or is not ours
                decision, again_in = GiveUp("no other attempt, because it was asked to end"), ""
        if isinstance(decision, GiveUp):
            if decision.why:
                ended = msgspec.structs.replace(ended, reason=f"{ended.reason}; {decision.why}")
            owned = self._store.runs.settle_if_running(ended, self._host, now)
        if owned and left.parts:
            self._store.runs.add_output(flight.run_id, flight.attempt, left.parts)
        return Settled(flight, ended, owned, again_in)

    def tell(self, settled: Settled) -> None:
        """Log what is on disk now."""
        flight, ended = settled.flight, settled.ended
        if not settled.owned:
            text = f"attempt {flight.attempt} ended, but the run is somebody else's by now; its result is dropped"
            self._log.warning(text, flight.job.name, flight.run_id)
            return
        seconds = max(0.0, (ended.ended_at - flight.started_at).total_seconds())
        code = "" if ended.exit_code is None else f" (exit code: {ended.exit_code})"
        after = f"; attempt {flight.attempt + 1} in {settled.again_in}" if settled.again_in else ""
        match ended.state:
            case State.SUCCEEDED:
                self._log.info(f"completed in {seconds:.1f}s{code}", flight.job.name, flight.run_id)
            case State.CANCELLED:
                self._log.warning(f"cancelled after {seconds:.1f}s: {ended.reason}", flight.job.name, flight.run_id)
            case State.FAILED:
                why = ended.reason.removeprefix(f"exit code {ended.exit_code}").lstrip(":; ")
                text = f"failed after {seconds:.1f}s{code}{': ' if why else ''}{why}{after}"
                self._log.error(text, flight.job.name, flight.run_id)
            case _:
                self._log.error(f"{ended.reason}{after}", flight.job.name, flight.run_id)


def _chance() -> float:
    """Return a number in [0, 1) that spreads retries."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


def _judge(flight: Flight, exited: Exited, left: Harvest) -> Ended:
    """Decide what an attempt's end amounts to."""
    result, told = _read_result(left.result)
    code, timeout = exited.exit_code, flight.job.policy.timeout
    if flight.ending is Ending.CANCEL:
        state, reason = State.CANCELLED, flight.ending_reason
    elif flight.ending is Ending.TIMEOUT and timeout is not None:
        state, reason = State.TIMED_OUT, f"timed out after {words(timeout)}"
    elif flight.ending is Ending.HAND_OVER and code != 0:
        state, reason = State.LOST, flight.ending_reason
    elif code is None:
        state, reason = State.LOST, exited.reason or UNKNOWN_END
    elif code == 0:
        state, reason = State.SUCCEEDED, told  # that its result could not be kept, if that is so
    else:
        state, reason = State.FAILED, exited.reason or told or _explain_code(code, flight.job.cwd)
    return Ended(
        run_id=flight.run_id,
        attempt=flight.attempt,
        state=state,
        started_at=flight.started_at,
        ended_at=max(exited.at, flight.started_at),
        exit_code=code,
        reason="; ".join(part for part in (reason, left.note) if part),
        result=result if state is State.SUCCEEDED else None,
    )


def _explain_code(code: int, directory: str | None) -> str:
    if code == 126:
        # The shim ends so when it cannot change there; a person reads the reason before the job's standard error.
        if directory and os.path.isabs(directory) and not os.path.isdir(directory):
            return f"exit code 126: the directory {directory}, in which it runs, is not there"
        return "exit code 126: found, but could not be started"
    if code == 127:
        return "exit code 127: a command was not found"
    if 128 < code < 193:
        try:
            name = signal.Signals(code - 128).name
        except ValueError:
            name = f"signal {code - 128}"
        return f"exit code {code}: ended by {name}, or it chose this code itself"
    return f"exit code {code}"


class _Left(msgspec.Struct):
    """The file that `rota.call` leaves."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    note: str = ""


def _read_result(text: str | None) -> tuple[str | None, str]:
    """Split what a function left: its result as JSON, and what it said of an error; it may hold anything."""
    if text is None:
        return None, ""
    try:
        left = msgspec.json.decode(text, type=_Left)
        msgspec.json.decode(left.result)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None, ""
    result = bytes(left.result).decode()
    return None if result == "null" else result, left.error or left.note
