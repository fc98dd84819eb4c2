"""Noticing that job files have changed, and having them applied by a process of its own.

The engine reads no job file. Twice a second it compares times, sizes and inodes: that costs next to nothing, works on
every file system, and sees an editor's rename, a symlink that was swapped and a file that came or went. A change is
acted on when it has held still for one look more, so that a file which is being written is not taken for its half.
Then `rota apply` runs beside the engine. It validates everything first: broken files change nothing, and say why here
in the log. Somebody who changes jobs at the same moment makes it start over.

Failure modes: a change that keeps times, size and inode is not noticed (SIGHUP applies in any case). A helper that
cannot be started is tried again at the next change or signal. An engine that dies leaves a helper that finishes or does
not: it is one transaction.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import Protocol

from rota.ports import Log

_LOOK = 0.5
_SHARE = 50
"""A look may take a fiftieth of the time: a directory of very many files is looked at less often."""
_CONFLICT = 4
_AGAIN = 5
_LINES = 40
_NAME = "apply"
_WARNING = "rota: warning: "
_OURS = "rota: "

Seen = tuple[str, int, int, int]
"""What a look at a file shows: its path, time, size and inode."""
_Stamp = tuple[Seen, ...]


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
        applied: Sequence[Seen] | None = None,
    ) -> None:
        self._watched = tuple(watched)
        self._words = tuple(words)
        self._helpers = helpers
        self._log = log
        self._seen = self._stamp()
        self._applied = self._seen if applied is None else tuple(applied)
        """What the files looked like before they were read for the last apply."""
        self._due = float("-inf")
        self._pause = _LOOK
        self._asked = False
        self._running = False
        self._conflicts = 0

    def ask(self) -> None:
        """Apply at the next tick, whether or not anything has changed."""
        self._asked = True

    def tick(self, monotonic: float) -> float:
        """Look if it is time to, act on what has changed, and return for how many seconds there is nothing to do.

        1. A helper that has ended is reported.
        2. While none runs: a change that has held still since the last look starts one.
        """
        if self._running:
            self._finish()
        if self._running or (monotonic < self._due and not self._asked):
            return _LOOK if self._running else self._due - monotonic
        seen, before = self._stamp(), self._seen
        self._seen = seen
        if self._asked or (seen != self._applied and seen == before):
            self._begin(seen)
        self._due = monotonic + self._pause
        return self._pause

    def _begin(self, seen: _Stamp) -> None:
        self._log.info("reading the job files again" if self._asked else "the job files have changed; reading them")
        self._asked, self._applied = False, seen
        try:
            self._helpers.start(_NAME, self._words)
        except OSError as error:
            self._log.error(f"rota apply cannot be started: {error}; the jobs stay as they are")
            return
        self._running = True

    def _finish(self) -> None:
        end = self._helpers.take_end(_NAME)
        if end is None:
            return
        self._running = False
        if end.code == _CONFLICT and self._conflicts < _AGAIN and any("revision" in line for line in end.lines):
            self._conflicts += 1
            self._asked = True
            return
        self._conflicts = 0
        for line in end.lines[:_LINES]:
            if line.startswith(_WARNING):
                self._log.warning(line.removeprefix(_WARNING))
            elif end.code == 0:
                self._log.info(line)
            else:
                self._log.error(line.removeprefix(_OURS))
        if len(end.lines) > _LINES:
            self._log.info(f"and {len(end.lines) - _LINES} lines more; `rota diff` and `rota validate` show all")
        if end.code != 0:
            self._log.error("the job files were not applied; the jobs stay as they are")

    def _stamp(self) -> _Stamp:
        """Return what there is to see of the files, without opening one."""
        found = look_at(self._watched)
        self._pause = max(_LOOK, len(found) / 1e5 * _SHARE)
        return found


def look_at(paths: Sequence[str]) -> tuple[Seen, ...]:
    """Return what there is to see of files, and of everything in directories."""
    found: list[Seen] = []
    for path in paths:
        seen, is_directory = _look_at(path)
        found.append(seen)
        if is_directory:
            found += _entries(path)
    return tuple(found)


def _look_at(path: str) -> tuple[Seen, bool]:
    try:
        seen = os.stat(path)
    except OSError:
        return (path, 0, -1, 0), False
    return (path, seen.st_mtime_ns, seen.st_size, seen.st_ino), stat.S_ISDIR(seen.st_mode)


def _entries(path: str) -> list[Seen]:
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return []
    return [_look_at(os.path.join(path, name))[0] for name in names if not name.startswith(".")]
