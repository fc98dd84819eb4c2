"""AutoCron's command line: each call is a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rota.compat.autocron.interface import cli as newer
from sdk.conftest import until


def autocron(*words: str, code: int = 0) -> str:
    """Call it, and return what it says on both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "rota.compat.autocron", *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, env=os.environ | {"COLUMNS": "100"},
    )  # fmt: skip
    assert code == done.returncode, done.stdout
    return done.stdout


def test_what_one_call_adds_the_next_call_sees_runs_and_stops(script, folder):
    path = script("print('from the script')\n")
    assert "No scheduled tasks found\n" == autocron("list")
    said = autocron("schedule", "task.py", "--every", "5m", "--name", "sync", "--retries", "2", "--timeout", "60")
    assert said.startswith("Task 'sync' scheduled: 5m\nTask ID: ")
    autocron("schedule", path, "--cron", "0 9 * * *")
    listed = [line.split() for line in autocron("list").splitlines()]
    assert ["sync", "interval=5m", "Enabled", "0", "0"] == listed[1]
    assert [path, "cron=0", "9", "*", "*", "*"] == listed[2][:6]
    assert "from the script\n" == autocron("run", "sync")
    assert ["sync", "interval=5m", "Enabled", "1", "0"] == autocron("list").splitlines()[1].split()
    assert "Task 'sync' completed successfully" in autocron("logs", "sync")
    assert path not in autocron("logs", "sync")
    assert "Task 'sync' stopped\n" == autocron("stop", "sync")
    assert "sync" not in autocron("list")
    assert "there is no task named 'sync'" in autocron("stop", "sync", code=1)


def test_a_task_that_fails_is_told_with_its_exit_code(script):
    script("import sys; print('so far'); sys.exit(3)\n")
    autocron("schedule", "task.py", "--every", "5m")
    said = autocron("run", "task.py", code=1)
    assert "so far" in said
    assert "autocron: task 'task.py' did not succeed: exit code 3" in said
    assert ["0", "1"] == autocron("list").splitlines()[1].split()[-2:]


def test_figures_are_shown_and_exported(script, folder):
    script()
    autocron("schedule", "task.py", "--every", "5m", "--name", "sync")
    autocron("run", "sync")
    for words in (["dashboard"], ["stats"], ["stats", "sync"]):
        assert "100.0" in autocron(*words)
    autocron("stats", "--export", "out.json")
    assert ["sync"] == [each["task_name"] for each in json.loads((folder / "out.json").read_text())]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 0, "usage: autocron"),
        (["--version"], 0, "autocron "),
        (["schedule", "task.py"], 2, "--every"),
        (["schedule", "task.py", "--every", "5m", "--cron", "* * * * *"], 2, "not allowed with"),
        (["schedule", "nowhere.py", "--every", "5m"], 1, "Script not found"),
        (["schedule", "task.py", "--every", "soon"], 1, "is no interval"),
        (["run", "absent"], 1, "there is no task 'absent'"),
        (["start", "--config", "absent.yaml"], 1, "Configuration file not found"),
        (["logs"], 0, "No logs found"),
    ],
)
def test_what_it_cannot_do_is_told(script, words, code, said):
    script()
    assert said in autocron(*words, code=code)


def test_a_name_is_taken_once(script):
    script()
    autocron("schedule", "task.py", "--every", "5m")
    assert "there is a task named 'task.py' already" in autocron("schedule", "task.py", "--every", "1h", code=1)


def test_many_calls_at_once_lose_nothing(script):
    script()
    words = [sys.executable, "-m", "rota.compat.autocron", "schedule", "task.py", "--every", "5m", "--name"]
    calls = [subprocess.Popen([*words, f"task{n}"], stdout=subprocess.DEVNULL) for n in range(4)]
    assert [0] * 4 == [each.wait(60) for each in calls]
    assert 5 == len(autocron("list").splitlines())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_runs_what_is_there_and_heeds_what_other_calls_change(script, folder, number):
    for name in ("first", "second"):
        script(f"open({name!r}, 'a').write('x')\n", f"{name}.py")
    autocron("schedule", "first.py", "--every", "1s")
    with subprocess.Popen([sys.executable, "-m", "rota.compat.autocron", "start"]) as started:
        until((folder / "first").exists, "the first task", seconds=60)
        autocron("schedule", "second.py", "--every", "1s")
        until((folder / "second").exists, "the second task", seconds=60)
        autocron("stop", "first.py")
        until(lambda: "Task 'first.py' removed" in _log(folder), "its removal", seconds=60)
        started.send_signal(number)
        assert 0 == started.wait(60)
    rows = autocron("list").splitlines()
    assert 2 == len(rows)
    assert rows[1].startswith("second.py")
    assert int(rows[1].split()[-2]) >= 1


def _log(folder: Path) -> str:
    return (folder / "home/.autocron/autocron.log").read_text()


def test_a_start_with_a_configuration_runs_that(script, folder):
    script("open('ran', 'w').write('x')\n")
    (folder / "autocron.yaml").write_text("tasks:\n  - {name: a, script: task.py, schedule: 1h}\n")
    with subprocess.Popen([sys.executable, "-m", "rota.compat.autocron", "start"]) as started:
        until((folder / "ran").exists, "its task", seconds=60)
        started.send_signal(signal.SIGINT)
        assert 0 == started.wait(60)


def test_newer_programs_find_the_names_where_they_look(capsys):
    assert 0 == newer.main([])
    assert "schedule" in capsys.readouterr().out
