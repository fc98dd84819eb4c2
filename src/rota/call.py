"""Calls a Python function for a job: `python -m rota.call pkg.mod:func JSON`.

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
from importlib import import_module
from typing import Any


def main(words: list[str]) -> int:
    """Call the function named by the first word with the arguments in the second, or in a file."""
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
    try:
        result = _call(_resolve(target), arguments.get("args", ()), arguments.get("kwargs", {}))
        _leave({"result": result} if result is not None else None)
    except Exception as error:
        _leave({"error": f"{type(error).__name__}: {error}"})
        raise
    return 0


def _resolve(target: str) -> Any:
    module, _, path = target.partition(":")
    found: Any = import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _call(function: Any, args: Any, kwargs: Any) -> Any:
    result = function(*args, **kwargs)
    if inspect.isawaitable(result):
        import asyncio

        async def wait() -> Any:
            return await result

        return asyncio.run(wait())
    return result


def _leave(outcome: dict[str, Any] | None) -> None:
    path = os.environ.get("ROTA_RESULT_FILE")
    if outcome is None or not path:
        return
    try:
        text = json.dumps(outcome, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        text = json.dumps({"note": f"the result cannot be kept as JSON: {error}"})
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
