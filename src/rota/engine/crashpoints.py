"""Named points at which a test can make the engine end as `kill -9` ends it; armed nowhere else, they do nothing.

`ROTA_CRASH_AT=after-claim-commit` ends the engine where it first reaches that point, `ROTA_CRASH_AT=after-spawn:3` at
the third time. SIGKILL leaves no chance to tidy up, so what the next engine meets is what a real crash leaves.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "adopting",
    "before-adoption-commit",
    "after-adoption-commit",
    "mid-boot",
    "mid-plan",
    "before-claim-commit",
    "after-claim-commit",
    "after-spawn",
    "exit-seen",
    "before-settle-commit",
    "after-settle-commit",
    "after-release",
)
_armed, _, _times = os.environ.get("ROTA_CRASH_AT", "").partition(":")
_left = int(_times) if _times.isdigit() else 1


def reach(point: str) -> None:
    """End the engine here, if a test has armed this point."""
    global _left
    if point != _armed:
        return
    _left -= 1
    if not _left:
        signal.raise_signal(signal.SIGKILL)
