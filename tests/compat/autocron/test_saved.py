"""Tasks in files: saved, loaded, and read by rota itself."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

from rota.compat.autocron import AutoCron, SchedulingError, Task
from rota.sdk.saved import BadDocument, read_document, write_document

MAIL = {"smtp_server": "mail.example.com", "smtp_port": 587, "to_email": "a@example.com", "password": "hunter2"}


@pytest.fixture
def saved(scheduler, script):
    """A scheduler with two scripts and a function; one script has run twice and failed once."""
    path = script("import os, sys; sys.exit(os.path.exists('fail'))\n")
    scheduler.add_task(name="sync", script=path, every="1h", retries=3, timeout=300, retry_delay=5)
    scheduler.add_task(name="mail", script=path, cron="0 9 * * 1-5", email_config=MAIL, max_memory_mb=256)
    scheduler.add_task(name="function", func=print, every="1h")
    task = scheduler.get_task(name="sync")
    task.note(task.next_run, 1, ValueError("boom"), "")
    task.note(task.next_run, 0, None, "")
    task.note(task.next_run, 0, None, "")
    return scheduler


@pytest.mark.parametrize("name", ["tasks.yaml", "tasks.yml", "tasks.json"])
def test_saved_tasks_come_back_with_their_counts(saved, folder, name):
    path = saved.save_tasks(str(folder / name))
    assert str(folder / name) == path
    other = AutoCron()
    assert 2 == other.load_tasks(path)
    for name in ("sync", "mail"):
        before, after = saved.get_task(name=name).to_dict(), other.get_task(name=name).to_dict()
        assert before == after
    task = other.get_task(name="sync")
    assert (2, 1) == (task.run_count, task.fail_count)
    assert saved.get_task(name="sync").last_run == task.last_run
    assert saved.get_task(name="sync").next_run == task.next_run


def test_the_file_is_the_owner_s_and_has_no_secret(saved, folder):
    path = saved.save_tasks("deep/er/tasks.yaml")
    assert 0o600 == stat.S_IMODE(os.stat(path).st_mode)
    text = (folder / "deep/er/tasks.yaml").read_text()
    assert text.startswith("version: '1.0'\nsaved_at: ")
    assert "hunter2" not in text
    assert "mail.example.com" in text
    assert ["tasks.yaml"] == os.listdir(folder / "deep/er")


def test_without_a_path_tasks_are_kept_in_the_home_directory(saved):
    assert os.path.expanduser("~/.autocron/tasks.yaml") == saved.save_tasks()
    assert 2 == AutoCron().load_tasks()


def test_rota_reads_the_file_as_it_is(saved):
    path = saved.save_tasks("tasks.json")
    done = subprocess.run(
        [sys.executable, "-m", "rota", "validate", "-f", path], capture_output=True, text=True, check=False
    )
    assert (0, "1 file, 2 jobs: no problem.\n") == (done.returncode, done.stdout)


def test_a_file_of_the_original_is_read(folder, script):
    (folder / "tasks.yaml").write_text(
        f"""\
version: "1.0"
saved_at: "2025-10-27T15:30:00"
tasks:
 - task_id: "unique-id"
   name: "task_name"
   script: "{script()}"
   schedule_type: "interval"
   schedule_value: "1h"
   retries: 3
   timeout: null
   run_count: 145
   fail_count: 2
   skipped_count: 7
   last_run: "2025-10-27T14:00:00"
   next_run: "2025-10-27T15:00:00"
"""
    )
    scheduler = AutoCron()
    assert 1 == scheduler.load_tasks("tasks.yaml")
    task = scheduler.tasks["unique-id"]
    assert (145, 2, 3, 14, 15) == (
        task.run_count, task.fail_count, task.retries, task.last_run.hour, task.next_run.hour
    )  # fmt: skip


def test_loading_merges_or_replaces(saved, script):
    path = saved.save_tasks("tasks.yaml")
    assert 0 == saved.load_tasks(path), "they are there already"
    assert 3 == len(saved.list_tasks())
    assert 2 == saved.load_tasks(path, replace=True)
    assert ["sync", "mail"] == [task.name for task in saved.list_tasks()]
    assert 2 == saved.load_tasks(path, merge=False)


def test_loaded_tasks_keep_their_phase_when_they_run(saved):
    before = saved.get_task(name="sync")
    before.update_next_run()
    path = saved.save_tasks("tasks.yaml")
    other = AutoCron(shutdown_timeout=0.5)
    other.load_tasks(path)
    other.start(blocking=False)
    assert before.next_run == other.get_task(name="sync").next_run
    other.stop()
    assert before.next_run == other.get_task(name="sync").next_run


def test_a_saved_script_that_is_gone_is_loaded_all_the_same_and_said(scheduler, script, folder, log):
    path = script()
    scheduler.add_task(name="task", script=path, every="1h")
    kept = scheduler.save_tasks("tasks.yaml")
    os.unlink(path)
    assert 1 == scheduler.load_tasks(kept, replace=True)
    assert f"{path} is not there now" in log()


def test_a_wrong_task_is_left_out_and_said(scheduler, folder, log):
    (folder / "tasks.json").write_text(json.dumps({"version": "1.0", "tasks": [{"name": "a"}, "b"]}))
    assert 0 == scheduler.load_tasks("tasks.json")
    assert 2 == log().count("is left out")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("nowhere.yaml", None, "Task file not found"),
        ("tasks.txt", "x", "Unsupported file format"),
        ("tasks.yaml", "a: 1", "Invalid task file format"),
        ("tasks.yaml", "version: '2.0'\ntasks: []", "has version 2.0"),
        ("tasks.yaml", "a: b: }: c", r"tasks\.yaml:1:"),
        ("tasks.json", "\xff", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(scheduler, folder, name, text, message):
    if text is not None:
        (folder / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(SchedulingError, match=message):
        scheduler.load_tasks(name)


def test_a_save_that_fails_leaves_the_old_file_as_it_was(folder, monkeypatch):
    write_document(folder / "a.yaml", {"version": "1.0"})

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_document(folder / "a.yaml", {"version": "2.0"})
    assert {"version": "1.0"} == read_document(folder / "a.yaml")
    assert ["a.yaml"] == os.listdir(folder)


def test_a_document_is_what_was_written(folder):
    data = {"a": "yes", "b": [{"c": None, "d": [1, "2"], "e": {"f": "g: h"}}, {"i": "line\nline"}], "j": [], "k": 1.5}
    for name in ("a.yaml", "a.json"):
        assert data == read_document(write_document(folder / name, data))
    with pytest.raises(BadDocument, match="neither YAML nor JSON"):
        write_document(folder / "a.toml", data)


def test_only_a_task_with_a_script_can_be_made_of_plain_data():
    assert "print" not in str(Task(name="f", func=print, every="1h").to_dict())
    with pytest.raises(ValueError, match="needs a name and a script"):
        Task.from_dict(Task(name="f", func=print, every="1h").to_dict())


def test_a_configuration_with_a_slip_is_refused_with_a_suggestion(folder):
    (folder / "autocron.yaml").write_text("tasks:\n  - {name: a, script: a.py, schedule: 5m, retires: 3}\n")
    with pytest.raises(SchedulingError, match="unknown key 'retires'; did you mean 'retries'"):
        AutoCron.from_config("autocron.yaml")
