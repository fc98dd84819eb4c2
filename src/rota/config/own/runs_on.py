"""`runs_on` in a document: `all`, a host's name, or labels."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from rota.config.own.quantities import said, wrong
from rota.errors import BadJob
from rota.model.host import RunsOn, parse_runs_on

_HINT = "write `all`, a host's name, or labels such as {gpu: a100}"


def _read(value: Any) -> RunsOn:
    """Read it; a label's value may be written as a number."""
    if isinstance(value, RunsOn):
        return value
    if not isinstance(value, str) and not _is_labels(value):
        raise wrong(f"{said(value)} is no place to run", _HINT)
    found = parse_runs_on(value)
    try:
        found.check("runs_on")
    except BadJob as error:
        raise wrong(str(error).removeprefix("runs_on: "), _HINT) from None
    return found


def _is_labels(value: Any) -> bool:
    words = value.values() if isinstance(value, dict) else ()
    return bool(words) and all(isinstance(each, str | int) and not isinstance(each, bool) for each in words)


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
