"""Runs the consoles of a page: each line after `$` is a command, what follows is its output; `…` is anything."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple


class Call(NamedTuple):
    """A command of a page, and the output that the page shows."""

    command: str
    shown: str


def calls_of(page: Path) -> list[Call]:
    """Return the commands of a page in their order."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [Call(*_split(part)) for part in parts]


def _split(part: str) -> tuple[str, str]:
    """Return a command, with the lines that it takes as its input, and what it shows."""
    command, _, rest = part.partition("\n")
    if "<<'END'" not in command:
        return command, rest
    text, _, shown = rest.partition("\nEND\n")
    return f"{command}\n{text}\nEND", shown


def matches(shown: str, said: str) -> bool:
    """Tell whether an output is what the page shows."""
    pattern = re.escape(shown.strip()).replace("…", "(.|\n)*")
    return re.fullmatch(pattern, said.strip()) is not None


def run_page(page: Path, folder: Path, env: dict[str, str], path: str) -> list[str]:
    """Run a page in a folder, and return what is not as it shows."""
    wrong = []
    for call in calls_of(page):
        done = subprocess.run(
            ["/bin/sh", "-c", call.command],
            cwd=folder,
            env=env | {"PATH": f"{path}:{env['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        if not matches(call.shown, done.stdout):
            wrong.append(f"$ {call.command}\n{done.stdout}")
    return wrong
