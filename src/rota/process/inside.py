"""Calling functions of this program, beside the processes that the launcher starts.

A program may have an engine of its own. Its functions then run here: a plain one in a thread, a coroutine function on
one event loop that all of them share: the program's, or one in a thread of its own. What is to be ended for certain (a
timeout, a limit) is not run here but in a process, and so is every command; for all of that there is the launcher
behind.

Failure modes: a thread cannot be ended. One that is cancelled is asked (`cancelled()` in the context is true), and when
its grace is over the run is settled and the thread left to itself: the run says so. A program that dies takes its
threads with it; its next engine finds their runs without a process: they are lost, and tried again if policy says so.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from rota.call import as_text, error_of, told
from rota.errors import CannotStart
from rota.model.action import Function
from rota.model.job import Job
from rota.model.policy import Output
from rota.model.run import Run
from rota.model.settlement import Claimed, Exit, Harvest
from rota.plan.adopt import Evidence
from rota.ports import LiveOutput
from rota.process.launcher import ProcessLauncher
from rota.process.live import Nothing
from rota.process.results import bounded
from rota.process.spool import part_of
from rota.process.workers import Workers

if TYPE_CHECKING:
    import asyncio

_FAILED = 1
_PATIENCE = 2.0
_LEFT = "its thread could not be ended, and goes on in the program"


class Calling(msgspec.Struct, frozen=True):
    """What a function may know of the run that it is called for."""

    run_id: str
    job: str
    """The job's name."""
    attempt: int
    """Which try this is, from 1."""
    slot: datetime | None
    """The instant for which it was due; None for a request."""
    params: dict[str, str]
    """What `trigger` was given."""
    asked_to_end: threading.Event
    """Set when somebody has asked for its end; to wait for, where `cancelled()` is only looked at."""
    max_attempts: int = 1
    """How many attempts there are at most; a failure of the last one is final."""

    def cancelled(self) -> bool:
        """Tell whether somebody has asked for this run to end; a function that takes long should look now and then."""
        return self.asked_to_end.is_set()


CALLING: contextvars.ContextVar[Calling | None] = contextvars.ContextVar("rota_calling", default=None)
"""The run that the present thread or task works for."""


class _Call(msgspec.Struct, eq=False):
    calling: Calling
    caps: Output
    task: asyncio.Future[None] | None = None
    abandoned: bool = False
    outcome: str | None = None
    """What came of it, as a process would have left it in a file."""
    trace: str = ""
    """Where an exception came from: what a process would have written to its standard error."""

    def keep(self, result: Any) -> int:
        """Keep what the function returned, and return its exit code."""
        self.outcome = None if result is None else bounded(as_text({"result": result}))
        return 0

    def keep_error(self, error: BaseException) -> int:
        """Keep what ended the function, and return its exit code."""
        if isinstance(error, SystemExit):
            if error.code is None or isinstance(error.code, int):
                return error.code or 0
            self.trace = f"{error.code}\n"
            return _FAILED
        self.outcome = as_text(error_of(error))
        try:
            self.trace = "".join(traceback.format_exception(error))
        except Exception:  # noqa: BLE001 -- an exception's own way of showing itself is wrong
            self.trace = "".join([*traceback.format_tb(error.__traceback__), told(error), "\n"])
        return _FAILED


