"""What a function may ask about the run that it is called for."""

from __future__ import annotations

from rota.process.inside import CALLING, Calling


def calling() -> Calling | None:
    """Return the run that the caller works for; None outside of a run, and in a process of its own.

    There the environment says the same: ROTA_RUN_ID, ROTA_JOB, ROTA_ATTEMPT, ROTA_SLOT.
    """
    return CALLING.get()
