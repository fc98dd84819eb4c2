"""Statements name their parameters `:name` in every dialect; psycopg wants `%(name)s`."""

from __future__ import annotations

import re

_LITERAL_OR_NAME = re.compile(
    r"""'(?:[^']|'')*'  |  "[^"]*"  |  ::\w+  |  :(?P<name>[a-z_]+)""",
    re.VERBOSE,
)
"""What may hold a colon: a text, a quoted name, a cast; and the name of a parameter."""


def with_placeholders(text: str) -> str:
    """Return a statement as psycopg wants it: `:name` becomes `%(name)s`, and what is a percent sign stays one."""

    def put_in(found: re.Match[str]) -> str:
        name = found["name"]
        return found[0] if name is None else f"%({name})s"

    return _LITERAL_OR_NAME.sub(put_in, text.replace("%", "%%"))


def parameters(text: str) -> set[str]:
    """Return the names of a statement's parameters."""
    return {found["name"] for found in _LITERAL_OR_NAME.finditer(text) if found["name"]}
