"""Homes that are foreign, broken or half gone: a sentence and a code, never a traceback or an empty listing."""

from __future__ import annotations

import os
import stat
import subprocess

import pytest

from rota.errors import BadHome
from rota.wiring.homes import has_store

from .conftest import ROTA, Home

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def test_no_verb_takes_a_directory_of_something_else(home):
    other = home.folder / "other"
    other.mkdir(mode=0o755)
    (other / "letters.txt").write_text("mine")
    for words in (["add", "a", "--", "true"], ["init"], ["serve"]):
        assert "is no home of rota" in home.fails(2, words[0], "--home", str(other), *words[1:])
    assert (0o755, ["letters.txt"]) == (stat.S_IMODE(other.stat().st_mode), os.listdir(other))


@as_root
def test_a_home_that_may_not_be_read_is_not_an_empty_one(home):
    home.ok("add", "a", "--", "true")
    os.seteuid(65534)
    try:
        with pytest.raises(BadHome, match=r"you may not look into .*/\.rota; use rota as its owner"):
            has_store(str(home.path))
    finally:
        os.seteuid(0)


def broken(home: Home, name: str) -> None:
    (home.path / name).mkdir()
    (home.path / name / "something").write_text("")


@pytest.mark.parametrize("name", ["engine.lock", "rota.log"])
def test_an_engine_that_cannot_begin_says_why_in_a_sentence(home, name):
    home.ok("add", "a", "--", "true")
    broken(home, name)
    assert f"rota: {home.path}/{name}: Is a directory\n" == home.fails(1, "serve")


def test_a_store_that_is_gone_is_not_an_empty_one(home):
    home.ok("add", "a", "--", "true")
    home.serve()
    home.stop()
    (home.path / "rota.db").unlink()
    for words in (["list"], ["add", "b", "--", "true"], ["serve"], ["init"], ["doctor"]):
        errors = home.fails(2, *words)
        assert "rota.db is gone, but an engine has been at work here" in errors
        assert "put a backup in its place" in errors
        assert "to begin anew" in errors
    assert not (home.path / "rota.db").exists()
    home.path.rename(home.folder / "old")
    home.ok("add", "b", "--", "true")


def test_a_home_that_is_named_needs_no_current_directory(home):
    home.ok("add", "a", "--", "true")
    gone = home.folder / "gone"
    script = f'mkdir -p {gone} && cd {gone} && rmdir {gone} && exec {ROTA} list --home "$1"'
    done = subprocess.run(["/bin/sh", "-c", script, "sh", str(home.path)], capture_output=True, env=home.env)
    assert (0, b"") == (done.returncode, done.stderr)
    done = subprocess.run(["/bin/sh", "-c", script, "sh", ".rota"], capture_output=True, env=home.env)
    assert (2, True) == (done.returncode, b"has been deleted" in done.stderr)
