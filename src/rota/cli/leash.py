"""Ending with the engine that started this process beside itself."""

from __future__ import annotations

import os
import threading

_LEASH = "ROTA_LEASH"
"""Set by process/beside.py: standard input is a pipe that ends when the engine has gone."""


def end_with_engine() -> None:
    """End at once when the engine has gone; a change of the store is one transaction, and is undone if it is not whole.

    Called by somebody at a terminal, this does nothing.
    """
    if os.environ.pop(_LEASH, None):
        threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)
