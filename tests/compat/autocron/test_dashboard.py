"""Figures of tasks, kept in a file and shown in a terminal."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import select
import signal
import stat
import subprocess
import sys
from datetime import timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console

from rota.compat.autocron import AutoCron, Dashboard, TaskAnalytics, show_dashboard, show_task
from rota.compat.autocron.dashboard import live_dashboard, live_monitor
from rota.compat.autocron.interface import dashboard as newer
from rota.sdk.times import now

ODD = "[red]x[/] [/nonsense] \x1b[31mé日本"


@pytest.fixture
def figures(folder) -> TaskAnalytics:
    return TaskAnalytics(folder / "deep/er/analytics.json")


def fill(figures: TaskAnalytics) -> None:
    """Three tasks: one that does well, one that fails, and one with a name that looks like markup."""
    for _ in range(3):
        figures.record_execution("sync", True, 1.5)
    for _ in range(5):
        figures.record_execution("backup", False, 400.0, error="disk [bold]full[/bold]", retry_count=2)
    figures.record_execution(ODD, True, 0.25)


def test_the_figures_of_a_task_are_those_of_all_its_runs(figures):
    fill(figures)
    stats = figures.get_task_stats("backup")
    assert {
        "task_name": "backup", "total_runs": 5, "successful_runs": 0, "failed_runs": 5, "total_retries": 10,
        "success_rate": 0.0, "avg_duration": 400.0,
    }.items() <= stats.items()  # fmt: skip
    assert {"timestamp", "success", "duration", "error", "retry_count"} == stats["recent_history"][0].keys()
    assert stats["first_run"] <= stats["last_run"]
    assert [ODD, "backup", "sync"] == [each["task_name"] for each in figures.get_all_stats()]
    assert figures.get_task_stats("absent") is None


def test_of_each_task_the_last_hundred_runs_are_kept_in_a_file_of_the_owner_s(figures):
    for number in range(105):
        figures.record_execution("task", True, float(number))
    kept = json.loads(figures.storage_path.read_text())["task"]
    assert (105, 100, 5.0) == (kept["total_runs"], len(kept["history"]), kept["history"][0]["duration"])
    assert 10 == len(figures.get_task_stats("task")["recent_history"])
    assert 0o600 == stat.S_IMODE(figures.storage_path.stat().st_mode)


def test_without_a_path_figures_are_in_the_home_directory(folder):
    assert folder / "home/.autocron/analytics.json" == TaskAnalytics().storage_path
    assert not (folder / "home").exists(), "nothing is made before there is something to keep"


def test_advice_comes_from_the_figures(figures):
    fill(figures)
    said = " ".join(figures.get_recommendations("backup"))
    for words in ("Low success rate (0.0%)", "High retry rate (2.0", "Long average", "Multiple recent failures (5"):
        assert words in said
    assert ["The task is performing well."] == figures.get_recommendations("sync")
    assert ["It has not run yet."] == figures.get_recommendations("absent")


def _record(path, name, times):
    for _ in range(times):
        TaskAnalytics(path).record_execution(name, True, 0.1)


def test_several_processes_lose_nothing_of_each_other(figures):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_record, args=(figures.storage_path, name, 25)) for name in ("a", "b", "shared")]
    workers.append(context.Process(target=_record, args=(figures.storage_path, "shared", 25)))
    for each in workers:
        each.start()
    for each in workers:
        each.join(60)
    assert {"a": 25, "b": 25, "shared": 50} == {
        each["task_name"]: each["total_runs"] for each in figures.get_all_stats()
    }


@pytest.mark.parametrize("damage", ["{", "[]", '{"task": 1}', "\x00", ""])
def test_a_damaged_file_is_put_aside_and_said(figures, damage, caplog):
    figures.record_execution("task", True, 1.0)
    figures.storage_path.write_text(damage)
    figures.record_execution("task", True, 1.0)
    assert 1 == figures.get_task_stats("task")["total_runs"]
    assert damage == figures.storage_path.with_name("analytics.json.damaged").read_text()


def test_a_file_of_autocron_itself_is_read(figures):
    figures.storage_path.parent.mkdir(parents=True)
    row = {"timestamp": "2025-10-27T14:00:00", "success": True, "duration": 2.0, "error": None, "retry_count": 0}
    kept = {"total_runs": 7, "successful_runs": 6, "failed_runs": 1, "total_duration": 14.0, "total_retries": 1}
    kept |= {"history": [row], "first_run": "2025-10-01T00:00:00", "last_run": "2025-10-27T14:00:00"}
    figures.storage_path.write_text(json.dumps({"old": kept}))
    figures.record_execution("new", True, 1.0)
    assert ["new", "old"] == [each["task_name"] for each in figures.get_all_stats()]
    figures.record_execution("old", True, 2.0)
    assert (8, 2.0) == (figures.get_task_stats("old")["total_runs"], figures.get_task_stats("old")["avg_duration"])


def test_a_scheduler_keeps_the_figures_of_its_runs(scheduler, folder):
    def fails():
        raise ValueError("boom")

    scheduler.add_task("good", lambda: None, every="1h")
    scheduler.add_task("bad", fails, every="1h", retries=1, retry_delay=0)
    scheduler.run_task(name="good")
    scheduler.run_task(name="bad")
    stats = {each["task_name"]: each for each in TaskAnalytics().get_all_stats()}
    assert (1, 0, 1, 1) == (
        stats["good"]["successful_runs"], stats["good"]["total_retries"], stats["bad"]["failed_runs"],
        stats["bad"]["total_retries"],
    )  # fmt: skip
    assert stats["bad"]["recent_history"][0]["error"].endswith("boom")


def test_figures_that_cannot_be_kept_fail_no_task(folder, log):
    made = AutoCron(log_path=folder / "autocron.log")
    (folder / "file").touch()
    made.analytics = TaskAnalytics(folder / "file/analytics.json")
    made.add_task("task", lambda: None, every="1h")
    assert made.run_task(name="task")
    assert "the figures of 'task' were not kept" in log()
    made.analytics = None
    assert made.run_task(name="task")


def shown(figures: TaskAnalytics, width: int, ask) -> list[str]:
    """Return what a terminal of this width shows."""
    made, screen = Dashboard(figures), io.StringIO()
    made.console = Console(file=screen, width=width, force_terminal=True, color_system=None)
    ask(made)
    return screen.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize(
    "ask",
    [
        lambda board: board.show_summary(),
        lambda board: board.show_task_details("backup"),
        lambda board: board.show_task_details(ODD),
        lambda board: board.console.print(board._generate_live_view()),
    ],
    ids=["summary", "details", "odd details", "live"],
)
def test_what_is_shown_fits_and_cuts_nothing_short(figures, width, ask):
    fill(figures)
    lines = shown(figures, width, ask)
    assert [] == [line for line in lines if cell_len(line) > width]
    assert [] == [line for line in lines if "…" in line]
    assert not any("\x1b[31m" in line for line in lines)


@pytest.mark.parametrize(("width", "columns"), [(40, 4), (80, 6), (200, 6)])
def test_names_are_shown_as_they_are_beside_as_many_figures_as_there_is_room_for(figures, width, columns):
    fill(figures)
    lines = shown(figures, width, lambda board: board.show_summary())
    text = "\n".join(lines)
    assert "[red]x[/]" in text
    assert ("Last Run" in text, "just now" in text) == (columns == 6,) * 2
    row = next(line for line in lines if "backup" in line)
    assert columns == len(row.replace("│", " ").replace("just now", "just-now").split())
    assert "poor" in row


def test_details_have_the_last_runs_and_the_advice(figures):
    fill(figures)
    text = "\n".join(shown(figures, 200, lambda board: board.show_task_details("backup")))
    for words in ("Task Details: backup", "Success Rate", "0.00%", "400.00s", "disk [bold]full[/bold]", "Low success"):
        assert words in text
    assert "No data found for task: [x]" in shown(figures, 80, lambda board: board.show_task_details("[x]"))[0]


def test_where_nothing_has_run_it_says_so(figures, capsys):
    assert ["No task execution history available yet."] == shown(figures, 80, lambda board: board.show_summary())
    assert "No tasks" in "".join(shown(figures, 80, lambda board: board.console.print(board._generate_live_view())))
    show_dashboard()
    show_task("task")
    assert "No data found for task: task" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5), "5m ago"),
        (timedelta(hours=3), "3h ago"),
        (timedelta(days=4), "4d ago"),
    ],
)
def test_it_says_how_long_ago_a_task_ran(figures, before, words):
    figures.record_execution("task", True, 1.0)
    kept = json.loads(figures.storage_path.read_text())
    kept["task"]["last_run"] = (now() - before).isoformat()
    figures.storage_path.write_text(json.dumps(kept))
    assert words in "".join(shown(figures, 80, lambda board: board.show_summary()))


def test_figures_are_exported_as_json(figures, folder):
    fill(figures)
    made = Dashboard(figures)
    made.export_stats()
    made.export_stats(str(folder / "out.json"))
    exported = json.loads((folder / "autocron_stats.json").read_text())
    assert exported == json.loads((folder / "out.json").read_text()) == figures.get_all_stats()


def test_the_live_monitor_shows_what_happens_until_it_is_interrupted(folder):
    ours, its = os.openpty()
    env = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm"}
    code = "from rota.compat.autocron import live_monitor; live_monitor(0.05)"
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdin=its, stdout=its, stderr=its) as running:
        os.close(its)
        _read_until(ours, "No tasks")
        TaskAnalytics().record_execution("sync", True, 1.5)
        _read_until(ours, "sync")
        running.send_signal(signal.SIGINT)
        _read_until(ours, "Live monitor stopped.")
        assert 0 == running.wait(30)
    os.close(ours)


def _read_until(terminal: int, words: str) -> None:
    """Read what a terminal is told until it is told these words."""
    said = ""
    while words not in said:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, said
        said += os.read(terminal, 65_536).decode(errors="replace")


def test_newer_programs_find_the_names_where_they_look():
    assert newer.Dashboard is Dashboard
    assert live_dashboard is live_monitor
    assert [] == [name for name in newer.__all__ if not hasattr(newer, name)]
