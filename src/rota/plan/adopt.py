"""What a starting engine does with a run that its predecessor left running.

The evidence was gathered in this order, and the order is what makes it complete: the engine's lock was taken (so no
child of the old engine is still between fork and exec); the machine's processes were searched for the attempt's mark;
then the journal was read. The shim writes a start line before it runs the command, and an exit line after.

- An exit line: the true exit code is known.
- Its shim lives: it is watched on, with its deadline, as if nothing had happened.
- Its shim was killed but marked processes live: it is not over; watched until they end, then lost.
- No start line, no process, and the machine did not restart: the command was never reached. The claim is given back,
  and nothing was lost or doubled. (The journal is written without sync, so after a restart of the machine it proves
  nothing, and the run is lost.)
- Otherwise nobody knows how it ended: lost, which counts as an attempt.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Evidence(msgspec.Struct, frozen=True):
    """What can be known about an attempt from outside."""

    same_boot: bool
    shim: int | None
    """The shim's pid, when it lives."""
    others: bool
    """Whether other processes with the mark live."""
    started: bool
    exit_code: int | None
    ended_at: datetime | None
    age: float | None = None
    """For how many seconds the shim has lived: the wall clock may have been set while no engine ran."""

    @property
    def unstarted(self) -> bool:
        """Tell whether all this shows that the command was never reached."""
        alive = self.shim is not None or self.others
        return self.same_boot and not self.started and not alive and self.exit_code is None


class Settle(msgspec.Struct, frozen=True):
    """The exit is on record."""

    exit_code: int
    ended_at: datetime | None


class WatchOn(msgspec.Struct, frozen=True):
    """The attempt goes on; pid is None when only its descendants live."""

    pid: int | None
    age: float | None = None


class GiveBack(msgspec.Struct, frozen=True):
    """The command was never reached: back into the queue, the attempt not counted."""

    why: str = "the engine ended before the command was started"


class Lose(msgspec.Struct, frozen=True):
    """Nobody knows how it ended."""

    why: str


def decide_adoption(evidence: Evidence) -> Settle | WatchOn | GiveBack | Lose:
    """Decide by the evidence; see the top of this file."""
    if evidence.exit_code is not None:
        return Settle(evidence.exit_code, evidence.ended_at)
    if evidence.shim is not None or evidence.others:
        return WatchOn(evidence.shim, evidence.age)
    if not evidence.same_boot:
        return Lose("the machine, or its container, restarted while it ran")
    if evidence.unstarted:
        return GiveBack()
    return Lose("its processes ended without a record of an exit code")
