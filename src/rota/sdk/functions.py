"""The functions that a program gives to its scheduler: found by name, sent to a process by value.

What has a timeout runs in a process of its own, because nothing else can be ended for certain. A function gets there
with what it refers to (`cloudpickle`), so that one of a notebook, or one that another function made, can go as well.
What cannot be sent runs in a thread, and the program is warned of what a thread cannot do.
"""

from __future__ import annotations

import inspect
import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import msgspec

from rota.call import attempt_of, told
from rota.errors import BadJob
from rota.model.action import Function
from rota.model.job import Job


class FunctionBook:
    """Knows functions by name; another thread may ask at any time."""

    def __init__(self) -> None:
        self._functions: dict[str, Callable[..., Any]] = {}

    def add(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], *, apart: bool
    ) -> Function:
        """Take a function in, and return what stands for it in a job."""
        if not callable(function):
            raise BadJob(f"job {name!r}: {function!r} cannot be called")
        refuse_generator(function, f"the function of job {name!r}")
        target = target_of(function)
        if not (
            _is_json(list(args)) and _is_json(kwargs)
        ):  # a store keeps no objects: then they are part of the function
            function, args, kwargs, target = _bound(function, args, kwargs), (), {}, ""
        apart = apart and _can_be_sent(f"job {name!r}", function)
        self._functions[name] = function
        return Function(name, target, tuple(args), dict(kwargs), apart)

    def find(self, action: Function) -> Callable[..., Any] | None:
        """Return the function of an action, if this program has it."""
        function = self._functions.get(action.name)
        return None if function is None else attempt_of(function)

    def payload(self, job: Job) -> bytes | None:
        """Return what a process needs to call a job's function; None where it is to import it by itself."""
        action = job.action
        if not isinstance(action, Function):
            return None
        function = self._functions.get(action.name)
        if function is None:
            return None
        return by_value(function, action.args, action.kwargs)


def by_value(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """Return a call as a process of its own reads it: where the program's modules are, and a pickle."""
    head = json.dumps({"path": [path or "." for path in sys.path]}).encode()
    return head + b"\n" + _pickled((function, args, kwargs))


def _pickled(what: Any) -> bytes:
    """Return something as a process can read it.

    A module that starts its scheduler while it is imported is not there yet for whoever asks in another thread: that
    would wait for the end of the import, which may be that of the program. What is in such a module goes by value.
    """
    import cloudpickle

    begun = [each for each in list(sys.modules.values()) if _is_being_imported(each)]
    for module in begun:
        cloudpickle.register_pickle_by_value(module)
    try:
        content: bytes = cloudpickle.dumps(what)
    finally:
        for module in begun:
            cloudpickle.unregister_pickle_by_value(module)
    return content


def _is_being_imported(module: Any) -> bool:
    spec = getattr(module, "__dict__", {}).get("__spec__")  # asking a lazy module itself could import something
    return getattr(spec, "_initializing", False) is True


def refuse_generator(function: Callable[..., Any], what: str) -> None:
    """Refuse what does nothing when it is called, and would succeed with that."""
    called = function if inspect.isroutine(function) else type(function).__call__
    if any(inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each) for each in (function, called)):
        raise BadJob(f"{what} is a generator: it does nothing when it is called; give a function that goes through it")


def target_of(function: Callable[..., Any]) -> str:
    """Return `pkg.mod:func` if that is where a function can be imported from, else nothing."""
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if not module or module == "__main__" or "<" in path or not path:
        return ""
    found: Any = sys.modules.get(module)
    for name in path.split("."):
        found = getattr(found, name, None)
    return f"{module}:{path}" if found is function else ""


def _bound(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any]:
    function = attempt_of(function)
    if inspect.iscoroutinefunction(function):

        async def call_later() -> Any:
            return await function(*args, **kwargs)

        return call_later
    return lambda: function(*args, **kwargs)


def _is_json(value: Any) -> bool:
    """Tell whether JSON gives a value back as it was, to its very type: a tuple would come back as a list."""
    try:
        return _is_plain(value) and bool(msgspec.json.decode(msgspec.json.encode(value)) == value)
    except (TypeError, ValueError, RecursionError):
        return False


def _is_plain(value: Any) -> bool:
    kind = type(value)  # and none of its subclasses: an Enum or a named tuple has more to it than its value
    if kind is dict:
        return all(type(key) is str and _is_plain(each) for key, each in value.items())
    return all(map(_is_plain, value)) if kind is list else kind in (str, int, float, bool, type(None))


def _can_be_sent(what: str, function: Callable[..., Any]) -> bool:
    import cloudpickle

    try:
        cloudpickle.dumps(function)
    except Exception as error:  # noqa: BLE001 -- whatever an object's own way of pickling throws
        warn_of_a_thread(what, error)
        return False
    return True


def warn_of_a_thread(what: str, error: Exception) -> None:
    """Say that what should have had a process has a thread, why, and what a thread cannot do."""
    warn_program(
        f"{what}: its function cannot be sent to a process ({told(error)}), so it runs in a thread: "
        "a timeout ends its run, but cannot end the thread"
    )


def warn_program(text: str) -> None:
    """Warn at the nearest code that is not of this package: whoever has asked for what is warned of."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith("rota."):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, RuntimeWarning, stacklevel=level)
