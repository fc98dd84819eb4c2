"""The other side of apart.py: `python -m rota.process.answering PID NAME`, the process that a call has to itself.

What to call is read from a descriptor, and the answer is written into the same one. Classes and functions of the
program's own main file are nobody else's here; in an answer they go by name as well, so that the program meets the
very ones that it has, and its `except Mine:` holds.

The leash is a pipe whose other end the caller holds. When that is closed, or this process has got another parent, the
caller has gone, however it went: then the whole tree ends.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import select
import signal
import sys
import threading
import traceback
from importlib import import_module
from types import FunctionType, TracebackType
from typing import Any

from rota.call import perform
from rota.errors import CallFailed, NotCarried
from rota.process.identity import innermost
from rota.process.with_program import end_tree

ANSWER, LEASH = 5, 6
"""The descriptors."""
_LOOK_MS = 1000
_LONGEST_SHOWN = 500


def main(words: list[str]) -> int:
    """Call what the descriptor holds, and write the answer there."""
    own, caller, name = os.getpid(), int(words[0]), words[1]
    for fd in (ANSWER, LEASH):
        os.set_inheritable(fd, False)  # what the function starts has no part in this
    threading.Thread(target=_heed_leash, args=(caller, innermost(os.environ)), daemon=True).start()
    with open(ANSWER, "r+b") as file:
        answer = _answer(file, name)
        if os.getpid() != own:  # a fork that the function has let escape
            return 0
        file.seek(0)
        file.truncate()
        file.write(answer)
    return 0


def _heed_leash(caller: int, mark: str) -> None:
    """In a thread of its own: end the tree, and this process last, when the caller has gone."""
    poll = select.poll()
    poll.register(LEASH, select.POLLIN)
    # A fork of the caller may hold the other end open, so the parent is looked at, too.
    while os.getppid() == caller and not poll.poll(_LOOK_MS):
        pass
    end_tree(mark)


def _answer(file: Any, name: str) -> bytes:
    try:
        told = json.loads(file.readline())
        sys.argv, sys.path[:] = [name], told["path"]
        function, args, kwargs = pickle.load(file)  # noqa: S301 -- the caller itself has written it
        result = perform(function, args, kwargs)
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it is raised where the answer is awaited
        trace = "".join(traceback.format_exception(error.with_traceback(_beyond_us(error.__traceback__))))
        return _by_value(error, {"raised": True, "trace": trace, "shown": _shown(error)})
    return _by_value(result, {"raised": False})


def _beyond_us(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback from where the function's own code begins."""
    inner = trace
    while inner is not None and inner.tb_frame.f_globals.get("__name__", "").startswith("rota."):
        inner = inner.tb_next
    return inner or trace


def _by_value(what: Any, head: dict[str, Any]) -> bytes:
    """Return an answer: a line of JSON that says what it is, and a pickle; or why there is none."""
    content = io.BytesIO()
    try:
        _pickler()(content).dump(what)
    except Exception as error:  # noqa: BLE001 -- whatever an object's own way of pickling throws
        content = io.BytesIO()
        head |= {"shown": _shown(what), "lost": f"{type(error).__name__}: {error}"}
    return json.dumps(head).encode() + b"\n" + content.getvalue()


def _shown(what: Any) -> str:
    """Return how something is shown to people, whatever its own way of that does."""
    with contextlib.suppress(Exception):
        text = repr(what)
        return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return f"<{type(what).__name__}>"


def _pickler() -> Any:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        """Sends what no module here has by name and by value: where it goes, there may be one of that name."""

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, (type, FunctionType)) and "<" not in obj.__qualname__ and not _is_here(obj):
                return the_programs_own, (obj.__module__, obj.__qualname__, cloudpickle.dumps(obj))
            return super().reducer_override(obj)

    return Pickler


def _is_here(what: Any) -> bool:
    return _find(what.__module__, what.__qualname__) is what


def _find(module: str, path: str) -> Any:
    found: Any = sys.modules.get(module)
    for name in path.split("."):
        found = getattr(found, name, None)
    return found


def the_programs_own(module: str, path: str, value: bytes) -> Any:
    """Return the class or function of a name; where there is none, the one that came along."""
    found = _find(module, path)
    return pickle.loads(value) if found is None else found  # noqa: S301 -- a part of the answer


def read_answer(content: bytes, name: str, status: int | None) -> Any:
    """In the program: return or raise what a call has returned or raised."""
    line, _, pickled = content.partition(b"\n")
    try:
        head = json.loads(line)
        is_raised = head["raised"]
    except (ValueError, KeyError):  # what is there is still the question
        raise CallFailed(f"{name}: its process ended without an answer ({_spoken(status)})") from None
    try:
        what = None if "lost" in head else pickle.loads(pickled)  # noqa: S301 -- our own process has written it
    except Exception as error:  # noqa: BLE001 -- whatever an object's own way of coming back throws
        head["lost"] = f"{type(error).__name__}: {error}"
    if not is_raised:
        if "lost" in head:
            raise NotCarried(_not_carried(name, "returned", head))
        return what
    raised = CallFailed(_not_carried(name, "raised", head)) if "lost" in head else what
    if not isinstance(raised, BaseException):
        raised = CallFailed(f"{name} raised {head['shown']}, which is no exception here")
    raised.add_note("In its process:\n" + head["trace"].rstrip())
    raise raised


def _not_carried(name: str, did: str, head: dict[str, Any]) -> str:
    shown = head.get("shown", "something")
    return (
        f"{name} {did} {shown}, which cannot be sent back from its process ({head['lost']}); "
        f"{'return' if did == 'returned' else 'raise'} something that can be pickled, or leave the timeout out"
    )


def _spoken(status: int | None) -> str:
    if status is None:
        return "how it ended is not known"
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"ended by signal {-status}"


if __name__ == "__main__":
    # Not this copy of the module, which is `__main__`: the program knows the other one by its name.
    raise SystemExit(import_module("rota.process.answering").main(sys.argv[1:]))
