"""Every action is an argv: what is started, with which environment, and how it is refused."""

from __future__ import annotations

import json
import os
import pwd
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from rota.errors import CannotStart
from rota.model.action import Command, Python, Shell
from rota.model.job import Job
from rota.model.policy import Output, OutputMode, Policy
from rota.model.run import Trigger
from rota.model.settlement import Claimed
from rota.process.argv import ARGUMENT_FILE, LONGEST_ARGUMENT, base_environment, compile_start, find_program

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLAIMED = Claimed("RUN", 2, "backup", 1, Trigger.SCHEDULE, NOW - timedelta(milliseconds=1500), {}, "j/1", NOW)
BASE = {"PATH": "/usr/bin:/bin", "HOME": "/root"}


def compiled(action=Shell("true"), claimed=CLAIMED, base=None, **job):  # noqa: B008 -- a frozen value
    made = Job("backup", action, **job)
    return compile_start(claimed, made, BASE if base is None else base, ("home-id", "/the/home"), "/spool/1.res")


def test_jobs_inherit_everything_but_rotas_own_settings():
    engine = {
        "PATH": "/bin",
        "LANG": "C",
        "ROTA_HOME": "/h",
        "ROTA_MARK": "x/y/1",
        "ROTA_TOKEN_FILE": "/t",
        "ROTA": "1",
    }
    assert {"PATH": "/bin", "LANG": "C", "ROTA": "1"} == base_environment(engine)


def test_a_job_is_told_who_it_is():
    start = compiled(env={"COLOUR": "blue"})
    assert {
        "PATH": "/usr/bin:/bin",
        "HOME": "/root",
        "COLOUR": "blue",
        "ROTA_JOB": "backup",
        "ROTA_RUN_ID": "RUN",
        "ROTA_ATTEMPT": "2",
        "ROTA_MAX_ATTEMPTS": "1",
        "ROTA_SLOT": "2026-03-01T11:59:58.500Z",
        "ROTA_TRIGGER": "schedule",
        "ROTA_LATENESS": "1.500",
        "ROTA_MARK": "home-id/RUN/2",
    } == start.env


def test_a_run_by_hand_has_no_slot_and_is_not_late():
    by_hand = msgspec.structs.replace(CLAIMED, slot=None, trigger=Trigger.MANUAL, params={"DAY": "monday", "n": "1"})
    env = compiled(claimed=by_hand).env
    assert ("", "0", "manual") == (env["ROTA_SLOT"], env["ROTA_LATENESS"], env["ROTA_TRIGGER"])
    assert ("monday", "1") == (env["ROTA_PARAM_DAY"], env["ROTA_PARAM_n"])


def test_a_slot_of_a_clock_that_went_back_is_not_early():
    early = msgspec.structs.replace(CLAIMED, slot=NOW + timedelta(hours=1))
    assert "0.000" == compiled(claimed=early).env["ROTA_LATENESS"]


def test_neither_job_nor_parameter_can_pretend_to_be_another_run():
    claimed = msgspec.structs.replace(CLAIMED, params={"x": "1"})
    env = compiled(claimed=claimed, env={"ROTA_RUN_ID": "OTHER", "ROTA_MARK": "a/b/1", "ROTA_PARAM_x": "2"}).env
    assert ("RUN", "home-id/RUN/2", "1") == (env["ROTA_RUN_ID"], env["ROTA_MARK"], env["ROTA_PARAM_x"])


def test_compiling_changes_nothing_that_it_was_given():
    base = dict(BASE)
    compiled(Python("pkg.mod:func"), base=base, env={"A": "b"})
    assert BASE == base


def test_a_line_goes_to_the_shell_and_words_to_their_program(tmp_path):
    assert ["/bin/sh", "-c", "echo hi | cat"] == compiled(Shell("echo hi | cat")).argv
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    start = compiled(Command(("tool", "a b", "$HOME")), base={"PATH": f"/nowhere:{tmp_path}"})
    assert [str(program), "a b", "$HOME"] == start.argv
    assert ["./tool", "x"] == compiled(Command(("./tool", "x"))).argv, "without a directory the shim says what is wrong"


def test_the_job_s_own_path_finds_its_program(tmp_path):
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    program.touch(0o755)
    assert [str(program)] == compiled(Command(("tool",)), env={"PATH": str(program.parent)}).argv
    relative = compiled(Command(("tool",)), env={"PATH": "bin"}, cwd=str(tmp_path))
    assert [str(program)] == relative.argv, "a relative directory on PATH is the job's"


def test_a_missing_program_is_127_and_one_that_may_not_be_started_126(tmp_path):
    with pytest.raises(CannotStart, match="no program named 'bakcup' on PATH") as missing:
        find_program("bakcup", str(tmp_path), "/")
    (tmp_path / "bakcup").touch(0o644)
    (tmp_path / "folder").mkdir()
    with pytest.raises(CannotStart, match=r"is not executable; try: chmod \+x") as denied:
        find_program("bakcup", str(tmp_path), "/")
    with pytest.raises(CannotStart) as folder:
        find_program("folder", str(tmp_path), "/")
    assert (127, 126, 127) == (missing.value.code, denied.value.code, folder.value.code)


