"""What a job finds when it begins: its own directory, limits, signals and descriptors, and none of the engine's."""

from __future__ import annotations

import resource

import pytest

from rota.model.run import State

from .harness import Home, wait_for


@pytest.mark.parametrize(
    ("argv", "code", "output"),
    [
        (["exit", "3"], 127, b""),
        (["echo", "-n", "a b"], 0, b"a b"),
        (["printf", "%s", "-n"], 0, b"-n"),
        (["true"], 0, b""),
        (["test", "-d", "/"], 0, b""),
        (["kill", "-l", "9"], 0, b"KILL\n"),
    ],
)
def test_a_program_that_is_named_like_a_builtin_of_the_shell_is_the_program(home: Home, argv, code, output):
    home.start_engine()
    found = home.wait_for_end(home.trigger("named", command=argv))
    assert (found.exit_code, home.output(found.id)) == (code, output)


def test_a_program_that_is_not_there_says_so_in_the_run(home: Home):
    home.start_engine()
    found = home.wait_for_end(home.trigger("missing", command=["no-such-program"]))
    assert (found.state, found.exit_code) == (State.FAILED, 127)
    assert "no program named 'no-such-program'" in found.reason
    found = home.wait_for_end(home.trigger("no path", command=["./backup.sh"]))
    assert (found.exit_code, found.reason) == (127, f"no program at {home.work}/backup.sh")
    assert home.output(found.id, "stderr") == b""


def test_a_file_that_is_not_executable_says_so_in_the_run(home: Home):
    (home.work / "script").write_text("#!/bin/sh\n")
    home.start_engine()
    found = home.wait_for_end(home.trigger("not executable", command=["./script"]))
    assert found.exit_code == 126
    assert found.reason == f"{home.work}/script is not executable; try: chmod +x {home.work}/script"
    assert home.output(found.id, "stderr") == b"", "no shell complains of a line of the shim"


def test_a_directory_that_is_not_there_is_code_126_and_a_sentence(home: Home):
    home.start_engine()
    found = home.wait_for_end(home.trigger("nowhere", command="true", cwd="/no/such/place"))
    assert (found.state, found.exit_code) == (State.FAILED, 126)
    assert home.output(found.id, "stderr") == b"rota: cannot change to the directory /no/such/place\n"


def test_a_directory_named_like_an_option_is_a_directory(home: Home):
    (home.work / "-P").mkdir()
    home.start_engine()
    found = home.wait_for_end(home.trigger("there", command="pwd", cwd=str(home.work / "-P")))
    assert home.output(found.id).decode().strip() == str(home.work / "-P")


def test_a_job_has_the_soft_file_limit_that_the_engine_was_started_with(home: Home):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    home.start_engine(prefix=("sh", "-c", 'ulimit -S -n 77; exec "$@"', "sh"))
    found = home.wait_for_end(home.trigger("limits", command="ulimit -S -n; ulimit -H -n"))
    assert home.output(found.id).split() == [b"77", str(hard).encode()]


@pytest.mark.parametrize("background", [False, True], ids=["in front", "in the background of a shell"])
@pytest.mark.parametrize("adopting", ["job", "shell"])
def test_a_job_ignores_and_blocks_no_signal(home: Home, background: bool, adopting: str):
    # A shell starts what it puts into the background with INT and QUIT ignored; nohup ignores HUP.
    prefix = ("sh", "-c", "trap '' HUP INT QUIT ALRM TSTP TTIN; exec \"$@\"", "sh") if background else ()
    home.start_engine(prefix=prefix)
    argv = ["grep", "^Sig[BI]", "/proc/self/status"]
    found = home.wait_for_end(home.trigger("signals", command=argv if adopting == "job" else " ".join(argv)))
    _, blocked, _, ignored = home.output(found.id).split()
    # 32 and 33 are the C library's own; its posix_spawn leaves them ignored.
    assert (int(blocked, 16), int(ignored, 16) & ~0x180000000) == (0, 0)


def test_a_job_reads_nothing_and_inherits_no_descriptor(home: Home):
    home.start_engine()
    found = home.wait_for_end(home.trigger("descriptors", command=["ls", "-l", "/proc/self/fd"]))
    lines = [line.split()[-3:] for line in home.output(found.id).decode().splitlines()[1:]]
    targets = {number: target for number, _, target in lines}
    assert targets.pop("0") == "/dev/null"
    assert targets.pop("1").endswith(".out")
    assert targets.pop("2").endswith(".err")
    assert [target for target in targets.values() if not target.endswith("/fd")] == []


