"""Limits, and what a machine must offer: they come with a later rota, and until then each is refused by name."""

from __future__ import annotations

from rota.compat.taskflows.exceptions import NotYet


class _Limit:
    def __init__(self, *given: object, **named: object) -> None:  # noqa: ARG002 -- whatever is said, it is refused
        raise NotYet(type(self).__name__, "resource limits")


class CgroupConfig(_Limit):
    """Limits on processor, memory, input and output."""


class HardwareConstraint(_Limit):
    """What a machine must have."""


class Memory(HardwareConstraint):
    """So much memory."""


class CPUs(HardwareConstraint):
    """So many processors."""


class SystemLoadConstraint(_Limit):
    """How busy a machine may be."""


class MemoryPressure(SystemLoadConstraint):
    """With memory."""


class CPUPressure(SystemLoadConstraint):
    """With its processors."""


class IOPressure(SystemLoadConstraint):
    """With input and output."""
