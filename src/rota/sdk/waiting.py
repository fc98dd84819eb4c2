"""What whoever waits relies on: that there is something to wait for, and that a stop is heard."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from rota.errors import EngineNotRunning, RotaError
from rota.sdk.awaiting import running_loop

if TYPE_CHECKING:
    from rota.wiring.inside import Household


def check_that_it_goes_on(household: Household) -> None:
    """Raise when whoever waits for a run would wait for ever."""
    background = household.background
    if background is not None:
        if background.broken is not None:
            raise RotaError("the engine has ended by a fault; see the log") from background.broken
        if household.loop is not None and household.loop is running_loop():
            raise RotaError("to wait here holds up the event loop that the functions run on; write: await handle")
    elif household.in_memory:
        raise EngineNotRunning(
            "nothing runs, because this scheduler is not started; call start(), or use it in a `with`"
        )
    elif household.is_unserved():
        raise EngineNotRunning(f"no engine serves {household.home}; start this scheduler, or `rota serve`")


@contextmanager
def heard_by(hurry: Callable[[], None]) -> Iterator[list[int]]:
    """Hear Ctrl-C and SIGTERM for a while, where nobody else in the program does; the second one hurries.

    A handler of signals may run between any two steps of the main thread, so it takes no lock.
    """
    heard: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        heard.append(number)
        if len(heard) > 1:
            hurry()

    ours = threading.current_thread() is threading.main_thread()
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.getsignal(number) for number in usual if ours}
    taken = [number for number, handler in before.items() if handler is usual[number]]
    for number in taken:
        signal.signal(number, hear)
    try:
        yield heard
    finally:
        for number in taken:
            signal.signal(number, before[number])
