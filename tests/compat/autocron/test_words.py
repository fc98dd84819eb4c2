"""AutoCron's small functions, and its log."""

from __future__ import annotations

import importlib
import io
import os
import sys
import threading
from datetime import datetime, timedelta

import pytest

from rota.compat.autocron import logger as loggers
from rota.compat.autocron.logger import AutoCronLogger, get_logger, reset_logger
from rota.compat.autocron.utils import (
    TimeParseError,
    calculate_retry_delay,
    format_timedelta,
    get_next_run_time,
    get_platform_info,
    is_linux,
    is_macos,
    is_windows,
    parse_cron,
    parse_interval,
    timezone_name,
    validate_cron_expression,
)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5M", 300), ("1h30m", 5400), ("every 1d", 86400), ("500ms", 0.5)]
)
def test_intervals_are_seconds(text, seconds):
    assert seconds == parse_interval(text)


@pytest.mark.parametrize("text", ["", "5", "m5", "soon", "0s", "-1h", "1 month"])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(TimeParseError):
        parse_interval(text)


def test_a_cron_expression_tells_its_times_one_after_the_other():
    times = parse_cron("0 9 * * *")
    first, second = times.get_next(datetime), next(times)
    assert (9, timedelta(days=1)) == (first.hour, second - first)
    assert times.get_next() > second.timestamp()
    midnight = datetime(2025, 1, 1)  # noqa: DTZ001 -- as programs give it: a wall clock without a zone
    assert midnight.replace(hour=9) == get_next_run_time("0 9 * * *", midnight)
    assert 9 == get_next_run_time("0 9 * * *", timezone="Asia/Kolkata").hour


@pytest.mark.parametrize(
    ("text", "sound"),
    [("0 9 * * *", True), ("0 12 * * 1-5", True), ("60 * * * *", False), ("* * * *", False), ("x", False)],
)
def test_a_cron_expression_is_validated(text, sound):
    assert sound == validate_cron_expression(text)


def test_a_pause_doubles_up_to_a_limit():
    assert [60, 120, 240, 300, 3600] == [
        *(calculate_retry_delay(attempt, 60, max_delay=300) for attempt in (0, 1, 2, 9)),
        calculate_retry_delay(1000, 60),
    ]


def test_durations_and_platforms_are_told():
    assert ["0s", "59s", "5m 30s", "1d 2h 30m"] == [
        format_timedelta(timedelta(**each))
        for each in ({}, {"seconds": 59}, {"minutes": 5, "seconds": 30}, {"days": 1, "hours": 2, "minutes": 30})
    ]
    assert 1 == [is_windows(), is_linux(), is_macos()].count(True)
    assert {"system", "release", "version", "machine", "processor", "python_version"} <= get_platform_info().keys()
    assert ["UTC", "local"] == [timezone_name("UTC"), timezone_name(None)]


@pytest.mark.parametrize("name", ["core.scheduler", "core.utils", "logging.logger"])
def test_newer_programs_find_the_modules_where_they_look(name):
    module = importlib.import_module(f"rota.compat.autocron.{name}")
    assert [] == [each for each in module.__all__ if not hasattr(module, each)]


def test_there_is_one_logger_for_each_name(folder):
    assert get_logger() is get_logger()
    assert get_logger("other") is not get_logger()
    before = get_logger()
    reset_logger()
    assert before is not get_logger()
    assert "autocron" == get_logger().name
    assert not (folder / "autocron.log").exists(), "nothing was written, so there is no file"
    get_logger().info("something")
    assert (folder / "autocron.log").exists()


def test_a_log_turns_over_when_it_is_full(folder):
    log = AutoCronLogger("turns", folder / "a.log", console_output=False, max_bytes=1_000, backup_count=2)
    for number in range(100):
        log.info("message %d", number)
    assert ["a.log", "a.log.1", "a.log.2"] == sorted(os.listdir(folder))
    assert log.get_recent_logs(1)[0].endswith("turns - INFO - message 99")
    log.close()


def test_lines_of_many_threads_are_whole(folder):
    log = AutoCronLogger("threads", folder / "a.log", console_output=False)
    threads = [threading.Thread(target=lambda: [log.info("x" * 200) for _ in range(50)]) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    lines = log.get_recent_logs(1_000)
    assert (200, 1) == (len(lines), len({line.split(" - ", 1)[1] for line in lines}))
    log.close()


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False)],
)
def test_a_console_has_colours_where_it_is_a_terminal(monkeypatch, terminal, environment, coloured):
    class Screen(io.StringIO):
        def isatty(self):
            return terminal

    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", Screen())
    get_logger("screen").error("red")
    assert coloured == ("\x1b[31m" in sys.stderr.getvalue())


def test_the_log_has_words_for_tasks(folder):
    log = loggers.get_logger("words", folder / "w.log", "DEBUG", console_output=False)
    log.log_task_start("task", "id")
    log.log_task_success("task", "id", 5.5)
    log.log_task_failure("task", "id", ValueError("boom"), 1, 3)
    log.log_task_retry("task", "id", 2, 60)
    text = "\n".join(log.get_recent_logs())
    for words in ("'task' started", "5.50 seconds", "attempt 1 of 3, ID: id): boom", "again in 60 seconds"):
        assert words in text
