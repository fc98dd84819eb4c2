"""`rota.task` with a timeout: a process for each attempt, of which nothing is left when the call is over."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import rota
from rota.process.identity import is_zombie

from .conftest import until


def is_alive(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}") and not is_zombie(pid)


def writer(folder: Path) -> Callable[[], None]:
    """Return a function that would write after three seconds, as would its child and a daemon that it makes."""

    def late() -> None:
        child = subprocess.Popen(["sh", "-c", f"sleep 3; touch {folder}/late-child"])
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                (folder / "daemon").write_text(f"{os.getpid()}")
                time.sleep(3)
                (folder / "late-daemon").touch()
            os._exit(0)
        (folder / "pids").write_text(f"{os.getpid()} {child.pid}")
        time.sleep(3)
        (folder / "late").touch()

    return late


def test_at_the_timeout_nothing_is_written_and_nobody_is_left(tmp_path):
    begun = time.monotonic()
    with pytest.raises(rota.TaskTimeout, match="task 'late' took longer than 1s") as raised:
        rota.task(timeout=1)(writer(tmp_path))()
    assert isinstance(raised.value, TimeoutError)
    assert isinstance(raised.value, rota.RotaError)
    # On a very busy machine some of them have not even begun, and then there is nothing that could be left.
    begun_ones = [path for path in (tmp_path / "pids", tmp_path / "daemon") if path.exists()]
    pids = [pid for path in begun_ones for pid in path.read_text().split()]
    assert [] == [pid for pid in pids if is_alive(int(pid))]
    until(lambda: time.monotonic() - begun > 3.5, "the time when all would have written")
    assert [] == list(tmp_path.glob("late*"))


def test_each_attempt_has_a_timeout_of_its_own(tmp_path):
    errors: list[type] = []

    @rota.task(timeout=0.5, retries=1, retry_delay=0, on_error=lambda info, error: errors.append(type(error)))
    def work() -> None:
        time.sleep(60)

    with pytest.raises(rota.TaskTimeout):
        work()
    assert [rota.TaskTimeout] * 2 == errors


def test_the_process_has_the_task_s_id_and_the_program_s_output(capfd):
    ids: list[str] = []

    @rota.task(timeout=30, on_start=lambda info: ids.append(info.task_id))
    def work() -> str | None:
        sys.stdout.write("out of the process\n")
        return rota.task_id()

    assert [work()] == ids
    assert "out of the process\n" == capfd.readouterr().out


def test_a_program_s_own_classes_are_the_same_after_the_way_back(program):
    program.write(
        """
        import rota

        class Mine(Exception):
            def told(self):
                return f"told by {tellers}"

        class Point:
            def __init__(self, x):
                self.x = x

        tellers = 1

        @rota.task(timeout=30)
        def work(point, fails=False):
            if fails:
                raise Mine("no")
            return Point(point.x + 1), Point

        if __name__ == "__main__":
            point, kind = work(Point(1))
            print(isinstance(point, Point), kind is Point, point.x)
            try:
                work(Point(1), fails=True)
            except Mine as error:
                tellers = 2
                print(error.told())
        """
    )
    assert "True True 2\ntold by 2\n" == program.run()


def test_a_module_s_task_is_imported_by_its_process(program):
    program.write(
        """
        import threading, rota

        lock = threading.Lock()  # what cannot be sent need not be

        @rota.task(timeout=30, on_finish=lambda info: finished.append(info.result))
        def work(a, b=2):
            with lock:
                return a + b

        finished = []
        """,
        "parts.py",
    )
    program.write(
        """
        import warnings
        warnings.simplefilter("error")
        import parts
        print(parts.work(1), parts.work(1, b=3), parts.finished)
        """
    )
    assert "3 4 [3, 4]\n" == program.run()


def test_what_cannot_be_sent_runs_in_a_thread_and_the_warning_says_so():
    lock = threading.Lock()
    let_go = threading.Event()

    @rota.task(timeout=0.2)
    def work() -> None:
        with lock:
            let_go.wait(60)

    with (
        pytest.warns(
            RuntimeWarning, match=r"task 'work': its function cannot be sent .* so it runs in a thread"
        ) as warned,
        pytest.raises(rota.TaskTimeout, match="its thread could not be ended"),
    ):
        work()
    assert __file__ == warned[0].filename
    assert lock.locked(), "it goes on"
    let_go.set()


def test_a_coroutine_that_cannot_be_sent_is_cancelled():
    async def main() -> list[str]:
        lock, ends = threading.Lock(), []

        @rota.task(timeout=0.2)
        async def work() -> None:
            with lock:
                try:
                    await asyncio.sleep(60)
                finally:
                    ends.append(open)

        with (
            pytest.warns(RuntimeWarning, match="cannot be sent"),
            pytest.raises(rota.TaskTimeout, match="it was cancelled"),
        ):
            await work()
        return ends

    assert [open] == asyncio.run(main())


def test_many_calls_go_at_once_from_many_threads():
    @rota.task(timeout=60)
    def work(number: int) -> tuple[int, int]:
        return number, os.getpid()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(16)))
    assert list(range(16)) == [number for number, _ in found]
    assert 16 == len({pid for _, pid in found})


def test_a_coroutine_in_its_process_holds_up_no_loop():
    @rota.task(timeout=60)
    async def work(number: int) -> tuple[int, str | None]:
        await asyncio.sleep(0.5)
        return number, rota.task_id()

    async def main() -> tuple[list[tuple[int, str | None]], int]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.01)
                beats += 1

        beating = asyncio.create_task(beat())
        found = await asyncio.gather(*map(work, range(3)))
        beating.cancel()
        return found, beats

    found, beats = asyncio.run(main())
    assert [0, 1, 2] == [number for number, _ in found]
    assert 3 == len({task_id for _, task_id in found})
    assert beats > 5


def test_whoever_is_cancelled_leaves_nothing(tmp_path):
    late = writer(tmp_path)

    @rota.task(timeout=60, kill_after=0.3)
    async def work() -> None:
        late()

    async def main() -> None:
        task = asyncio.create_task(work())
        while not (tmp_path / "pids").exists() or not (tmp_path / "daemon").exists():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        pids = [*(tmp_path / "pids").read_text().split(), (tmp_path / "daemon").read_text()]
        assert [] == [pid for pid in pids if is_alive(int(pid))]

    asyncio.run(main())


PROGRAM = """
    import os, subprocess, sys, time
    import rota

    @rota.task(timeout=300, kill_after=0.3, retries=3)
    def work():
        child = subprocess.Popen(["sleep", "300"], start_new_session=True)
        print(os.getpid(), child.pid, flush=True)
        time.sleep(300)

    def main():
        work()

    if __name__ == "__main__":
        main()
