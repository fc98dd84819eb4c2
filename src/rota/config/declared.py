"""What modules declare to be jobs: `rota serve --python pkg.mod`.

To know what a module declares is to import it, and an import runs anybody's code: it may print, change directories,
wait for ever, or end the process. So a process of its own does that (sdk/tell_declared.py), and whoever applies reads
what it leaves in a file without a name. Nothing that it says or does reaches anybody else.

Failure modes: a module that does not come to an end is ended after ROTA_IMPORT_TIMEOUT seconds, by the process itself,
which says where it hung; one that cannot even do that is killed a little later. A process that ends without a word (a
crash, `os._exit`) is a problem of its module, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from rota.config.jobset import FoundJob, Jobset
from rota.config.modules import Module
from rota.config.problems import Mark, Problems
from rota.errors import UsageError
from rota.model.job import Job

TIMEOUT = "ROTA_IMPORT_TIMEOUT"
_SECONDS = 30.0
_LATER = 5.0
"""So much longer a process may take that is to end itself."""
_PROGRAM = "rota.sdk.tell_declared"


class Place(msgspec.Struct, frozen=True):
    """A place in somebody's source."""

    file: str
    line: int = 1
    column: int = 1


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a module."""

    place: Place
    text: str
    hint: str = ""


class Declaration(msgspec.Struct, frozen=True):
    """A job that a module declares."""

    module: str
    job: Job
    place: Place


Looked = tuple[str, int, int, int, int]
"""A file as the engine sees it: path, time, size, inode and mode (see engine/reloading.py)."""


class Told(msgspec.Struct):
    """What was found by importing modules."""

    jobs: list[Declaration] = []
    faults: list[Fault] = []
    remarks: list[Fault] = []
    """What somebody should know, and what stops nothing."""
    inputs: dict[str, Looked] = {}
    """The modules' own sources, each as it was when it was read."""


class Asked(msgspec.Struct, frozen=True):
    """What the process is asked."""

    directory: str
    modules: tuple[str, ...]
    seconds: float


def read_modules(modules: Sequence[Module], environment: Mapping[str, str], problems: Problems) -> list[Jobset]:
    """Return what each module declares; whatever is wrong with it is noted."""
    jobsets: dict[Module, Jobset] = {}
    for directory in dict.fromkeys(module.directory for module in modules):
        several = [module for module in modules if module.directory == directory]
        told = _ask(several, environment)
        for fault in told.faults:
            problems.add(_mark(several[0], fault.place), fault.text, fault.hint)
        for remark in told.remarks:
            problems.warn(_mark(several[0], remark.place), remark.text)
        for module in several:
            found = [FoundJob(each.job, _mark(module, each.place)) for each in told.jobs if each.module == module.name]
            inputs = dict.fromkeys([*module.candidates, *told.inputs])
            jobsets[module] = Jobset("python", found, inputs=list(inputs), read_as=told.inputs)
            if not found and not told.faults:
                problems.warn(_mark(module, _file_of(module)), "no function here is declared with @rota.job")
    return [jobsets[module] for module in modules]


def _mark(module: Module, place: Place) -> Mark:
    """Return a place as somebody sees it from here, or in the directory that he has named."""
    inside = os.path.relpath(place.file, module.directory)
    shown = place.file if inside.startswith(os.pardir) else os.path.join(module.shown, inside)
    return Mark(shown, place.line, place.column)


def _file_of(module: Module) -> Place:
    """Return the file that a module seems to be in."""
    there = [path for path in module.candidates if os.path.isfile(path)]
    return Place(there[-1] if there else module.candidates[-2])


def _ask(modules: Sequence[Module], environment: Mapping[str, str]) -> Told:
    """Have modules of one directory imported, and return what came of it."""
    seconds = _patience(environment)
    asked = Asked(modules[0].directory, tuple(module.name for module in modules), seconds)
    reader, leash = os.pipe()  # its end tells the process that nobody waits for it any more
    try:
        with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as trace:
            words = [str(fd) for fd in (answer.fileno(), trace.fileno(), reader)]
            # -P: what lies in that directory is the module's business, and not taken for a module of ours.
            argv = [sys.executable, "-P", "-m", _PROGRAM, *words, msgspec.json.encode(asked).decode()]
            code = _run(argv, asked, environment, (answer.fileno(), trace.fileno(), reader))
            answer.seek(0)
            content = answer.read()
            with suppress(msgspec.DecodeError):  # empty, or torn: a module may even fork while it is imported
                return msgspec.json.decode(content, type=Told)
            trace.seek(0)
            return Told(faults=[_silent(modules[-1], code, trace.read().decode("utf-8", "replace"), seconds)])
    finally:
        os.close(reader)
        os.close(leash)


def _run(argv: Sequence[str], asked: Asked, environment: Mapping[str, str], passed: Sequence[int]) -> int | None:
    """Run the process, and return how it ended; None: it did not, until it was killed."""
    try:
        return subprocess.run(
            argv,
            cwd=asked.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=passed,
            timeout=asked.seconds + _LATER,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def _silent(module: Module, code: int | None, trace: str, seconds: float) -> Fault:
    """Say of a process that has left no answer what became of it, and where, if it could tell."""
    place = next(_places(trace, module.directory), _file_of(module))
    if code is None or trace.startswith("Timeout"):
        return Fault(
            place, f"the import of {module.name} takes longer than {seconds:g}s", f"see here, or set {TIMEOUT}"
        )
    how = f"exit code {code}" if code >= 0 else f"signal {-code}"
    hint = f"look at it with: python -c 'import {module.name}'"
    return Fault(place, f"the process that imported {module.name} has ended without a word ({how})", hint)


def _places(trace: str, directory: str) -> Iterator[Place]:
    """Yield the places of a trace of faulthandler's that are in a directory, the innermost first."""
    for line in trace.splitlines():
        file, _, rest = line.strip().removeprefix('File "').partition('", line ')
        number = rest.partition(" ")[0]
        if number.isdigit() and file.startswith(directory.rstrip(os.sep) + os.sep):
            yield Place(file, int(number))


def _patience(environment: Mapping[str, str]) -> float:
    text = environment.get(TIMEOUT)
    try:
        seconds = _SECONDS if not text else float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise UsageError(f"{TIMEOUT}={text}: it must be a number of seconds")
    return seconds
