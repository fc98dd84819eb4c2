"""`rota.Scheduler`: the engine and the store of rota inside a program."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack, cast

import msgspec

from rota.config.actions import Action as OfOthers
from rota.config.actions import compiled
from rota.control.questions import JobLine
from rota.engine.settings import EngineSettings, Retention
from rota.errors import Conflict, JobExists, NoSuchRun, RotaError
from rota.model.action import Action, Command, Shell
from rota.model.job import Job
from rota.model.origin import shown
from rota.model.run import FINAL, Run, State
from rota.process.inside import CALLING
from rota.sdk.accepting import check_arguments, check_decorated, check_what, name_for, refuse_bare, text_of
from rota.sdk.functions import FunctionBook, warn_program
from rota.sdk.hosts import check_store, is_only_ours, label_of_program, warn_of_strangers
from rota.sdk.listening import Listener, Listeners
from rota.sdk.options import Options, check_words, check_zone, definition, need_process
from rota.sdk.runs import Handle
from rota.sdk.tasks import Task, task_of, when_made_a_task
from rota.sdk.waiting import check_that_it_goes_on, heard_by
from rota.wiring.inside import Household

if TYPE_CHECKING:
    from rota.sdk.notifying import Notices

_P = ParamSpec("_P")
_R = TypeVar("_R")
_MANY = 100
_LOOK = 0.25
_PATIENCE = 10.0
_ORIGIN = "python"
_IN_MEMORY = Retention(timedelta(minutes=10), _MANY, timedelta(minutes=10), 64 << 20, timedelta(minutes=10))
"""What is kept where there is no home: a program that runs for months must not grow for as long."""
_TROUBLE = frozenset(state.value for state in FINAL if state is not State.SUCCEEDED)


class Scheduler:
    """Runs jobs in and beside this program.

    Without a home everything is in memory and gone with the program. With one, jobs, pauses and history outlive it: a
    program that was killed goes on where it was when it is started again. Where another engine serves the home already,
    this is a client of it: what can be imported, and every command, runs there. When that engine was a program's, too,
    and has ended, this one takes its place.

    With the URL of a `store` on PostgreSQL this program is one of the hosts that share it; each has a home of its own.
    A function that cannot be imported runs only where a program of the same name does.

    `capacity` is how many runs go at once [two for each CPU, at least 4]; `timezone` is that of the jobs which say none
    of their own [the host's]. A fork of the program has no part in it: there every call but `close` raises an error.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] | None = None,
        *,
        store: str | None = None,
        capacity: int | None = None,
        timezone: str | None = None,
    ) -> None:
        check_words("the scheduler", {"capacity": capacity, "store": store})
        if timezone is not None:
            check_zone("the scheduler", timezone)
        check_store(home, store)
        settings = (
            EngineSettings(labels=label_of_program()) if home is not None else EngineSettings(retention=_IN_MEMORY)
        )
        if capacity is not None:
            settings = msgspec.structs.replace(settings, capacity=capacity)
        self._book = FunctionBook()
        path = None if home is None else os.path.abspath(os.path.expanduser(home))
        self._household = Household(path, settings, self._book.find, self._book.payload, os.environ, store=store)
        self._listeners = Listeners(self._household)
        self._check = partial(check_that_it_goes_on, self._household)
        self._notices: Notices | None = None
        self._timezone = timezone
        self._mine: set[str] = set()
        self._tasks: dict[str, tuple[Task, int]] = {}
        """Jobs that are tasks with hooks, by name, each with its number of retries."""
        self._tells_tasks = False
        self._closed = False
        self._closing = threading.Lock()
        self._stopped = threading.Event()

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def add(
        self,
        what: Callable[..., Any] | str | Sequence[str] | OfOthers,
        name: str | None = None,
        *,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        apart: bool | None = None,
        replace: bool = False,
        **options: Unpack[Options],
    ) -> str:
        """Add a job, and return its name.

        `what` is a function, a line of shell, a list of words (a program and its arguments), or a `rota.Action` of
        yours, which is asked now and not again. A function is called with `args` and `kwargs`. One with a timeout, or
        with variables, a directory or a user of its own, runs `apart`, in a process of its own, and so does any for
        which you say so. A task (`rota.task`) brings its retries and its timeout along.

        A program that is started again says the same as before, and its jobs go on as they were; a name that this
        program has given already is refused unless you say `replace`.
        """
        check_words("the job", {"name": name, "apart": apart})
        check_what(what)
        name = name or name_for(what)
        check_arguments(name, what, args, kwargs)
        if name in self._mine and not replace:
            raise JobExists(f"this program has a job named {name!r} already; choose another name, or say replace=True")
        if self._timezone is not None:
            options.setdefault("timezone", self._timezone)
        task = task_of(what)
        if task is not None:
            options = task.policy_for(options)
        if apart is None:
            apart = bool(need_process(options))
        told = self._notices_of(name, cast("dict[str, Any]", options))
        action = self._action(name, what, args, kwargs or {}, apart=apart)
        if self._household.store.is_shared and is_only_ours(action):
            options.setdefault("runs_on", label_of_program())
        job = definition(name, action, options)
        self._put(job)
        told()
        self._mine.add(name)
        self._follow(job, task)
        return name

    def _follow(self, job: Job, task: Task | None) -> None:
        """Tell a task's hooks of runs that end without their attempt being able to."""
        if task is None or not (task.hooks.on_error or task.hooks.on_finish):
            self._tasks.pop(job.name, None)
            return
        if not self._tells_tasks:
            self._tells_tasks = True
            self.on_failure(self._tell_task)
        self._tasks[job.name] = task, job.policy.retries.count

    def _tell_task(self, run: Run) -> None:
        if run.job in self._tasks:
            task, retries = self._tasks[run.job]
            task.tell_end(run, retries)

    def _notices_of(self, name: str, options: dict[str, Any]) -> Callable[[], None]:
        """Take who is notified out of the options, and return what to do about it once the job is there."""
        if self._notices is None:
            if "notify" not in options and "notify_on" not in options:
                return lambda: None
            from rota.sdk.notifying import Notices  # most programs notify nobody

            self._notices = Notices(self._listeners, self._household.log.error)
        notices = self._notices
        wanted = notices.read(name, options)
        return lambda: notices.put(name, wanted)

    def job(
        self,
        name: str | None = None,
        *,
        apart: bool | None = None,
        replace: bool = False,
        **options: Unpack[Options],
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Make a job of the function below: `@scheduler.job(every="5m")`. The function stays what it was."""
        refuse_bare("scheduler.job", name)

        def add(function: Callable[_P, _R]) -> Callable[_P, _R]:
            check_decorated("scheduler.job", function)
            made = self.add(function, name, apart=apart, replace=replace, **options)
            when_made_a_task(function, lambda task: self.add(task, made, apart=apart, replace=True, **options))
            return function

        return add

    def _action(
        self,
        name: str,
        what: Callable[..., Any] | str | Sequence[str] | OfOthers,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        *,
        apart: bool,
    ) -> Action:
        if isinstance(what, OfOthers):
            return compiled(what)
        if callable(what):
            return self._book.add(name, what, tuple(args), kwargs, apart=apart)
        if isinstance(what, str):
            return Shell(what)
        return Command(tuple(map(str, what)))

    def _put(self, job: Job) -> None:
        """Make the job, or give the one of this name its definition; what is unchanged is not written at all."""
        with self._household.lock:
            stored = self._household.store.jobs.find(job.name)
            if stored is None or stored.removed_at is not None:
                applied = self._household.verbs.add(job, _ORIGIN)
            elif stored.origin != _ORIGIN:
                raise Conflict(
                    f"job {job.name!r} was made by {shown(stored.origin)} and is kept apart from programs; "
                    "choose another name, or remove it first"
                )
            else:
                applied = self._household.verbs.change_if_different(job.name, job)
        for warning in applied.warnings:
            warn_program(f"job {job.name!r}: {warning}")

    def remove(self, name: str) -> None:
        """Take a job out of service; its history stays, and what runs goes on."""
        with self._household.lock:
            self._household.verbs.remove(name)
        self._mine.discard(name)

    def pause(self, name: str) -> None:
        """Make no more of a job's slots due."""
        with self._household.lock:
            self._household.verbs.pause(name)

    def resume(self, name: str) -> None:
        """End a pause; what passed in it is not caught up."""
        with self._household.lock:
            self._household.verbs.resume(name)

    def jobs(self) -> list[JobLine]:
        """Return all jobs by name, each with what it is doing and how it went last."""
        with self._household.lock:
            return self._household.questions.jobs()

    def get(self, name: str) -> JobLine:
        """Return one job."""
        with self._household.lock:
            return self._household.questions.job(name)

    def coming(self, name: str | None = None, most: int = 10) -> list[datetime]:
        """Return the next slots of a job, or of all jobs."""
        with self._household.lock:
            now = self._household.clock.now()
            return [slot.at for slot in self._household.questions.coming(name, now, most)]

    # -- runs ---------------------------------------------------------------------------------------------------------

    def trigger(self, job: str, /, **params: str) -> Handle:
        """Ask for a run of a job now, and return it; a parameter is `ROTA_PARAM_NAME` for a command."""
        texts = {name: text_of(name, value) for name, value in params.items()}
        with self._household.lock:
            run_id = self._household.verbs.trigger(job, texts)
        return Handle(self._household, run_id, self._check)

    def history(self, name: str | None = None, most: int = _MANY, state: str = "") -> list[Run]:
        """Return runs, newest first: of one job or of all, in one state, 'active', 'trouble' or any."""
        with self._household.lock:
            return self._household.questions.runs(name, state, None, most)

    def handle(self, run_id: str) -> Handle:
        """Return a run by its id."""
        with self._household.lock:
            if self._household.store.runs.find(run_id) is None:
                raise NoSuchRun(f"no run has the id {run_id!r}; it never had, or the run was pruned")
        return Handle(self._household, run_id, self._check)

    def cancel(self, reference: str, why: str = "cancelled by the program") -> list[Run]:
        """End a run, or all active runs of a job."""
        with self._household.lock:
            return self._household.verbs.cancel(reference, why)

    def set_pool(self, name: str, size: int) -> None:
        """Make or resize a pool: a named limit on how many runs go at once."""
        check_words(f"pool {name!r}", {"size": size})
        with self._household.lock:
            self._household.verbs.set_pool(name, size)

    # -- listening ----------------------------------------------------------------------------------------------------

    def on_success(self, listener: Listener, job: str | None = None) -> None:
        """Call a function with every run that succeeds, of one job or of all."""
        self._listeners.add(job, frozenset({State.SUCCEEDED.value}), listener)

    def on_failure(self, listener: Listener, job: str | None = None) -> None:
        """Call a function with every run that ends in any other way."""
        self._listeners.add(job, _TROUBLE, listener)

    # -- start and stop -----------------------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Tell whether the engine of this program turns."""
        background = self._household.background
        return background is not None and background.is_running

    def start(self, *, blocking: bool = False, patience: float = _PATIENCE) -> Scheduler:
        """Start the engine, in a thread; `blocking` waits for a stop, and Ctrl-C gives what runs `patience` seconds."""
        if self._closed:
            raise RotaError("this scheduler was closed; make another one")
        if self._household.background is None:
            self._stopped.clear()
            if not self._household.start():
                other = self._household.pid_of_engine
                self._household.log.info(
                    f"another engine (pid {other}) serves {self._household.home}; this program is a client of it"
                )
                mine = [line.stored.job for line in self.jobs() if line.stored.name in self._mine]
                warn_of_strangers(mine, self._household.home, self._household.log)
        if blocking:
            self._block(patience)
        return self

    def _block(self, patience: float) -> None:
        """Wait for a stop, and go through with it; the second Ctrl-C or SIGTERM ends what runs."""
        with heard_by(self._household.hurry) as heard:
            try:
                while not heard and not self._stopped.wait(_LOOK):
                    self._check()
            except KeyboardInterrupt:
                heard.append(signal.SIGINT)
            if heard:
                self._household.log.info(
                    f"stopping; what runs has {patience:g} seconds, and a second Ctrl-C or SIGTERM ends it"
                )
            self.stop(patience)

    def stop(self, timeout: timedelta | float | None = _PATIENCE, *, wait: bool = True) -> list[str]:
        """Start nothing more, give what runs its time, and return the runs that are left.

        In memory nothing outlives the scheduler, so what is left then is ended. On a home, processes go on and are
        taken over by the next engine. Whoever calls this while somebody else stops it waits for that, too.

        A job may stop its scheduler: that returns at once, and the job has its time as all others.
        """
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        if not isinstance(seconds, (int, float, type(None))):
            raise RotaError(f"timeout is {timeout!r}; give seconds, a timedelta, or None for as long as it takes")
        self._stopped.set()
        kill = self._household.in_memory
        if self._is_in_job():
            patience = seconds if wait else _PATIENCE
            threading.Thread(target=self._household.stop, args=(patience,), kwargs={"kill": kill}).start()
            return []
        return self._household.stop(seconds if wait else 0.0, kill=kill)

    def _is_in_job(self) -> bool:
        """Tell whether this is called by one of our own functions: to wait for all would be to wait for itself."""
        run = CALLING.get()
        return run is not None and self._household.calls(run.run_id)

    def close(self) -> None:
        """Stop, and let the store go; what was in memory is gone."""
        if self._is_in_job():
            threading.Thread(target=self.close).start()
            return
        with self._closing:
            if self._closed or not self._household.is_here:
                return
            self.stop()
            self._listeners.close()
            if self._notices is not None:
                self._notices.close()
            self._household.close()
            self._closed = True

    def __enter__(self) -> Scheduler:
        """Start in the background."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and close."""
        self.close()

    async def __aenter__(self) -> Scheduler:
        """Start in the background; coroutine functions run on the caller's own event loop."""
        import asyncio

        self._household.loop = asyncio.get_running_loop()
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and close, without holding up the loop."""
        import asyncio

        await asyncio.to_thread(self.close)
