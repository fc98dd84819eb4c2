"""What a YAML parser's complaint means, in words that say what to do."""

from __future__ import annotations

import re

import yaml

from rota.config.problems import Mark

_ITEM = re.compile(r" *-[ \t]+(?=\S)")
_QUOTE = "put the text in quotes"


def explain(error: yaml.MarkedYAMLError, text: str, file: str) -> tuple[Mark, str, str]:
    """Return where the parser stopped, what is wrong there, and what to do."""
    at = error.problem_mark or error.context_mark
    line, column = (at.line, at.column) if at is not None else (0, 0)
    lines = text.split("\n")
    here = lines[line] if line < len(lines) else ""
    problem, context = str(error.problem or "it is no YAML"), str(error.context or "")
    mark = Mark(file, line + 1, column + 1)
    begin = error.context_mark
    started = f" (it begins at line {begin.line + 1}, column {begin.column + 1})" if begin is not None else ""
    character = here[column : column + 1]
    if "cannot start any token" in problem:
        if character == "\t" or "\t" in here[:column] or here.startswith("\t"):
            return mark, "a tab where only spaces may be", "indent with spaces"
        return mark, f"a text cannot start with {character!r}", _QUOTE
    if "scanning an alias" in context or "scanning an anchor" in context:
        star = begin.column if begin is not None else column
        where = Mark(file, (begin.line if begin is not None else line) + 1, star + 1)
        sign = "*" if "alias" in context else "&"
        return where, f"a text that starts with {sign!r} must be in quotes", 'for example: cron: "*/5 * * * *"'
    if "did not find expected '-' indicator" in problem and here.strip() and here.strip()[0] != "-":
        return mark, "a key outside of the list item that is above it", _indent_as(lines[:line])
    for words, said, hint in _KNOWN:
        if words in problem or words in f"{context}: {problem}":
            return mark, said + (started if "{" not in said and _tells_begin(words) else ""), hint
    return mark, f"{context}: {problem}" if context else problem, ""


def _indent_as(above: list[str]) -> str:
    """Return where the keys of the last list item begin, for a line that has lost its indentation."""
    item = next((found for each in reversed(above) if (found := _ITEM.match(each))), None)
    return (
        f"indent it to column {item.end() + 1}, like the keys of that item" if item else "indent it like its neighbours"
    )


def _tells_begin(words: str) -> bool:
    return words in _BEGIN


_BEGIN = ("unexpected end of stream", "expected ',' or ']'", "expected ',' or '}'", "did not find expected key")
_KNOWN = (
    ("mapping values are not allowed", "a ':' that cannot stand here", f"{_QUOTE}, or check the indentation"),
    ("could not find expected ':'", "a line without ':'", "write `key: value`, or check the indentation above"),
    ("unexpected end of stream", "a quote that is never closed", "close it"),
    ("unexpected document indicator", "'---' or '...' inside of a quoted text", "close the quote before it"),
    (
        "expected ',' or ']'",
        "a list in [ ] that is not closed, or lacks a comma",
        "close it, or quote texts with special signs",
    ),
    (
        "expected ',' or '}'",
        "a mapping in { } that is not closed, or lacks a comma",
        "close it, or quote texts with special signs",
    ),
    ("block sequence entries are not allowed", "a '-' that cannot stand here", "begin the list on a line of its own"),
    (
        "did not find expected '-' indicator",
        "a list whose lines are not indented alike",
        "give each '-' the same indentation",
    ),
    ("did not find expected key", "a key that does not fit the lines above", "indent it like its neighbours"),
    ("did not find expected <document start>", "text that does not belong to what is above", "check the indentation"),
    (
        "unknown escape character",
        "an escape that double quotes do not know",
        "write \\\\ for a backslash, or use single quotes",
    ),
    (
        "hexdecimal number",
        "an escape such as \\x41 that is not complete",
        "write \\\\ for a backslash, or use single quotes",
    ),
    ("invalid Unicode character escape", "an escape that is no character", "write the character itself"),
    ("unexpected character while looking for the next", "a character that cannot stand here", _QUOTE),
    ("did not find expected comment or line break", "more after '|' or '>'", "begin the text on the next line"),
    ("found character that cannot start", "a text cannot start like this", _QUOTE),
    ("found unexpected ':'", "a ':' in a text between [ ] or { }", _QUOTE),
    ("wrong indentation", "an indentation that does not fit", "indent with spaces, alike in every line"),
    ("found a tab character", "a tab where only spaces may be", "indent with spaces"),
    ("found undefined tag handle", "a '!' that begins a tag", _QUOTE),
    ("unknown directive", "a '%' at the beginning of a line", _QUOTE),
    ("found unknown", "a '%' at the beginning of a line", _QUOTE),
)
