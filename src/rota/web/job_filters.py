"""What somebody wants of the list of jobs, as its form, its links and the store have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import Depends, Query

from rota.errors import UsageError
from rota.model.run import SEVERAL, State
from rota.model.settlement import JobFilter

Choice = tuple[str, str]
STATES: tuple[Choice, ...] = (
    ("", "any last run"),
    *((word, f"last run: {word}") for word in SEVERAL),
    *((state.value, f"last run: {state.value.replace('_', ' ')}") for state in State),
)
ORIGINS: tuple[Choice, ...] = (
    ("", "from anywhere"),
    ("hand", "made by hand"),
    ("file", "from files"),
    ("python", "from programs"),
)
IS: tuple[Choice, ...] = (
    ("", "planned or not"),
    ("on", "neither paused nor disabled"),
    ("paused", "paused"),
    ("disabled", "disabled"),
)
_MEANS: dict[str, tuple[bool | None, bool | None]] = {
    "": (None, None),
    "on": (False, True),
    "paused": (True, None),
    "disabled": (None, False),
}
"""Whether it is paused, and whether it is enabled."""


class Filters(msgspec.Struct, frozen=True):
    """What is wanted; what is empty asks for nothing."""

    text: str = ""
    tag: str = ""
    state: str = ""
    status: str = ""
    origin: str = ""

    def wanted(self) -> JobFilter:
        """Return them as the store takes them."""
        if self.status not in _MEANS:
            raise UsageError(f"a job may be {', '.join(filter(None, _MEANS))}, and not {self.status!r}")
        paused, enabled = _MEANS[self.status]
        return JobFilter(self.text, self.tag, self.origin, self.state, paused, enabled)

    def said(self) -> dict[str, str]:
        """Return those that ask for something."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}

    def path(self, **other: str) -> str:
        """Return the list that has these, or others in their place."""
        words = {name: value for name, value in {**self.said(), **other}.items() if value}
        return f"/jobs?{urlencode(words)}" if words else "/jobs"

    def origins(self) -> tuple[Choice, ...]:
        """Return the origins to choose from, with the one that was chosen by a link."""
        known = {value for value, _ in ORIGINS}
        return ORIGINS if self.origin in known else (*ORIGINS, (self.origin, self.origin.removeprefix("file:")))


def filters_of(said: Mapping[str, str]) -> Filters:
    """Return what a form says of them."""
    return Filters(**{name: said.get(name, "").strip() for name in Filters.__struct_fields__})


def _asked(
    text: Annotated[str, Query(max_length=200)] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    state: Annotated[str, Query(max_length=40)] = "",
    status: Annotated[str, Query(max_length=40)] = "",
    origin: Annotated[str, Query(max_length=4_096)] = "",
) -> Filters:
    return Filters(text.strip(), tag.strip(), state, status, origin)


AskedFilters = Annotated[Filters, Depends(_asked)]
