"""Listings: JSON for machines, aligned text for a pipe, a table for a terminal, and cards for a narrow one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from rota.cli.text import has_colour, is_terminal, safe, styled

_NARROW = 64
_INDENT = 2


class Cell(NamedTuple):
    """A text in a table, and in which style it is shown; the style may be the name of a state."""

    text: str
    style: str = ""


def print_json(view: Any) -> None:
    """Print one JSON document."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(view), indent=2)
    click.echo(text.decode())


def print_table(titles: Sequence[str], rows: Sequence[Sequence[Cell | str]]) -> None:
    """Print rows under titles; the first column names the thing."""
    cells = [[_cell(each) for each in row] for row in rows]
    if not is_terminal():
        _print_aligned(titles, cells)
    elif terminal_width() < _NARROW:
        _print_cards(titles, cells)
    else:
        _print_rich(titles, cells)


def print_facts(facts: Sequence[tuple[str, str]], indent: int = _INDENT) -> None:
    """Print names and values under each other; long values go on under themselves."""
    widest = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        label = " " * indent + name.ljust(widest) + "  "
        first, *more = _wrapped(value, len(label))
        click.echo(" " * indent + styled(name.ljust(widest), "dim") + "  " + first)
        for line in more:
            click.echo(" " * len(label) + line)


def print_paragraph(text: str, indent: int = 0, label: str = "") -> None:
    """Print a text, wrapped to the terminal; a label stands before it, in the indent."""
    for line in _wrapped(text, indent):
        click.echo((label or " " * indent) + line)
        label = ""


def terminal_width() -> int:
    """Return how many characters fit beside each other."""
    return shutil.get_terminal_size().columns


def _wrapped(text: str, used: int) -> list[str]:
    """Wrap for a terminal; a pipe gets every line whole."""
    lines = [safe(line) for line in text.split("\n")]
    if not is_terminal():
        return lines
    from textwrap import wrap

    width = max(16, terminal_width() - used)
    return [part for line in lines for part in (wrap(line, width, break_on_hyphens=False) or [""])]


def _cell(cell: Cell | str) -> Cell:
    text, style = cell if isinstance(cell, Cell) else (cell, "")
    return Cell(safe(text), style)


def _print_aligned(titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    lines = [[title.upper() for title in titles], *([cell.text for cell in row] for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        padded = [text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())


def _width(text: str) -> int:
    """Return how many columns a text takes: East Asian characters take two."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _print_cards(titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print each row as a name and a few lines: a table would not fit."""
    for first, *rest in rows:
        click.echo(styled(first.text, "bold"))
        shown = [(title, cell) for title, cell in zip(titles[1:], rest, strict=True) if cell.text not in ("", "-")]
        widest = max((len(title) for title, _ in shown), default=0)
        for title, cell in shown:
            label = " " * _INDENT + title.ljust(widest) + "  "
            lines = _wrapped(cell.text, len(label))
            click.echo(label + styled(lines[0], cell.style))
            for line in lines[1:]:
                click.echo(" " * len(label) + styled(line, cell.style))


_RICH_STYLES = {
    "succeeded": "green",
    "running": "cyan",
    "failed": "red",
    "timed_out": "red",
    "lost": "red",
    "cancelled": "yellow",
    "skipped": "yellow",
    "paused": "yellow",
    "dim": "dim",
    "bold": "bold",
}


def _print_rich(titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell.text, style=_RICH_STYLES.get(cell.style, "")) for cell in row))
    console = Console(
        file=sys.stdout,
        color_system="auto" if has_colour() else None,
        width=terminal_width(),
        legacy_windows=False,
        _environ=os.environ,
    )
    console.print(table)
