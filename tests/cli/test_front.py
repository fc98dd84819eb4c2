"""The front door: help, wrong words, exit codes, and how fast it opens."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import rota
from rota.cli.main import cli
from rota.cli.verbs import HIDDEN, VERBS

from .conftest import ROTA


def test_help_names_every_verb_with_its_summary(quiet_home):
    shown = quiet_home.ok("--help")
    assert [] == [name for name, verb in VERBS.items() if name not in shown or verb.summary not in shown]
    assert shown == quiet_home.ok() == quiet_home.ok("-h")


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_explains_itself_and_takes_a_home(name):
    command = getattr(import_module(f"rota.cli.{VERBS[name].module}"), f"{name}_command")
    assert name == command.name
    assert command.help
    assert "--home" in [option for param in command.params for option in param.opts]


def test_only_the_modules_of_verbs_are_in_the_table():
    folder = Path(rota.__file__).parent / "cli"
    of_verbs = re.compile(r'^@click\.(command|group)\("', re.MULTILINE)
    modules = {path.stem for path in folder.glob("*.py") if path.stem != "main" and of_verbs.search(path.read_text())}
    assert modules == {verb.module for verb in (*VERBS.values(), *HIDDEN.values())}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lst"], "there is no verb 'lst'; did you mean 'list'?"),
        (["frobnicate"], "there is no verb 'frobnicate'; `rota --help` lists them"),
        (["list", "--jsn"], "no such option '--jsn'. Did you mean '--json'?"),
        (["show"], "missing argument 'JOB'"),
        (["runs", "--state", "troubel"], "there is no state 'troubel'; did you mean 'trouble'?"),
        (["runs", "--since", "yesterdya"], "--since: it is no date and time"),
        (["next", "--tz", "Europe/Berln"], "did you mean 'Europe/Berlin'?"),
    ],
)
def test_a_wrong_word_is_told_with_the_nearest_right_one(quiet_home, words, said):
    assert said in quiet_home.fails(2, *words)


@pytest.mark.parametrize("verb", ["show", "run", "why", "logs", "pause", "resume", "remove", "next", "stats", "cancel"])
def test_an_unknown_job_is_told_with_the_nearest_there_is(quiet_home, verb):
    assert "rota: no job named 'bakcup'; did you mean 'backup'?\n" == quiet_home.fails(3, verb, "bakcup")


def test_a_home_that_is_not_there_is_told_with_how_to_make_one(quiet_home):
    said = quiet_home.fails(2, "show", "backup", "--home", str(quiet_home.folder / "nowhere"))
    assert "there is no rota home at" in said
    assert "`rota init` makes one" in said
    assert not (quiet_home.folder / "nowhere").exists()


def test_the_home_may_be_named_before_and_after_the_verb_and_by_the_environment(home):
    other = str(home.folder / "other")
    home.ok("--home", other, "add", "elsewhere-only", "--", "true")
    assert "elsewhere-only" in home.ok("list", "--home", other)
    assert "elsewhere-only" in home.ok("list", env={"ROTA_HOME": other})
    assert "elsewhere-only" not in home.ok("list", "--home", str(home.path), env={"ROTA_HOME": other})


def test_a_reader_that_goes_away_is_no_error(quiet_home):
    reader, writer = os.pipe()
    os.close(reader)
    gone = quiet_home.start("list", stdout=writer)
    os.close(writer)
    assert (b"", 128 + signal.SIGPIPE) == (gone.communicate()[1], gone.returncode)


@pytest.mark.parametrize(
    ("verb", "redirection", "code"),
    [
        ("list", ">&-", 0),
        ("list", "<&- >&- 2>&-", 0),
        ("lst", "2>&-", 2),
        ("list", ">/dev/full", 1),
        ("logs backup", "2>&-", 3),
    ],
)
def test_streams_that_are_closed_or_full_are_no_fault(quiet_home, verb, redirection, code):
    command = ["/bin/sh", "-c", f"exec {ROTA} {verb} {redirection}"]
    done = subprocess.run(command, cwd=quiet_home.folder, env=quiet_home.env, capture_output=True, text=True)
    assert code == done.returncode
    assert done.stderr in ("", "rota: No space left on device\n")


def test_an_unexpected_error_is_one_honest_sentence(quiet_home):
    broken = (
        "import rota.cli.jobs as j; j._row = lambda *_: 1 / 0; from rota.cli.main import main; raise SystemExit(main())"
    )
    command = [sys.executable, "-c", broken, "list"]
    done = subprocess.run(command, cwd=quiet_home.folder, env=quiet_home.env, capture_output=True, text=True)
    assert 1 == done.returncode
    assert "this is a fault in rota: ZeroDivisionError: division by zero at <string>:1" in done.stderr
    assert "Traceback" not in done.stderr
    done = subprocess.run(
        command, cwd=quiet_home.folder, env=quiet_home.env | {"ROTA_DEBUG": "1"}, capture_output=True, text=True
    )
    assert "Traceback" in done.stderr


def test_a_directory_that_was_deleted_is_told(quiet_home):
    gone = quiet_home.folder / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && exec {ROTA} list"
    done = subprocess.run(["/bin/sh", "-c", script], env=quiet_home.env, capture_output=True, text=True)
    assert (2, "rota: the current directory has been deleted; change to another one\n") == (
        done.returncode,
        done.stderr,
    )


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--help"], ("rota.wiring", "msgspec", "rich", "sqlite3", "json", "difflib")),
        (["list"], ("rota.engine", "rich", "difflib", "json", "rota.control.verbs", "rota.process.launcher")),
        (["runs"], ("rota.engine", "rich", "difflib", "rota.control.verbs")),
        (["run", "backup"], ("rota.engine", "rich", "difflib", "rota.process.launcher")),
    ],
)
def test_a_verb_imports_only_what_it_needs(quiet_home, words, unwanted):
    script = f"import sys; from rota.cli.main import main; main({words!r}); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=quiet_home.folder, env=quiet_home.env, capture_output=True, text=True
    )
    modules = set(ast.literal_eval(done.stderr.splitlines()[-1]))
    assert [] == sorted(name for name in unwanted if name in modules)


def test_completion_scripts_complete_verbs_options_and_jobs(quiet_home):
    for shell in ("bash", "zsh", "fish"):
        assert "_ROTA_COMPLETE" in quiet_home.ok("completion", shell)
    env = {"_ROTA_COMPLETE": "bash_complete", "COMP_WORDS": "rota show b", "COMP_CWORD": "2"}
    assert "plain,backup\n" == quiet_home.call(env=env).stdout.decode()
    env = {"_ROTA_COMPLETE": "bash_complete", "COMP_WORDS": "rota re", "COMP_CWORD": "1"}
    assert "plain,remove\nplain,resume\nplain,retry\n" == quiet_home.call(env=env).stdout.decode()
    assert "1 of:" not in quiet_home.fails(2, "completion", "csh")


def test_versions_are_told(quiet_home):
    assert quiet_home.ok("version").startswith(f"rota {rota.__version__} (Python ")
    assert rota.__version__ == quiet_home.json("version")["rota"]
    assert f"rota {rota.__version__}\n" == quiet_home.ok("--version")


def test_the_group_lists_its_verbs_in_the_order_of_the_table():
    assert list(VERBS) == cli.list_commands(None)  # type: ignore[arg-type]
