"""How a scheduler ends: by two at once, from within its own jobs, by signals, by the end of the program."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import closing
from functools import partial

import pytest

from rota import EngineNotRunning, RotaError, Scheduler, State

from .conftest import until
from .test_functions import alive


def test_what_goes_on_after_the_end_writes_into_nobody_s_files(home, tmp_path):
    over = threading.Event()
    scheduler = Scheduler(home).start()
    scheduler.add(over.wait, "nap", args=[20])
    handle = scheduler.trigger("nap")
    until(lambda: handle.state is State.RUNNING, "it runs")
    scheduler.stop(timeout=0)
    files = [open(tmp_path / str(number), "w+b") for number in range(30)]  # noqa: SIM115 -- they take free numbers
    over.set()
    until(
        lambda: not any(thread.name == "rota nap" for thread in threading.enumerate()), "its thread goes on to its end"
    )
    written = [file.read() for file in files]
    for file in files:
        file.close()
    scheduler.close()
    assert {b""} == set(written)


@pytest.mark.parametrize("durable", [False, True])
def test_of_two_who_stop_the_second_waits_for_the_first(home, durable):
    scheduler = Scheduler(home if durable else None).start()
    scheduler.add(lambda: time.sleep(1), "short")
    handle = scheduler.trigger("short")
    until(lambda: handle.state is State.RUNNING, "it runs")
    threads = [threading.Thread(target=scheduler.stop) for _ in range(3)]
    for thread in threads:
        thread.start()
    scheduler.stop()
    assert State.SUCCEEDED == handle.state
    for thread in threads:
        thread.join()
    closers = [threading.Thread(target=scheduler.close) for _ in range(3)]
    for thread in closers:
        thread.start()
    for thread in closers:
        thread.join()


def test_a_job_may_stop_its_scheduler_and_comes_to_its_end(program):
    program.write(
        """
        import rota
        scheduler = rota.Scheduler("home")
        @scheduler.job(every="0.2s")
        def tick():
            scheduler.stop(wait=False)
            return "to the end"
        scheduler.start(blocking=True)
        print("over")
        """
    )
    assert "over\n" == program.run()
    with closing(Scheduler(program.folder / "home")) as client:
        [run] = client.history("tick")
        assert (State.SUCCEEDED, "to the end") == (run.state, client.handle(run.id).result())
    assert "over\n" == program.run(), "and the next start finds nothing lost"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_what_runs(program, number):
    program.write(
        """
        import os, time, rota
        def patient():
            open("pid.new", "w").write(str(os.getpid()))
            os.rename("pid.new", "pid")
            time.sleep(60)
        scheduler = rota.Scheduler().start()
        scheduler.add(patient, timeout="1h")
        scheduler.trigger("patient")
        while not os.path.exists("pid"):
            time.sleep(0.01)
        print("begins", flush=True)
        scheduler.start(blocking=True)
        print("over", flush=True)
        """
    )
    running = program.start()
    assert "begins\n" == running.stdout.readline()
    pid = int((program.folder / "pid").read_text())
    until(lambda: _handles(running.pid, signal.SIGTERM), "it waits for a signal")
    running.send_signal(number)
    time.sleep(0.3)
    running.send_signal(number)
    said, _ = running.communicate(timeout=8)
    assert (0, "over") == (running.returncode, said.splitlines()[-1]), said
    assert not alive(pid)


def _handles(pid: int, number: int) -> bool:
    """Tell whether a process handles a signal."""
    with open(f"/proc/{pid}/status") as file:
        caught = next(line.split()[1] for line in file if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_a_killed_program_takes_a_function_s_own_process_with_it(program):
    program.write(
        """
        import os, subprocess, time, rota
        def work():
            child = subprocess.Popen(["sleep", "60"])
            open("pids.new", "w").write(f"{os.getpid()} {child.pid}")
            os.rename("pids.new", "pids")
            time.sleep(60)
        scheduler = rota.Scheduler().start()
        scheduler.add(work, timeout="1h")
        scheduler.trigger("work")
        time.sleep(60)
        """
    )
    program.env["TMPDIR"] = str(program.folder)
    running = program.start()
    until((program.folder / "pids").exists, "it runs")
    pids = list(map(int, (program.folder / "pids").read_text().split()))
    running.kill()
    until(lambda: not any(alive(pid) for pid in pids), "they end")


def test_after_the_end_every_call_says_that_it_is_closed(home):
    for scheduler in (Scheduler().start(), Scheduler(home)):
        scheduler.add("true")
        scheduler.close()
        calls = scheduler.jobs, scheduler.start, partial(scheduler.trigger, "true"), partial(scheduler.add, "true", "b")
        for call in calls:
            with pytest.raises(RotaError, match="this scheduler was closed; make another one"):
                call()
        scheduler.close()


def test_whoever_would_wait_for_ever_is_told(home):
    scheduler = Scheduler()
    scheduler.add("true")
    with pytest.raises(EngineNotRunning, match="this scheduler is not started"):
        scheduler.trigger("true").wait()
    scheduler.close()
    with closing(Scheduler(home)) as client:
        client.add("true")
        with pytest.raises(EngineNotRunning, match=r"no engine serves .*; start this scheduler, or `rota serve`"):
            client.trigger("true").wait()


def test_to_wait_where_the_functions_run_is_refused():
    import asyncio

    async def main() -> None:
        async with Scheduler() as scheduler:
            scheduler.add(lambda: asyncio.sleep(0), "nap")
            handle = scheduler.trigger("nap")
            with pytest.raises(RotaError, match=r"holds up the event loop .* await handle"):
                handle.wait()
            await handle

    asyncio.run(main())


def test_an_exception_that_cannot_be_shown_is_one_all_the_same(scheduler):
    class Bad(Exception):
        def __str__(self) -> str:
            return self.args[1]

    class Odd(dict):
        def items(self):
            raise OSError("no")

    def fail() -> None:
        raise Bad("x")

    async def fail_later() -> None:
        raise ValueError("caf\udce9.txt")

    scheduler.add(fail)
    scheduler.add(fail_later)
    scheduler.add(lambda: Odd(a=1), "odd")
    scheduler.add(lambda: "a\udcff", "half")
    runs = {name: scheduler.trigger(name).wait(10) for name in ("fail", "fail_later", "odd", "half")}
    assert "Bad (its text cannot be shown: IndexError)" == runs["fail"].reason
    assert r"ValueError: caf\udce9.txt" == runs["fail_later"].reason
    assert [State.FAILED, State.FAILED] == [runs[name].state for name in ("fail", "fail_later")]
    assert [State.SUCCEEDED, State.SUCCEEDED] == [runs[name].state for name in ("odd", "half")]
    for name in ("odd", "half"):
        assert "the result cannot be kept as JSON" in runs[name].reason


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_that_a_function_lets_come_back_ends_as_anywhere_else(scheduler):
    def fork(code: int | None) -> int:
        child = os.fork()
        if not child:
            if code is None:
                return 0
            raise SystemExit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    scheduler.add(fork, "returns", args=[None])
    scheduler.add(fork, "exits", args=[3])
    assert [0, 3] == [scheduler.trigger(name).result(20) for name in ("returns", "exits")]


def test_a_listener_that_exits_silences_nobody(scheduler, caplog):
    heard = []

    def leave(_run: object) -> None:
        raise SystemExit(1)

    async def later(run: object) -> None:
        heard.append(run)

    scheduler.on_success(leave)
    scheduler.on_success(later)
    scheduler.add("true")
    for _ in range(2):
        scheduler.trigger("true").wait(10)
    until(lambda: len(heard) == 2, "the other one hears of both, and is awaited")
    assert "leave failed: SystemExit: 1" in caplog.text
    with pytest.raises(RotaError, match="5 cannot be called; give a function that takes a run"):
        scheduler.on_success(5)
