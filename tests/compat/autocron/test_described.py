"""Every piece of code in AutoCron's description, with nothing changed but the import line."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from rota.compat.autocron import (
    AutoCron,
    Task,
    get_global_scheduler,
    reset_global_scheduler,
    schedule,
    start_scheduler,
)
from rota.compat.autocron.os_adapters import OSAdapter, UnixAdapter, WindowsAdapter, get_os_adapter
from rota.compat.autocron.utils import (
    get_platform_info,
    is_linux,
    is_macos,
    is_windows,
    parse_interval,
    sanitize_task_name,
)
from sdk.conftest import until

from .conftest import told


def test_a_decorated_function_is_a_task_and_stays_callable():
    @schedule(every="5m")
    def my_task():
        return "as before"

    task = get_global_scheduler().get_task(name="my_task")
    assert ("interval", "5m", 300) == (task.schedule_type, task.schedule_value, task.interval_seconds)
    assert (0, 60, None, "skip") == (task.retries, task.retry_delay, task.timeout, task.overlap_policy)
    assert "as before" == my_task()


def test_the_flow_from_registration_to_the_next_run():
    done = threading.Event()
    heard = []

    @schedule(every="5m", retries=1, on_success=lambda: heard.append("success"))
    def my_task():
        done.set()

    start_scheduler(blocking=False)
    assert done.wait(10), "a new interval is due at once"
    until(lambda: heard, "the callback")
    task = get_global_scheduler().get_task(name="my_task")
    assert (1, 0) == told(task)
    assert 290 <= (task.next_run - task.last_run).total_seconds() <= 300


def test_a_script_is_scheduled_with_a_plain_call(script):
    path = script(name="script.py")
    task_id = schedule(path, every="5m", retries=2)
    task = get_global_scheduler().get_task(task_id)
    assert ("script", path, 2) == (task.name, task.script, task.retries)
    assert get_global_scheduler().run_task(task_id)
    assert "from the script" == task.last_output


def test_the_configuration_flow(folder, script):
    path = script()
    (folder / "autocron.yaml").write_text(
        f"""\
tasks:
  - name: sync
    script: {path}
    schedule: "*/30 * * * *"
    retries: 3
  - name: beside
    script: ./task.py
    schedule: 5m
logging:
  level: DEBUG
  path: ./logs/autocron.log
scheduler:
  max_workers: 2
