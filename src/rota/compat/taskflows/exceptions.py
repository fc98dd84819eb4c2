"""What is raised on purpose, in one hierarchy.

TaskflowsError
├── ValidationError    what was given cannot mean anything; a ValueError, too
├── SecurityError      what was given is not allowed
├── TaskTimeout        a task took longer than it may, and was ended; a rota.TaskTimeout and a TimeoutError, too
├── CallFailed         a task's process ended without an answer; a rota.errors.CallFailed, too
├── NotCarried         a task has succeeded, but its result cannot be sent back; a rota.errors.NotCarried, too
└── NotYet             it means something, but rota cannot do it yet; a NotImplementedError, too
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rota import RotaError, errors


class TaskflowsError(RotaError):
    """The root."""


class ValidationError(TaskflowsError, ValueError):
    """What was given cannot mean anything."""


class SecurityError(TaskflowsError):
    """What was given is not allowed."""


class TaskTimeout(TaskflowsError, errors.TaskTimeout):
    """A task took longer than it may, and was ended."""


class CallFailed(TaskflowsError, errors.CallFailed):
    """A task's process ended without an answer, or its exception cannot be sent back; the text says what is known."""


class NotCarried(TaskflowsError, errors.NotCarried):
    """A task has succeeded, but what it returned cannot be sent back from its process."""


_OURS: tuple[tuple[type[RotaError], type[TaskflowsError]], ...] = (
    (errors.TaskTimeout, TaskTimeout),
    (errors.CallFailed, CallFailed),
    (errors.NotCarried, NotCarried),
)


def ours(error: Exception) -> Exception:
    """Return what rota raises for a task as one of these; every other exception, and the task's own, as it is."""
    if isinstance(error, TaskflowsError):
        return error
    for theirs, kind in _OURS:
        if isinstance(error, theirs):
            return kind(str(error)).with_traceback(error.__traceback__)
    return error


@contextmanager
def in_ours() -> Iterator[None]:
    """Let what rota raises for a task be one of these."""
    try:
        yield
    except RotaError as error:
        mine = ours(error)
        if mine is error:
            raise
        raise mine from None


class NotYet(TaskflowsError, NotImplementedError):
    """rota cannot do this yet, and to leave it out in silence would be worse than to say so."""

    def __init__(self, word: str, what: str) -> None:
        super().__init__(f"{word}: {what} come with a later rota; remove {word}, or keep this service in Taskflows")
