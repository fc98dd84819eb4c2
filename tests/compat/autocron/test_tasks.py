"""Tasks and their scheduler: what can be asked of them, and what they refuse."""

from __future__ import annotations

import pickle
import threading
import time
from datetime import timedelta

import pytest

from rota.compat.autocron import AutoCron, SchedulingError, Task, TaskExecutionError, get_global_scheduler, schedule
from rota.sdk.times import now
from sdk.conftest import until

from .conftest import alive, told


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"name": " ", "func": print, "every": "1h"}, "needs a name"),
        ({"name": "a\nb", "func": print, "every": "1h"}, "printable"),
        ({"every": "1h"}, "either func or script, and neither"),
        ({"func": print, "script": "a.py", "every": "1h"}, "either func or script, and both"),
        ({"func": print, "every": "1h", "cron": "* * * * *"}, "either every or cron, and both"),
        ({"func": "print", "every": "1h"}, "cannot be called"),
        ({"func": print, "every": "5"}, "no unit"),
        ({"func": print, "every": "soon"}, "is no interval"),
        ({"func": print, "cron": "61 * * * *"}, "is no cron expression"),
        ({"func": print, "every": "1h", "retries": -1}, "retries must be a whole number"),
        ({"func": print, "every": "1h", "timeout": 0}, "timeout must be a number"),
        ({"func": print, "every": "1h", "overlap_policy": "never"}, "it may be skip, queue"),
        ({"func": print, "every": "1h", "max_cpu_percent": 200}, "at most 100"),
        ({"func": print, "every": "1h", "notifier": object()}, "no method notify"),
        ({"func": print, "every": "1h", "timezone": "Mars/Olympus"}, "no time zone"),
        ({"func": print, "every": "1h", "coalesce": 1}, "True or False"),
    ],
)
def test_what_cannot_mean_anything_is_refused_when_it_is_said(scheduler, said, message):
    said = {"name": "task", **said}
    with pytest.raises(ValueError, match=message):
        Task(**said)
    with pytest.raises(SchedulingError, match=message):
        scheduler.add_task(**said)
    assert {} == scheduler.tasks


def test_tasks_are_found_by_id_and_by_name_and_can_be_removed(scheduler):
    first = scheduler.add_task("first", print, every="5m")
    second = scheduler.add_task("second", print, cron="0 9 * * *")
    assert ["first", "second"] == [task.name for task in scheduler.list_tasks()]
    assert scheduler.tasks[first] is scheduler.get_task(task_id=first) is scheduler.get_task(name="first")
    assert [("first", "5m"), ("second", "0 9 * * *")] == [
        (each["name"], each.schedule_value) for each in scheduler.get_tasks()
    ]
    assert scheduler.remove_task(task_id=first)
    assert scheduler.remove_task(name="second")
    assert not scheduler.remove_task(second)
    assert scheduler.get_task(name="second") is None
    with pytest.raises(SchedulingError, match="there is no task 'second'"):
        scheduler.run_task(name="second")


def test_two_tasks_of_one_name_both_run(scheduler):
    seen = []
    for number in (1, 2):
        scheduler.add_task("same", lambda number=number: seen.append(number), every="1h")
    scheduler.start(blocking=False)
    until(lambda: [1, 2] == sorted(seen), "both")


def test_a_task_that_is_added_or_removed_while_the_scheduler_runs_is_heeded(scheduler):
    called = threading.Event()
    scheduler.start(blocking=False)
    scheduler.start(blocking=False)  # which only warns
    task_id = scheduler.add_task("late", called.set, every="1s")
    assert called.wait(10)
    task = scheduler.get_task(task_id)
    until(lambda: task.run_count >= 2, "the second run")
    scheduler.remove_task(task_id)
    count = task.run_count
    assert not called.wait(0) or count == task.run_count
    scheduler.add_task("late", print, every="1h")


def test_a_disabled_task_is_not_due_until_it_is_enabled(scheduler):
    called = threading.Event()
    task_id = scheduler.add_task("task", called.set, every="1s")
    task = scheduler.get_task(task_id)
    task.enabled = False
    assert not task.should_run()
    assert not scheduler.run_task(task_id)
    scheduler.start(blocking=False)
    assert not called.wait(1.5)
    task.enabled = True
    assert called.wait(10)


