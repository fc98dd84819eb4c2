"""The log of tasks: one file with everything that tasks do and write, for people who follow one file.

    [2025-12-15 10:00:00] INFO: Executing 'calendar-sync' with args ['--days', '30']
    [2025-12-15 10:00:00] [calendar-sync] STDOUT: Fetching events...
    [2025-12-15 10:00:15] INFO: Task 'calendar-sync' completed in 15.2s (exit code: 0)

Lines are gathered, and appended whole. A job can forge no line: each line that it writes has its name before it, and
what could move a cursor or hide text is shown as an escape. Somebody else may write into the file as well, and may move
it away or empty it at any time: it is looked for again before each batch. Who may read it is for the umask to say,
because such files are there to be read.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from rota.model.action import Action, Command, Function, Python
from rota.model.run import State

_HARMFUL = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f"  # control characters, but the tab
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what changes the direction of writing
    "\u2028\u2029\ud800-\udfff]"  # what ends a line for some, and halves of characters
)
_LONGEST_ACTION = 2000
_TIMED_OUT = "timed out after"


class TaskLog:
    """Gathers lines, and appends them when it is told to."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._pending = bytearray()
        self._unsynced = False
        self._second: datetime | None = None
        self._stamp = ""

    # -- what is told -------------------------------------------------------------------------------------------------

    def began(self, job: str, action: Action, attempt: int, at: datetime) -> None:
        """Say that an attempt has begun."""
        again = f" (attempt {attempt})" if attempt > 1 else ""
        self._say("INFO", f"Executing {job!r}{_words(action)}{again}", at)

    def wrote(self, job: str, stream: str, lines: Iterable[bytes], at: datetime) -> None:
        """Write down what an attempt has written."""
        before = f"[{self._time(at)}] [{_harmless(job)}] {stream.upper()}: "
        text = "".join([f"{before}{_text(line)}\n" for line in lines])
        self._pending += text.encode()

    def dropped(self, job: str, stream: str, count: int, at: datetime) -> None:
        """Say that some of what an attempt has written is missing here."""
        what = f"{count:,} bytes of {stream} were left out here: it is more than is kept, or told here"
        if not count:
            what = f"the task emptied its own {stream} here; what it writes now follows"
        self._say("WARNING", f"Task {job!r}: {what}", at)

    def ended(
        self,
        job: str,
        state: State,
        attempt: int,
        *,
        started_at: datetime | None,
        at: datetime,
        exit_code: int | None,
        reason: str,
        timeout: timedelta | None = None,
        again: int | None = None,
        again_at: datetime | None = None,
    ) -> None:
        """Say how an attempt has ended, and which follows; without a start, that a run was cancelled before it."""
        what, why = _ending(state, attempt, started_at, at, exit_code, reason, timeout)
        text = f"Task {job!r} {what}{': ' if why else ''}{why}"
        level = {State.SUCCEEDED: "INFO", State.CANCELLED: "WARNING"}.get(state, "ERROR")
        if again is not None:
            when = "" if again_at is None else f" at {_local(again_at)}"
            level, text = "WARNING", f"{text}; attempt {again} follows{when}"
        self._say(level, text, at)

    def skipped(self, job: str, count: int, last_slot: datetime | None, reason: str, at: datetime) -> None:
        """Say that slots of a job did not run."""
        when = "" if last_slot is None else f" {'at' if count == 1 else 'up to'} {_local(last_slot)}"
        times = "" if count == 1 else f" {count:,} times"
        self._say("WARNING", f"Task {job!r} was skipped{times}{when}: {reason}", at)

    def noted(self, text: str, at: datetime) -> None:
        """Say something else."""
        self._say("WARNING", text, at)

    def copied(self, line: str) -> None:
        """Write down a line that has its time and its level already."""
        self._pending += f"{_harmless(line)}\n".encode("utf-8", "replace")

    # -- the file -----------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """How many bytes are not in the file yet."""
        return len(self._pending)

    def open(self) -> str:
        """Make sure that the file is there and is open; return what is wrong, or nothing."""
        try:
            self._look()
        except OSError as error:
            return self._problem(error)
        return ""

    def flush(self) -> str:
        """Append what was gathered; return what is wrong, or nothing. What could not be written is kept."""
        try:
            if self._pending:
                self._look()
                self._unsynced = True
            while self._pending:
                del self._pending[: os.write(self._fd, self._pending)]
        except OSError as error:
            return self._problem(error)
        return ""

    def sync(self) -> None:
        """Wait until what was appended would outlive a power cut."""
        if self._unsynced and self._fd >= 0:
            with contextlib.suppress(OSError):  # a pipe, or a terminal
                os.fsync(self._fd)
        self._unsynced = False

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _look(self) -> None:
        """Open the file, unless it is open and still in its place."""
        if self._fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._fd), os.stat(self._path)):
                    return
            self.sync()
            self.close()
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        # Not blocking: if it is a named pipe that nobody reads, that is an error, and no reason to hang.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        self._fd = os.open(self._path, flags, 0o666)

    def _problem(self, error: OSError) -> str:
        return f"cannot write {self._path}: {error.strerror or error}"

    def _say(self, level: str, text: str, at: datetime) -> None:
        self._pending += f"[{self._time(at)}] {level}: {_harmless(text)}\n".encode()

    def _time(self, at: datetime) -> str:
        second = at.replace(microsecond=0)
        if second != self._second:
            self._second, self._stamp = second, _local(second)
        return self._stamp


def _words(action: Action) -> str:
    """Return what is executed, as it goes on after the name of the task."""
    match action:
        case Command(argv=argv):
            return _short(f" with args {list(argv[1:])!r}")
        case Python(target=target) | Function(target=target) if target:
            return _short(f": {target}")
    return _short(f": {action.describe().strip()}")


def _ending(
    state: State,
    attempt: int,
    started_at: datetime | None,
    at: datetime,
    exit_code: int | None,
    reason: str,
    timeout: timedelta | None,
) -> tuple[str, str]:
    """Return what has become of a task, and what else there is to say of it."""
    if started_at is None and state is State.CANCELLED:
        return f"was cancelled before {'it started' if attempt == 1 else f'attempt {attempt}'}", reason
    seconds = "" if started_at is None else f"{max(0.0, (at - started_at).total_seconds()):.1f}s"
    code = "" if exit_code is None else f" (exit code: {exit_code})"
    match state:
        case State.SUCCEEDED:
            return f"completed in {seconds}{code}", reason
        case State.TIMED_OUT:
            allowed = seconds if timeout is None else f"{timeout.total_seconds():g}s"
            return f"timed out after {allowed}", reason.partition("; ")[2] if reason.startswith(_TIMED_OUT) else reason
        case State.CANCELLED:
            return f"was cancelled after {seconds}", reason
        case State.LOST:
            return f"was lost after {seconds}" if seconds else "was lost", reason
        case _:
            known = reason.removeprefix(f"exit code {exit_code}").lstrip(":; ")
            return (f"failed in {seconds}" if seconds else "failed") + code, known


def _local(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_ACTION else f"{text[:_LONGEST_ACTION]}…"


def _text(line: bytes) -> str:
    return _harmless(line.removesuffix(b"\r").decode("utf-8", "replace"))


def _harmless(text: str) -> str:
    """Return a text that stays on its line, and does nothing to a terminal."""
    if text.isprintable():
        return text
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
