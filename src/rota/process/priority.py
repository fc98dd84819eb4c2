"""Going behind others: what only reads facts leaves the cores to the engine and to its jobs.

Who gets a core is decided in two ways, and a helper of the engine's goes behind in both.

1. Where processes are weighed one by one (in a container, in a service of systemd's), by the nice value. Ten more is a
   tenth of the weight of an engine or a job that wants the same core: little enough to be no matter, and enough that a
   machine that is busy all day still answers, and that whoever holds the store's lock gets on and gives it back.
2. Where Linux weighs whole sessions (autogroup, the kernel's default outside of groups of that kind), nice values say
   nothing about processes of other sessions. Each job has a session of its own, so a helper in the engine's would have
   the engine's full weight against every job. It has its own (see beside.py), and that goes behind.
"""

from __future__ import annotations

import os
from contextlib import suppress

from rota.clock import SystemClock

_BEHIND = 10
_LEAST = 19
_AUTOGROUP = "/proc/self/autogroup"
_TRIES, _PAUSE = 5, 0.15


def go_behind() -> None:
    """Let this process go behind others, and its session if it leads one: from where it was, as far as that goes."""
    behind = min(_LEAST, max(os.getpriority(os.PRIO_PROCESS, 0), 0) + _BEHIND)
    os.setpriority(os.PRIO_PROCESS, 0, behind)
    if os.getsid(0) == os.getpid():
        _put_session_behind(behind)


def _put_session_behind(nice: int) -> None:
    """Weigh this session less. The kernel takes one such wish each tenth of a second, from all processes together."""
    with suppress(OSError):  # no such thing here, or not writable: then processes are weighed one by one
        for _ in range(_TRIES):
            try:
                with open(_AUTOGROUP, "w", encoding="ascii") as file:
                    file.write(str(nice))
            except BlockingIOError:
                SystemClock().sleep(_PAUSE)
            else:
                return
