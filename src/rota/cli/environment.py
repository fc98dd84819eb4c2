"""Settings from the environment, read as the options are; one that cannot be read is named."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from rota.cli.options import pointed_at
from rota.errors import UsageError, did_you_mean

_T = TypeVar("_T")


def from_environment(name: str, read: Callable[[str], _T]) -> _T | None:
    """Return a setting from the environment; one that cannot be read is named."""
    text = os.environ.get(name)
    if not text:
        return None
    try:
        return pointed_at(name, read, text)
    except ValueError as error:
        raise UsageError(f"{name}={text}: {error}") from None


def one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    """Return a reader of one of some words."""

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"it must be one of {', '.join(known)}{did_you_mean(text, known)}")
        return text

    return read
