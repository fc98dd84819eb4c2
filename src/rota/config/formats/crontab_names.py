"""Names for the jobs of a crontab, which has none: what a person would call the command, the same at each reading.

1. Leave out what only leads to the command: `cd DIR &&`, tests, assignments, `sudo`, `nice`, `timeout 5m`.
2. An interpreter is called by its script, everything else by its program's file name without the ending.
3. A line that is that one word and nothing else (redirections aside) has this name: `backup.sh` is `backup`. Every
   other has four letters behind it that are made of all it says: `echo one` is `echo-9dad`, `echo two` `echo-f60b`.
4. In a directory of crontabs the file's name stands in front, so that two files may run the same.

A job's name carries its history, its pauses and what is queued, so it must never pass to another command. Names that
were given in the order of the lines did that: a line more at the top took the plain name, and the old line got another.
Letters for shared names alone would not do either, because a second `echo` would rename the first, which may be paused.
So the name is made of the line alone, and a line more, or less, or elsewhere renames no other. What it costs: a command
whose arguments are edited is a new job. The schedule is no part of the name, because it is what people edit most.

Two cases are left in which the line alone is not enough. One word may be two commands (`/a/run.sh` and `/b/run.sh`):
then both have letters. And one command may stand in several lines: then the letters of all of these are made of the
schedule, too; and where that is the same as well, any of them is as good as the other, and they are counted.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from zlib import crc32

from rota.config.formats.crontab_lines import JobLine

_LEADS = frozenset(
    {"sudo", "nice", "ionice", "chronic", "env", "exec", "time", "nohup", "setsid", "command", "stdbuf"}
    | {"if", "then", "else", "elif", "while", "until", "do", "!"}
)
_LEADS_WITH_WORD = frozenset({"timeout", "flock", "chpst", "setuidgid", "cronic", "run-one", "lockrun"})
_OPTIONS_WITH_WORD = frozenset({"-n", "-u", "-g", "-c", "-k", "-s", "-w", "-E"})
_INTERPRETERS = re.compile(r"(?:python|pypy|perl|ruby|php|node|bash|sh|zsh|dash|ksh|lua|Rscript|java)[0-9.]*")
_SHELLS = re.compile(r"(?:bash|sh|zsh|dash|ksh)")
_SCRIPT_OPTIONS = frozenset({"-m", "-jar", "-f"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PUNCTUATION = frozenset("();<>|&{}")
_NOT_IT = frozenset(
    {"cd", "test", "[", "[[", ".", "source", "export", "set", "umask", "sleep", "exit", "true", ":", "fi", "done"}
)
_NOT_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_ENDINGS = re.compile(r"\.(?:sh|py|pl|rb|php|js|bash|jar)$")
_REDIRECTIONS = re.compile(r"(?:[ \t]*(?:[0-9]?>>?|&>>?)[ \t]*(?:&[0-9]|[^ \t;&|<>()]+))*[ \t]*$")
_ONE_WORD = re.compile(r"[A-Za-z0-9_./~+-]+")
_LONGEST = 40
_WITHOUT_NAME = "job"


def names_of(lines: Sequence[JobLine], group: str = "") -> list[str]:
    """Return a name for each line of a crontab, each once; `group` is what stands in front of them all."""
    names = [_own_name(line) for line in lines]
    for finer in (_by_command, _by_line):
        times = Counter(names)
        names = [finer(line) if times[name] > 1 else name for name, line in zip(names, lines, strict=True)]
    taken: set[str] = set()
    for index, name in enumerate(names):
        count = 1
        while names[index] in taken:
            count += 1
            names[index] = f"{name}-{count}"
        taken.add(names[index])
    front = _cleaned(group)
    return [f"{front}.{name}" for name in names] if front else names


def plain_name(command: str) -> str:
    """Return what a person would call a command."""
    return _cleaned(_program(command, or_any=True)) or _WITHOUT_NAME


def _own_name(line: JobLine) -> str:
    alone = line.input is None and _ONE_WORD.fullmatch(_REDIRECTIONS.sub("", line.command))
    return plain_name(line.command) if alone else _by_command(line)


def _by_command(line: JobLine) -> str:
    return f"{plain_name(line.command)}-{_letters(_said(line))}"


def _by_line(line: JobLine) -> str:
    schedule = " ".join(line.schedule.split())
    return f"{plain_name(line.command)}-{_letters(f'{schedule} {_said(line)}')}"


def _said(line: JobLine) -> str:
    """Return all that a line says of what is to run, and nothing of when."""
    given = "" if line.input is None else f"%{line.input}"
    return f"{line.user} {line.command}{given}" if line.user else f"{line.command}{given}"


def _program(command: str, *, or_any: bool) -> str:
    """Return the name of the first program that is worth one; with `or_any` else that of any program."""
    parts = [_without_leads(part) for part in _parts(command)]
    for words in parts:
        if words and words[0] not in _NOT_IT and (called := _called(words)):
            return called
    return next((os.path.basename(words[0].rstrip("/")) for words in reversed(parts) if words), "") if or_any else ""


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


def _without_leads(words: list[str]) -> list[str]:
    while words and (words[0] in _LEADS or words[0] in _LEADS_WITH_WORD or _ASSIGNMENT.match(words[0])):
        words = _without_lead(words)
    return words


def _without_lead(words: list[str]) -> list[str]:
    lead, rest = words[0], words[1:]
    while rest and rest[0].startswith("-"):
        takes_word = rest[0] in _OPTIONS_WITH_WORD and not _ASSIGNMENT.match(rest[0]) and len(rest) > 1
        rest = rest[2:] if takes_word and lead not in ("flock", "env") else rest[1:]
    if lead in _LEADS_WITH_WORD and len(rest) > 1:
        rest = rest[1:]
    return rest


def _called(words: list[str]) -> str:
    """Return what a program is called; nothing for an interpreter of a line in which nothing is worth a name."""
    program = os.path.basename(words[0].rstrip("/"))
    if _INTERPRETERS.fullmatch(program):
        rest = words[1:]
        while rest and rest[0].startswith("-") and rest[0] not in _SCRIPT_OPTIONS and rest[0] != "-c":
            rest = rest[1:]
        if rest and rest[0] in _SCRIPT_OPTIONS:
            rest = rest[1:]
        if rest and rest[0] != "-c":
            return _ENDINGS.sub("", os.path.basename(rest[0].rstrip("/")))
        if len(rest) > 1 and _SHELLS.fullmatch(program):
            return _program(rest[1], or_any=False)
    return _ENDINGS.sub("", program)


def _cleaned(name: str) -> str:
    return _NOT_NAME.sub("-", name).strip("-.")[:_LONGEST].strip("-.")


def _letters(text: str) -> str:
    return f"{crc32(text.encode('utf-8', 'surrogateescape')):08x}"[:4]
