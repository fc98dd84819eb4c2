"""What a scheduler looks at before it accepts something for a job: what is to run, its arguments, its name."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from rota.config.actions import Action
from rota.errors import BadJob, RotaError
from rota.sdk.functions import refuse_generator
from rota.sdk.tasks import name_of, task_of

_UNNAMED = "<lambda>"
_INSTEAD = "add it where there is one: scheduler.add(thing.method)"


def refuse_bare(decorator: str, name: object) -> None:
    """Refuse a decorator without its parentheses: it has the function where its name should be."""
    if callable(name) or isinstance(name, (classmethod, staticmethod)):
        raise RotaError(
            f"{decorator} wants to know when: write @{decorator}(every='5m'), or @{decorator}() for a job by hand only"
        )


def check_decorated(decorator: str, function: Any) -> None:
    """Refuse what no run could call: what is no function, a generator, or a method without its object."""
    if isinstance(function, classmethod):
        raise BadJob(f"{decorator} stands above a function, and {name_of(function)} is a class method; {_INSTEAD}")
    if not callable(function):
        raise BadJob(f"{decorator} stands above a function, and {function!r} cannot be called")
    refuse_generator(function, name_of(function))
    if _is_method(function):
        where = getattr(function, "__qualname__", name_of(function))
        raise BadJob(
            f"{decorator} stands above a function, and {where} is a method: nobody says of which object; {_INSTEAD}"
        )


def _is_method(function: Any) -> bool:
    """Tell whether a function stands in the body of a class, and wants an object of it."""
    task = task_of(function)
    plain = function if task is None else task.function
    place, _, _ = getattr(plain, "__qualname__", "").rpartition(".")
    if not inspect.isfunction(plain) or not place or place.endswith("<locals>"):
        return False
    return next(iter(inspect.signature(plain).parameters), "") in ("self", "cls")


def job_name_of(function: Callable[..., Any]) -> str:
    """Return the name that a function gives its job."""
    name = name_of(function)
    if name == _UNNAMED:
        raise BadJob("a lambda has no name that its job could have; give one, as in scheduler.add(lambda: …, 'name')")
    return name


def check_what(what: object) -> None:
    """Refuse what a job cannot do."""
    is_list = isinstance(what, Sequence) and not isinstance(what, (bytes, bytearray))
    if not (callable(what) or is_list or isinstance(what, Action)):
        raise BadJob(
            f"{what!r} cannot be run; give a function (without calling it), a line of shell, a list of words, or a "
            "rota.Action"
        )
    if isinstance(what, Sequence) and not all(isinstance(word, (str, int, float, os.PathLike)) for word in what):
        raise BadJob(f"{what!r} is no list of words; give a program and its arguments, each a text")


def check_arguments(name: str, what: object, args: Any, kwargs: Any) -> None:
    """Refuse arguments that what is called does not take; a command has its own among its words."""
    if callable(what) and not isinstance(what, Action):
        check_call(name, what, args, {} if kwargs is None else kwargs)
    elif args or kwargs:
        raise BadJob(f"job {name!r}: args and kwargs are for functions; write what a command is given among its words")


def name_for(what: Callable[..., Any] | str | Sequence[str] | Action) -> str:
    """Return the name of a job that was given none."""
    if isinstance(what, Action):
        return what.name or type(what).__name__
    if callable(what):
        return job_name_of(what)
    words = what.split() if isinstance(what, str) else [str(word) for word in what]
    if not words:
        raise RotaError("there is nothing to run; give a function, a line of shell, or a list of words")
    return os.path.basename(words[0])


def text_of(parameter: str, value: object) -> str:
    """Return a parameter of a run as its variable has it; what has no plain text of its own is refused."""
    if not isinstance(value, (str, int, float, date, os.PathLike)):
        raise BadJob(f"parameter {parameter!r} is {value!r}; give a text, a number, a date or a path")
    return str(value)


def check_call(name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse arguments that a function does not take, now and not at each of its runs."""
    if not isinstance(args, (list, tuple)):
        raise BadJob(f"job {name!r}: args is {args!r}; give a list or a tuple of arguments")
    if not isinstance(kwargs, Mapping) or not all(isinstance(key, str) for key in kwargs):
        raise BadJob(f"job {name!r}: kwargs is {kwargs!r}; give a dict of names and arguments")
    task = task_of(function)
    called = function if task is None else task.function
    try:
        # A decorator may give arguments of its own: what counts is what it takes, not what it stands around.
        signature = inspect.signature(called, follow_wrapped=False)
    except (TypeError, ValueError):  # a few built-in ones do not tell
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        hint = (
            "give args and kwargs that fit it" if args or kwargs else "give its parameters defaults, or args and kwargs"
        )
        takes = f"{name_of(function)}({', '.join(signature.parameters)})"
        raise BadJob(f"job {name!r}: {takes} cannot be called so: {error}; {hint}") from None
