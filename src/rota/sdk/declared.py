"""Jobs that are declared where their functions are: `@rota.job(every="5m")`, and `rota.serve()`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from threading import Event
from typing import Any, ParamSpec, TypeVar, Unpack

import msgspec

from rota.errors import JobExists, RotaError
from rota.observe.python_logging import shown_on_stderr
from rota.sdk.accepting import check_decorated, job_name_of, refuse_bare
from rota.sdk.options import Options
from rota.sdk.scheduler import Scheduler
from rota.sdk.tasks import task_of, when_made_a_task

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Declared(msgspec.Struct, frozen=True):
    """A function that is to be a job, and what was said about it."""

    name: str
    function: Callable[..., Any]
    apart: bool | None
    options: Options
    file: str
    line: int
    """Where that was said."""

    @property
    def place(self) -> str:
        """The same, as messages have it."""
        return f"{self.file}:{self.line}"


DECLARED: dict[str, Declared] = {}
"""What the modules that were imported have declared, by name."""
BEING_READ = Event()
"""Set where modules are imported only to learn what they declare (see tell_declared.py)."""


def job(
    name: str | None = None, *, apart: bool | None = None, **options: Unpack[Options]
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Declare a function to be a job: `@rota.job(every="5m", retries=3)`. It stays callable as it was.

    Nothing runs until `rota.serve()`, or until somebody gives the module to `rota serve --python`. The words are those
    of `Scheduler.add`.
    """
    refuse_bare("rota.job", name)

    def declare(function: Callable[_P, _R]) -> Callable[_P, _R]:
        said = sys._getframe(1)  # noqa: SLF001 -- whoever decorates may be no function, and have no place of its own
        _declare(function, name, apart, options, said.f_code.co_filename, said.f_lineno)
        return function

    return declare


def _declare(
    function: Callable[..., Any], name: str | None, apart: bool | None, options: Options, file: str, line: int
) -> None:
    check_decorated("rota.job", function)
    task = task_of(function)
    said = options if task is None else task.policy_for(options)
    made = Declared(name or job_name_of(function), function, apart, said, file, line)
    known = DECLARED.get(made.name)
    if known is not None and _identity(known.function) != _identity(function):
        raise JobExists(f"a job named {made.name!r} is declared twice: at {known.place} and at {made.place}")
    DECLARED[made.name] = made  # the same function anew is a cell that was run again, or a module that was reloaded
    when_made_a_task(function, lambda made_one: _declare(made_one, made.name, apart, options, file, line))


def _identity(function: Callable[..., Any]) -> tuple[str, str]:
    return getattr(function, "__module__", ""), getattr(function, "__qualname__", "")


def add_declared(scheduler: Scheduler) -> list[str]:
    """Add all declared jobs to a scheduler, and return their names."""
    return [
        scheduler.add(made.function, made.name, apart=made.apart, replace=True, **made.options)
        for made in DECLARED.values()
    ]


def serve(
    home: str | os.PathLike[str] | None = None,
    *,
    store: str | None = None,
    capacity: int | None = None,
    timezone: str | None = None,
) -> None:
    """Run all declared jobs until Ctrl-C or SIGTERM; see `Scheduler` for what a home and a store are.

    What happens is written to standard error, unless the program has told `logging` what to do.
    """
    if BEING_READ.is_set():
        raise RotaError(
            "rota.serve() would run while `rota serve --python` only reads the module; put it under "
            "`if __name__ == '__main__':`"
        )
    with shown_on_stderr():
        scheduler = Scheduler(home, store=store, capacity=capacity, timezone=timezone)
        try:
            if not add_declared(scheduler):
                raise RotaError("there is nothing to serve: no function was declared with @rota.job")
            scheduler.start(blocking=True)
        finally:
            scheduler.close()
