"""A scheduler inside of a program: jobs that come and go, what is heard of them, start and stop."""

from __future__ import annotations

import signal
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

import rota
from rota import At, Calendar, Cron, Every, Priority, Retry, RotaError, Scheduler, State

from .conftest import until


def double(number: int = 2) -> int:
    return 2 * number


def fail() -> None:
    raise ValueError("boom")


def test_a_due_function_is_called_at_each_slot(scheduler):
    seen = []
    scheduler.add(lambda: seen.append(rota.calling().slot), "often", every="0.2s")
    until(lambda: len(seen) >= 4, "it is called four times")
    steps = {round((later - earlier).total_seconds(), 3) for earlier, later in pairwise(seen)}
    assert {0.2} == steps


def test_a_place_of_a_secret_that_cannot_be_one_is_refused(scheduler):
    with pytest.raises(RotaError, match=r"'keyrig:a/b' is no place of a secret; write .*; did you mean 'keyring'\?"):
        scheduler.add(double, env={"TOKEN": rota.Secret("keyrig:a/b")})


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
