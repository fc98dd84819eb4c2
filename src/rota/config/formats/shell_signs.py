"""Signs that only a shell understands, in a command that is started without one."""

from __future__ import annotations

import re

_LITERAL = re.compile(r"'[^']*'|\\.", re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"', re.DOTALL)
_ALSO_IN_QUOTES = re.compile(r"\$[A-Za-z_{(]\w*|`")
_OPERATOR = re.compile(r"&&|\|\||>>|<<|[|&;<>]")


def shell_sign(line: str) -> str | None:
    """Return the first sign of a line that a shell would act on, or None; what is quoted against it is a text."""
    line = _LITERAL.sub(" ", line)
    found = _ALSO_IN_QUOTES.search(line) or _OPERATOR.search(_QUOTED.sub(" ", line))
    return found.group() if found else None
