"""How figures are shown and kept: a table with the day, the commit and the machine above it."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bench.measures import Row

RESULTS = Path(__file__).parent / "results"
_HEAD = ("measure", "rota", "floor", "ratio", "aim", "met")


def page(rows: list[Row], more: str = "") -> str:
    """Return rows as a page."""
    table = "\n".join(_line(row) for row in [_HEAD, ("---",) * len(_HEAD), *map(_cells, rows)])
    return f"# {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {commit()}\n\n{_machine()}{more}\n\n{table}\n"


def keep(text: str, name: str) -> None:
    """Write a page of today."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{name}.md").write_text(text, encoding="utf-8")


def commit() -> str:
    """Return what is measured."""
    return subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    return row.measure, row.rota, row.floor, row.ratio, row.aim, met


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}"
    )
