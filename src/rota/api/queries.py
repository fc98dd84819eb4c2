"""What requests may say after the question mark, the same in every list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import Query, Request
from fastapi.dependencies.models import Dependant

from rota.api.problems import MOST_FAULTS, BadRequest, near
from rota.api.schemas.base import Fault
from rota.control.times import past
from rota.errors import BadSchedule
from rota.schedule.instant import parse_instant

_T = TypeVar("_T")
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
    return None if text is None else read(name, text, lambda: past(_mended(text), now, zone))


def ahead(name: str, text: str | None, now: datetime) -> datetime | None:
    """Return the instant that somebody means who may look ahead."""
    return None if text is None else read(name, text, lambda: parse_instant(_mended(text), "UTC", now))


def _mended(text: str) -> str:
    """Give an offset its sign back: a plus after a question mark is a space, and who writes it there forgets that."""
    head, space, offset = text.rpartition(" ")
    return f"{head}+{offset}" if space and "T" in head and offset[2:3] == ":" else text


def read(name: str, text: str, reader: Callable[[], _T]) -> _T:
    """Return what a text after the question mark means, or say what is wrong with it, and where it stands."""
    try:
        return reader()
    except BadSchedule as error:
        fault = Fault(place=f"query.{name}", problem=error.problem, hint=error.hint)
        raise BadRequest(
            f"{name} {text!r}: {error.problem}" + (f"; {error.hint}" if error.hint else ""), [fault]
        ) from None


async def known_words_only(request: Request) -> None:
    """Refuse a word after the question mark that this route does not know: it is a slip, and would change nothing."""
    dependant: Dependant | None = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None or not request.query_params:
        return
    known = sorted(_words(dependant))
    unknown = [word for word in dict.fromkeys(request.query_params) if word not in known]
    faults = [
        Fault(place=f"query.{word}", problem=f"unknown parameter {word!r}", hint=near(word, known))
        for word in unknown[:MOST_FAULTS]
    ]
    if faults:
        raise BadRequest(f"{faults[0].problem}; {faults[0].hint}", faults)


def _words(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_words(each) for each in dependant.dependencies))
