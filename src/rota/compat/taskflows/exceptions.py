"""What is raised on purpose, in one hierarchy.

TaskflowsError
├── ValidationError    what was given cannot mean anything; a ValueError, too
├── SecurityError      what was given is not allowed
└── NotYet             it means something, but rota cannot do it yet; a NotImplementedError, too
"""

from __future__ import annotations

from rota import RotaError


class TaskflowsError(RotaError):
    """The root."""


class ValidationError(TaskflowsError, ValueError):
    """What was given cannot mean anything."""


class SecurityError(TaskflowsError):
    """What was given is not allowed."""


class NotYet(TaskflowsError, NotImplementedError):
    """rota cannot do this yet, and to leave it out in silence would be worse than to say so."""

    def __init__(self, word: str, what: str) -> None:
        super().__init__(f"{word}: {what} come with a later rota; remove {word}, or keep this service in Taskflows")