class InsideLauncher:
    """See ports.Launcher."""

    def __init__(
        self,
        behind: ProcessLauncher,
        function_of: Callable[[Function], Callable[..., Any] | None],
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """`loop` is where coroutine functions run, if not on a loop of our own."""
        self._behind = behind
        self._function_of = function_of
        self._calls: dict[str, _Call] = {}
        self._ended: deque[Exit] = deque()
        self._workers = Workers()
        self._loop = loop
        self._loop_thread: threading.Thread | None = None
        self._beginning = threading.Lock()
        self._closed = False
        self._program = os.getpid()
        self._reader, self._writer = os.pipe()
        for fd in (self._reader, self._writer):
            os.set_blocking(fd, False)

    @property
    def fd(self) -> int:
        """What becomes readable when a call has ended, or somebody wants the engine to look."""
        return self._reader

    def wake(self) -> None:
        """End the engine's wait, from any thread, even after everything was let go."""
        with self._beginning, contextlib.suppress(BlockingIOError):  # then it is awake already
            if not self._closed:
                os.write(self._writer, b"w")

    def calls(self, run_id: str) -> bool:
        """Tell whether a function is being called for a run."""
        return run_id in self._calls

    # -- calling ------------------------------------------------------------------------------------------------------

    def launch(self, claimed: Claimed, job: Job) -> None:
        """Start a claimed attempt: here when it is a function of this program, else as a process."""
        action = job.action
        function = self._function_of(action) if isinstance(action, Function) and not action.apart else None
        if function is None:
            self._behind.launch(claimed, job)
            return
        assert isinstance(action, Function), "nothing else is a function"
        self._behind.hold(claimed, job)
        calling = Calling(
            claimed.run_id,
            claimed.job_name,
            claimed.attempt,
            claimed.slot,
            claimed.params,
            threading.Event(),
            job.policy.retries.count + 1,
        )
        call = _Call(calling, job.policy.output)
        self._calls[claimed.run_id] = call
        context = contextvars.copy_context()
        context.run(CALLING.set, calling)
        begin = self._begin_task if inspect.iscoroutinefunction(function) else self._begin_work
        try:
            context.run(begin, call, lambda: function(*action.args, **action.kwargs))
        except RuntimeError as error:  # no more threads, or the program's loop was closed
            raise CannotStart(126, f"its function cannot be called: {error}") from error

    def _begin_work(self, call: _Call, function: Callable[[], Any]) -> None:
        """Call a function in a worker's thread; what it leaves to be awaited goes on as a task."""
        context = contextvars.copy_context()

        def work() -> None:
            threading.current_thread().name = f"rota {call.calling.job}"
            try:
                result = function()
                self._leave_if_forked(None)
                if inspect.isawaitable(result):
                    self._begin_task(call, lambda: result)
                    return
            except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the function's, and ends its run
                self._leave_if_forked(error)
                self._end(call, call.keep_error(error))
            else:
                self._end(call, call.keep(result))

        self._workers.start(lambda: context.run(work))

    def _leave_if_forked(self, error: BaseException | None) -> None:
        """End a fork that the function has let come back to us, as it would have ended anywhere else."""
        if os.getpid() == self._program:
            return
        code = 0
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        elif error is not None:
            traceback.print_exception(error)
            code = _FAILED
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)

    def _begin_task(self, call: _Call, function: Callable[[], Awaitable[Any]]) -> None:
        """Await what a function gives, on the event loop."""
        loop, context = self._event_loop(), contextvars.copy_context()

        async def work() -> None:
            try:
                result = await function()
            except BaseException as error:  # noqa: BLE001 -- the same; an exit would end the loop for everybody
                self._end(call, call.keep_error(error))
            else:
                self._end(call, call.keep(result))

        def begin() -> None:
            call.task = loop.create_task(work(), context=context)
            if call.calling.cancelled():
                call.task.cancel()

        loop.call_soon_threadsafe(begin)

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop that coroutine functions run on; ours begins with the first of them."""
        import asyncio

        with self._beginning:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop_thread = threading.Thread(target=self._turn_loop, args=(self._loop,), daemon=True)
                self._loop_thread.start()
            return self._loop

    @staticmethod
    def _turn_loop(loop: asyncio.AbstractEventLoop) -> None:
        """In the loop's own thread: turn until it is stopped, and let everything go."""
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def _end(self, call: _Call, code: int) -> None:
        if not call.abandoned:
            self._ended.append(Exit(call.calling.run_id, code))
            self.wake()

    # -- watching and ending ------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Wait until something happens, or the time is over."""
        self._behind.wait(seconds)

    def take_exits(self) -> list[Exit]:
        """Return the attempts that ended since the last time."""
        try:
            while os.read(self._reader, 4096):
                pass
        except BlockingIOError:
            pass
        exits = self._behind.take_exits()
        while self._ended:
            exits.append(self._ended.popleft())
        return exits

    def terminate(self, run_id: str) -> int:
        """Ask an attempt to end: a coroutine is cancelled, a thread can only be asked."""
        call = self._calls.get(run_id)
        if call is None:
            return self._behind.terminate(run_id)
        call.calling.asked_to_end.set()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the program's loop was closed, and its tasks with it
                self._loop.call_soon_threadsafe(lambda: call.task is not None and call.task.cancel())
        return 0

    def kill(self, run_id: str) -> int:
        """End an attempt; a thread that does not heed is left to itself, because nothing can end it."""
        call = self._calls.get(run_id)
        if call is None:
            return self._behind.kill(run_id)
        if not call.abandoned:
            call.abandoned = True
            self._ended.append(Exit(run_id, None))
            self.wake()
        return 0

    def kill_shim(self, run_id: str) -> None:
        """Kill what stands between an attempt and the engine; a function has nothing there."""
        if run_id not in self._calls:
            self._behind.kill_shim(run_id)

    def remains(self, run_id: str) -> bool:
        """Tell whether anything of an attempt is alive after its end."""
        return run_id not in self._calls and self._behind.remains(run_id)

    def live(self, run_id: str) -> LiveOutput:
        """Return what an attempt writes; a function of this program writes nothing of its own."""
        return Nothing() if run_id in self._calls else self._behind.live(run_id)

    def harvest(self, run_id: str) -> Harvest:
        """Return what an ended attempt left."""
        call = self._calls.get(run_id)
        if call is None:
            return self._behind.harvest(run_id)
        if call.abandoned:
            return Harvest([], None, _LEFT)
        trace = call.trace.encode(errors="backslashreplace")
        return Harvest([part_of(trace, "stderr", call.caps)] if trace else [], call.outcome)

    def release(self, run_id: str) -> None:
        """Let go of an attempt whose end is on record."""
        self._calls.pop(run_id, None)
        self._behind.release(run_id)

    # -- what functions have no part in ------------------------------------------------------------------------------

    @property
    def boot(self) -> str:
        """Which boot of the machine this is."""
        return self._behind.boot

    def machine_started(self, now: datetime) -> datetime:
        """Return when this machine started."""
        return self._behind.machine_started(now)

    def reserve(self, count: int) -> list[str]:
        """Reserve places for attempts that are about to be claimed, and return their names."""
        return self._behind.reserve(count)

    def watch_output(self) -> bool:
        """Keep growing logs within their caps."""
        return self._behind.watch_output()

    def elsewhere(self, runs: list[Run]) -> list[str]:
        """Return the jobs of runs that live where they can be neither seen nor watched."""
        return self._behind.elsewhere(runs)

    def evidence(self, runs: list[Run]) -> dict[str, Evidence]:
        """Gather what can be known about attempts that a predecessor left."""
        return self._behind.evidence(runs)

    def adopt(self, run: Run, job: Job, pid: int | None) -> bool:
        """Take over an attempt."""
        return self._behind.adopt(run, job, pid)

    def exit_of(self, run_id: str) -> Exit | None:
        """Tell how an adopted attempt ended that ended before it could be watched."""
        return self._behind.exit_of(run_id)

    def marked(self) -> list[tuple[str, int]]:
        """Return the attempts of which processes carry the mark."""
        return self._behind.marked()

    def end_marked(self, run_id: str, attempt: int, *, kill: bool) -> int:
        """Ask processes of an attempt that is in nobody's charge to end, or kill them."""
        return self._behind.end_marked(run_id, attempt, kill=kill)

    def sweep(self) -> None:
        """Take charge of what no run needs any more."""
        self._behind.sweep()

    def look_after(self) -> None:
        """Do now and then what keeps the spool in order."""
        self._behind.look_after()

    def close(self) -> None:
        """Let go of everything; the event loop ends, threads go on until they end or the program does."""
        if self._loop is not None and self._loop_thread is not None:  # the program's own loop goes on
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop_thread.join(_PATIENCE)
        self._workers.close()
        self._behind.close()
        with self._beginning:  # a function that goes on must not write into what has their numbers afterwards
            self._closed = True
            os.close(self._reader)
            os.close(self._writer)
