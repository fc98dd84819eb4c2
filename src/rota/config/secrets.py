"""Secrets among rota's own settings: each may be in the environment, or in a file that the environment names."""

from __future__ import annotations

import os

from rota.errors import UsageError

_LONGEST = 64 * 1024


def secret_setting(name: str) -> str | None:
    """Return the secret NAME, or what is in the file NAME_FILE without white space around it; None for neither."""
    told, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if told and path:
        raise UsageError(f"{name} and {name}_FILE are both set; which one is meant? Take one away")
    if not path:
        return told or None
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            return file.read(_LONGEST).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UsageError(f"{name}_FILE={path}: it cannot be read: {why}") from error