def test_a_new_interval_is_due_at_once_and_then_after_itself(scheduler):
    task = Task(name="task", func=print, every="1h")
    assert task.should_run()
    task.update_next_run()
    assert not task.should_run()
    assert timedelta(hours=1) == task.next_run - task.last_run
    assert not Task(name="task", func=print, cron="0 0 1 1 *").should_run()


def test_a_task_runs_when_its_program_says_when(scheduler):
    called = threading.Event()
    task_id = scheduler.add_task("yearly", called.set, cron="0 0 1 1 *")
    scheduler.start(blocking=False)
    task = scheduler.get_task(task_id)
    assert not called.is_set()
    task.next_run = now() + timedelta(seconds=0.5)
    assert called.wait(10)
    assert (1, 1) == (task.next_run.day, task.next_run.month)
    called.clear()
    task.next_run = None
    assert called.wait(10)


def test_what_a_task_is_told_is_what_its_job_does(scheduler):
    scheduler.add_task(
        "task", print, every="1h", retries=2, retry_delay=5, timeout=7, overlap_policy="queue", max_instances=3,
        misfire_grace_time=None, coalesce=False, timezone="Asia/Tokyo", max_output_bytes=8_000,
    )  # fmt: skip
    scheduler.start(blocking=False)
    job = scheduler._engine.scheduler.get("task").stored.job
    policy = job.policy
    assert ("queue", 3, "all", "Asia/Tokyo") == (policy.overlap, policy.max_instances, policy.catch_up, job.timezone)
    assert (7, 2, 5, 3600) == (
        policy.timeout.seconds, policy.retries.count, policy.retries.delay.seconds, policy.retries.max_delay.seconds
    )  # fmt: skip
    assert timedelta(days=36_525) == policy.grace
    assert (1_000, 3_000) == (policy.output.head, policy.output.tail)


def test_a_task_can_be_begun_without_waiting_for_it(scheduler):
    freed = threading.Event()
    task_id = scheduler.add_task("slow", lambda: freed.wait(20), cron="0 0 1 1 *")
    with pytest.raises(SchedulingError, match="start the scheduler first"):
        scheduler.run_task(task_id, wait=False)
    scheduler.start(blocking=False)
    assert scheduler.run_task(task_id, wait=False)
    freed.set()
    until(lambda: (1, 0) == told(scheduler.get_task(task_id)), "its end")


def test_callbacks_may_take_what_there_is_to_know_or_nothing(scheduler):
    heard = []

    def flaky():
        if not heard:
            raise ValueError("boom")

    scheduler.add_task(
        "task", flaky, every="1h", on_success=lambda: heard.append("well"), on_failure=lambda: heard.append("badly")
    )
    assert not scheduler.run_task(name="task")
    assert scheduler.run_task(name="task")
    assert ["badly", "well"] == heard


def test_a_callback_that_fails_is_in_the_log_and_changes_nothing(scheduler, log):
    scheduler.add_task("task", lambda: None, every="1h", on_success=lambda: 1 / 0)
    assert scheduler.run_task(name="task")
    assert "on_success of 'task' failed: ZeroDivisionError" in log()


def test_who_keeps_figures_is_told_of_every_run(scheduler):
    rows = []

    class Figures:
        def record_execution(self, **row):
            rows.append(row)

    def flaky():
        if not rows and threading.active_count():
            raise ValueError("boom")

    scheduler.analytics = Figures()
    scheduler.add_task("task", flaky, every="1h", retries=1, retry_delay=0)
    scheduler.run_task(name="task")
    scheduler.run_task(name="task")
    assert [(False, 1), (True, 0)] == [(row["success"], row["retry_count"]) for row in rows]


def test_a_task_can_be_executed_by_hand(script):
    def slow():
        threading.Event().wait(60)

    assert 3 == Task(name="f", func=lambda: 3, every="1h").execute()
    assert 3 == Task(name="f", func=lambda: 3, every="1h", timeout=30).execute()
    assert "from the script\n" == Task(name="s", script=script(), every="1h").execute()
    with pytest.raises(TaskExecutionError, match="timed out"):
        Task(name="f", func=slow, every="1h", timeout=0.5).execute()
    with pytest.raises(TaskExecutionError, match="ValueError: boom"):
        Task(name="s", script=script("raise ValueError('boom')\n"), every="1h").execute()


