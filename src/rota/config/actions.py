"""Actions of others: classes that say what is to be started, by a name that job files may use.

A plug-in is asked once, when the job is defined, and what it answers is kept: a program with its arguments, or a line
of shell. So the engine, and whoever looks at a job, needs no plug-in, and a plug-in that is gone later stops nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any, ClassVar

import msgspec

from rota.errors import BadJob, BadPlugin, RotaError, did_you_mean
from rota.model.action import Command, Shell
from rota.plugins import ACTIONS, load

_KNOWN: dict[str, type[Action]] = {}


class BadAction(BadJob):
    """An action by name cannot be had, or cannot be made of what was given to it."""

    def __init__(self, problem: str, hint: str = "", key: str = "") -> None:
        self.problem, self.hint, self.key = problem, hint, key
        super().__init__(problem + (f"; {hint}" if hint else ""))


class Action:
    """What a job does, said by a class of yours; a subclass has `argv`, and a `name` if job files are to use it.

    A dataclass or a msgspec.Struct has its values checked by their types; other classes are called with them.
    """

    name: ClassVar[str] = ""

    def __init_subclass__(cls, **given: Any) -> None:
        """Make the class known by its name in this program."""
        super().__init_subclass__(**given)
        name = cls.__dict__.get("name", "")
        if not isinstance(name, str) or not name:
            return
        known = _KNOWN.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            where = f"{known.__module__}.{known.__qualname__}"
            raise RotaError(f"an action named {name!r} is there already ({where}); choose another name")
        _KNOWN[name] = cls

    def argv(self) -> Sequence[str] | str:
        """Return a program and its arguments, or one text: a line of shell."""
        raise NotImplementedError(f"{type(self).__name__} says nothing about what is to be started; give it argv")


def compiled(action: Action) -> Command | Shell:
    """Return what an action starts, as a job keeps it."""
    name = action.name or type(action).__name__
    try:
        found = action.argv()
    except (Exception, SystemExit) as error:
        raise BadAction(f"the action {name!r} cannot say what to start: {type(error).__name__}: {error}") from error
    if isinstance(found, str):
        return Shell(found)
    words = tuple(found) if isinstance(found, Sequence) else ()
    if not words or not all(isinstance(word, str) for word in words):
        raise BadAction(f"the argv of the action {name!r} is {found!r}", "it must be a list of texts, or one text")
    return Command(words)


def compiled_by_name(name: str, given: Mapping[str, Any]) -> tuple[Command | Shell, str]:
    """Return what the action of a name starts with these values, and the file that the action is in."""
    with redirect_stdout(sys.stderr):  # what it prints is not what the verb has to say
        kind = _kind(name)
        action = compiled(_made(name, kind, given))
    return action, getattr(sys.modules.get(kind.__module__), "__file__", None) or ""


def _kind(name: str) -> type[Action]:
    """Return the class that a name stands for."""
    try:
        kind = _KNOWN.get(name) or load(ACTIONS, name)
    except BadPlugin as error:
        hint = did_you_mean(name, _KNOWN).removeprefix("; ") or error.hint
        raise BadAction(error.problem, hint) from error
    if not (isinstance(kind, type) and issubclass(kind, Action)):
        raise BadAction(f"{name!r} stands for {kind!r}", "it must be a subclass of rota.Action")
    return kind


def _made(name: str, kind: type[Action], given: Mapping[str, Any]) -> Action:
    """Return an action of these values."""
    import dataclasses
    import inspect

    parameters = inspect.signature(kind).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    for key in given:
        if key not in parameters and not takes_any:
            known = did_you_mean(key, parameters).removeprefix("; ") or f"known here: {', '.join(parameters)}"
            raise BadAction(f"the action {name!r} takes no {key!r}", known, key)
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for one in parameters.values():
        if one.default is one.empty and one.kind not in several and one.name not in given:
            raise BadAction(f"the action {name!r} needs {one.name!r}", f"write with: {{{one.name}: …}}")
    try:
        if issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind):
            return msgspec.convert(dict(given), kind)
        return kind(**given)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$.")
        raise BadAction(f"the action {name!r}: {problem}", key=path.rstrip("`").partition(".")[0]) from error
    except (Exception, SystemExit) as error:
        raise BadAction(f"the action {name!r} refuses this: {type(error).__name__}: {error}") from error
