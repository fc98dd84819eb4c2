"""An engine as a test wants it: `python -m tests.crash.engine HOME SKEW SETTINGS`."""

from __future__ import annotations

import os
import sys

import msgspec

from rota.engine import loop
from rota.engine.settings import EngineSettings
from rota.errors import RotaError
from rota.process import journal, openers, spool, watch
from rota.wiring.serving import serve

from .skew import SkewedClock


def macos() -> None:
    """Do without what only Linux has: pidfds, write leases, preallocation, holes."""
    watch.new_watcher = watch.SigchldWatcher
    openers.CAN_TELL_OPENERS = journal._PREALLOCATES = False
    spool._cut = lambda fd, _start, _end: os.ftruncate(fd, 0)


def hasty() -> None:
    """Do several times a second what is done once a minute, with journal segments that are full after a few runs."""
    journal.SEGMENT_SIZE = 4096
    loop._UPKEEP = 0.2


LIKE = {"macos": macos, "hasty": hasty}


def main(home: str, skew: str, settings: str) -> int:
    """Serve a home with the given settings, by a clock that the test can move."""
    given = msgspec.json.decode(settings, type=EngineSettings)
    for likeness in os.environ.get("ROTA_TEST_LIKE", "").split():
        LIKE[likeness]()
    try:
        serve(home, given, os.environ, stream=sys.stderr, as_json=False, clock=SkewedClock(skew))
    except RotaError as error:
        sys.stderr.write(f"rota: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
