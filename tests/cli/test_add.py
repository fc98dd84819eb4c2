"""`rota add`: what is made, and what is refused with a finger on the place."""

from __future__ import annotations

import json
import re

import pytest


def test_a_new_job_is_told_in_words_with_its_next_firings(home):
    told = home.ok("add", "backup", "--cron", "30 2 * * *", "--tz", "Europe/Berlin", "--", "echo", "a b")
    assert "Added job backup." in told
    assert "echo 'a b'" in told
    assert "at 02:30 every day (Europe/Berlin)  (cron 30 2 * * *)" in told
    assert str(home.path) in told
    assert 3 == len(re.findall(r"02:30:00 CES?T", told.split("Next:")[1])), "on the job's wall clock"
    assert 5 == len(re.findall(r"02:30:00 CES?T", home.ok("next", "backup", "-n", "5")))


def test_a_job_runs_where_it_was_added(home):
    home.ok("add", "here", "--", "true")
    assert str(home.folder) == home.json("show", "here")["cwd"]


def test_every_option_reaches_the_definition(home):
    home.ok(
        *("add", "all", "--every", "5m", "--every", "7m", "--calendar", "Mon 09:00", "--at", "2030-01-31 10:00"),
        *("--tz", "UTC", "--overlap", "queue", "--max-instances", "2", "--catch-up", "all", "--grace", "2h"),
        *("--retries", "3", "--retry-delay", "5s", "--backoff", "1.5", "--max-delay", "1m", "--retry-on", "1,75"),
        *("--timeout", "1m", "--kill-after", "3s", "--start-by", "4m", "--priority", "high", "--pool", "db=3"),
        *("--jitter", "10s", "--not-before", "2027-01-01", "--not-after", "2031-01-01", "--cwd", "/", "--env", "A=b=c"),
        *("--umask", "027", "--tag", "x", "--tag", "y", "--description", "all of it", "--output-mode", "pipe"),
        *("--disabled", "--shell", "echo $A"),
    )
    job = home.json("show", "all")
    assert ["cron", "every", "every", "at", "calendar"][1:] == [each["kind"] for each in job["schedules"]]
    assert {
        "overlap": "queue",
        "max_instances": 2,
        "catch_up": "all",
        "grace": 7200.0,
        "retries": {
            "count": 3,
            "delay": 5.0,
            "backoff": 1.5,
            "max_delay": 60.0,
            "jitter": 0.1,
            "only_on": [1, 75],
        },
        "timeout": 60.0,
        "kill_after": 3.0,
        "start_by": 240.0,
        "pool": "db",
        "jitter": 10.0,
        "not_before": "2027-01-01T00:00:00.000Z",
        "not_after": "2031-01-01T00:00:00.000Z",
    } == job["policy"]
    assert ("high", False, ["x", "y"], "027", {"A": "b=c"}, "/", "all of it") == (
        job["priority"],
        job["enabled"],
        job["tags"],
        job["umask"],
        job["env"],
        job["cwd"],
        job["description"],
    )
    shown = home.ok("show", "all")
    for words in ("retries        3, after 5s", "overlap        queue", "umask  027", "tags   x, y", "state  disabled"):
        assert words in shown


def test_an_instant_that_is_relative_to_now_is_fixed_when_it_is_made(home):
    told = home.ok("add", "soon", "--at", "in 2h", "--", "true")
    assert "in 2h" in told
    (schedule,) = home.json("show", "soon")["schedules"]
    assert schedule["text"].endswith("Z")


def test_a_python_function_gets_its_arguments_as_json(home):
    home.ok("add", "py", "--python", "json:dumps", "--args", "[1]", "--kwargs", '{"indent": 2}')
    assert {"kind": "python", "target": "json:dumps", "args": [1], "kwargs": {"indent": 2}} == home.json("show", "py")[
        "action"
    ]


