"""Names for the jobs of a crontab, which has none: what a person would call the command, the same at each reading.

1. Leave out what only leads to the command: `cd DIR &&`, tests, assignments, `sudo`, `nice`, `timeout 5m`.
2. An interpreter is called by its script, everything else by its program's file name without the ending.
3. A name that is taken gets four letters that are made of the command, so that a line more in the crontab renames no
   other; the same command again counts on.
"""

from __future__ import annotations

import os
import re
import shlex
from zlib import crc32

_LEADS = frozenset({"sudo", "nice", "ionice", "chronic", "env", "exec", "time", "nohup", "setsid", "command", "stdbuf"})
_LEADS_WITH_WORD = frozenset({"timeout", "flock", "chpst", "setuidgid", "cronic", "run-one", "lockrun"})
_OPTIONS_WITH_WORD = frozenset({"-n", "-u", "-g", "-c", "-k", "-s", "-w", "-E"})
_INTERPRETERS = re.compile(r"(?:python|pypy|perl|ruby|php|node|bash|sh|zsh|dash|ksh|lua|Rscript|java)[0-9.]*")
_SCRIPT_OPTIONS = frozenset({"-m", "-jar", "-f"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PUNCTUATION = frozenset("();<>|&{}")
_NOT_IT = frozenset({"cd", "test", "[", "[[", ".", "source", "export", "set", "umask", "sleep", "exit", "true", ":"})
_NOT_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_ENDINGS = re.compile(r"\.(?:sh|py|pl|rb|php|js|bash|jar)$")
_LONGEST = 40


class CommandNames:
    """Gives names, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, command: str) -> str:
        """Return a name for a command."""
        plain = plain_name(command)
        marked = f"{plain}-{_letters(command)}"
        found, count = plain, 1
        if plain in self._taken:
            found = marked
        while found in self._taken:
            count += 1
            found = f"{marked}-{count}"
        self._taken.add(found)
        return found


def plain_name(command: str) -> str:
    """Return what a person would call a command."""
    parts = _parts(command)
    for part in parts:
        words = part
        while words and (words[0] in _LEADS or words[0] in _LEADS_WITH_WORD or _ASSIGNMENT.match(words[0])):
            words = _without_lead(words)
        if words and words[0] not in _NOT_IT:
            return _cleaned(_called(words)) or "job"
    return _cleaned(parts[-1][-1] if parts else "") or "job"


def _parts(command: str) -> list[list[str]]:
    """Return the words of a line of shell, in parts: what `&&`, `;`, a pipe or a redirection ends begins another."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.commenters, lexer.whitespace_split = "", True
    try:
        words = list(lexer)
    except ValueError:
        words = command.split()
    parts: list[list[str]] = [[]]
    for word in words:
        if word and not set(word) - _PUNCTUATION:
            parts.append([])
        elif word:
            parts[-1].append(word)
    return [part for part in parts if part]


def _without_lead(words: list[str]) -> list[str]:
    lead, rest = words[0], words[1:]
    while rest and rest[0].startswith("-"):
        takes_word = rest[0] in _OPTIONS_WITH_WORD and not _ASSIGNMENT.match(rest[0]) and len(rest) > 1
        rest = rest[2:] if takes_word and lead not in ("flock", "env") else rest[1:]
    if lead in _LEADS_WITH_WORD and len(rest) > 1:
        rest = rest[1:]
    return rest


def _called(words: list[str]) -> str:
    program = os.path.basename(words[0].rstrip("/"))
    if _INTERPRETERS.fullmatch(program):
        rest = words[1:]
        while rest and rest[0].startswith("-") and rest[0] not in _SCRIPT_OPTIONS and rest[0] != "-c":
            rest = rest[1:]
        if rest and rest[0] in _SCRIPT_OPTIONS:
            rest = rest[1:]
        if rest and rest[0] != "-c":
            return _ENDINGS.sub("", os.path.basename(rest[0].rstrip("/")))
        if rest and len(rest) > 1:
            return plain_name(rest[1])
    return _ENDINGS.sub("", program)


def _cleaned(name: str) -> str:
    return _NOT_NAME.sub("-", name).strip("-.")[:_LONGEST].strip("-.")


def _letters(command: str) -> str:
    return f"{crc32(command.encode('utf-8', 'surrogateescape')):08x}"[:4]
