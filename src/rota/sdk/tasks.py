"""`rota.task`: a function with retries, a timeout, an id, a log and hooks, to be called or to be scheduled.

Called directly, all of it happens here and now. Given to a scheduler, the engine does retries and timeout, so that they
are in the history, and what it calls is one attempt, with the hooks and the log around it.
"""

from __future__ import annotations

import functools
import inspect
import logging
import weakref
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack, cast, overload

import msgspec

from rota.errors import BadJob, TaskTimeout, did_you_mean
from rota.model.job import check_name, check_policy
from rota.model.policy import Policy, Retries
from rota.model.run import Run, State
from rota.sdk.attempts import OnLoop, Plain, run_attempt, run_directly
from rota.sdk.awaiting import driven, finished
from rota.sdk.deadlines import Deadline
from rota.sdk.functions import refuse_generator
from rota.sdk.hooks import LOG, Hook, Hooks, TaskInfo
from rota.sdk.options import Options, Span, check_words, read_span
from rota.sdk.runs import RunFailed
from rota.sdk.schedules import Retry

_P = ParamSpec("_P")
_R = TypeVar("_R")
_KILL_AFTER = 2.0
_FAILED = 1


class TaskOptions(TypedDict, total=False):
    """The words of `rota.task`."""

    name: str
    retries: int | Retry
    retry_delay: Span
    backoff: float
    timeout: Span
    kill_after: Span
    required: bool
    on_start: Hook
    on_error: Hook
    on_finish: Hook
    logger: logging.Logger | str


@overload
def task(function: Callable[_P, _R], /) -> Callable[_P, _R]: ...


@overload
def task(**options: Unpack[TaskOptions]) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]: ...


def task(function: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]) -> Any:
    """Make a task of a function: `@rota.task`, or `@rota.task(retries=3, timeout="30s")`. It is called as before.

    - `retries` [0] is a number or a `rota.Retry`; `retry_delay` [10 s] and `backoff` [2] are those of jobs. Any
      exception is tried again; Ctrl-C, an exit and a cancel are not. What is raised in the end is the last exception.
    - `timeout` [none]: each attempt runs in a process of its own, and at the timeout that and everything that it has
      started is ended: SIGTERM, `kill_after` [2 s] later SIGKILL. The call raises `rota.TaskTimeout`, and then nothing
      of it is alive. Arguments and result go by value (`cloudpickle`). What cannot be sent runs in a thread, with a
      warning; its timeout ends the wait, but the thread goes on.
    - `required` [True]: False logs the final failure, and the call returns None.
    - `on_start(info)`, `on_error(info, error)`, `on_finish(info)` are called with as many arguments as they take, and
      may be coroutine functions. What they do wrong is logged and changes no result. `info` is a `rota.TaskInfo`.
    - `name` [the function's], `logger` [`rota.task`]: each step is a record with the fields `event`, `task`, `task_id`,
      `attempt`, `duration` and `error`. Nothing is printed unless your logging says so.

    `rota.task_id()` is the id of the task that the present code works for.

    A scheduler (`rota.job`, in either order, or `Scheduler.add`) takes retries and timeout from the task where the job
    does not say its own; the engine does both, `required` means nothing there, and the id is that of the run. Hooks
    are called where the attempt is: in the program, or in the process of its own that a timeout gives it. Of an attempt
    that was killed (a timeout, a cancel, a crash) nothing can be told there; when the run ends so, every program that
    has added the task to its scheduler is told by its `on_error` and `on_finish`.
    """
    if function is None:
        return functools.partial(_made, options=options)
    return _made(function, options)


class Task:
    """What is known of a function that is a task; the function itself has it as `__rota_task__`."""

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
        self.name, self.function = options.get("name") or name_of(function), function
        policy = _policy(self.name, options)
        self.retries = policy.retries
        self.deadline: Deadline | None = None
        if policy.timeout is not None:
            self.deadline = Deadline(policy.timeout.total_seconds(), policy.kill_after.total_seconds())
        self.required = bool(options.get("required", True))
        self.hooks = _hooks(self.name, options)
        self.call: Callable[..., Any] = function
        """What stands in the function's place."""
        self.attempt: Callable[..., Any] = function
        """What an engine calls: see rota.call.attempt_of."""

    def policy_for(self, options: Options) -> Options:
        """Return a job's options, with the task's retries and timeout where the job does not say its own."""
        found = cast("Options", dict(options))
        if self.retries.count:
            found.setdefault("retries", _as_retry(self.retries))
        if self.deadline is not None:
            if "timeout" not in found:
                found.setdefault("kill_after", self.deadline.kill_after)
            found.setdefault("timeout", self.deadline.timeout)
        return found

    def tell_end(self, run: Run, retries: int) -> None:
        """Tell the hooks how a run ended, where its last attempt could not."""
        told_failure = run.state is State.FAILED and run.exit_code == _FAILED and not run.reason.startswith("exit code")
        if told_failure and run.attempt > retries:
            return
        error = TaskTimeout(run.reason) if run.state is State.TIMED_OUT else RunFailed(run)
        info = TaskInfo(self.name, run.id, run.attempt, run.duration or 0.0, error, run_id=run.id)
        if not told_failure:
            driven(self.hooks.failed(info, _finish))
        driven(self.hooks.ended(info, _finish))


