"""Where the log of everything may lie, whatever the format of the file that names it.

What lies in the home is refused later, by the engine (wiring/told.py): whoever reads files does not know the home.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from rota.config.jobset import Jobset
from rota.config.problems import Mark, Problems

_STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")


def check_logs(
    files: Sequence[tuple[str, str]], jobsets: Sequence[Jobset], endings: tuple[str, ...], problems: Problems
) -> None:
    """Note what cannot be a log; `files` are the job files, as they were named and by their absolute paths."""
    read = {os.path.realpath(path) for _, path in files}
    read.update(os.path.realpath(path) for jobset in jobsets for path in jobset.inputs if not path.endswith(("/", "*")))
    folders = {os.path.realpath(path if os.path.isdir(path) else os.path.dirname(path)) for _, path in files}
    folders.update(
        os.path.realpath(path.rstrip("/*")) for jobset in jobsets for path in jobset.inputs if path[-1] in "/*"
    )
    for (shown, _), jobset in zip(files, jobsets, strict=True):
        path = jobset.settings.get("log_file")
        if path:
            found = _problem(path, read, folders, endings)
            if found:
                problems.add(Mark(shown, 1, 1), f"log_file {path}: {found[0]}", found[1])


def _problem(path: str, read: set[str], folders: set[str], endings: tuple[str, ...]) -> tuple[str, str] | None:
    """Return what is wrong with a path and what to do, or nothing."""
    if path.startswith(_STREAMS):
        return (
            "what runs write goes into files, not to the engine's own output",
            "name a file, or leave log_file out: `rota logs -f` follows a job, standard error has the engine's lines",
        )
    real = os.path.realpath(path)
    if real in read:
        return "that file is read as a job file, and a log would be appended to it", "name another file"
    if os.path.dirname(real) in folders and real.lower().endswith(endings):
        return (
            "there, a file of that name is taken for a job file",
            "give it another ending, such as .log, or put it into another directory",
        )
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None  # it is made when the first line is written; if that cannot be, the engine's log says so
    if stat.S_ISREG(mode):
        return None
    what = "a directory" if stat.S_ISDIR(mode) else "no regular file"
    return f"that is {what}", "name a file, which is made if it is not there, or leave log_file out to have no log"
