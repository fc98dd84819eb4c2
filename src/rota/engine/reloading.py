"""Noticing that job files have changed, and having them applied by a process of its own.

The engine reads no job file. Twice a second it compares times, sizes and inodes: that costs next to nothing, works on
every file system, and sees an editor's rename, a symlink that was swapped and a file that came or went. A change is
acted on when it has held still for one look more, so that a file which is being written is not taken for its half. Of a
directory only the files count that may be job files: a job may write beside them as it likes.
Then `rota apply` runs beside the engine. It validates everything first: broken files change nothing, and say why here
in the log. Somebody who changes jobs at the same moment makes it start over.

What the files say about the engine itself, and what else was read with them, `rota apply` leaves in the store as a
fact; the engine takes it up from there, so a change of it needs no restart either.

Failure modes: a change that keeps times, size, inode and mode is not noticed (SIGHUP applies in any case). A helper
that cannot be started, is killed or meets a full disk is tried again later and later, or at the next change or signal.
A helper ends with its engine: what it does is one transaction, done or not.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from zlib import crc32

from rota.errors import StoreUnavailable
from rota.ports import Log

_LOOK = 0.5
_SHARE = 50
"""A look may take a fiftieth of the time: a directory of very many files is looked at less often."""
_CONFLICT = 4
_OUTRUN = "rota: the jobs are at revision "
_AGAIN = 5
_RETRY, _MOST_PATIENT = 30.0, 600.0
_RESTLESS, _LONG = 10.0, 30.0
_SUFFIXES = (".yaml", ".yml", ".json")
_LINES = 40
_NAME = "apply"
_WARNING = "rota: warning: "
_OURS = "rota: "

Seen = list[tuple[str, int, int, int, int]]
"""What there is to see at a watched path, for each file: its path, time, size, inode and mode."""
_Stamp = Mapping[str, Seen]


class HelperEnd(Protocol):
    """How a helper ended."""

    @property
    def code(self) -> int | None: ...  # noqa: D102 -- the sentence stands at the implementation
    @property
    def lines(self) -> list[str]: ...  # noqa: D102 -- the same


class Helpers(Protocol):
    """Starts processes of rota's own; see process/beside.py."""

    def start(self, name: str, words: Sequence[str]) -> None: ...  # noqa: D102 -- the same
    def take_end(self, name: str) -> HelperEnd | None: ...  # noqa: D102 -- the same


