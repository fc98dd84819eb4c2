"""SQL lives in files, `sql/<dialect>/*.sql`; each statement has a name and a sentence that says why."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

_MARK = "-- name: "


@lru_cache(maxsize=4)
def load_statements(dialect: str) -> dict[str, str]:
    """Return the dialect's statements by name, comments left out."""
    statements: dict[str, str] = {}
    for file in sorted(files("rota.store").joinpath("sql", dialect).iterdir(), key=lambda entry: entry.name):
        for block in file.read_text(encoding="utf-8").split(_MARK)[1:]:
            name, _, body = block.partition("\n")
            lines = [line for line in body.splitlines() if not line.lstrip().startswith("--")]
            if name in statements:
                raise ValueError(f"{file.name}: the statement {name!r} is there twice")
            statements[name] = "\n".join(lines).strip()
    return statements


@lru_cache(maxsize=4)
def load_migrations(dialect: str) -> tuple[str, ...]:
    """Return the dialect's schema changes in order: the first makes version 1."""
    folder = files("rota.store").joinpath("migrations", dialect)
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return tuple(script.read_text(encoding="utf-8") for script in scripts)