def test_a_function_is_called_by_a_process_of_its_own():
    start = compiled(Python("pkg.mod:func", ("ü", 1), {"deep": [None, True]}))
    *argv, given = start.argv
    assert [sys.executable, "-P", "-m", "rota.call", "pkg.mod:func"] == argv
    assert {"args": ["ü", 1], "kwargs": {"deep": [None, True]}} == json.loads(given)
    assert "/spool/1.res" == start.env["ROTA_RESULT_FILE"]
    assert "/opt/venv/bin/python" == compiled(Python("m:f", interpreter="/opt/venv/bin/python")).argv[0]
    assert "ROTA_RESULT_FILE" not in compiled().env


@pytest.mark.parametrize("letter", ["x", "ü"])
def test_long_arguments_travel_in_a_file(letter):
    long = letter * LONGEST_ARGUMENT
    start = compiled(Python("m:f", (long,)))
    assert ["--file", ARGUMENT_FILE] == start.argv[-2:]
    assert [long] == json.loads(start.argument_file)["args"]
    line = compiled(Shell(f"echo {long}"))
    assert (["/bin/sh", ARGUMENT_FILE], f"echo {long}") == (line.argv, line.argument_file)
    assert all(len(word.encode()) < LONGEST_ARGUMENT for word in start.argv + line.argv)


def test_a_job_starts_in_its_directory_or_in_the_home():
    assert "/the/home" == compiled().cwd
    assert "/data" == compiled(cwd="/data").cwd
    assert os.path.expanduser("~/data") == compiled(cwd="~/data").cwd


def test_a_relative_directory_is_below_the_home_wherever_the_engine_was_started(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert ["/data", "/the/home/sub", "/the/home"] == [compiled(cwd=cwd).cwd for cwd in ("/data", "sub", None)]


def test_a_path_that_leads_to_no_program_is_told_in_our_words(tmp_path):
    with pytest.raises(CannotStart, match=f"no program at {tmp_path}/backup.sh") as missing:
        compiled(Command(("./backup.sh",)), cwd=str(tmp_path))
    (tmp_path / "backup.sh").touch(0o644)
    with pytest.raises(CannotStart, match=r"backup.sh is not executable; try: chmod \+x") as denied:
        compiled(Command((f"{tmp_path}/backup.sh",)), cwd="/")
    (tmp_path / "backup.sh").chmod(0o755)
    assert (127, 126, ["./backup.sh"]) == (
        missing.value.code, denied.value.code, compiled(Command(("./backup.sh",)), cwd=str(tmp_path)).argv
    )  # fmt: skip


def test_a_variable_whose_name_looks_like_an_option_is_a_variable():
    env, *words = compiled(env={"-i": "foo", "my.property": "1"}).argv
    assert ("env", ["--", "-i=foo", "my.property=1", "/bin/sh", "-c", "true"]) == (Path(env).name, words)


def test_a_pipe_puts_the_relay_before_the_command():
    piped = compiled(policy=Policy(output=Output(mode=OutputMode.PIPE)))
    python, *flags, relay = piped.argv[:4]
    assert (sys.executable, ["-I", "-S"], "relay.py") == (python, flags, Path(relay).name)
    assert ["/bin/sh", "-c", "true"] == piped.argv[4:]


def test_another_user_needs_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotStart, match="user: nobody needs an engine that runs as root") as refused:
        compiled(user="nobody")
    assert 126 == refused.value.code


def test_root_starts_a_command_as_another_user_through_a_pipe(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    argv = compiled(user="nobody").argv
    assert "relay.py" == Path(argv[3]).name, "another user cannot open the engine's files"
    assert ["/bin/sh", "-c", "true"] == argv[-3:]
    assert argv[4].endswith(("setpriv", "sudo"))
    env = compiled(user="nobody", base={"PATH": "/bin", "HOME": "/root", "USER": "root", "SHELL": "/bin/zsh"}).env
    entry = pwd.getpwnam("nobody")
    expected = {"HOME": entry.pw_dir, "USER": "nobody", "LOGNAME": "nobody", "SHELL": entry.pw_shell or "/bin/sh"}
    assert expected == {name: env[name] for name in expected}
    assert "/elsewhere" == compiled(user="nobody", env={"HOME": "/elsewhere"}).env["HOME"], "the job's own goes first"
    with pytest.raises(CannotStart, match="no user named 'who-is-this' on this machine"):
        compiled(user="who-is-this")


def test_secrets_travel_as_places_and_through_a_relay_that_masks():
    start = compiled(env={"A": "1"}, secrets={"TOKEN": "file:/run/token"}, env_files=("/etc/a.env",))
    *flags, relay, given, told = start.argv[1:6]
    assert (["-I", "-S"], "relay.py", "--given") == (flags, Path(relay).name, given)
    assert json.loads(told) == {
        "files": ["/etc/a.env"],
        "secrets": {"TOKEN": "file:/run/token"},
        "keep": ["A", "TOKEN"],
    }
    assert ["/bin/sh", "-c", "true"] == start.argv[6:]
    assert "TOKEN" not in start.env


def test_a_file_of_variables_alone_needs_no_pipe():
    argv = compiled(env_files=("/etc/a.env",)).argv
    assert (["-I", "-S"], "reveal.py") == (argv[1:3], Path(argv[3]).name)


def test_a_keyring_s_package_is_not_in_the_standard_library():
    assert ["-I"] == compiled(secrets={"TOKEN": "keyring:a/b"}).argv[1:2]
    assert "relay.py" == Path(compiled(secrets={"TOKEN": "keyring:a/b"}).argv[2]).name
