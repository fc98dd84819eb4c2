"""Imports modules and tells what they declare: `python -m rota.sdk.tell_declared ANSWER TRACE LEASH JSON`.

Started by config/declared.py, which has the design. The answer goes into a descriptor as JSON, and then the process
ends at once, whatever threads and exit handlers the modules have left. It also ends when nobody waits for it any more.
"""

from __future__ import annotations

import faulthandler
import inspect
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import msgspec

from rota.call import told as spoken
from rota.config.declared import Asked, Declaration, Fault, Place, Told
from rota.errors import BadSchedule, RotaError
from rota.model.action import Python
from rota.model.job import Job
from rota.plan.timetables import rest_of, timetable_of
from rota.schedule.custom import is_of_program
from rota.sdk.accepting import check_call
from rota.sdk.declared import BEING_READ, DECLARED, Declared
from rota.sdk.fresh_import import Sources
from rota.sdk.options import definition

_SEARCHED = "PYTHONPATH"
_UNHEARD = "notify means something in the program itself (rota.serve, Scheduler); `rota serve` tells nobody of it yet"
_LOADED = frozenset(sys.modules)
"""What rota itself has brought in: a module of the same name would never be looked for."""
_OURS = os.path.dirname(os.path.dirname(__file__))


class _Wrong(Exception):
    """A declared function cannot be a job: what is wrong, and what to do."""


def main(words: list[str]) -> None:
    """Import the modules that are asked for, one after the other, and leave what they declare."""
    answer, trace, leash = map(int, words[:3])
    asked = msgspec.json.decode(words[3], type=Asked)
    threading.Thread(target=_end_without, args=(leash,), daemon=True).start()
    faulthandler.dump_traceback_later(asked.seconds, exit=True, file=trace)
    process = os.getpid()
    told = tell(asked)
    if os.getpid() != process:
        os._exit(0)  # a module has forked, and this is the other one
    with open(answer, "wb", closefd=False) as file:
        file.write(msgspec.json.encode(told))
    os._exit(0)


def tell(asked: Asked) -> Told:
    """Import modules and return what they declare.

    A job belongs to the module that its function is in, if that was asked for; else to the first that brought it in.
    """
    BEING_READ.set()
    sources = Sources(asked.directory)
    if not os.environ.get("PYTHONSAFEPATH"):
        sys.path.insert(0, asked.directory)
    for name in asked.modules:
        sources.adopt(name)
    sources.watch()
    told, owners = Told(), dict[str, str]()
    for name in asked.modules:
        fault = _import(name, asked.directory, sources)
        told.faults += [] if fault is None else [fault]
        for made in DECLARED.values():
            module = str(getattr(made.function, "__module__", ""))
            owners.setdefault(made.name, module if module in asked.modules else name)
    sources.note_loaded()
    for made in DECLARED.values():
        source = getattr(made.function, "__module__", None)
        if source and source not in sys.modules:
            continue  # its import has failed half way, and that is told already
        found = _judged(made, asked.directory)
        if isinstance(found, Fault):
            told.faults.append(found)
        else:
            told.jobs.append(Declaration(owners[made.name], found, Place(made.file, made.line)))
            if made.options.get("notify"):
                told.remarks.append(Fault(Place(made.file, made.line), f"job {made.name!r}: {_UNHEARD}"))
    told.inputs = sources.seen
    return told


def _end_without(leash: int) -> None:
    while os.read(leash, 1):
        pass
    os._exit(1)


# -- importing --------------------------------------------------------------------------------------------------------


def _import(name: str, directory: str, sources: Sources) -> Fault | None:
    """Import a module, and return what kept it from that."""
    taken = sys.modules.get(name)
    if taken is not None and name in _LOADED:
        at = Place(os.path.join(directory, *name.split(".")) + ".py")
        where = getattr(taken, "__file__", None) or "Python itself"
        return Fault(at, f"the name {name!r} is taken by another module ({where})", "give this one another name")
    try:
        import_module(name)
    except KeyboardInterrupt:
        os._exit(1)
    except ModuleNotFoundError as error:
        sources.note_missing(directory, error.name or name)
        place = next(_frames(error, directory), None)
        if place is None:
            at = Place(os.path.join(directory, *name.split(".")) + ".py")
            where = f"it is looked for in {directory}, and among what is installed"
            return Fault(at, f"there is no module named {error.name or name!r}", where)
        return Fault(place, f"there is no module named {error.name!r}", "install it, or mend the import")
    except SyntaxError as error:
        at = Place(error.filename or name, error.lineno or 1, max(1, error.offset or 1))
        return Fault(at, f"{type(error).__name__}: {error.msg}")
    except SystemExit as error:
        text = f"it ends the program when it is imported (exit code {error.code!r})"
        return Fault(_innermost(error, directory, name), text, "put that under `if __name__ == '__main__':`")
    except BaseException as error:  # noqa: BLE001 -- whatever a module throws is a problem of the module
        problem, _, hint = str(error).partition("; ") if isinstance(error, RotaError) else (_said(error), "", "")
        return Fault(_innermost(error, directory, name), problem, hint)
    return None