@pytest.mark.parametrize(
    ("option", "text", "pointed"),
    [
        ("--cron", "0 25 * * *", "rota: --cron: hour must be 0 to 23, not 25\n  0 25 * * *\n    ^\n"),
        ("--every", "5x", "rota: --every: unknown unit 'x'\n  5x\n   ^\n"),
        ("--calendar", "Mon 25:00", "rota: --calendar: "),
        (
            "--at",
            "@reboot",
            "rota: --at: that is cron's word\n  @reboot\n  ^\n  for the start of the machine write boot",
        ),
        ("--cron", "@reboot", "use the schedule 'at' with the word boot (at: boot in a file, --at boot on the command"),
        ("--at", "2026-13-01", "rota: --at: month must be 1 to 12, not 13\n  2026-13-01\n       ^\n"),
        ("--timeout", "1q", "rota: --timeout: unknown unit 'q'\n  1q\n   ^\n"),
        ("--grace", "-5m", "rota: --grace: a duration cannot be negative\n"),
        ("--tz", "Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("--not-before", "someday", "rota: --not-before: it is no date and time\n  someday\n  ^\n"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(quiet_home, option, text, pointed):
    assert pointed in quiet_home.fails(2, "add", "bad", option, text, "--", "true")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "what should it do? Write: rota add bad … -- CMD"),
        (["--shell", "x", "--", "true"], "--shell and a command after `--` are given; choose one"),
        (["--args", "[1]", "--", "true"], "--args and --kwargs are for --python"),
        (["--python", "x", "--args", "{"], "--args: '{' is no JSON"),
        (["--python", "x", "--args", "{}"], "--args: '{}' is not an array"),
        (["--python", "x:y", "--args", "[" * 101 + "]" * 101], "--args: it is nested more than 100 levels deep"),
        (["--python", "x:y", "--kwargs", '{"a":' + "[" * 5000 + "]" * 5000 + "}"], "--kwargs: it is nested more than"),
        (["--not-before", "2027-01-01", "--not-after", "2026-12-01", "--", "true"], "is not earlier than not_after"),
        (["--cron", "* * *", "--", "true"], "3 fields were found\n  * * *\n       ^\n"),
        (["--every", "0s", "--", "true"], "the shortest interval is 1ms\n  0s\n  ^\n"),
        (["--tz", "Mars/X", "--", "true"], "no time zone is named 'Mars/X'\n  Mars/X\n  ^\n"),
        (["--python", "not a function"], "is not pkg.mod:func"),
        (["--env", "A", "--", "true"], "--env: 'A' is not NAME=VALUE"),
        (["--umask", "9", "--", "true"], "--umask: '9' is no octal number such as 027"),
        (["--retry-on", "x", "--", "true"], "--retry-on: 'x' is not a list of exit codes"),
        (["--retry-delay", "5s", "--", "true"], "add --retries N"),
        (["--backoff", "0.5", "--retries", "1", "--", "true"], "write 1 or more"),
        (["--backoff", "nan", "--retries", "1", "--", "true"], "write 1 or more"),
        (["--priority", "9999999999999999999999", "--", "true"], "1,000,000 at most"),
        (["--max-instances", "0", "--", "true"], "max_instances is 0; it must be 1 or more"),
        (["--start-by", "3650000d", "--", "true"], "start_by is 3,650,000 days; 100 years at most"),
        (["--timeout", "0s", "--", "true"], "timeout is 0s; it must be longer"),
        (["--", "\udcff"], r"'\udcff' is not text in UTF-8"),
        (["--priority", "hihg", "--", "true"], "did you mean 'high'?"),
        (["--pool", "db=0", "--", "true"], "is not NAME or NAME=SIZE"),
        (["--from-end", "--", "true"], "there is no --every"),
        (["--cwd", "/nowhere", "--", "true"], "there is no directory /nowhere"),
        (["--retries", "-1", "--", "true"], "retries is -1; it must be 0 or more"),
        (["--overlap", "skipp", "--", "true"], "'skipp' is not one of"),
        (["--shell", ""], "there is nothing to run"),
        (["ls", "-l"], "no such option '-l'"),
    ],
)
def test_what_cannot_mean_anything_is_refused_with_what_to_write(quiet_home, words, said):
    errors = quiet_home.fails(2, "add", "bad", *words)
    assert said in errors


