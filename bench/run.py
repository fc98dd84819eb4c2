"""`python -m bench.run [NAME…]`: measure, print a table, keep it in bench/results/."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import asked, files, inside, measures
from bench.measures import Row

RESULTS = Path(__file__).parent / "results"
ALL = (*measures.ALL, *asked.ALL, *files.ALL, *inside.ALL)
HEAD = ("measure", "rota", "floor", "ratio", "aim", "met")


def main(names: list[str]) -> int:
    chosen = [measure for measure in ALL if not names or measure.__name__ in names]
    rows: list[Row] = []
    for measure in chosen:
        print(f"measuring {measure.__name__} …", file=sys.stderr, flush=True)
        rows += measure()
    table = "\n".join(_line(row) for row in [HEAD, ("---",) * len(HEAD), *map(_cells, rows)])
    text = f"# {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {_commit()}\n\n{_machine()}\n\n{table}\n"
    print(text)
    if not names:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{_commit()[:10]}.md").write_text(text, encoding="utf-8")
    return 0


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    return row.measure, row.rota, row.floor, row.ratio, row.aim, met


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _commit() -> str:
    return subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}"
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
