"""What requests may say after the question mark, the same in every list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from fastapi.dependencies.models import Dependant

from rota.api.problems import BadRequest
from rota.api.schemas.base import Fault
from rota.control.times import past
from rota.errors import BadSchedule, did_you_mean
from rota.schedule.instant import parse_instant

Limit = Annotated[int, Query(ge=1, le=1_000, description="How many at most.")]
After = Annotated[str | None, Query(description="The `next` of the page before.", max_length=2_000)]
Text = Annotated[str, Query(description="In the name of the job.", max_length=200)]
Tag = Annotated[str, Query(description="A tag of the job.", max_length=200)]
State = Annotated[
    str, Query(description="A state, or `active` or `trouble`, which are several.", max_length=40, examples=["failed"])
]
Moment = Annotated[
    str | None,
    Query(
        max_length=100,
        description="RFC 3339, or as people say it: `2h` (ago), `yesterday 02:30`, in UTC.",
        examples=["2027-01-31T00:00:00Z"],
    ),
]


def instant(name: str, text: str | None, now: datetime, zone: str | None = "UTC") -> datetime | None:
    """Return the instant that somebody means who looks back."""
    return None if text is None else _read(name, lambda: past(_mended(text), now, zone))


def ahead(name: str, text: str | None, now: datetime) -> datetime | None:
    """Return the instant that somebody means who may look ahead."""
    return None if text is None else _read(name, lambda: parse_instant(_mended(text), "UTC", now))


def _mended(text: str) -> str:
    """Give an offset its sign back: a plus after a question mark is a space, and who writes it there forgets that."""
    head, space, offset = text.rpartition(" ")
    return f"{head}+{offset}" if space and "T" in head and offset[2:3] == ":" else text


def _read(name: str, read: Callable[[], datetime]) -> datetime:
    try:
        return read()
    except BadSchedule as error:
        place = f"query.{name}"
        raise BadRequest(f"{name}: {error}", [Fault(place=place, problem=error.problem, hint=error.hint)]) from None


async def known_words_only(request: Request) -> None:
    """Refuse a word after the question mark that this route does not know: it is a slip, and would change nothing."""
    dependant: Dependant | None = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None or not request.query_params:
        return
    known = sorted(_words(dependant))
    faults = [
        Fault(place=f"query.{word}", problem=f"unknown parameter {word!r}", hint=_near(word, known))
        for word in dict.fromkeys(request.query_params)
        if word not in known
    ]
    if faults:
        raise BadRequest(f"{faults[0].problem}; {faults[0].hint}", faults)


def _words(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_words(each) for each in dependant.dependencies))


def _near(word: str, known: list[str]) -> str:
    near = did_you_mean(word, known).removeprefix("; ")
    return near or (f"known here: {', '.join(known)}" if known else "nothing can be asked for here")
