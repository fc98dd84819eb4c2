"""A run in the hands of a program: waited for, looked at, ended."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import msgspec

from rota.errors import NoSuchRun, NotKept, RotaError
from rota.model.run import FINAL, Attempt, Run, State

if TYPE_CHECKING:
    from rota.wiring.inside import Household

_OF_A_RESULT = "the result "
"""How a run's reason begins where a result was not kept: see call.as_text and launcher.bounded."""
_LOOK = 0.2
_LOOK_AS_CLIENT = 0.05


class RunFailed(RotaError):
    """A run that was waited for did not succeed; `run` is the run."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"run {run.id} of {run.job} {run.state.words}: {run.reason or 'no reason is known'}")
        self.run = run


class Handle:
    """One run: `wait` for it, or `await` it; then ask for its result."""

    def __init__(self, household: Household, run_id: str, check: Callable[[], None]) -> None:
        self._household = household
        self._check = check
        self.id = run_id

    def __repr__(self) -> str:
        """Return what a person at a prompt wants to see."""
        run = self.run
        return f"<run {run.id} of {run.job}: {run.state}>"

    @property
    def run(self) -> Run:
        """The run as it is now."""
        with self._household.lock:
            found = self._household.store.runs.find(self.id)
        if found is None:
            raise NoSuchRun(f"run {self.id} is not there any more: it was pruned")
        return found

    @property
    def state(self) -> State:
        """What the run is doing, or how it ended."""
        return self.run.state

    @property
    def is_done(self) -> bool:
        """Tell whether the run has come to its end."""
        return self.run.state in FINAL

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until the run has ended, and return it; raises TimeoutError when that takes longer.

        Its own failure is no exception here: look at `state`, or call `result`.
        """
        clock, deadline = self._household.clock, None
        if timeout is not None:
            deadline = clock.monotonic() + timeout
        while True:
            run = self.run
            if run.state in FINAL:
                return run
            self._check()
            left = None if deadline is None else deadline - clock.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(f"run {self.id} of {run.job} is still {run.state} after {timeout:g}s")
            self._rest(left)

    def _rest(self, left: float | None) -> None:
        background = self._household.background
        if background is None:
            self._household.clock.sleep(_LOOK_AS_CLIENT if left is None else min(left, _LOOK_AS_CLIENT))
            return
        with background.turned:
            if self.run.state not in FINAL:
                background.turned.wait(_LOOK if left is None else min(left, _LOOK))

    def __await__(self) -> Generator[Any, None, Run]:
        """Wait without holding up the event loop."""
        import asyncio

        return asyncio.to_thread(self.wait).__await__()

    def result(self, timeout: float | None = None) -> Any:
        """Wait, and return what the function returned.

        Raises RunFailed when the run did not succeed, and NotKept when it did but its result could not be kept.
        """
        run = self.wait(timeout)
        if run.state is not State.SUCCEEDED:
            raise RunFailed(run)
        return result_of(run)

    def output(self, stream: str = "stdout", attempt: int | None = None) -> str:
        """Return what an attempt of the run (the last one, unless you say which) has written, as far as it was kept."""
        run = self.run
        with self._household.lock:
            parts = self._household.store.runs.output(run.id, run.attempt if attempt is None else attempt)
        return "".join((part.head + part.tail).decode(errors="replace") for part in parts if part.stream == stream)

    def attempts(self) -> list[Attempt]:
        """Return the run's attempts that have ended, the last one, too, once it has."""
        with self._household.lock:
            earlier = self._household.store.runs.attempts(self.id)
        run = self.run
        if run.state not in FINAL or run.ended_at is None:
            return earlier
        last = Attempt(
            run.id, run.attempt, run.state, run.host, run.started_at, run.ended_at, run.exit_code, run.reason
        )
        return [*earlier, last]

    def cancel(self, why: str = "cancelled by the program") -> None:
        """Ask the run to end."""
        with self._household.lock:
            self._household.verbs.cancel(self.id, why)


def result_of(run: Run) -> Any:
    """Return what the function of a run that has succeeded returned."""
    if run.result is not None:
        return msgspec.json.decode(run.result)
    if run.reason.startswith(_OF_A_RESULT):
        raise NotKept(
            f"run {run.id} of {run.job} succeeded, but what it returned is not there: {run.reason}; "
            "return what JSON can hold, or write it to a file and return its name"
        )
    return None