"""


ASYNC = PROGRAM.replace("def work", "async def work").replace("        work()", "        asyncio.run(work())")
ASYNC = ASYNC.replace("import os,", "import asyncio, os,")


@pytest.mark.parametrize("text", [PROGRAM, ASYNC], ids=["plain", "async"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "stopped with Ctrl-C"])
def test_a_caller_that_is_gone_leaves_nothing(program, number, text):
    program.write(text)
    caller = program.start()
    pids = [int(word) for word in caller.stdout.readline().split()]
    assert 2 == len(pids)
    caller.send_signal(number)
    said = caller.communicate(timeout=30)[0]
    assert number != signal.SIGINT or "KeyboardInterrupt" in said
    until(lambda: not any(map(is_alive, pids)), "the end of all of it")


def test_a_caller_whose_fork_holds_on_to_everything_leaves_nothing(program):
    forks = """
    import threading

    def main():
        threading.Thread(target=work, daemon=True).start()
        while not os.path.exists("begun"):
            time.sleep(0.01)
        if os.fork() == 0:
            os.close(1)
            os.close(2)
            with open("fork", "w") as file:
                file.write(str(os.getpid()))
        time.sleep(300)

    if"""
    program.write(
        PROGRAM.replace("        child", '        open("begun", "w").close()\n        child').replace(
            "    if", forks, 1
        )
    )
    caller, forked = program.start(), program.folder / "fork"
    pids = [int(word) for word in caller.stdout.readline().split()[-2:]]
    until(lambda: forked.exists() and forked.read_text(), "there is a fork")
    fork = int(forked.read_text())
    try:
        caller.send_signal(signal.SIGKILL)
        until(lambda: not any(map(is_alive, pids)), "the end of all of it")
        assert is_alive(fork)
    finally:
        os.kill(fork, signal.SIGKILL)
