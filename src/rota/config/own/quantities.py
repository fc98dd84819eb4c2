"""Durations, sizes, percentages, choices and the like, as types of documents: each reads what people write.

Each type also says what it is in the JSON Schema: whatever is read here the schema accepts, and of the rest it refuses
what can be told without reading. A text with `${` in it may become anything, so it may stand for any single value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from rota.config.syntax.yaml_reader import typed
from rota.errors import BadSchedule, did_you_mean
from rota.model.policy import PRIORITIES
from rota.schedule.duration import parse_duration
from rota.schedule.zones import zone

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", re.IGNORECASE)
_UNITS = {"": 0, "b": 0} | {
    f"{letter}{end}": power for power, letter in enumerate("kmgt", 1) for end in ("", "b", "ib")
}
_LARGEST = 1 << 40
_SHARE = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{0,9})?)\s*(%?)\s*")
_LARGEST_SHARE = 100
_LARGEST_FACTOR = 1000
_MOST = 1_000_000
JsonSchema = dict[str, Any]
_A_DURATION = "write a number and a unit, such as 90s, 1h30m or '5 minutes'"


class Put(str):
    """What came out of a variable in quotes: a text, and where something else is wanted, what the word means."""

    __slots__ = ()


class Whole(int):
    """A whole number that was not written the shortest way: as a text, it is what was written."""

    text: str

    def __str__(self) -> str:
        return self.text


class Broken(float):
    """A number with a point, which as a text is what was written: 1.10 stays 1.10."""

    text: str

    def __str__(self) -> str:
        return self.text


def meant(value: Any) -> Any:
    """Return what a value is where no text is wanted."""
    return typed(value) if isinstance(value, Put) and value else value


def wrong(text: str, hint: str = "") -> PydanticCustomError:
    """Return what a validator raises: the words, and what to do."""
    return PydanticCustomError("rota", "{text}", {"text": text, "hint": hint.removeprefix("; ")})


def said(value: Any) -> str:
    """Return a value as a person wrote it, for messages."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str) else f"{value}"
    return text if len(text) <= 60 else f"{text[:57]}…"


def read_duration(value: Any) -> timedelta:
    """Read 90s, 1h30m, '5 minutes', or a number of seconds."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong(f"{said(value)} is no duration", _A_DURATION)
    if isinstance(value, str) and not value.strip():  # or it would be taken for a schedule, which says when
        raise wrong(f"{said(value)} is no duration", _A_DURATION)
    try:
        return parse_duration(value)
    except BadSchedule as error:
        raise wrong(f"{said(value)} is no duration: {error.problem}", error.hint) from None


def read_size(value: Any) -> int:
    """Read 512KB, 10 MiB, or a number of bytes; K is 1024 with and without the i, as Docker and systemd have it."""
    if isinstance(value, int) and not isinstance(value, bool):
        size = float(value)
    else:
        found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None or found[2].lower() not in _UNITS:
            raise wrong(f"{said(value)} is no size", "write a number and a unit, such as 512KB, 10MB or 1.5GB")
        size = float(found[1]) * 1024 ** _UNITS[found[2].lower()]
    if not 0 <= size <= _LARGEST:
        raise wrong(f"{said(value)} is no size that makes sense here", "write 0 to 1TB")
    return int(size)


def read_share(value: Any) -> float:
    """Read 10%, or 0.1."""
    found = _SHARE.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if found is None:
        raise wrong(f"{said(value)} is no share", "write a percentage such as 10%, or a number such as 0.1")
    share = float(found[1]) / (100 if found[2] else 1)
    if share > _LARGEST_SHARE:
        raise wrong(f"{said(value)} is no share that makes sense here", "write 0% to 10000%")
    return share


def read_priority(value: Any) -> int:
    """Read urgent, high, medium, low, or a number."""
    value = meant(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value in PRIORITIES:
        return PRIORITIES[value]
    near = did_you_mean(value, PRIORITIES) if isinstance(value, str) else ""
    raise wrong(f"{said(value)} is no priority", near or f"write {', '.join(PRIORITIES)}, or a number")


def read_umask(value: Any) -> int:
    """Read octal digits such as 027; a number is digits, too."""
    text = str(value).removeprefix("0o") if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or len(text) > 4 or set(text) - set("01234567") or int(text, 8) > 0o777:
        raise wrong(f"{said(value)} is no umask", "write octal digits such as 027")
    return int(text, 8)


def read_zone(value: Any) -> str:
    """Read an IANA name."""
    if not isinstance(value, str):
        raise wrong(f"{said(value)} is no time zone", "write an IANA name such as 'Europe/Berlin' or 'UTC'")
    try:
        zone(value)
    except BadSchedule as error:
        raise wrong(error.problem, error.hint) from None
    return str(value)


def read_text(value: Any) -> str:
    """Read text; a number is the text that it was written as, where the file knows that."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise wrong(f"{said(value)} is no text", "put it in quotes")


def read_flag(value: Any) -> bool:
    """Read true or false."""
    value = meant(value)
    if isinstance(value, bool):
        return value
    raise wrong(f"{said(value)} is neither true nor false", "write true or false (on, off, yes and no are text here)")