def test_a_job_has_its_umask_and_the_engines_otherwise(home: Home):
    home.start_engine(prefix=("sh", "-c", 'umask 027; exec "$@"', "sh"))
    own = home.wait_for_end(home.trigger("own", command="umask", umask=0o077))
    engines = home.wait_for_end(home.trigger("engine's", command="umask"))
    assert (home.output(own.id), home.output(engines.id)) == (b"0077\n", b"0027\n")


def test_a_job_inherits_none_of_rotas_own_settings(home: Home):
    home.start_engine(env={"ROTA_SECRET": "x", "PLAIN": "y"})
    run = home.trigger("environment", command="env", env={"MINE": "z"})
    home.wait_for_end(run)
    found = dict(line.split("=", 1) for line in home.output(run).decode().splitlines() if "=" in line)
    assert (found.get("ROTA_SECRET"), found["PLAIN"], found["MINE"]) == (None, "y", "z")
    told = {"ROTA_JOB": "environment", "ROTA_RUN_ID": run, "ROTA_ATTEMPT": "1", "ROTA_TRIGGER": "manual"}
    assert told.items() <= found.items()
    assert found["ROTA_MARK"] == f"{home.client.home_id}/{run}/1"


def test_a_jobs_own_variables_arrive_as_they_are_whatever_they_are_named(home: Home):
    mine = dict.fromkeys(("run", "attempt", "files", "mask", "dir", "code", "at", "OLDPWD", "CDPATH"), "mine")
    mine |= {"my.property": "odd", "with space": "odd", "X-Y": "a=b", "empty": ""}
    home.start_engine()
    run = home.trigger("named", command=["env", "-0"], env=mine)
    assert home.wait_for_end(run).exit_code == 0
    found = dict(line.split("=", 1) for line in home.output(run).decode().split("\0") if "=" in line)
    assert {name: value for name, value in found.items() if name in mine and name != "OLDPWD"} == {
        name: value for name, value in mine.items() if name != "OLDPWD"
    }


def test_the_exit_code_of_a_job_with_a_path_of_its_own_survives_the_engine(home: Home):
    engine = home.start_engine()
    line = "echo > begun; while [ ! -e go ]; do :; done; exit 9"
    run = home.trigger("own path", command=["/bin/sh", "-c", line], env={"PATH": "/nowhere"})
    wait_for((home.work / "begun").exists, "it runs")
    engine.kill()
    (home.work / "go").touch()
    wait_for(lambda: not home.pids(run), "it has ended")
    home.start_engine()
    assert home.wait_for_end(run).exit_code == 9


def test_a_line_longer_than_an_argument_may_be_runs_from_a_file(home: Home):
    home.start_engine()
    found = home.wait_for_end(home.trigger("long", command=f"true {'x' * 200_000}; echo end"))
    assert (found.exit_code, home.output(found.id)) == (0, b"end\n")
    assert not list((home.path / "spool").glob("*.arg"))


def test_a_job_that_kills_itself_has_the_signals_code(home: Home):
    home.start_engine()
    found = home.wait_for_end(home.trigger("suicide", command="kill -9 $$"))
    assert (found.state, found.exit_code, found.signal) == (State.FAILED, 137, 9)
    assert home.output(found.id, "stderr") == b""


def test_a_torn_or_damaged_line_in_the_journal_spoils_no_other(home: Home):
    engine = home.start_engine()
    run = home.trigger("backup", command="echo begun > begun; sleep 0.5; exit 9")
    home.wait_for_mark("begun")
    engine.kill()
    for segment in (home.path / "spool").glob("journal-*"):
        text = segment.read_bytes().rstrip(b"\0")
        if text:
            torn = f"\nX {run} 1 1 0 - 5\nX {run} 1 99\nS {run}\nX {run} 1 7 3 - \xff\n".encode("latin-1")
            segment.write_bytes(text + torn + bytes(4096))
    home.start_engine()

    found = home.wait_for_end(run)
    assert found.exit_code == 9
