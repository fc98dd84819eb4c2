"""A scheduler inside of a program: functions in threads, on a loop and in processes; jobs that come and go."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

import rota
from rota import At, Calendar, Cron, Every, Priority, Retry, RotaError, RunFailed, Scheduler, State

from .conftest import until

CALLED: list[str] = []


def double(number: int = 2) -> int:
    return 2 * number


async def later(word: str = "later") -> str:
    await asyncio.sleep(0.01)
    return word


def fail() -> None:
    raise ValueError("boom")


def note_when_late(path: str) -> None:
    Path(path + ".pid").write_text(str(os.getpid()))
    time.sleep(3)
    Path(path).write_text("late")


def leave_a_child(path: str) -> None:
    child = subprocess.Popen(["sleep", "60"])
    Path(path).write_text(str(child.pid))
    child.wait()


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_function_runs_when_it_is_triggered_and_its_result_is_in_the_run(scheduler):
    assert "double" == scheduler.add(double)
    handle = scheduler.trigger("double")
    assert (4, State.SUCCEEDED) == (handle.result(10), handle.state)


def test_arguments_are_given_to_the_function(scheduler):
    scheduler.add(double, args=[21])
    scheduler.add(later, kwargs={"word": "now"})
    assert (42, "now") == (scheduler.trigger("double").result(10), scheduler.trigger("later").result(10))


def test_what_a_store_cannot_keep_is_given_to_the_function_all_the_same(scheduler):
    found = []
    scheduler.add(found.append, "collect", args=[threading.main_thread()])
    scheduler.trigger("collect").wait(10)
    assert [threading.main_thread()] == found


def test_an_exception_is_in_the_run_with_its_type_its_message_and_its_traceback(scheduler):
    scheduler.add(fail)
    handle = scheduler.trigger("fail")
    run = handle.wait(10)
    assert (State.FAILED, 1, "ValueError: boom") == (run.state, run.exit_code, run.reason)
    assert "in fail\n    raise ValueError" in handle.output("stderr")
    with pytest.raises(RunFailed, match="ValueError: boom") as told:
        handle.result()
    assert run.id == told.value.run.id


@pytest.mark.parametrize("apart", [False, True])
def test_a_result_that_cannot_be_kept_does_not_fail_its_run(scheduler, apart):
    scheduler.add(lambda: "x" * 300_000, "long", apart=apart)
    scheduler.add(lambda: {1, 2}, "set", apart=apart)
    for name, note in (("long", "longer than 262144 characters and was not kept"), ("set", "cannot be kept as JSON")):
        handle = scheduler.trigger(name)
        assert (None, State.SUCCEEDED) == (handle.result(20), handle.state)
        assert note in handle.run.reason


def test_threads_are_used_again_and_a_thread_that_hangs_is_in_nobody_s_way(scheduler):
    end, names = threading.Event(), set()
    scheduler.add(lambda: end.wait(30), "hangs")
    scheduler.add(lambda: names.add(threading.get_ident()), "quick")
    scheduler.trigger("hangs")
    for _ in range(20):
        scheduler.trigger("quick").wait(10)
    end.set()
    assert len(names) < 20


def test_a_due_function_is_called_at_each_slot(scheduler):
    seen = []
    scheduler.add(lambda: seen.append(rota.calling().slot), "often", every="0.2s")
    until(lambda: len(seen) >= 4, "it is called four times")
    steps = {round((later - earlier).total_seconds(), 3) for earlier, later in pairwise(seen)}
    assert {0.2} == steps


def test_a_function_with_a_timeout_is_really_ended_and_so_is_its_child(scheduler, tmp_path):
    late, pid = tmp_path / "late", tmp_path / "pid"
    scheduler.add(note_when_late, args=[str(late)], timeout=1)
    scheduler.add(leave_a_child, args=[str(pid)], timeout=1)
    runs = [scheduler.trigger(name).wait(20) for name in ("note_when_late", "leave_a_child")]
    assert [State.TIMED_OUT] * 2 == [run.state for run in runs]
    assert not alive(int(pid.read_text()))
    assert not alive(int(Path(f"{late}.pid").read_text()))
    assert not late.exists(), "and nobody is left who could write it"


def test_a_function_with_variables_a_directory_or_a_umask_has_a_process_of_its_own(scheduler, tmp_path):
    def told() -> list[str]:
        os.write(1, os.environ["TOKEN"].encode())
        Path("made").touch()
        return [os.environ["WORD"], os.environ["TOKEN"], os.getcwd(), oct(Path("made").stat().st_mode & 0o777)]

    (tmp_path / "token").write_text("s3cret-token\n")
    (tmp_path / "vars").write_text("WORD=from a file\n")
    token = rota.Secret(f"file:{tmp_path}/token")
    scheduler.add(told, env={"TOKEN": token}, env_file=tmp_path / "vars", cwd=tmp_path, umask=0o077)
    handle = scheduler.trigger("told")
    assert ["from a file", "***", str(tmp_path), "0o600"] == handle.result(20), handle.output("stderr")
    assert "***" == handle.output()
    assert "TOKEN" not in os.environ


def test_a_place_of_a_secret_that_cannot_be_one_is_refused(scheduler):
    with pytest.raises(RotaError, match=r"'keyrig:a/b' is no place of a secret; write .*; did you mean 'keyring'\?"):
        scheduler.add(double, env={"TOKEN": rota.Secret("keyrig:a/b")})


def test_a_closure_is_sent_to_a_process_by_value(scheduler):
    number = 21
    scheduler.add(lambda: (number * 2, os.getpid()), "closure", timeout="10s")
    result, pid = scheduler.trigger("closure").result(20)
    assert 42 == result
    assert os.getpid() != pid


def test_what_cannot_be_sent_runs_in_a_thread_with_a_warning_that_says_what_that_means(scheduler):
    lock = threading.Lock()

    def locked() -> int:
        with lock:
            return os.getpid()

    with pytest.warns(RuntimeWarning, match=r"cannot be sent to a process .* a timeout ends its run, but cannot end"):
        scheduler.add(locked, timeout="10s")
    assert os.getpid() == scheduler.trigger("locked").result(10)


def test_a_thread_that_is_cancelled_is_asked_and_then_left_to_itself(scheduler):
    asked, end = threading.Event(), threading.Event()

    def stubborn() -> None:
        calling = rota.calling()
        until(calling.cancelled, "somebody asks")
        asked.set()
        end.wait(20)

    scheduler.add(stubborn, kill_after="0.2s")
    handle = scheduler.trigger("stubborn")
    until(lambda: handle.state is State.RUNNING, "it runs")
    handle.cancel()
    run = handle.wait(10)
    end.set()
    assert asked.is_set()
    assert State.CANCELLED == run.state
    assert "its thread could not be ended" in run.reason


def test_a_coroutine_is_cancelled_at_once(scheduler):
    ended = []

    async def patient() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    scheduler.add(patient)
    handle = scheduler.trigger("patient")
    until(lambda: handle.state is State.RUNNING, "it runs")
    handle.cancel()
    assert (State.CANCELLED, [True]) == (handle.wait(10).state, ended)


def test_commands_run_beside_the_program(scheduler):
    scheduler.add("echo $ROTA_PARAM_word; exit 3", "shell")
    scheduler.add([sys.executable, "-c", "print('words')"], "words")
    shell = scheduler.trigger("shell", word="hello")
    assert (3, "hello\n") == (shell.wait(10).exit_code, shell.output())
    words = scheduler.trigger("words")
    assert (0, "words\n") == (words.wait(10).exit_code, words.output())


def test_retries_follow_their_pauses(scheduler):
    scheduler.add(fail, retries=Retry(2, delay="0.1s", backoff=2, jitter=0))
    handle = scheduler.trigger("fail")
    assert 3 == handle.wait(20).attempt
    first, second, third = handle.attempts()
    assert 0.1 <= (second.started_at - first.ended_at).total_seconds()
    assert 0.2 <= (third.started_at - second.ended_at).total_seconds()


def test_schedules_are_texts_or_typed_values(scheduler):
    scheduler.add(double, "a", cron="0 9 * * mon-fri", timezone="Europe/Berlin")
    scheduler.add(double, "b", schedule=[Cron("0 9 * * mon-fri"), Every("1h"), At("2030-01-31 10:00")], timezone="UTC")
    scheduler.add(double, "c", calendar=Calendar("Mon..Fri 09:00"), priority=Priority.HIGH, timezone="UTC")
    kinds = {line.stored.name: [spec.kind for spec in line.stored.job.schedules] for line in scheduler.jobs()}
    assert {"a": ["cron"], "b": ["cron", "every", "at"], "c": ["calendar"]} == kinds
    assert Priority.HIGH == scheduler.get("c").stored.job.policy.priority


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cron": "61 * * * *"}, "minute must be 0 to 59, not 61"),
        ({"evry": "5m"}, "there is no option 'evry'; did you mean 'every'?"),
        ({"overlap": "skipp"}, "overlap is 'skipp'; it may be skip, queue, replace, allow; did you mean 'skip'?"),
        ({"priority": "hi"}, "priority is 'hi'; it may be urgent, high, medium, low, or a number"),
        ({"every": "5 minuets"}, "unknown unit 'minuets'"),
        ({"timeout": -1}, "timeout is -1s; it must be longer"),
        ({"timezone": "Europe/Berlyn", "cron": "@daily"}, "no time zone is named 'Europe/Berlyn'"),
    ],
)
def test_what_cannot_mean_anything_is_refused_when_it_is_said(scheduler, options, message):
    with pytest.raises(RotaError) as told:
        scheduler.add(double, **options)
    assert message in str(told.value)


def test_a_name_is_given_once_unless_it_is_meant(scheduler):
    scheduler.add(double)
    with pytest.raises(RotaError, match="this program has a job named 'double' already"):
        scheduler.add(double)
    scheduler.add(lambda: 7, "double", replace=True)
    assert 7 == scheduler.trigger("double").result(10)


def test_a_paused_job_is_not_due_and_a_removed_one_is_gone(scheduler):
    scheduler.add(double, every="0.1s")
    scheduler.pause("double")
    assert scheduler.get("double").stored.paused_at is not None
    scheduler.resume("double")
    until(lambda: scheduler.history("double"), "it runs")
    scheduler.remove("double")
    assert [] == scheduler.jobs()
    with pytest.raises(RotaError, match="job 'double' was removed"):
        scheduler.trigger("double")


def test_listeners_hear_of_ends_and_one_that_fails_is_in_nobody_s_way(scheduler, caplog):
    good, bad, wrong = [], [], []

    def broken(run):
        wrong.append(run)
        raise RuntimeError("no")

    scheduler.on_success(good.append)
    scheduler.on_failure(broken)
    scheduler.on_failure(bad.append, job="fail")
    scheduler.add(double)
    scheduler.add(fail)
    ids = [scheduler.trigger(name).wait(10).id for name in ("double", "fail")]
    until(lambda: good and bad, "both are heard of")
    assert (ids, 1) == ([good[0].id, bad[0].id], len(wrong))
    assert "broken failed: RuntimeError: no" in caplog.text


def test_a_decorated_function_stays_what_it_was(scheduler):
    @scheduler.job(every="1h")
    def triple(number: int = 1) -> int:
        return 3 * number

    assert (9, 3) == (triple(3), scheduler.trigger("triple").result(10))


def test_async_jobs_work_from_inside_a_running_loop():
    async def main() -> tuple[str, State]:
        with Scheduler() as scheduler:
            scheduler.add(later)
            handle = scheduler.trigger("later")
            run = await handle
            return handle.result(), run.state

    assert ("later", State.SUCCEEDED) == asyncio.run(main())


def test_two_places_and_three_jobs_of_some_length_go_on_and_on():
    with Scheduler(capacity=2) as scheduler:
        most, now, lock = [0], [0], threading.Lock()

        def work() -> None:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.2)
            with lock:
                now[0] -= 1

        for name in ("a", "b", "c"):
            scheduler.add(work, name, every="0.3s", overlap="queue")
        until(lambda: all(len(scheduler.history(name, 10, "succeeded")) == 10 for name in ("a", "b", "c")), "all go on")
        assert 2 == most[0]


def test_a_long_job_starts_once_however_often_it_is_due(scheduler):
    started, over = [], threading.Event()

    def long() -> None:
        started.append(True)
        over.wait(30)

    scheduler.add(long, every="0.1s")
    until(lambda: scheduler.get("long").stored.skip_streak >= 10, "it was due ten times more")
    assert [True] == started
    over.set()


def test_stopping_waits_for_what_runs_and_ends_what_takes_too_long():
    scheduler = Scheduler().start()
    scheduler.add(lambda: time.sleep(0.3), "short")
    scheduler.add("sleep 60", "long")
    short, long = scheduler.trigger("short"), scheduler.trigger("long")
    until(lambda: long.state is State.RUNNING and short.state is State.RUNNING, "both run")
    began = time.monotonic()
    scheduler.stop(timeout=1)
    assert time.monotonic() - began < 5
    assert (State.SUCCEEDED, State.CANCELLED) == (short.state, long.state)
    scheduler.close()


def test_a_scheduler_in_memory_leaves_nothing_on_disk():
    scheduler = Scheduler().start()
    place = Path(scheduler._household.home)
    assert place.is_dir()
    scheduler.close()
    assert not place.exists()


def test_jobs_may_be_added_before_the_start():
    scheduler = Scheduler()
    scheduler.add(double, every="0.1s")
    handle = scheduler.trigger("double")
    assert State.QUEUED == handle.state
    with scheduler:
        assert 4 == handle.result(10)


def test_an_engine_that_has_ended_by_a_fault_is_heard_of(scheduler):
    def broken(*_):
        raise RuntimeError("a fault")

    scheduler._household.background._engine.turn = broken
    scheduler.add(double)
    with pytest.raises(RotaError, match="the engine has ended by a fault"):
        scheduler.trigger("double").wait(10)


def test_a_blocking_start_ends_with_sigterm(program):
    program.write(
        """
        import rota
        @rota.job(every="0.2s")
        def tick():
            print("tick", flush=True)
        rota.serve()
        print("over", flush=True)
        """
    )
    running = program.start()
    assert "tick\n" == running.stdout.readline()
    running.send_signal(signal.SIGTERM)
    said, _ = running.communicate(timeout=20)
    assert (0, "over") == (running.returncode, said.splitlines()[-1])
