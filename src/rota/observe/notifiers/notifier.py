"""What tells people something. Each channel is a module beside this one, and has a class of this shape."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Protocol


class Notifier(ABC):
    """Tells people something: subclass it, and give it to `notify=`, or name it among the entry points.

    `notify` is called in a thread of its own. It raises when nobody could be told; that is said in the log, and no
    run is the worse for it.
    """

    @abstractmethod
    def notify(self, message: str, title: str = "") -> None:
        """Tell a message of one or more lines; the title is one short line."""


class Tells(Protocol):
    """Anything that can be told a message: a Notifier, or an object with this one method."""

    def notify(self, message: str, /) -> object:
        """Tell a message."""
        ...


def give(notifier: Tells, message: str, title: str) -> None:
    """Give a message to a notifier, and the title to one that takes it; what is to be awaited is awaited."""
    told = notifier.notify(message, title) if _takes_title(notifier) else notifier.notify(message)  # type: ignore[call-arg]
    if inspect.isawaitable(told):
        import asyncio

        asyncio.run(_waited(told))


async def _waited(told: Awaitable[object]) -> None:
    await told


def _takes_title(notifier: Tells) -> bool:
    try:
        parameters = list(inspect.signature(notifier.notify).parameters.values())
    except (TypeError, ValueError):  # a method that was not written in Python
        return False
    places = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return len(places) > 1 or any(each.kind is each.VAR_POSITIONAL for each in parameters)