def test_a_custom_task_with_a_timeout_is_ended_with_its_script(scheduler, script):
    class Mine(Task):
        def execute(self):
            return super().execute()

    path = script("import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    task_id = scheduler.add_task(Mine(name="mine", script=path, every="1h", timeout=2))
    assert not scheduler.run_task(task_id)
    assert "begun" in scheduler.get_task(task_id).last_output
    assert "timed out" in str(scheduler.get_task(task_id).last_error)


def test_a_custom_task_s_script_ends_with_the_scheduler(scheduler, script, folder):
    class Mine(Task):
        def execute(self):
            return super().execute()

    path = script("import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)\n")
    scheduler.add_task(Mine(name="mine", script=path, every="1h"))
    scheduler.start(blocking=False)
    until(lambda: (folder / "pid").exists() and (folder / "pid").read_text(), "its start")
    scheduler.stop()
    until(lambda: not alive(int((folder / "pid").read_text())), "its end")


def test_a_function_that_never_ends_holds_up_no_stop(scheduler):
    began, freed = threading.Event(), threading.Event()

    def endless():
        began.set()
        freed.wait(60)

    errors = []
    scheduler.add_task("endless", endless, every="1h", on_failure=errors.append)
    scheduler.start(blocking=False)
    assert began.wait(10)
    before = time.monotonic()
    scheduler.stop()
    assert time.monotonic() - before < 5
    freed.set()
    assert "the scheduler was stopped" in str(errors[0])


def test_a_function_in_its_own_process_may_refer_to_its_scheduler(scheduler):
    scheduler.add_task("other", print, every="1h")
    scheduler.add_task("asks", lambda: [1][len(scheduler.list_tasks()) - 2], every="1h", timeout=30)
    assert scheduler.run_task(name="asks")


def test_a_task_is_shown_as_what_it_is():
    task = Task(name="task", func=print, every="5m")
    assert "Task(name='task', interval='5m', enabled=True)" == repr(task)
    assert (task.id, task.schedule_expr) == (task.task_id, task.schedule_value)
    assert task.task_id == pickle.loads(pickle.dumps(task)).task_id


def test_a_text_alone_says_when():
    schedule("5m")(print)
    schedule("0 9 * * *")(len)
    assert ["interval", "cron"] == [task.schedule_type for task in get_global_scheduler().list_tasks()]
    with pytest.raises(SchedulingError, match="wants to know when"):
        schedule(print)


def test_the_same_function_anew_takes_its_own_place():
    for every in ("5m", "10m"):
        schedule(every=every)(told)
    assert ["10m"] == [task.schedule_value for task in get_global_scheduler().list_tasks()]


def test_functions_that_another_function_makes_are_tasks_each():
    for number in (1, 2):
        schedule(every="5m", name=f"made{number}")(lambda number=number: number)
    assert ["made1", "made2"] == [task.name for task in get_global_scheduler().list_tasks()]


def test_the_number_of_workers_is_one_or_more():
    with pytest.raises(ValueError, match="max_workers"):
        AutoCron(max_workers=0)
    assert 4 == AutoCron().max_workers


def test_a_task_without_a_schedule_runs_when_it_is_asked_for_and_the_log_says_so(scheduler, script, log):
    called = threading.Event()
    task = scheduler.get_task(scheduler.add_task("by hand", called.set))
    assert ("manual", "", None, False) == (task.schedule_type, task.schedule_value, task.next_run, task.should_run())
    assert "'by hand' has no schedule, neither every nor cron" in log()
    scheduler.start(blocking=False)
    assert scheduler.run_task(name="by hand")
    assert task.next_run is None
    called.clear()
    task.next_run = now() + timedelta(seconds=0.5)
    assert called.wait(10), "its program has said when"
    scheduler.add_task("script by hand", script=script())
    other = AutoCron()
    assert 0 == other.load_tasks(scheduler.save_tasks("tasks.yaml"))


def test_a_task_of_a_file_needs_a_schedule(folder, script):
    (folder / "autocron.yaml").write_text(f"tasks:\n  - {{name: a, script: {script()}}}\n")
    with pytest.raises(SchedulingError, match="'a' needs a schedule, such as 5m"):
        AutoCron.from_config("autocron.yaml")
