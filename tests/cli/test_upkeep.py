"""init, serve, doctor, stats, missed, prune and backup."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import stat

import pytest


def test_a_home_is_made_once_for_its_owner_alone(home):
    told = home.ok("init")
    assert f"Made {home.path}." in told
    assert "rota serve" in told
    assert 0o700 == stat.S_IMODE(home.path.stat().st_mode)
    assert "*\n" == (home.path / ".gitignore").read_text(encoding="utf-8")
    assert "no problem" in home.ok("validate"), "the starter is a sound file"
    (home.folder / "rota.yaml").write_text("jobs: {x: {run: 'true'}}", encoding="utf-8")
    home.ok("apply")
    again = home.ok("init")
    assert f"{home.path} is there already, with 1 job; nothing in it was changed.\n" in again
    assert "rota.yaml is there already; it stays as it is." in again
    assert "jobs: {x: {run: 'true'}}" == (home.folder / "rota.yaml").read_text(encoding="utf-8")


def test_the_engine_is_small_and_carries_nothing_of_the_command_line(home):
    engine = home.serve()
    with open(f"/proc/{engine.pid}/status", encoding="ascii") as file:
        kilobytes = int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])  # type: ignore[index]
    assert kilobytes <= 22 * 1024
    with open(f"/proc/{engine.pid}/cmdline", "rb") as file:
        assert file.read().endswith(b"-m\0rota\0serve\0--home\0" + os.fsencode(home.path) + b"\0")


def test_a_second_engine_on_a_home_is_refused_with_the_pid_of_the_first(home):
    engine = home.serve()
    assert f"(pid {engine.pid})" in home.fails(4, "serve")


def test_settings_come_from_the_flag_else_the_environment(home):
    home.env["ROTA_CAPACITY"] = "7"
    home.serve()
    log = home.path / "rota.log"
    assert "7 at once" in log.read_text(encoding="utf-8")
    home.stop()
    home.serve("--capacity", "3", "--no-web", "--log-format", "json")
    assert "3 at once" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ROTA_CAPACITY", "many", "ROTA_CAPACITY=many: it must be a number, 1 or more"),
        ("ROTA_ON_STOP", "kil", "did you mean 'kill'?"),
        ("ROTA_STOP_GRACE", "5x", "ROTA_STOP_GRACE: unknown unit 'x'"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(quiet_home, name, value, said):
    assert said in quiet_home.fails(2, "serve", env={name: value})


def test_an_engine_stops_when_it_is_asked(home):
    engine = home.serve()
    engine.send_signal(signal.SIGTERM)
    assert 0 == engine.wait(30)
    assert b"stopped; nothing is left running" in (engine.stderr.read() if engine.stderr else b"")


def test_jobs_inherit_no_settings_of_rota(home):
    home.env["ROTA_CAPACITY"] = "7"
    home.serve()
    home.ok("add", "env", "--shell", "env")
    names = {line.partition("=")[0] for line in home.ok("run", "env", "--wait").splitlines()}
    assert not {"ROTA_CAPACITY", "ROTA_SERVE", "ROTA_HOME"} & names
    assert {"ROTA_JOB", "ROTA_RUN_ID", "ROTA_ATTEMPT", "ROTA_SLOT", "ROTA_TRIGGER", "ROTA_LATENESS"} <= names


def test_a_check_up_of_a_sound_home_is_good(served):
    findings = served.json("doctor")
    assert "fail" not in {finding["verdict"] for finding in findings}
    assert ["home", "modes", "disk", "file system", "sqlite", "store", "engine"] == [f["what"] for f in findings[:7]]
    assert "running (pid" in served.ok("doctor")


def test_a_check_up_of_a_damaged_home_fails(home):
    home.ok("add", "x", "--", "true")
    store = home.path / "rota.db"
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET rootpage = 2 WHERE name = 'run_ready'")
    connection.close()
    done = home.call("doctor")
    assert done.returncode in (1, 2)
    assert b"is damaged" in done.stdout + done.stderr


def test_figures_of_one_job_and_of_all(served):
    served.ok("add", "broken", "--shell", "exit 3")
    for _ in range(3):
        served.call("run", "broken", "--wait")
    told = served.ok("stats", "broken")
    assert "3: 3 failed" in told
    assert "It has never succeeded in 3 runs." in told
    assert (3, 0.0) == (served.json("stats", "broken")["runs"], served.json("stats", "broken")["success_rate"])
    assert ["broken"] == [each["job"] for each in served.json("stats")]


def test_what_was_missed_is_empty_at_first_and_then_names_the_reason(home):
    assert "Nothing was missed since" in home.ok("missed")
    home.ok("add", "past", "--at", "2020-01-01 00:00", "--", "true")
    (miss,) = json.loads(home.ok("missed", "--since", "2019-12-01", "--json"))
    assert ("past", "skipped", "beyond_grace") == (miss["job"], miss["kind"], miss["skip"]["code"])
    assert "past" in home.ok("missed", "--since", "2019-12-01")
    assert "The slot at Wed 2020-01-01 00:00:00 UTC was skipped" in home.ok("why", "past", "2020-01-01 00:00")


def test_a_backup_is_a_whole_store_that_can_be_put_in_its_place(home):
    home.ok("add", "x", "--", "true")
    copy = home.folder / "copy.db"
    told = home.ok("backup", "copy.db")
    assert f"Copied the store to {copy}" in told
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    assert ["copy.db"] == sorted(name for name in os.listdir(home.folder) if name.startswith("copy"))
    home.ok("remove", "x")
    command = told.strip().splitlines()[-1]
    assert 0 == os.system(command)
    assert ["x"] == [job["name"] for job in home.json("list")]


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("there.db", 4, "is there already; name another file, or write over it with --force"),
        ("no/where.db", 2, "there is no directory"),
        (".rota/rota.db", 2, "is the store itself"),
        (".", 2, "is a directory"),
    ],
)
def test_a_backup_harms_nothing(quiet_home, target, code, said):
    (quiet_home.folder / "there.db").write_text("precious", encoding="utf-8")
    assert said in quiet_home.fails(code, "backup", target)
    assert "precious" == (quiet_home.folder / "there.db").read_text(encoding="utf-8")


def test_a_backup_may_be_written_over_on_purpose(quiet_home):
    (quiet_home.folder / "there.db").write_text("old", encoding="utf-8")
    quiet_home.ok("backup", "there.db", "--force")
    assert b"SQLite format 3" == (quiet_home.folder / "there.db").read_bytes()[:15]


def test_pruning_a_young_home_drops_nothing(quiet_home):
    assert "Nothing was older than it may be.\n" == quiet_home.ok("prune")
