"""Writes values as YAML that this house's reader, and every other, reads as the same values.

Words are left plain where nobody could mistake them; what some YAML reader would take for a number, a date or a yes is
quoted. A text of several lines is a block, so that a script looks like one.
"""

from __future__ import annotations

import json
import re
from typing import Any

from rota.config.syntax.yaml_reader import typed

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@+=-]*(?: [A-Za-z0-9_./@+=-]+)*")
_PLAIN_COLON = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", re.ASCII)
_MISTAKABLE = re.compile(
    r"y|n|yes|no|on|off|true|false|null|~|=|<<|\.(?:nan|inf)"
    r"|[-+]?0[xob][0-9a-f_]+|[-+.]*[0-9][0-9_.]*(?:e[-+]?[0-9]*)?|[-+]?[0-9]+(?::[0-9.]+)+|[-+.]+|[0-9]{4}-[0-9].*",
    re.IGNORECASE,
)
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def scalar(value: Any, *, flow: bool = False) -> str:
    """Return a single value on one line; `flow` is between [ ] or { }."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _is_plain(text, flow=flow):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def flow(value: Any) -> str:
    """Return any plain data on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(str(key), flow=True)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value, flow=True)


def entry(key: str, value: Any, indent: str, *, tall: bool = False) -> list[str]:
    """Return the lines of a key and its value; a text of several lines is a block, a mapping is indented."""
    start = f"{indent}{scalar(key)}:"
    if isinstance(value, str) and _is_block(value):
        inner = indent + "  "
        return [f"{start} |-", *(f"{inner}{line}" if line else "" for line in value.split("\n"))]
    if isinstance(value, dict) and value and (tall or _is_tall(value)):
        return [start, *(line for name, each in value.items() for line in entry(str(name), each, indent + "  "))]
    if isinstance(value, list | tuple) and value and (len(flow(value)) > 90 or _is_list_of_texts(value)):
        return [start, *(f"{indent}  - {flow(each)}" for each in value)]
    if isinstance(value, dict | list | tuple):
        return [f"{start} {flow(value)}"]
    return [f"{start} {scalar(value)}"]


def comment(text: str, indent: str = "", hanging: str = "", width: int = 118) -> list[str]:
    """Return a text as lines of comment; `hanging` is an indentation within the comment."""
    import textwrap

    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    room = max(20, width - len(indent) - len(hanging) - 2)
    lines = textwrap.wrap(shown, room, break_long_words=False, break_on_hyphens=False, subsequent_indent=hanging)
    return [f"{indent}# {hanging}{line}" for line in lines] or [f"{indent}#"]


def _is_plain(text: str, *, flow: bool) -> bool:
    if _PLAIN.fullmatch(text):
        return typed(text) is text and not _MISTAKABLE.fullmatch(text)
    return not flow and _PLAIN_COLON.fullmatch(text) is not None


def _is_block(text: str) -> bool:
    lines = text.split("\n")
    return (
        len(lines) > 1
        and all(line.replace("\t", "").isprintable() for line in lines)
        and bool(lines[0].strip())
        and bool(lines[-1].strip())
        and lines[0][0] not in " \t"
    )


def _is_tall(value: dict[str, Any]) -> bool:
    return len(flow(value)) > 60 or any(isinstance(each, str) and "\n" in each for each in value.values())


def _is_list_of_texts(value: Any) -> bool:
    return any(isinstance(each, dict) for each in value)
