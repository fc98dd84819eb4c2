"""What AutoCron did wrong, and this does not."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rota.compat.autocron import AutoCron, Task, TaskExecutionError
from sdk.conftest import until

from .conftest import alive, told


def test_a_function_that_takes_too_long_does_nothing_more_and_its_process_is_gone(scheduler, folder):
    def slow():
        Path(folder / "pid").write_text(str(os.getpid()))
        time.sleep(3)
        Path(folder / "late").write_text("late")

    errors = []
    scheduler.add_task(name="slow", func=slow, every="1h", timeout=1, on_failure=errors.append)
    assert not scheduler.run_task(name="slow")
    pid = int((folder / "pid").read_text())
    assert pid != os.getpid()
    until(lambda: not alive(pid), "the end of its process")
    assert not (folder / "late").exists(), "and nobody is left who could write it"
    assert (0, 1) == told(scheduler.get_task(name="slow"))
    assert isinstance(errors[0], TaskExecutionError)
    assert "timed out after 1 second" in str(errors[0])


def test_a_script_that_takes_too_long_is_gone_with_what_it_has_started(scheduler, script, folder):
    path = script(
        "import subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        f"open({str(folder / 'pid')!r}, 'w').write(str(child.pid))\n"
        "print('so far', flush=True)\n"
        "child.wait()\n"
    )
    scheduler.add_task(name="slow", script=path, every="1h", timeout=1.5)
    assert not scheduler.run_task(name="slow")
    until(lambda: not alive(int((folder / "pid").read_text())), "the end of the grandchild")
    assert "so far" == scheduler.get_task(name="slow").last_output, "what it wrote is not lost"


def test_an_async_function_that_blocks_is_ended_all_the_same(scheduler):
    async def slow():
        time.sleep(60)

    scheduler.add_task(name="slow", func=slow, every="1h", timeout=0.5)
    assert not scheduler.run_task(name="slow")
    assert "timed out" in str(scheduler.get_task(name="slow").last_error)


def test_retries_wait_longer_each_time(scheduler):
    at = []

    def flaky():
        at.append(time.monotonic())
        if len(at) < 3:
            raise ConnectionError("not yet")

    scheduler.add_task(name="flaky", func=flaky, every="1h", retries=3, retry_delay=0.2)
    assert scheduler.run_task(name="flaky")
    first, second = at[1] - at[0], at[2] - at[1]
    assert first >= 0.2
    assert second >= 0.4
    assert (1, 2) == told(scheduler.get_task(name="flaky"))


def test_on_failure_is_told_once_when_all_attempts_are_used_and_gets_the_exception(scheduler):
    errors = []

    def bad():
        raise ValueError("boom")

    scheduler.add_task(name="bad", func=bad, every="1h", retries=2, retry_delay=0, on_failure=errors.append)
    assert not scheduler.run_task(name="bad")
    assert ["ValueError"] == [type(error).__name__ for error in errors]
    assert (0, 3) == told(scheduler.get_task(name="bad"))


def test_a_burst_drops_nothing_and_no_more_run_than_there_are_workers():
    scheduler = AutoCron(max_workers=2)
    lock, now, most, done = threading.Lock(), [0], [0], []

    def work(name):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
            done.append(name)

    for number in range(8):
        scheduler.add_task(name=f"task{number}", func=lambda number=number: work(number), every="1h")
    scheduler.start(blocking=False)
    until(lambda: 8 == len(done), "all of them")
    scheduler.stop()
    assert (list(range(8)), 2) == (sorted(done), most[0])


def test_a_task_is_not_started_while_it_runs(scheduler):
    lock, running, most = threading.Lock(), [0], [0]
    enough = threading.Event()

    def slow():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        enough.wait(2.5)
        with lock:
            running[0] -= 1

    scheduler.add_task(name="slow", func=slow, every="1s")
    scheduler.start(blocking=False)
    until(lambda: scheduler.get_task(name="slow").run_count, "its end")
    enough.set()
    assert 1 == most[0]


def test_tasks_that_may_overlap_do_so_as_often_as_they_may(scheduler):
    both = threading.Barrier(2, timeout=10)
    scheduler.add_task(name="twice", func=both.wait, every="1s", overlap_policy="allow", max_instances=2)
    scheduler.start(blocking=False)
    until(lambda: scheduler.get_task(name="twice").run_count >= 2, "two at the same time")


@pytest.mark.parametrize(("field", "weekday"), [("0", 6), ("7", 6), ("1", 0), ("5", 4)])
def test_weekdays_are_those_of_cron(field, weekday):
    assert weekday == Task(name="t", func=print, cron=f"0 9 * * {field}").next_run.weekday()


def test_a_day_of_month_or_a_day_of_week_is_due():
    task = Task(name="t", func=print, cron="0 0 13 * 5", timezone="UTC")
    at, days = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")), []
    for _ in range(6):
        at = task.due_after(at)
        days.append(at.day)
    assert [2, 9, 13, 16, 23, 30] == days


def test_times_are_those_of_the_task_s_zone():
    task = Task(name="t", func=print, cron="0 9 * * *", timezone="Asia/Kolkata")
    assert (9, timedelta(hours=5.5)) == (task.next_run.hour, task.next_run.utcoffset())
    assert ("Asia/Kolkata", "local") == (task.timezone, Task(name="t", func=print, every="1h").timezone)
    scheduler = AutoCron(timezone="Asia/Tokyo")
    task = scheduler.get_task(scheduler.add_task(name="t", func=print, every="1h"))
    assert "Asia/Tokyo" == task.timezone


def test_what_a_script_writes_is_in_the_log_and_no_more_of_it_is_kept_than_was_asked_for(scheduler, script, log):
    path = script("import sys\nprint('x' * 100_000)\nprint('the end')\nprint('a warning', file=sys.stderr)\n")
    scheduler.add_task(name="loud", script=path, every="1h", max_output_bytes=2_000)
    assert scheduler.run_task(name="loud")
    assert len(scheduler.get_task(name="loud").last_output) <= 2_000
    assert "[loud] the end" in log()
    assert "[loud] a warning" in log()


def test_what_a_function_in_its_own_process_prints_is_in_the_log(scheduler, log):
    scheduler.add_task(name="prints", func=lambda: sys.stdout.write("from the process"), every="1h", timeout=30)
    assert scheduler.run_task(name="prints")
    assert "[prints] from the process" in log()


def test_a_callback_that_hangs_holds_up_nothing(scheduler):
    freed = threading.Event()
    scheduler.add_task(name="hangs", func=lambda: None, every="1h", on_success=lambda: freed.wait(20))
    scheduler.add_task(name="other", func=lambda: None, every="1h")
    scheduler.start(blocking=False)
    until(lambda: [(1, 0), (1, 0)] == [told(task) for task in scheduler.list_tasks()], "both")
    assert scheduler.run_task(name="other")
    freed.set()


def test_a_task_may_stop_its_scheduler(scheduler):
    scheduler.add_task(name="last", func=scheduler.stop, every="1h")
    scheduler.start(blocking=True)
    assert not scheduler.is_running
    assert (1, 0) == told(scheduler.get_task(name="last"))


def test_a_program_that_ends_ends_its_scripts(program):
    program.write("import time, os\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)\n", "slow.py")
    program.write(
        """\
        import os, time
        from rota.compat.autocron import AutoCron
        scheduler = AutoCron(shutdown_timeout=0.2)
        scheduler.add_task(name="slow", script="slow.py", every="1h")
        scheduler.start(blocking=False)
        while not os.path.exists("pid") or not open("pid").read():
            time.sleep(0.05)
        """
    )
    program.run()
    assert not alive(int((program.folder / "pid").read_text()))


def test_a_module_that_starts_its_scheduler_does_not_start_it_again_in_the_process_of_its_function(program):
    program.write(
        """\
        import os
        from rota.compat.autocron import schedule, start_scheduler

        with open("imported", "a") as file:
            file.write("imported\\n")

        @schedule(every="1s", timeout=30)
        def work():
            with open("called", "a") as file:
                file.write("called\\n")

        start_scheduler(blocking=False)
        """,
        "tasks.py",
    )
    program.write(
        """\
        import os, time
        import tasks
        while not os.path.exists("called") or open("called").read().count("called") < 3:
            time.sleep(0.05)
        tasks.start_scheduler.__globals__["reset_global_scheduler"]()
        """
    )
    said = program.run()
    assert 3 == (program.folder / "called").read_text().count("called")
    assert 1 < (program.folder / "imported").read_text().count("imported"), "the process imports its function"
    assert 1 == said.count("scheduled: interval=1s")


def test_a_module_may_start_its_scheduler_while_it_is_imported(program):
    program.write(
        """\
        import os
        from rota.compat.autocron import schedule, start_scheduler, get_global_scheduler

        @schedule(every="1h", timeout=30, on_success=lambda: get_global_scheduler().stop())
        def work():
            with open("called", "a") as file:
                file.write("called\\n")

        start_scheduler()
        """,
        "tasks.py",
    )
    program.write("import tasks\n")
    program.run()
    assert "called\n" == (program.folder / "called").read_text()


def test_a_limit_of_memory_is_kept(scheduler, script):
    def greedy():
        bytearray(400 << 20)

    path = script("bytearray(400 << 20)\n")
    for name, what in (("function", {"func": greedy}), ("script", {"script": path})):
        scheduler.add_task(name=name, every="1h", max_memory_mb=300, safe_mode=True, **what)
        assert not scheduler.run_task(name=name)
        assert "MemoryError" in scheduler.get_task(name=name).last_output


@pytest.mark.skipif(sys.platform != "linux", reason="the signal's number")
def test_a_limit_of_the_processor_is_kept(scheduler, script):
    path = script("while True: pass\n")
    scheduler.add_task(name="busy", script=path, every="1h", timeout=20, max_cpu_percent=5)
    began = time.monotonic()
    assert not scheduler.run_task(name="busy")
    assert time.monotonic() - began < 15
    assert "timed out" not in str(scheduler.get_task(name="busy").last_error)


def test_a_clean_environment_has_nothing_of_the_program_s(scheduler, script, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "hunter2")
    show = "import os; print(sorted(set(os.environ) & {'API_TOKEN', 'PATH', 'AUTOCRON_SAFE_MODE', 'ROTA_MARK'}))"
    path = script(show)

    def function():
        exec(show)

    for name, what in (("function", {"func": function}), ("script", {"script": path})):
        scheduler.add_task(name=name, every="1h", safe_mode=True, clean_env=True, **what)
        assert scheduler.run_task(name=name)
        assert "['AUTOCRON_SAFE_MODE', 'PATH', 'ROTA_MARK']" == scheduler.get_task(name=name).last_output


def test_a_limit_that_cannot_be_kept_is_said(scheduler, log):
    lock = threading.Lock()

    def function():
        with lock:
            pass

    scheduler.add_task(name="locked", func=function, every="1h", max_memory_mb=300, timeout=5)
    with pytest.warns(RuntimeWarning, match="cannot be sent to a process"):
        assert not scheduler.run_task(name="locked")
    assert "limits that only a process can keep" in str(scheduler.get_task(name="locked").last_error)
    scheduler.add_task(name="part", func=print, every="1h", max_cpu_percent=50)
    scheduler.add_task(name="mail", func=print, every="1h", notify="telegraph")
    assert "max_cpu_percent is a part of the timeout" in log()
    assert "'mail': notify='telegraph': there is no notifier 'telegraph'" in log()


def test_nothing_is_left_when_the_scheduler_has_stopped(scheduler, monkeypatch, folder):
    (folder / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder / "tmp"))
    scheduler.add_task(name="quick", func=lambda: None, every="1h")
    for _ in range(2):
        scheduler.start(blocking=False)
        until(lambda: scheduler.get_task(name="quick").run_count, "a run")
        scheduler.stop()
    assert [] == list((folder / "tmp").iterdir())
    assert [] == [thread.name for thread in threading.enumerate() if thread.name.startswith("rota")]
    assert [] == multiprocessing.active_children()
