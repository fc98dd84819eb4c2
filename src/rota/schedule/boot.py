"""The start of the machine: a slot for each, at an instant that no clock foretells.

As a schedule it has no instants, so that whatever looks for the next or the last one passes it over. The engine that
comes up first after a start decides on the slot; see plan/boot.py.
"""

from __future__ import annotations

from datetime import datetime

BOOT = "boot"
"""The word that stands where an instant would."""
_CRON_S = ("@reboot", "reboot")


class Boot:
    """Once for each start of the machine."""

    def next_after(self, instant: datetime) -> datetime | None:  # noqa: ARG002 -- the protocol's signature
        """Return nothing: nobody knows when the machine will start."""
        return None

    def latest_until(self, instant: datetime) -> datetime | None:  # noqa: ARG002 -- the same
        """Return nothing: when the machine has started is the engine's to find out."""
        return None

    def count(self, after: datetime, until: datetime) -> int:  # noqa: ARG002 -- the same
        """Return 0: there is no instant to count."""
        return 0

    def explain(self) -> str:
        """Say when."""
        return "once when the machine starts"


def is_boot(text: str) -> bool:
    """Tell whether the text of an `at` is the word and no instant."""
    return text.strip().lower() == BOOT


def is_crons_word(text: str) -> bool:
    """Tell whether somebody has written what cron calls it."""
    return text.strip().lower() in _CRON_S


def as_kept(text: str) -> str:
    """Return the text of an `at` as it is kept: the word in one spelling, an instant as it was given."""
    return BOOT if is_boot(text) else text
