"""How long a host may rely on what it was told: less long than the lease, and from the moment at which it asked.

The lease begins when the database does what was asked, which is later than the question, and counts on the database's
clock. A host counts from its question, on a clock that nobody can set, and stops a margin earlier. So its trust is over
before its lease is, however long the answer took and whatever the two clocks say; docs/proof has the proof. The margin
stands for clocks that go at different rates, and for the moment between the last look and the act.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from rota.model.host import SILENT

LONGEST_PAUSE = SILENT / 3
"""However long its lease is, a host is heard of this often: or it would be taken for gone."""


class Leases(msgspec.Struct, frozen=True):
    """How leases go; hosts of one store may differ, because each claim says for itself until when it holds."""

    lasts: timedelta = timedelta(seconds=30)

    @property
    def margin(self) -> timedelta:
        """How much earlier trust ends."""
        return self.lasts / 6

    @property
    def pause(self) -> timedelta:
        """How long a host waits before it renews: two renewals may fail, and nobody takes it for gone in between."""
        return min(self.lasts / 3, LONGEST_PAUSE)


class Trust:
    """What a host was told, and until when it may rely on it."""

    def __init__(self, leases: Leases) -> None:
        self._span = (leases.lasts - leases.margin).total_seconds()
        self._pause = leases.pause.total_seconds()
        self._asked = float("-inf")

    def answered(self, asked: float) -> None:
        """Note an answer, by when it was asked for; the answer to an earlier question takes nothing away."""
        self._asked = max(self._asked, asked)

    def is_due(self, steady: float) -> bool:
        """Tell whether it is time to renew."""
        return steady - self._asked >= self._pause

    def holds(self, steady: float) -> bool:
        """Tell whether what was renewed last may still be relied on."""
        return self.holds_since(self._asked, steady)

    def holds_since(self, asked: float, steady: float) -> bool:
        """Tell the same of something that was asked for at that time."""
        return steady - asked < self._span
