"""Whether an attempt that ended badly is tried again, and when."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from rota.model.policy import Retries
from rota.model.run import State


class TryAgain(msgspec.Struct, frozen=True):
    """Another attempt after a pause."""

    delay: timedelta


class GiveUp(msgspec.Struct, frozen=True):
    """No other attempt; `why` is empty when none was asked for."""

    why: str = ""


def decide_retry(
    retries: Retries, attempt: int, state: State, exit_code: int | None, chance: float
) -> TryAgain | GiveUp:
    """Decide what follows an attempt; `chance` in [0, 1) spreads the pause by the policy's jitter.

    A lost attempt counts like any other: a job that kills its host must not be tried for ever.
    """
    if state in (State.SUCCEEDED, State.CANCELLED) or retries.count == 0:
        return GiveUp()
    if attempt > retries.count:
        return GiveUp(f"all {retries.count + 1} attempts were used")
    if state is State.FAILED and retries.only_on and exit_code not in retries.only_on:
        codes = ", ".join(map(str, retries.only_on))
        return GiveUp(f"exit code {exit_code} is not one that is tried again ({codes})")
    return TryAgain(pause_before(retries, attempt, chance))


def pause_before(retries: Retries, attempt: int, chance: float) -> timedelta:
    """Return the pause after the given attempt: it grows by the backoff up to a limit, then jitter is added."""
    longest = retries.max_delay.total_seconds()
    try:
        seconds = min(retries.delay.total_seconds() * retries.backoff ** (attempt - 1), longest)
    except OverflowError:
        seconds = longest
    return timedelta(seconds=seconds * (1 + retries.jitter * chance))
