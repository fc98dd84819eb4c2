"""What all answers share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

RUN_ID = "01M6EYEXA4Q6GDMCK0R7KVXH9E"
_SURROGATE = re.compile("[\ud800-\udfff]")
AN_INSTANT = "2027-01-31T02:30:00.000Z"
Instant = Annotated[str, Field(description="RFC 3339 in UTC, with milliseconds.", examples=[AN_INSTANT])]
Seconds = Annotated[float, Field(description="Seconds.", examples=[12.5])]
Cursor = Annotated[
    str | None, Field(description="Where the next page begins: pass it on as it is. null: this was the last page.")
]


class Answer(BaseModel):
    """An answer has exactly these fields; one that had more would be a mistake of ours, and is refused."""

    model_config = ConfigDict(extra="forbid")


class Asked(BaseModel):
    """A request has these fields and no others."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _check_text(cls, given: Any) -> Any:
        """Refuse half of a pair of surrogates: JSON can say it, but it is no character, and nothing can hold it."""
        if not is_text(given):
            raise ValueError("there is half of a surrogate pair in it, which is no character")
        return given


def is_text(given: Any) -> bool:
    """Tell whether everything that is said can be written as UTF-8."""
    left = [given]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            left += each
        elif isinstance(each, str) and _SURROGATE.search(each):
            return False
    return True


def words_at(kinds: Iterable[Any], place: Iterable[str | int]) -> list[str]:
    """Return the words that are known at a place in values of some kinds."""
    models = list(_models(kinds))
    for step in place:
        models = list(_models(model.model_fields[step].annotation for model in models if step in model.model_fields))
    return sorted({word for model in models for word in model.model_fields})


def _models(kinds: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """Yield the models among kinds of values; one that may be left out is one, too."""
    for kind in kinds:
        for each in (kind, *get_args(kind)):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield each


class Fault(Answer):
    """One thing that is wrong with a request."""

    place: str = Field(description="Where, as the keys that lead there.", examples=["retries.count"])
    line: int | None = Field(default=None, description="The line of a document, from 1.")
    column: int | None = Field(default=None, description="The column, from 1.")
    problem: str = Field(description="What is wrong.", examples=["'abc' is no duration"])
    hint: str = Field(default="", description="What to write instead.", examples=["did you mean 'retries'?"])


class Problem(Answer):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="The kind of problem.", examples=["urn:rota:problem:no-such-job"])
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The status.", examples=[404])
    detail: str = Field(
        description="What, which, why and what next, for people.",
        examples=["no job named 'bakcup'; did you mean 'backup'?"],
    )
    problems: list[Fault] = Field(
        default=[], description="Everything that is wrong with the request, where that can be told."
    )
