"""Documents that a program keeps: plain data in a YAML or JSON file, by its suffix.

A file is written as a whole or not at all: a new one beside it is finished first, then takes its name. Nobody but its
owner can read it.
"""

from __future__ import annotations

import json
import os
from tempfile import mkstemp
from typing import Any

from rota.errors import UsageError

SUFFIXES = (".yaml", ".yml", ".json")


class BadDocument(UsageError):
    """A file cannot be read as a document, or has a suffix that says neither YAML nor JSON."""


def read_document(path: str | os.PathLike[str]) -> Any:
    """Return what a file holds as plain data; a missing file is a FileNotFoundError, a wrong one a BadDocument."""
    from rota.config.problems import Problems
    from rota.config.syntax.yaml_reader import plain, read_yaml

    path = os.fspath(path)
    _check_suffix(path)
    with open(path, "rb") as file:
        content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDocument(
            f"{path}: the byte 0x{content[error.start]:02x} is no UTF-8; save the file as UTF-8"
        ) from None
    problems = Problems()
    node = read_yaml(text, path, problems)
    if problems or node is None:
        raise BadDocument("\n".join(map(str, problems)))
    return plain(node)


def write_document(path: str | os.PathLike[str], data: dict[str, Any]) -> str:
    """Write plain data into a file of mode 0600, and return its absolute path; directories are made."""
    path = os.path.abspath(path)
    _check_suffix(path)
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n" if path.lower().endswith(".json") else _yaml(data)
    folder, name = os.path.split(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    descriptor, beside = mkstemp(prefix=f".{name}.", dir=folder)  # mkstemp gives mode 0600
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
    return path


def _check_suffix(path: str) -> None:
    if not path.lower().endswith(SUFFIXES):
        raise BadDocument(f"{path}: its name says neither YAML nor JSON; it must end in {', '.join(SUFFIXES)}")


def _yaml(data: dict[str, Any]) -> str:
    from rota.config.syntax.yaml_writer import entry

    lines: list[str] = []
    for key, value in data.items():
        if isinstance(value, list) and value and all(isinstance(each, dict) and each for each in value):
            lines.append(f"{key}:")
            for each in value:
                inner = [line for name, word in each.items() for line in entry(name, word, "    ")]
                lines += ["  - " + inner[0].lstrip(), *inner[1:]]
        else:
            lines += entry(key, value, "")
    return "\n".join(lines) + "\n"
