"""A command line as systemd reads it: rota starts the same words, or refuses by name what it cannot do.

1. Signs before the program: ':' leaves every '$' as it is; the others change how the process is started or how its end
   is counted, which rota cannot do.
2. Words are split at spaces. Quotes of both kinds hold them together, and C's escapes count in and out of them. A ';'
   alone would begin a second command.
3. Specifiers (`%h`) are put in where rota knows what systemd would say; `%%` is a '%'.
4. `${NAME}` is the value of a variable, in quotes of either kind too; `$NAME` as a word of its own is split at spaces;
   `$$` is a '$'. A command with a variable becomes a line for /bin/sh that does exactly this.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import shlex
from collections.abc import Callable

from rota.model.action import Command, Shell

_PREFIXES = {
    "-": "'-' before the program means that its exit code is not looked at, and rota looks at each",
    "@": "'@' before the program gives the process another name",
    "+": "'+' before the program gives it all rights",
    "!": "'!' before the program changes its rights",
    "|": "'|' before the program starts it by a shell",
}
_SPACES = " \t\n\r"
_ESCAPES = dict(zip("abfnrtvs\\\"'", "\a\b\f\n\r\t\v \\\"'", strict=True))
_NUMBERED = re.compile(r"x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})")
_SPECIFIER = re.compile(r"%([%A-Za-z?])")
_USE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|(\$\{)")
_WORD = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_LARGEST_CHARACTER = 0x10FFFF


class BadCommand(Exception):
    """A line that cannot be started as systemd would start it: why, and what to write."""

    def __init__(self, problem: str, hint: str) -> None:
        self.problem, self.hint = problem, hint
        super().__init__(problem)


def read_command(line: str) -> Command | Shell:
    """Return what a command line starts."""
    line, plain_dollars = _without_prefixes(line.strip())
    words = [with_specifiers(word) for word in _split(line)]
    if not words or not words[0]:
        raise BadCommand("there is no program in it", "such as: python3 report.py")
    if plain_dollars or not any("$" in word for word in words):
        return Command(tuple(words))
    if "$" in words[0].replace("$$", ""):
        raise BadCommand("a variable cannot name the program", "write the program itself")
    said = [_as_shell(word) for word in words]
    if all(plain is not None for plain, _ in said):
        return Command(tuple(str(plain) for plain, _ in said))
    unquoted = any(_WORD.fullmatch(word) for word in words)
    return Shell(("set -f; " if unquoted else "") + "exec " + " ".join(text for _, text in said))


def with_specifiers(text: str) -> str:
    """Return a text with systemd's specifiers put in, as they are for whoever reads it."""

    def value(found: re.Match[str]) -> str:
        known = _SPECIFIERS.get(found[1])
        try:
            if known is not None:
                return known()
        except KeyError:  # a user or a group without an entry
            pass
        hint = "write the value itself, or %% for a plain %"
        raise BadCommand(f"{found[0]!r} is a specifier that only systemd could put in", hint)

    return _SPECIFIER.sub(value, text)


_SPECIFIERS: dict[str, Callable[[], str]] = {
    "%": lambda: "%",
    "h": lambda: os.path.expanduser("~"),
    "u": lambda: pwd.getpwuid(os.geteuid()).pw_name,
    "U": lambda: str(os.geteuid()),
    "g": lambda: grp.getgrgid(os.getegid()).gr_name,
    "G": lambda: str(os.getegid()),
    "s": lambda: pwd.getpwuid(os.geteuid()).pw_shell,
    "H": lambda: os.uname().nodename,
    "T": lambda: os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 -- this is what the specifier means
    "V": lambda: os.environ.get("TMPDIR", "/var/tmp"),  # noqa: S108 -- the same
}


def _without_prefixes(line: str) -> tuple[str, bool]:
    """Return the line without the signs before its program, and whether every '$' is plain."""
    plain_dollars = False
    while line[:1] == ":" or line[:1] in _PREFIXES:
        if line[0] != ":":
            raise BadCommand(_PREFIXES[line[0]], "write the program without it")
        plain_dollars, line = True, line[1:]
    return line, plain_dollars


def _split(line: str) -> list[str]:
    """Return the words of a line, without quotes and escapes."""
    words: list[str] = []
    at = 0
    while True:
        while line[at : at + 1] and line[at] in _SPACES:
            at += 1
        if at >= len(line):
            return words
        ends = at + 1 >= len(line) or line[at + 1] in _SPACES
        if line[at] == ";" and ends:
            raise BadCommand("';' begins a second command", "write one command, or: sh -c 'first; second'")
        if line.startswith(r"\;", at) and (at + 2 >= len(line) or line[at + 2] in _SPACES):
            word, at = ";", at + 2
        else:
            word, at = _word(line, at)
        words.append(word)


def _word(line: str, at: int) -> tuple[str, int]:
    """Return the word that begins at a place, and where it ends."""
    word, quote, began = "", "", at
    while at < len(line):
        sign = line[at]
        if sign == "\\":
            escaped, at = _escaped(line, at + 1)
            word += escaped
            continue
        if not quote and sign in _SPACES:
            break
        if sign == quote:
            quote = ""
        elif not quote and sign in "'\"":
            quote, began = sign, at
        else:
            word += sign
        at += 1
    if quote:
        raise BadCommand(f"the quote at character {began + 1} is never closed", "close the quote")
    return word, at


def _escaped(line: str, at: int) -> tuple[str, int]:
    """Return the character of an escape whose '\\' stands before a place, and where the escape ends."""
    known = _ESCAPES.get(line[at : at + 1])
    if known is not None:
        return known, at + 1
    found = _NUMBERED.match(line, at)
    if found is None:
        raise BadCommand(
            f"{line[at - 1 : at + 1]!r} is no escape that systemd knows", r"write \\ for a plain \ ".strip()
        )
    byte, octal, *wide = found.groups()
    number = int(byte, 16) if byte else int(octal, 8) if octal else int(wide[0] or wide[1], 16)
    if number == 0 or number > _LARGEST_CHARACTER or 0xD800 <= number <= 0xDFFF or ((byte or octal) and number > 0x7F):
        raise BadCommand(f"the escape \\{found.group()} is no character", "write the character itself")
    return chr(number), found.end()


def _as_shell(word: str) -> tuple[str | None, str]:
    """Return a word as it is, if there is no variable in it, and as /bin/sh must be told it."""
    if word[:1] == "$" and word[1:2] not in ("{", "$"):
        if len(word) > 1 and not _WORD.fullmatch(word):
            raise BadCommand(f"{word!r} is no variable", "write $$ for a plain $")
        if len(word) > 1:
            return None, word
    plain, pieces, last, has_variable = "", [], 0, False
    for found in _USE.finditer(word):
        if found[2]:
            raise BadCommand(f"{word[found.start() :]!r} is no variable", "write ${NAME}, or $$ for a plain $")
        text = word[last : found.start()]
        last = found.end()
        plain += text + ("" if found[1] else "$")
        has_variable |= bool(found[1])
        pieces += [shlex.quote(text)] if text else []
        pieces.append(f'"${{{found[1]}}}"' if found[1] else "'$'")
    rest = word[last:]
    pieces += [shlex.quote(rest)] if rest or not pieces else []
    return (None if has_variable else plain + rest), "".join(pieces)
