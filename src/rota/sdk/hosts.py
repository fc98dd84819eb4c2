"""A program among others, on its home or on a store that hosts share: which of them have its functions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from rota.errors import RotaError
from rota.model.action import Action, Function
from rota.model.job import Job
from rota.ports import Log

LABEL = "program"
_NAMELESS = "python"


def label_of_program() -> dict[str, str]:
    """Return the label that hosts have which are this program, on whichever machine."""
    return {LABEL: _name_of_program()}


def _name_of_program() -> str:
    """Return what a program is called: its module, as in `python -m shop.jobs`, or its file without the ending."""
    main = sys.modules.get("__main__")
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    name = spec.name.removesuffix(".__main__") if spec is not None else os.path.basename(file or "")
    kept = "".join(letter for letter in name.removesuffix(".py") if letter.isprintable() and letter != "=").strip()
    return kept or _NAMELESS


def is_only_ours(action: Action) -> bool:
    """Tell whether an action is a function that only this program has: nobody else can import it."""
    return isinstance(action, Function) and not action.target


def check_store(home: object, store: object) -> None:
    """Refuse a store on a server for a program that has no home: what runs has its lock and its output there."""
    if store is not None and home is None:
        raise RotaError("a store on a server needs a home beside it, for its lock and its output; give home, too")


def warn_of_strangers(mine: Iterable[Job], home: str, log: Log) -> None:
    """Say which functions of a program the engine that serves its home, which is another's, cannot call."""
    for job in mine:
        if is_only_ours(job.action):
            log.warning(
                f"job {job.name!r} is a function that cannot be imported, and the engine that serves {home} is "
                "another's: what that one has of this name is called, and if it has nothing the run fails"
            )
