"""Tasks that are handed over to the system's own scheduler, and those that are not."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from crash.harness import wait_for
from rota.compat.autocron import AutoCron
from rota.compat.autocron.crontab import UnixAdapter
from rota.compat.autocron.os_adapters import OSAdapter
from rota.compat.autocron.task_scheduler import WindowsAdapter

from .conftest import told
from .test_crontab import Table
from .test_windows import Windows


@pytest.fixture
def table():
    return Table(b"0 1 * * * others\n")


@pytest.fixture
def scheduler(scheduler, table) -> AutoCron:
    """A scheduler that hands over to a crontab in memory."""
    scheduler.os_adapter = UnixAdapter(table)
    return scheduler


def command_of(table: Table) -> list[str]:
    """Return what cron would start for the last line."""
    line = table.lines[-1].split(" ", 5)[5]
    return shlex.split(line.replace("\\%", "%"), comments=True)


def test_a_script_is_handed_over_and_is_not_started_by_the_program_too(scheduler, table, script, folder):
    path = script("open('ran', 'a').write('x')\n")
    task_id = scheduler.add_task("sync", script=path, every="5m", retries=1)
    assert scheduler.use_os_scheduler
    assert table.lines[-1].startswith("*/5 * * * * ")
    assert table.lines[-1].endswith(" # AutoCron: sync")
    scheduler.start(blocking=False)
    assert 0 == scheduler.get_task(task_id).next_run.minute % 5
    assert scheduler.run_task(task_id), "by hand it runs in the program"
    scheduler.stop()
    assert ("x", (1, 0)) == ((folder / "ran").read_text(), told(scheduler.get_task(task_id)))
    assert scheduler.remove_task(task_id)
    assert ["0 1 * * * others"] == table.lines
    assert [] == list((folder / "home/.autocron/scheduled").iterdir())


def test_what_cron_starts_is_the_task_with_all_that_was_said_of_it(scheduler, table, script, folder, log):
    path = script("import sys\nprint('from the script')\nsys.exit(3)\n")
    scheduler.add_task("50% 'off'", script=path, cron="0 9 * * 1-5", retries=1, retry_delay=0, timeout=30)
    done = subprocess.run(command_of(table), capture_output=True, text=True, cwd="/", env={"PATH": "/usr/bin:/bin"})
    assert 1 == done.returncode
    assert done.stderr.startswith("task \"50% 'off'\" failed: exit code 3; ")
    assert 2 == log().count("[50% 'off'] from the script")
    figures = json.loads((folder / "home/.autocron/analytics.json").read_text())["50% 'off'"]
    assert (1, 1, 1) == (figures["total_runs"], figures["failed_runs"], figures["total_retries"])


def test_it_ends_with_all_that_it_has_started_when_it_takes_too_long(scheduler, table, script, folder):
    path = script(
        "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\n"
        "open('pid', 'w').write(str(child.pid))\nchild.wait()\n"
    )
    scheduler.add_task("slow", script=path, cron="0 9 * * *", timeout=2)
    done = subprocess.run(command_of(table), capture_output=True, text=True)
    assert (1, True) == (done.returncode, "timed out" in done.stderr)
    pid = int((folder / "pid").read_text())
    assert not os.path.exists(f"/proc/{pid}") or "Z" in Path(f"/proc/{pid}/stat").read_text()


def test_it_is_not_started_again_while_it_runs(scheduler, table, script, folder, log):
    path = script("import os, time\nopen('began', 'a').write('x')\nwhile not os.path.exists('go'): time.sleep(0.02)\n")
    scheduler.add_task("slow", script=path, cron="* * * * *")
    with subprocess.Popen(command_of(table)) as first:
        wait_for((folder / "began").exists, "its start", seconds=30)
        assert 0 == subprocess.run(command_of(table), timeout=30).returncode
        (folder / "go").touch()
        assert 0 == first.wait(30)
    assert "x" == (folder / "began").read_text()
    assert "Task 'slow' is due and still runs; it is not started again" in log()


def test_its_definition_is_the_owner_s_and_has_no_secret(scheduler, script, folder, mail_server):
    mail = {"smtp_server": "127.0.0.1", "smtp_port": 25, "from_email": "a@b.example", "to_email": "c@d.example"}
    mail |= {"password": "hunter2"}
    scheduler.add_task("mail", script=script(), cron="0 9 * * *", notify="email", email_config=mail)
    [kept] = (folder / "home/.autocron/scheduled").glob("*.json")
    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)
    assert "127.0.0.1" in kept.read_text()
    assert "hunter2" not in kept.read_text()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"func": print, "every": "5m"}, "only a script can be started without the program"),
        ({"every": "7m"}, "cron has no interval of 7m"),
        ({"every": "30s"}, "cron has no interval of 30s"),
        ({"cron": "0 9 * * *", "timezone": "Asia/Tokyo"}, "its times are those of Asia/Tokyo"),
        ({"cron": "0 9 L * *"}, "no L, W or #"),
    ],
)
def test_what_the_system_cannot_do_stays_with_the_program_and_is_said(scheduler, table, script, log, said, why):
    what = {} if "func" in said else {"script": script()}
    scheduler.add_task("task", **what, **said)
    assert ["0 1 * * * others"] == table.lines
    assert "'task' is not handed over to the system, and runs in this program: " in log()
    assert why in log()
    scheduler.start(blocking=False)
    assert ["task"] == [line.stored.name for line in scheduler._engine.scheduler.jobs()]


def test_what_lives_in_the_program_is_said_to_stay_there(scheduler, script, log):
    scheduler.add_task("task", script=script(), every="1h", on_success=print, overlap_policy="queue")
    scheduler.add_task("task", script=script(), every="1h")
    assert "the system's scheduler does not know on_success, overlap_policy" in log()
    assert "another task of this name was handed over already" in log()


def test_a_task_that_is_disabled_is_not_there_for_the_system(scheduler, table, script):
    task = scheduler.get_task(scheduler.add_task("task", script=script(), every="1h"))
    task.enabled = False
    assert ["0 1 * * * others"] == table.lines
    task.enabled = True
    assert 2 == len(table.lines)
    task.enabled = False
    path = scheduler.save_tasks("tasks.yaml")
    assert 1 == scheduler.load_tasks(path, replace=True)
    assert ["0 1 * * * others"] == table.lines


def test_where_there_is_no_cron_the_program_starts_its_tasks_itself(folder, script, monkeypatch):
    monkeypatch.setattr("sys.platform", "plan9")
    made = AutoCron(log_path=folder / "autocron.log", use_os_scheduler=True)
    assert (False, None) == (made.use_os_scheduler, made.os_adapter)
    assert "use_os_scheduler: there is no adapter" in made.logger.get_recent_logs()[-1]
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(folder))
    made = AutoCron(log_path=folder / "autocron.log", use_os_scheduler=True)
    made.add_task("task", script=script(), every="1h")
    assert "there is no program 'crontab' here; install cron" in "".join(made.logger.get_recent_logs())
    assert 1 == len(made._own_tasks())


def test_an_adapter_of_one_s_own_is_given_the_script(scheduler, script, log):
    given = []

    class CustomAdapter(OSAdapter):
        def create_task(self, task_name, script_path, cron_expr, python_executable=None):
            given.append((task_name, script_path, cron_expr, python_executable))
            return True

        def remove_task(self, task_name):
            given.append(task_name)
            return True

    scheduler.os_adapter = CustomAdapter()
    path = script()
    scheduler.add_task("task", script=path, every="2h", retries=3)
    scheduler.add_task("limited", script=path, every="2h", timeout=5)
    assert [("task", path, "0 */2 * * *", sys.executable)] == given
    assert "the system's scheduler does not know retries" in log()
    assert "nobody would keep its timeout there" in log()
    scheduler.remove_task(name="task")
    assert "task" == given[-1]


def test_an_adapter_may_do_no_more_than_create(scheduler, script, log):
    class CustomAdapter(OSAdapter):
        def create_task(self, task_name, script_path, cron_expr, python_executable=None):
            return True

    scheduler.os_adapter = CustomAdapter()
    task = scheduler.get_task(scheduler.add_task("task", script=script(), every="2h"))
    task.enabled = False
    assert scheduler.remove_task(name="task")
    assert [] == scheduler.list_tasks()
    said = "'task': CustomAdapter has no method remove_task, so the system goes on starting it; take it away there"
    assert 2 == log().count(said)


def test_windows_is_given_the_script(scheduler, script):
    windows = Windows()
    scheduler.os_adapter = WindowsAdapter(windows)
    scheduler.add_task("task", script=script(), every="15m")
    assert ["schtasks", "/Create", "/TN", "AutoCron_task"] == windows.asked[0][:4]


def test_what_cannot_be_handed_over_leaves_nothing_behind(scheduler, script, folder):
    def full(argv, **how):
        return subprocess.CompletedProcess(argv, int(argv[1] == "-"), b"", b"No space left on device")

    scheduler.os_adapter = UnixAdapter(full)
    scheduler.add_task("task", script=script(), every="1h")
    assert [] == list((folder / "home/.autocron/scheduled").iterdir())


def test_a_definition_that_is_gone_is_told(folder):
    argv = [sys.executable, "-m", "rota.compat.autocron.once", "gone.json"]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert (1, True) == (done.returncode, done.stderr.startswith("there is no task to run: "))


def test_a_wrong_command_line_is_told():
    done = subprocess.run([sys.executable, "-m", "rota.compat.autocron.once"], capture_output=True, text=True)
    assert (2, True) == (done.returncode, done.stderr.startswith("usage: "))
