"""The log: one line for each thing that an operator would want to read, in a file and, if asked, on a stream."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

import msgspec

_LARGEST = 10 << 20
_KEPT = 3


class Log:
    """Writes lines; a log that cannot be written never stops the engine, and says so once on standard error."""

    def __init__(
        self,
        path: str | None,
        now: Callable[[], datetime],
        *,
        stream: TextIO | None = None,
        as_json: bool = False,
    ) -> None:
        self._path = path
        self._now = now
        self._stream = stream
        self._as_json = as_json
        self._failed = False
        self._second: datetime | None = None
        self._stamp = ""
        self._file = None if path is None else _open(path)
        self._size = 0 if path is None else os.path.getsize(path)

    def info(self, text: str, job: str = "", run: str = "") -> None:
        """Say what happened."""
        self._write("INFO", text, job, run)

    def warning(self, text: str, job: str = "", run: str = "") -> None:
        """Say what somebody should look at."""
        self._write("WARNING", text, job, run)

    def error(self, text: str, job: str = "", run: str = "") -> None:
        """Say what went wrong."""
        self._write("ERROR", text, job, run)

    def reopen(self) -> None:
        """Write on in a new file if somebody has moved or deleted this one, as logrotate does."""
        if self._file is None or self._path is None:
            return
        with contextlib.suppress(OSError):  # not now; the next line, or the next look, says why
            if os.path.exists(self._path) and os.path.samestat(os.fstat(self._file.fileno()), os.stat(self._path)):
                return
            fresh = _open(self._path)
            old, self._file, self._size = self._file, fresh, os.path.getsize(self._path)
            old.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # what could not be written then cannot be written now
                self._file.close()

    def _write(self, level: str, text: str, job: str, run: str) -> None:
        line = self._line(level, text, job, run)
        try:
            if self._file is not None:
                self._file.write(line)
                self._size += len(line)
                if self._size > _LARGEST:
                    self._rotate()
            self._failed = False
        except OSError as error:
            if not self._failed:
                self._failed = True
                with contextlib.suppress(OSError):
                    print(f"rota: cannot write {self._path}: {error}", file=sys.stderr)  # noqa: T201 -- the log itself failed
        if self._stream is not None:
            with contextlib.suppress(OSError):  # a terminal that was closed is no reason to stop
                self._stream.write(line)
                self._stream.flush()

    def _line(self, level: str, text: str, job: str, run: str) -> str:
        now = self._now()
        if self._as_json:
            at = now.astimezone()
            fields = {"at": at.isoformat(timespec="milliseconds"), "level": level, "message": text}
            fields |= {key: value for key, value in (("job", job), ("run", run)) if value}
            return msgspec.json.encode(fields).decode() + "\n"
        tag = f"[{job}] " if job else ""
        ending = f" run={run}" if run else ""
        second = now.replace(microsecond=0)
        if second != self._second:
            self._second, self._stamp = second, f"{now.astimezone():%Y-%m-%d %H:%M:%S}"
        return f"[{self._stamp}] {level}: {tag}{_one_line(text)}{ending}\n"

    def _rotate(self) -> None:
        assert self._file is not None, "only a log with a file grows"
        assert self._path is not None, "only a log with a path has a file"
        for number in range(_KEPT - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
        with contextlib.suppress(FileNotFoundError):  # somebody has moved it away already
            os.replace(self._path, f"{self._path}.1")
        fresh = _open(self._path)
        old, self._file, self._size = self._file, fresh, 0
        old.close()


def _open(path: str) -> TextIO:
    """Open a log for its owner alone, whatever the umask."""
    return open(path, "a", encoding="utf-8", buffering=1, opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _one_line(text: str) -> str:
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )
