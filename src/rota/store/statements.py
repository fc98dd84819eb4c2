"""SQL lives in files, `sql/<dialect>/*.sql`; each statement has a name and a sentence that says why."""

from __future__ import annotations

import os
from functools import lru_cache

from rota.store.schema import Migration, migration

_MARK = "-- name: "
_HERE = os.path.dirname(__file__)


@lru_cache(maxsize=4)
def load_statements(dialect: str) -> dict[str, str]:
    """Return the dialect's statements by name, comments left out."""
    statements: dict[str, str] = {}
    for text in _scripts(os.path.join(_HERE, "sql", dialect)):
        for block in text.split(_MARK)[1:]:
            name, _, body = block.partition("\n")
            lines = [line for line in body.splitlines() if not line.lstrip().startswith("--")]
            if name in statements:
                raise ValueError(f"the statement {name!r} is there twice")
            statements[name] = "\n".join(lines).strip()
    return statements


def load_migrations(dialect: str) -> tuple[Migration, ...]:
    """Return the dialect's schema changes in order: the first makes version 1."""
    scripts = _scripts(os.path.join(_HERE, "migrations", dialect))
    return tuple(migration(number, script) for number, script in enumerate(scripts, start=1))


def _scripts(folder: str) -> list[str]:
    """Return the texts of the SQL files in a folder, by name. (importlib.resources would cost the engine 2 MB.)"""
    texts = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".sql"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts.append(file.read())
    return texts