@pytest.mark.parametrize("name", ["", " x", "-x", "a\tb", "x" * 201])
def test_a_name_that_could_not_be_typed_is_refused(quiet_home, name):
    quiet_home.fails(2, "add", "--", name, "true")


def test_a_line_of_shell_given_as_one_word_is_refused_with_the_right_way(quiet_home):
    errors = quiet_home.fails(2, "add", "bad", "--", "echo hi > /tmp/x")
    assert "--shell 'echo hi > /tmp/x'" in errors


def test_nothing_was_made_of_what_was_refused(quiet_home):
    assert ["backup"] == [job["name"] for job in quiet_home.json("list")]


def test_a_program_whose_name_has_a_space_may_be_one_word(home):
    program = home.folder / "my program"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    done = home.call("add", "ok", "--", "./my program")
    assert (0, b"") == (done.returncode, done.stderr)
    assert {"kind": "command", "argv": ["./my program"]} == home.json("show", "ok")["action"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--", "no-such-program-1"], "no program named 'no-such-program-1' is on PATH here"),
        (["--", "./nothing"], "is not there now"),
        (["--", "/etc/passwd"], "is not an executable file"),
        (["--at", "2020-01-01 00:00", "--", "true"], "has passed already and will not run"),
        (
            ["--every", "1m", "--not-after", "2020-01-01", "--", "true"],
            "its schedule has no slot to come (every minute",
        ),
        (["--calendar", "2020-01-01", "--", "true"], "so it will never run by itself"),
        (["--pool", "db", "--", "true"], "pool 'db' is new and takes one run at a time; --pool db=N makes it larger"),
    ],
)
def test_what_would_fail_at_three_in_the_morning_is_a_warning_now(home, words, said):
    done = home.call("add", "warned", *words)
    assert 0 == done.returncode
    assert said in done.stderr.decode()


def test_a_second_job_of_a_name_is_a_conflict(home):
    home.ok("add", "my job", "--", "true")
    errors = home.fails(4, "add", "my job", "--", "true")
    assert "there is a job named 'my job' already; remove it first (rota remove 'my job')" in errors


def test_a_schedule_keeps_the_zone_in_which_it_was_said(home):
    home.ok("add", "k", "--cron", "13 9 * * *", "--", "true", env={"TZ": "Asia/Kolkata"})
    home.ok("add", "e", "--every", "1m", "--", "true", env={"TZ": "Asia/Kolkata"})
    assert ["Asia/Kolkata", None] == [home.json("show", name)["timezone"] for name in ("k", "e")]
    assert home.json("next", "k", "-n", "1")[0]["slot"].endswith("T03:43:00.000Z")
    assert "(Asia/Kolkata)" in home.ok("list")


@pytest.mark.parametrize("tz", ["CET-1CEST", "UTC+3", "Mars/X"])
def test_a_tz_that_names_no_zone_is_a_warning_and_one_wall_clock_is_used_for_all(home, tz):
    added = home.call("add", "noon", "--cron", "0 12 * * *", "--", "true", env={"TZ": tz})
    assert f"TZ is {tz!r}, which names no time zone" in added.stderr.decode()
    zone = home.json("show", "noon")["timezone"]
    shown = home.ok("show", "noon", env={"TZ": tz})
    assert 5 == shown.split("Next")[1].count(" 12:00:00 ")
    findings = json.loads(home.call("doctor", "--json", env={"TZ": tz}).stdout)
    (finding,) = [each for each in findings if each["what"] == "time zone"]
    assert ("warn", True) == (finding["verdict"], f"go by {zone}" in finding["text"])


def test_jobs_get_the_tz_that_their_engine_was_given_even_when_it_names_no_zone(home):
    home.env["TZ"] = "CET-1CEST"
    engine = home.serve()
    assert engine.stderr is not None
    assert b"names no time zone" in engine.stderr.readline()
    home.ok("add", "tells", "--shell", "echo $TZ")
    assert b"CET-1CEST\n" == home.call("run", "tells", "--wait").stdout
