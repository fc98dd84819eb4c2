"""`runs_on` in a document: `all`, a host's name, or labels."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from rota.config.own.quantities import said, wrong
from rota.errors import BadJob
from rota.model.host import RunsOn, named_or_all

_HINT = "write `all`, a host's name, or labels such as {gpu: a100}"


def _read(value: Any) -> RunsOn:
    """Read it; a label's value may be written as a number."""
    if isinstance(value, RunsOn):
        return value
    if isinstance(value, str):
        found = named_or_all(value)
    elif isinstance(value, dict) and value and all(_is_word(each) for each in value.values()):
        found = RunsOn(labels={str(key): str(each) for key, each in value.items()})
    else:
        raise wrong(f"{said(value)} is no place to run", _HINT)
    try:
        found.check("runs_on")
    except BadJob as error:
        raise wrong(str(error).removeprefix("runs_on: "), _HINT) from None
    return found


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


Where = Annotated[
    Any,
    BeforeValidator(_read),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "object", "minProperties": 1, "additionalProperties": {"type": ["string", "integer"]}},
            ]
        }
    ),
]
