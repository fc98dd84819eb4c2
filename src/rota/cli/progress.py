"""Signs of life for what takes longer than a second: on a terminal, on standard error, and gone when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rota.cli.text import error_is_terminal, wants_colour
from rota.clock import SystemClock

_QUIET = 1.0


class Progress:
    """A bar that appears after a second, if there is somebody to see it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._clock = SystemClock()
        self._began = self._clock.monotonic()
        self._shown: Any = None
        self._task: Any = None

    def step(self, done: int, whole: int | None = None) -> None:
        """Say how far it is."""
        if self._shown is None:
            if not error_is_terminal() or self._clock.monotonic() - self._began < _QUIET:
                return
            self._shown, self._task = _begin(self._what)
        self._shown.update(self._task, completed=done, total=whole)

    def end(self) -> None:
        """Take it away."""
        if self._shown is not None:
            self._shown.stop()


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Show a bar while something goes on."""
    shown = Progress(what)
    try:
        yield shown
    finally:
        shown.end()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something goes on that cannot say how far it is."""
    if not error_is_terminal():
        yield
        return
    from threading import Timer

    shown: list[Any] = []
    timer = Timer(_QUIET, lambda: shown.append(_begin(what)[0]))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for each in shown:
            each.stop()


def _begin(what: str) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    console = Console(stderr=True, color_system="auto" if wants_colour() else None)
    bar = Bar(*columns, console=console, transient=True)
    task = bar.add_task(what, total=None)
    bar.start()
    return bar, task