"""
    )
    scheduler = AutoCron.from_config("autocron.yaml")
    assert [("sync", "cron", 3), ("beside", "interval", 0)] == [
        (task.name, task.schedule_type, task.retries) for task in scheduler.list_tasks()
    ]
    assert 2 == scheduler.max_workers
    scheduler.start(blocking=False)
    until(lambda: scheduler.get_task(name="beside").run_count, "the first run")
    scheduler.stop()
    assert "from the script" in (folder / "logs/autocron.log").read_text()


def test_a_custom_notifier_is_told_in_a_sentence(scheduler):
    class CustomNotifier:
        def __init__(self):
            self.messages = []

        def notify(self, message: str):
            self.messages.append(message)

    def my_func():
        if len(notifier.messages) == 1:
            raise RuntimeError("boom")

    notifier = CustomNotifier()
    scheduler.add_task(name="task", func=my_func, notifier=notifier)
    assert scheduler.run_task(name="task"), "it has no schedule, and runs when it is asked for"
    assert not scheduler.run_task(name="task")
    good, bad = notifier.messages
    assert "Task 'task' completed in 0.0s" == good
    assert bad.startswith("Task 'task' failed after 1 attempt: ")
    assert bad.endswith("boom")


def test_a_failing_notifier_fails_no_task_and_is_in_the_log(scheduler, log):
    class Broken:
        def notify(self, message):
            raise OSError("no network")

    scheduler.add_task(name="task", func=lambda: None, every="1h", notifier=Broken())
    assert scheduler.run_task(name="task")
    assert (1, 0) == told(scheduler.get_task(name="task"))
    assert "'task': the notifier Broken failed: OSError: no network" in log()


def test_a_custom_task_is_run_its_own_way(scheduler):
    seen = []

    class CustomTask(Task):
        def execute(self):
            seen.append("before")
            result = super().execute()
            seen.append("after")
            return result

    task_id = scheduler.add_task(CustomTask(name="custom", func=lambda: seen.append("func"), every="1h"))
    assert scheduler.run_task(task_id)
    assert ["before", "func", "after"] == seen


def test_a_custom_adapter_creates_the_tasks_of_the_system(scheduler, script):
    created = []

    class CustomAdapter(OSAdapter):
        def create_task(self, *said, **more):
            created.append((said, more))
            return True

    scheduler.os_adapter = CustomAdapter()
    scheduler.add_task(name="task", script=script(), every="5m")
    assert "*/5 * * * *" == created[0][1]["cron_expr"]


def test_the_adapter_of_each_platform_is_there():
    assert issubclass(WindowsAdapter, OSAdapter)
    if is_windows():
        assert isinstance(get_os_adapter(), WindowsAdapter)
    if is_linux() or is_macos():
        assert isinstance(get_os_adapter(), UnixAdapter)
    assert get_platform_info()["system"]


def test_persisted_tasks_are_in_the_home_directory_and_so_are_the_figures(scheduler, script, folder):
    scheduler.add_task(name="task_name", script=script(), every="1h", retries=3)
    assert scheduler.run_task(name="task_name")
    assert str(folder / "home/.autocron/tasks.yaml") == scheduler.save_tasks()
    saved = (folder / "home/.autocron/tasks.yaml").read_text()
    for words in ("version: '1.0'", "saved_at: ", "schedule_type: interval", "schedule_value: 1h", "run_count: 1"):
        assert words in saved
    assert 1 == scheduler.analytics.get_task_stats("task_name")["total_runs"]
    other = AutoCron()
    assert 1 == other.load_tasks()
    assert 1 == other.get_task(name="task_name").run_count


def test_names_are_sanitized():
    assert "my_task__1_" == sanitize_task_name("my task #1!")
    assert "report-2" == sanitize_task_name("report-2")


def test_a_script_that_is_not_there_is_refused(scheduler):
    with pytest.raises(ValueError, match=r"Script not found: nowhere\.py"):
        scheduler.add_task(name="task", script="nowhere.py", every="1h")


def test_a_coroutine_function_is_a_task_like_any_other(scheduler):
    import asyncio

    done = []

    async def work():
        await asyncio.sleep(0.01)
        done.append(asyncio.get_running_loop())

    scheduler.add_task(name="async", func=work, every="1h")
    assert scheduler.run_task(name="async")
    assert scheduler.run_task(name="async")
    assert 2 == len({id(loop) for loop in done}), "each run has a loop of its own"


def test_mixed_tasks_run_side_by_side(scheduler):
    both = threading.Barrier(2, timeout=10)

    async def first():
        both.wait()

    scheduler.add_task(name="first", func=first, every="1h")
    scheduler.add_task(name="second", func=both.wait, every="1h")
    scheduler.start(blocking=False)
    until(lambda: [(1, 0), (1, 0)] == [told(task) for task in scheduler.list_tasks()], "both to succeed")


def test_an_interval_is_parsed_into_seconds():
    assert [30, 300, 7200, 86400] == [parse_interval(text) for text in ("30s", "5m", "2h", "1d")]


def test_the_global_scheduler_is_one_and_can_be_forgotten():
    assert get_global_scheduler() is None
    with pytest.raises(RuntimeError, match="nothing to start"):
        start_scheduler(blocking=False)
    schedule(every="5m")(os.getpid)
    assert ["getpid"] == [task.name for task in get_global_scheduler().list_tasks()]
    reset_global_scheduler()
    assert get_global_scheduler() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_blocks_until_it_is_interrupted(program, number):
    program.write(
        """\
        from rota.compat.autocron import schedule, start_scheduler

        @schedule(every="1h", retries=2)
        def fetch():
            print("fetched", flush=True)

        @schedule(cron="0 9 * * *")
        async def report():
            print("never now", flush=True)

        if __name__ == "__main__":
            start_scheduler(blocking=True)
            print("ended in order", flush=True)
        """
    )
    running = program.start()
    line = running.stdout.readline()
    while "fetched" not in line:
        assert line, "it ended too soon"
        line = running.stdout.readline()
    running.send_signal(number)
    rest, _ = running.communicate(timeout=30)
    assert 0 == running.returncode, rest
    assert "ended in order" in rest
    assert "never now" not in rest