def read_number(least: int) -> Callable[[Any], int]:
    """Return a reader of whole numbers from a least one on."""

    def read(value: Any) -> int:
        value = meant(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong(f"{said(value)} is no whole number", f"write a number, {least} or more")
        if not least <= value <= _MOST:
            raise wrong(f"{value} is out of range", f"write {least} to {_MOST}")
        return int(value)

    return read


def read_factor(value: Any) -> float:
    """Read a number from 1 on."""
    value = meant(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(f"{said(value)} is no number", "write 1 or more, such as 2")
    if not 1 <= value <= _LARGEST_FACTOR:
        raise wrong(f"{said(value)} would make pauses shorter, or endless", f"write 1 to {_LARGEST_FACTOR}, such as 2")
    return float(value)


def read_codes(value: Any) -> tuple[int, ...]:
    """Read an exit code or a list of them."""
    codes = [meant(each) for each in (value if isinstance(value, list) else [value])]
    for code in codes:
        if isinstance(code, bool) or not isinstance(code, int) or not 1 <= code <= 255:
            raise wrong(f"{said(code)} is no exit code", "write numbers from 1 to 255, such as [1, 75]")
    return tuple(map(int, codes))


def read_texts(value: Any) -> list[str]:
    """Read a text or a list of them."""
    return [read_text(each) for each in (value if isinstance(value, list) else [value])]


def choice(*words: str) -> Any:
    """Return the type of a value that is one of a few words."""

    def read(value: Any) -> str:
        if isinstance(value, str) and value in words:
            return str(value)
        near = did_you_mean(value, words) if isinstance(value, str) else ""
        raise wrong(f"{said(value)} is none of {', '.join(words)}", near)

    return Annotated[str, BeforeValidator(read), WithJsonSchema(words_schema(*words))]


def words_schema(*words: str) -> JsonSchema:
    """Return the schema of a value that is one of a few words."""
    return _or_variable({"enum": list(words)})


class Or:
    """Says in the JSON Schema that something else may stand in the place of a document: its short form."""

    def __init__(self, *others: JsonSchema) -> None:
        self._others = others

    def __get_pydantic_json_schema__(self, schema: Any, handler: Callable[[Any], JsonSchema]) -> JsonSchema:
        """Return the document's own schema, and the others beside it."""
        return {"anyOf": [handler(schema), *self._others]}


def _or_variable(*schemas: JsonSchema) -> JsonSchema:
    return {"anyOf": [*schemas, {"type": "string", "pattern": r"\$\{"}]}


def _number(least: float, most: float = _MOST, *, kind: str = "integer") -> JsonSchema:
    return {"type": kind, "minimum": least, "maximum": most}


def _written(pattern: str) -> JsonSchema:
    return {"type": "string", "pattern": pattern}


_SCALAR: JsonSchema = {"type": ["string", "number"]}
_CODE = _or_variable(_number(1, 255))
COUNT = _or_variable(_number(0))
"""The schema of how often; it is the short form of retries."""
TEXT = _SCALAR
"""The schema of a text; a number is one, too."""
TEXTS: JsonSchema = {"type": "array", "items": TEXT}

Duration = Annotated[
    timedelta,
    BeforeValidator(read_duration),
    WithJsonSchema(_or_variable(_written(r"^\s*[0-9.]"), {"type": "number", "minimum": 0})),
]
Size = Annotated[
    int,
    BeforeValidator(read_size),
    WithJsonSchema(
        _or_variable(
            _written(r"^\s*[0-9]+(\.[0-9]+)?\s*([bB]|[kmgtKMGT]([iI]?[bB])?)?\s*$"),
            _number(0, _LARGEST, kind="integer"),
        )
    ),
]
Share = Annotated[
    float,
    BeforeValidator(read_share),
    WithJsonSchema(
        _or_variable(_written(r"^\s*[0-9]+(\.[0-9]*)?\s*%?\s*$"), _number(0, _LARGEST_SHARE, kind="number"))
    ),
]
Factor = Annotated[
    float, BeforeValidator(read_factor), WithJsonSchema(_or_variable(_number(1, _LARGEST_FACTOR, kind="number")))
]
Priority = Annotated[
    int,
    BeforeValidator(read_priority),
    WithJsonSchema(_or_variable({"enum": list(PRIORITIES)}, {"type": "integer"})),
]
Umask = Annotated[
    int,
    BeforeValidator(read_umask),
    WithJsonSchema(_or_variable(_written("^(0o)?0?[0-7]{1,3}$"), _number(0, 777))),
]
Zone = Annotated[str, BeforeValidator(read_zone), WithJsonSchema({"type": "string"})]
Text = Annotated[str, BeforeValidator(read_text), WithJsonSchema(TEXT)]
Texts = Annotated[list[str], BeforeValidator(read_texts), WithJsonSchema({"anyOf": [TEXT, TEXTS]})]
Flag = Annotated[bool, BeforeValidator(read_flag), WithJsonSchema(_or_variable({"type": "boolean"}))]
Count = Annotated[int, BeforeValidator(read_number(0)), WithJsonSchema(COUNT)]
Places = Annotated[int, BeforeValidator(read_number(1)), WithJsonSchema(_or_variable(_number(1)))]
Codes = Annotated[
    tuple[int, ...],
    BeforeValidator(read_codes),
    WithJsonSchema({"anyOf": [_CODE, {"type": "array", "items": _CODE}]}),
]
