"""Text that comes from elsewhere, made safe to show; and what the streams are."""

from __future__ import annotations

import os
import sys

_STYLES = {
    "succeeded": "32",
    "running": "36",
    "failed": "31",
    "timed_out": "31",
    "lost": "31",
    "cancelled": "33",
    "skipped": "33",
    "paused": "33",
    "ok": "32",
    "warn": "33",
    "fail": "31",
    "bold": "1",
    "dim": "2",
}


def safe(text: str) -> str:
    """Return a text that cannot do anything to a terminal, on one line: control characters are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def typed(name: str) -> str:
    """Return a name as one types it in a shell."""
    from shlex import quote

    return safe(quote(name))


def safe_lines(text: str) -> str:
    """Return the same, but keep the lines of a text that has several."""
    return "\n".join(safe(line) for line in text.split("\n"))


def is_terminal() -> bool:
    """Tell whether standard output is a terminal."""
    return sys.stdout.isatty()


def error_is_terminal() -> bool:
    """Tell whether standard error is a terminal."""
    return sys.stderr.isatty()


def has_colour() -> bool:
    """Tell whether standard output is to be coloured: a terminal that can, and nobody who minds."""
    return is_terminal() and wants_colour()


def wants_colour() -> bool:
    """Tell whether nobody minds colours; who does gets neither bold nor dim either: text as it is."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, style: str) -> str:
    """Return a text in the colour of what it says, where there are colours."""
    code = _STYLES.get(style)
    return f"\x1b[{code}m{text}\x1b[0m" if code and has_colour() else text
