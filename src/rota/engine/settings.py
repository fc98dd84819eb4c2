"""What may be set about an engine."""

from __future__ import annotations

import os
from datetime import timedelta
from enum import StrEnum

import msgspec

from rota.engine.trust import Leases


class OnStop(StrEnum):
    """What becomes of running jobs when the engine is asked to stop."""

    WAIT = "wait"
    LEAVE = "leave"
    KILL = "kill"


class Retention(msgspec.Struct, frozen=True):
    """How long things are kept."""

    runs: timedelta = timedelta(days=90)
    least_runs: int = 100
    output: timedelta = timedelta(days=30)
    output_bytes: int = 2 << 30
    events: timedelta = timedelta(days=14)
    audit: timedelta = timedelta(days=365)


class EngineSettings(msgspec.Struct, frozen=True):
    """The settings and their defaults."""

    capacity: int = max(4, 2 * (os.cpu_count() or 1))
    max_running: int | None = None
    stop_grace: timedelta = timedelta(seconds=10)
    on_stop: OnStop = OnStop.LEAVE
    retention: Retention = Retention()
    leases: Leases = Leases()
    host_name: str = ""
    """Nothing: what the machine is called."""
    labels: dict[str, str] = {}
    """What jobs may ask for in `runs_on`."""