class Reloader:
    """Looks at files, and has `rota apply` run when they have changed."""

    def __init__(
        self,
        watched: Sequence[str],
        words: Sequence[str],
        helpers: Helpers,
        log: Log,
        applied: str | None = None,
        told: Callable[[], Mapping[str, Seen | None]] | None = None,
    ) -> None:
        self._watched = tuple(watched)
        self._words = tuple(words)
        self._helpers = helpers
        self._log = log
        self._seen = self._stamp()
        self._applied: _Stamp = self._seen if applied in (None, digest(self._seen)) else {}
        """What the files looked like before they were read for the last apply."""
        self._told = told
        """Takes up what an apply has left in the store, and returns what is to be watched from now on.

        Of what was read by that apply it may know how it looked then.
        """
        self._due = float("-inf")
        self._pause = _LOOK
        self._untaken = False
        """Whether that is still to be done, because the store could not be read."""
        self._asked = False
        self._running = False
        self._conflicts = 0
        self._patience, self._retry = _RETRY, float("inf")
        self._failed: list[str] = []
        """What the last apply said, if it failed."""
        self._repeats = False
        """Whether nothing is new but the time: then nothing is said of trying again, unless it comes to something."""
        self._began = float("inf")
        self._restless = float("inf")
        """Since when there is a change that does not hold still."""
        self._complained = False

    def ask(self) -> None:
        """Apply at the next tick, whether or not anything has changed."""
        self._asked, self._repeats, self._failed = True, False, []

    def tick(self, monotonic: float) -> float:
        """Look if it is time to, act on what has changed, and return for how many seconds there is nothing to do.

        1. A helper that has ended is reported.
        2. While none runs: a change that has held still since the last look starts one.
        """
        if self._running:
            self._finish(monotonic)
        elif self._untaken:
            self._take_up()
        if not self._running and monotonic >= self._retry:
            self._asked = self._repeats = True
        if self._running or (monotonic < self._due and not self._asked):
            return _LOOK if self._running else self._due - monotonic
        seen, before = self._stamp(), self._seen
        self._seen = seen
        changed = [path for path in self._watched if seen[path] != self._applied.get(path)]
        if changed:
            self._repeats = False
        if self._asked or (changed and all(seen[path] == before.get(path) for path in changed)):
            self._begin(seen, monotonic)
        else:
            self._note_restless(bool(changed), monotonic)
        self._due = monotonic + self._pause
        return self._pause

    def _note_restless(self, restless: bool, monotonic: float) -> None:
        """Say it when files have been changing for so long that somebody may wonder why nothing is applied."""
        self._restless = min(self._restless, monotonic) if restless else float("inf")
        self._complained = self._complained and restless
        if restless and monotonic - self._restless >= _RESTLESS and not self._complained:
            self._complained = True
            self._log.warning("the job files keep changing; they are read when they have held still for a moment")

    def _begin(self, seen: _Stamp, monotonic: float) -> None:
        if not self._repeats:
            self._log.info("reading the job files again" if self._asked else "the job files have changed; reading them")
        self._asked, self._applied = False, seen
        self._retry = self._restless = float("inf")
        self._began = monotonic
        try:
            self._helpers.start(_NAME, self._words)
        except OSError as error:
            self._fail([f"rota apply cannot be started: {error}"], monotonic)
            return
        self._running = True

    def _finish(self, monotonic: float) -> None:
        end = self._helpers.take_end(_NAME)
        if end is None:
            if monotonic - self._began >= _LONG:
                self._began = float("inf")
                self._log.warning(
                    f"rota apply has been at work for {_LONG:g}s; the jobs stay as they are until it ends"
                )
            return
        self._running = False
        if end.code == _CONFLICT and any(line.startswith(_OUTRUN) for line in end.lines) and self._conflicts < _AGAIN:
            self._conflicts += 1
            self._asked = True
            return
        self._conflicts = 0
        if end.code == 0:
            report(self._log, end.lines)
            self._patience, self._failed, self._repeats = _RETRY, [], False
            self._take_up()
        else:
            silent = (
                f"rota apply has ended without a word (exit code {end.code}): a full disk looks like this, or a kill"
            )
            self._fail(end.lines or [silent], monotonic)

    def _fail(self, lines: list[str], monotonic: float) -> None:
        """Say what is wrong, once, and try again later and later: whatever it was may have been mended elsewhere."""
        if lines != self._failed:
            report(self._log, lines, failed=True)
            self._log.error("the job files were not applied; the jobs stay as they are")
            self._failed, self._patience = lines, _RETRY
        self._retry = monotonic + self._patience
        self._patience = min(_MOST_PATIENT, 2 * self._patience)
        self._take_up()  # what is wrong may be in something that was read for the first time

    def _take_up(self) -> None:
        """Watch what was read; what is new among it counts as applied as it was read, or else as it is now."""
        if self._told is None:
            return
        try:
            told = self._told()
        except StoreUnavailable:
            self._untaken = True  # the engine says that the store cannot be used; it is asked again at the next tick
            return
        self._untaken = False
        self._watched = tuple(told)
        self._seen = self._stamp()
        self._applied = {path: self._applied.get(path, told[path] or seen) for path, seen in self._seen.items()}

    def _stamp(self) -> _Stamp:
        """Return what there is to see of the files, without opening one."""
        found = look_at(self._watched)
        self._pause = max(_LOOK, sum(map(len, found.values())) / 1e5 * _SHARE)
        return found


def report(log: Log, lines: Sequence[str], *, failed: bool = False) -> None:
    """Put what apply has said into the log: warnings and errors all, of what it did a part, and the sum."""
    plain = [line for line in lines if not line.startswith(_WARNING)]
    for line in lines:
        if line.startswith(_WARNING):
            log.warning(line.removeprefix(_WARNING))
    for line in plain[: len(plain) if failed else _LINES]:
        (log.error if failed else log.info)(line.removeprefix(_OURS))
    if not failed and len(plain) > _LINES:
        log.info(f"… {len(plain) - _LINES - 1} lines more …")
        log.info(plain[-1])


def digest(seen: Mapping[str, Seen]) -> str:
    """Return a look in short, for somebody who only wants to know later whether anything is different."""
    return f"{crc32(repr(sorted(seen.items())).encode('utf-8', 'surrogateescape')):08x}"


def look_at(paths: Sequence[str]) -> dict[str, Seen]:
    """Return what there is to see of files.

    A path that ends in `/` means the files in a directory that may be job files by their names, one that ends in `/*`
    all files in it. Of a directory itself only its being there counts.
    """
    return {path: _look_at(path) for path in paths}


def _look_at(path: str) -> Seen:
    directory = path.rstrip("*").rstrip("/") or "/"
    if directory == path:
        return [_see(path)]
    return [_see(directory), *_entries(directory, any_name=path.endswith("*"))]


def _see(path: str) -> tuple[str, int, int, int, int]:
    try:
        seen = os.stat(path)
    except OSError:
        return path, 0, -1, 0, 0
    if stat.S_ISDIR(seen.st_mode):
        return path, 0, 0, seen.st_ino, seen.st_mode
    return path, seen.st_mtime_ns, seen.st_size, seen.st_ino, seen.st_mode


def _entries(directory: str, *, any_name: bool) -> Seen:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    wanted = (name for name in names if name[0] != "." and (any_name or name.lower().endswith(_SUFFIXES)))
    return [_see(os.path.join(directory, name)) for name in wanted]
