"""Applying: what is checked when, what is made, and whose files are meant."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import ROTA

JOBS = "jobs:\n  a: {run: echo a, every: 1h}\n"


@pytest.fixture
def folder(tmp_path_factory, home):
    """A directory without a home in it or above it, and a user without any."""
    place = tmp_path_factory.mktemp("place")
    for name in ("project", "user"):
        (place / name).mkdir()
    home.env["HOME"] = str(place / "user")
    return place / "project"


def served_once(home):
    """Let an engine serve for a moment, and return its log."""
    engine = home.serve()
    engine.terminate()
    assert 0 == engine.wait(30)
    return (home.path / "rota.log").read_text()


def test_a_revision_that_is_asked_for_is_checked_against_the_one_that_is_compared(home):
    (home.folder / "rota.yaml").write_text(JOBS)
    home.ok("apply")
    (home.folder / "rota.yaml").write_text(JOBS.replace("echo a", "echo b"))
    assert "the jobs are at revision 1, not 7" in home.fails(4, "apply", "--revision", "7")
    assert "the jobs are at revision 1, not 7" in home.fails(4, "apply", "--revision", "7", "--dry-run")
    assert "Applied: 1 changed" in home.ok("apply", "--revision", "1")


@pytest.mark.parametrize("verb", ["apply", "serve", "diff", "validate"])
def test_a_mistyped_path_leaves_nothing_behind(home, folder, verb):
    call = home.call(verb, "-f", "typo/rota.yaml", cwd=folder)
    assert (2, []) == (call.returncode, list(folder.iterdir()))
    assert b"typo/rota.yaml:1:1: it cannot be read: No such file or directory" in call.stderr


@pytest.mark.parametrize("verb", ["apply", "serve"])
def test_broken_files_make_no_home(home, folder, verb):
    (folder / "rota.yaml").write_text("jobs: {a: {rn: x}}")
    assert 2 == home.call(verb, cwd=folder).returncode
    assert ["rota.yaml"] == [path.name for path in folder.iterdir()]


def test_the_user_s_own_jobs_do_not_slip_into_a_project(home, folder):
    own = Path(home.env["HOME"]) / ".config" / "rota"
    own.mkdir(parents=True)
    (own / "rota.yaml").write_text("jobs: {mine: {run: x}}")
    (folder / "rota.yaml").write_text(JOBS)
    home.ok("apply", cwd=folder)
    (folder / "rota.yaml").unlink()
    assert "there is no rota.yaml, rota.yml or rota.d in" in home.fails(2, "apply", cwd=folder)
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    assert "mine" in home.ok("apply", cwd=elsewhere)
    assert (Path(home.env["HOME"]) / ".local" / "state" / "rota" / "rota.db").exists()


def test_jobs_that_stay_although_their_file_is_gone_are_told_each_time(home):
    directory = home.folder / "rota.d"
    directory.mkdir()
    for name in "ab":
        (directory / f"{name}.yaml").write_text(f"jobs: {{{name}: {{run: x}}}}")
    home.ok("apply")
    (directory / "b.yaml").unlink()
    for _ in range(2):
        assert "b  stays, although" in home.ok("apply")
    assert ["b"] == [kept["name"] for kept in home.json("apply")["kept"]]


def test_a_copied_project_may_take_its_jobs_over(home):
    (home.folder / "rota.yaml").write_text(JOBS)
    home.ok("apply")
    (home.folder / "copy.yaml").write_text(JOBS)
    assert "rota apply --take-over" in home.fails(4, "apply", "-f", "copy.yaml")
    assert "file: " in home.ok("apply", "-f", "copy.yaml", "--take-over")


def test_another_zone_of_the_machine_is_a_change_of_jobs_that_name_none(home):
    (home.folder / "rota.yaml").write_text("jobs: {a: {run: x, cron: '0 9 * * *'}}")
    home.env["TZ"] = "UTC"
    home.ok("apply")
    home.env["TZ"] = "Asia/Tokyo"
    assert "timezone: UTC → Asia/Tokyo" in home.ok("apply")


def test_one_file_named_twice_is_one_file(home):
    (home.folder / "rota.yaml").write_text(JOBS)
    assert "Applied: 1 added" in home.ok("apply", "-f", "rota.yaml", "-f", "./rota.yaml")


def test_a_directory_of_thousands_of_files_can_be_served(home):
    directory = home.folder / "rota.d"
    directory.mkdir()
    for number in range(3000):
        (directory / f"a-file-with-a-rather-long-name-{number}.yaml").write_text(f"jobs: {{j{number}: {{run: x}}}}")
    log = served_once(home)
    assert "Applied: 3,000 added" in log
    assert "have changed" not in log, "what was read at the start is known"


def test_an_engine_without_job_files_says_where_it_has_looked(home):
    log = served_once(home)
    assert re.search(r"no job files are served: none was named, and there is no rota.yaml or .* in /", log)


def test_what_was_changed_while_no_engine_ran_is_told_in_the_log_at_its_start(home):
    (home.folder / "rota.yaml").write_text(JOBS)
    home.ok("apply")
    (home.folder / "rota.yaml").write_text(JOBS.replace("echo a", "echo b") + "  old: {run: x, at: 2020-01-01 10:00}\n")
    log = served_once(home)
    assert "INFO: ~ a" in log
    assert "run: echo a → echo b" in log
    assert re.search(r"WARNING: job 'old': .* has passed already", log)


def test_an_apply_beside_others_comes_through(home):
    """A start meets somebody who adds jobs all the time."""
    jobs = "".join(f"  j{number}: {{run: x, cron: '0 9 * * *'}}\n" for number in range(2000))
    (home.folder / "rota.yaml").write_text(f"jobs:\n{jobs}")
    home.ok("init")
    script = f"for n in $(seq 6); do {ROTA} add h$n -- true; done"
    with subprocess.Popen(["/bin/sh", "-c", script], cwd=home.folder, env=home.env) as other:
        served_once(home)
        assert 0 == other.wait(60)
    assert 2006 == len(home.json("list"))
