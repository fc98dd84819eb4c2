"""Containers: they come with a later rota, and until then each of their words is refused by name."""

from __future__ import annotations

from rota.compat.taskflows.exceptions import NotYet


class _InContainers:
    def __init__(self, *given: object, **named: object) -> None:  # noqa: ARG002 -- whatever is said, it is refused
        raise NotYet(type(self).__name__, "containers")


class DockerContainer(_InContainers):
    """Where a command is to run."""


class DockerImage(_InContainers):
    """What a container is made of."""


class Volume(_InContainers):
    """A directory that a container shares."""


class Ulimit(_InContainers):
    """A limit within a container."""


class ContainerLimits(_InContainers):
    """All limits of a container."""
