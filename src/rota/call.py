"""Calls a Python function for a job: `python -m rota.call pkg.mod:func JSON`, or one that comes by value.

The arguments come as JSON, the result goes as JSON into the file that ROTA_RESULT_FILE names, if there is a result and
JSON can hold it. An exception ends the process with code 1 and its traceback on standard error; its type and message
go into the file, so that the run's history shows them. Coroutine functions are awaited.

The current directory is where modules are looked for first, as with `python -m`; but only after this one has been
imported, or a file named rota.py there would be called in its place.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def main(words: list[str]) -> int:
    """Call the function named by the first word with the arguments in the second, or in a file."""
    if words[:1] == ["--value"]:
        return _call_value(int(words[1]), words[2])
    target, *given = words
    if given[:1] == ["--file"]:
        with open(given[1], encoding="utf-8") as file:
            arguments = json.load(file)
    else:
        arguments = json.loads(given[0]) if given else {}
    sys.argv = [target]
    here = os.getcwd()
    if sys.path[:1] != [here] and not os.environ.get("PYTHONSAFEPATH"):
        sys.path.insert(0, here)
    return _finish(lambda: perform(_resolve(target), arguments.get("args", ()), arguments.get("kwargs", {})))


def _call_value(descriptor: int, name: str) -> int:
    """Call the function that a descriptor holds.

    A program's own engine has put there a line of JSON with the paths where the program's modules are, and a pickle of
    the function with its arguments. Nobody else can write to that descriptor.
    """
    import pickle

    with open(descriptor, "rb") as file:
        told = json.loads(file.readline())
        sys.argv = [name]
        sys.path[:] = told["path"]

        def call() -> Any:
            function, args, kwargs = pickle.load(file)  # noqa: S301 -- the program itself has written it
            return perform(function, args, kwargs)

        return _finish(call)


def _finish(call: Callable[[], Any]) -> int:
    """Leave what a call returns, or what ended it."""
    try:
        result = call()
    except SystemExit:
        raise
    except BaseException as error:
        leave(error_of(error))
        raise
    leave({"result": result} if result is not None else None)
    return 0


def error_of(error: BaseException) -> dict[str, Any]:
    """Return an exception as it is kept with a run."""
    return {"error": told(error)}


def told(error: BaseException) -> str:
    """Return an exception in one line: its type, and its text if it has one that can be shown."""
    kind = type(error).__name__
    try:
        text = str(error)
    except Exception as trouble:  # noqa: BLE001 -- an exception's own __str__ may do anything
        return f"{kind} (its text cannot be shown: {type(trouble).__name__})"
    text = text.encode(errors="backslashreplace").decode()  # a lone surrogate fits into no file and no database
    return f"{kind}: {text}" if text else kind


def _resolve(target: str) -> Any:
    module, _, path = target.partition(":")
    found: Any = import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def attempt_of(function: Any) -> Any:
    """Return what a run calls for a function: of a task (see sdk/tasks.py) it is one attempt, not the whole of it.

    A decorator above the task has copied its attributes, and is no task: it is called as it is.
    """
    task = getattr(function, "__rota_task__", None)
    return task.attempt if task is not None and task.call is function else function


def perform(function: Any, args: Any, kwargs: Any) -> Any:
    """Call a function for a run, in a process of its own, and await what is to be awaited."""
    result = attempt_of(function)(*args, **kwargs)
    if inspect.isawaitable(result):
        import asyncio

        async def wait() -> Any:
            return await result

        return asyncio.run(wait())
    return result


def leave(outcome: dict[str, Any] | None) -> None:
    """Write a call's outcome to where the engine collects it."""
    path = os.environ.get("ROTA_RESULT_FILE")
    if outcome is not None and path:
        with open(path, "w", encoding="utf-8") as file:
            file.write(as_text(outcome))


def as_text(outcome: dict[str, Any]) -> str:
    """Return a call's outcome as the engine reads it."""
    try:
        text = json.dumps(outcome, allow_nan=False, ensure_ascii=False)
        text.encode()  # half a letter (a surrogate) is in no file and in no database
    except Exception as error:  # noqa: BLE001 -- whatever an object's own way of being gone through throws
        return json.dumps({"note": f"the result cannot be kept as JSON: {told(error)}"})
    return text


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