async def _finish(awaitable: Any) -> Any:
    return finished(awaitable)


def task_of(function: Any) -> Task | None:
    """Return what is known of a task; None for what is none, such as a decorator around one."""
    found = getattr(function, "__rota_task__", None)
    return found if isinstance(found, Task) and found.call is function else None


def name_of(function: object) -> str:
    """Return what a function is called: a task by its own name."""
    known = task_of(function)
    return known.name if known is not None else str(getattr(function, "__name__", None) or type(function).__name__)


def stand_in(made: Callable[..., Any], call: Callable[..., Any]) -> Callable[..., Any]:
    """Let another function stand in a task's place, and return it: a scheduler knows it as the task."""
    known = task_of(made)
    assert known is not None, "only a task has a place"
    known.call = call
    call.__dict__["__rota_task__"] = known
    return call


# -- the other order: @rota.task above @rota.job ----------------------------------------------------------------------

_FOLLOWERS: weakref.WeakKeyDictionary[Callable[..., Any], list[Callable[[Callable[..., Any]], object]]] = (
    weakref.WeakKeyDictionary()
)


def when_made_a_task(function: Callable[..., Any], follower: Callable[[Callable[..., Any]], object]) -> None:
    """Let somebody who was given a function know when it is made a task afterwards."""
    if inspect.isfunction(function) and task_of(function) is None:
        _FOLLOWERS.setdefault(function, []).append(follower)


# -- making one -------------------------------------------------------------------------------------------------------


def _made(function: Callable[..., Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    made = Task(_checked(function), options)
    call = made.call = _coroutine_functions(made) if inspect.iscoroutinefunction(function) else _functions(made)
    functools.update_wrapper(call, function)
    call.__dict__["__rota_task__"] = made
    if inspect.isfunction(function):
        for follower in _FOLLOWERS.pop(function, ()):
            follower(call)
    return call


def _functions(made: Task) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return driven(run_directly(made, Plain(), args, kwargs))

    def attempt(*args: Any, **kwargs: Any) -> Any:
        return driven(run_attempt(made, Plain(), args, kwargs))

    made.attempt = attempt
    return call


def _coroutine_functions(made: Task) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        return await run_directly(made, OnLoop(), args, kwargs)

    async def attempt(*args: Any, **kwargs: Any) -> Any:
        return await run_attempt(made, OnLoop(), args, kwargs)

    made.attempt = attempt
    return call


def _checked(function: Any) -> Callable[..., Any]:
    if isinstance(function, (classmethod, staticmethod)):
        kind = type(function).__name__
        raise BadJob(f"rota.task stands above @{kind} of {name_of(function)}; put it below, next to the function")
    if not callable(function):
        raise BadJob(f"rota.task makes a task of a function, and {function!r} is none; write @rota.task(retries=3)")
    refuse_generator(function, name_of(function))
    return cast("Callable[..., Any]", function)


def _policy(name: str, options: Mapping[str, Any]) -> Policy:
    """Return the policy that the words say; what cannot mean anything is refused where the task is made."""
    what = f"task {name!r}"
    unknown = next((word for word in options if word not in TaskOptions.__annotations__), None)
    if unknown is not None:
        near = did_you_mean(unknown, TaskOptions.__annotations__)
        known = ", ".join(TaskOptions.__annotations__)
        raise BadJob(f"{what}: there is no option {unknown!r}{near or f'; there are: {known}'}")
    given = {word: value for word, value in options.items() if value is not None}
    check_words(what, given)
    check_name(name)
    tries = given.get("retries", 0)
    retries = tries.retries() if isinstance(tries, Retry) else Retries(count=tries)
    if "retry_delay" in given:
        retries = msgspec.structs.replace(retries, delay=read_span(what, "retry_delay", given))
    if "backoff" in given:
        retries = msgspec.structs.replace(retries, backoff=float(given["backoff"]))
    policy = Policy(
        retries=retries,
        timeout=read_span(what, "timeout", given) if "timeout" in given else None,
        kill_after=read_span(what, "kill_after", {"kill_after": _KILL_AFTER, **given}),
    )
    check_policy(what, policy)
    return policy


def _hooks(name: str, options: Mapping[str, Any]) -> Hooks:
    hooks = {word: options.get(word) for word in ("on_start", "on_error", "on_finish")}
    for word, hook in hooks.items():
        if hook is not None and not callable(hook):
            raise BadJob(f"task {name!r}: {word} is {hook!r}, which cannot be called; give a function")
    logger = options.get("logger") or LOG
    return Hooks(logging.getLogger(logger) if isinstance(logger, str) else logger, **hooks)


def _as_retry(retries: Retries) -> Retry:
    return Retry(
        retries.count, retries.delay, retries.backoff, retries.max_delay, retries.jitter, tuple(retries.only_on)
    )