def _said(error: BaseException) -> str:
    """Return an error on one line."""
    return spoken(error).partition("\n")[0]


def _innermost(error: BaseException, directory: str, name: str) -> Place:
    known = Place(getattr(sys.modules.get(name), "__file__", None) or os.path.join(directory, *name.split(".")))
    return next(_frames(error, directory), known)


def _frames(error: BaseException, directory: str) -> Iterator[Place]:
    """Yield the places of an error's trace that are somebody's own, the innermost first; then those of others."""
    frames = [
        frame
        for frame in reversed(traceback.extract_tb(error.__traceback__))
        if not frame.filename.startswith(("<", _OURS + os.sep)) and f"{os.sep}importlib{os.sep}" not in frame.filename
    ]
    own = [frame for frame in frames if frame.filename.startswith(directory.rstrip(os.sep) + os.sep)]
    for frame in [*own, *frames]:
        yield Place(frame.filename, frame.lineno or 1)


# -- from a function to a job -----------------------------------------------------------------------------------------


def _job(made: Declared, directory: str) -> Job:
    """Return the job that a declared function is, as any engine can run it.

    It runs where its module was found from, as the import has. Somebody who says `cwd` gets that, and the function is
    still found.
    """
    options: dict[str, Any] = dict(made.options)
    if options.get("cwd") is None:
        options["cwd"] = directory
    else:
        options["cwd"] = os.path.join(directory, os.path.expanduser(options["cwd"]))
        env = dict(options.get("env") or {})
        before = env.get(_SEARCHED, os.environ.get(_SEARCHED, ""))
        options["env"] = env | {_SEARCHED: os.pathsep.join(filter(None, (directory, before)))}
    job = definition(made.name, Python(_target(made.function)), options)
    job.check()
    timetable_of(job)
    rest_of(job)
    for spec in job.schedules:
        if spec.kind == "custom" and is_of_program(spec.text):
            raise _Wrong(
                f"its schedule {spec.text!r} is known in this module only, and the engine imports no module; install "
                "it as a plug-in (entry point rota.schedules)"
            )
    check_call(made.name, made.function, (), {})
    return msgspec.json.decode(msgspec.json.encode(job), type=Job)  # what is of a wrong type is told here


def _judged(made: Declared, directory: str) -> Job | Fault:
    """Return the job that a declared function is, or why it cannot be one."""
    place, name = Place(made.file, made.line), f"job {made.name!r}"
    try:
        return _job(made, directory)
    except BadSchedule as error:
        return Fault(place, f"{name}: {error.text!r}: {error.problem}", error.hint)
    except (_Wrong, RotaError) as error:
        problem, _, hint = str(error).removeprefix(f"{name}: ").partition("; ")
        return Fault(place, f"{name}: {problem}", hint)
    except Exception as error:  # noqa: BLE001 -- options are anybody's objects, and may be of any type
        return Fault(place, f"{name}: {_said(error)}")


def _target(function: Any) -> str:
    """Return `pkg.mod:func`, by which another process finds a function."""
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not module or not path:
        raise _Wrong(f"{type(function).__name__} has no name that it could be imported by; write a function around it")
    if "<lambda>" in path:
        raise _Wrong("a lambda cannot be imported by the process that runs it; write a function with def")
    if "<" in path:
        raise _Wrong(
            f"{path} is made inside of a function, and the process that runs it cannot import it; move it to the top "
            "of its module"
        )
    found: Any = sys.modules.get(module)
    for name in path.split("."):
        found = getattr(found, name, None)
    if not callable(found) or inspect.unwrap(found) is not inspect.unwrap(function):
        raise _Wrong(
            f"{module}:{path} is something else by now, and the process that runs it would call that; give each "
            "function a name of its own"
        )
    return f"{module}:{path}"


if __name__ == "__main__":
    main(sys.argv[1:])
