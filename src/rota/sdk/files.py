"""Reading one YAML file of somebody's own, key by key, for what stands on the Python API."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from rota.config.formats.building import mapping_of
from rota.config.formats.fields import Faults, Fields
from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import MAX_BYTES, read_yaml
from rota.errors import UsageError, did_you_mean

_LOG = logging.getLogger(__name__)


class BadFile(UsageError, ValueError):
    """A file does not say what it should; the text has every problem with its place."""


@contextmanager
def fields_of(path: str | os.PathLike[str], what: str, known: Collection[str] = ()) -> Iterator[Fields]:
    """Give the keys of a file to who asks for them; all that turned out wrong is one BadFile when that is done.

    A key that is not known is said in the log and stops nothing. A file that cannot be opened is an OSError.
    """
    shown, problems = os.fspath(path), Problems()
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(MAX_BYTES + 1)
    except UnicodeDecodeError as error:
        raise BadFile(f"{shown}: {error}; save the file as UTF-8") from error
    node, faults = read_yaml(text, shown, problems), Faults(problems, text)
    found = None if problems else mapping_of(node, faults, Mark(shown, 1, 1), what)
    if found is None:
        raise BadFile(_told(problems))
    for key, entry in found.entries.items():
        if known and key not in known:
            faults.tell(entry.key_mark, f"unknown key {key!r} in this {what}{did_you_mean(key, known)}")
    yield Fields(found, faults, what)
    for warning in problems.warnings:
        _LOG.warning("%s", warning)
    if problems:
        raise BadFile(_told(problems))


def _told(problems: Problems) -> str:
    return "\n".join(map(str, problems))
