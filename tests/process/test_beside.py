"""Processes of rota's own beside the engine: started, watched without waiting, and heard when they have ended."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from rota.process.beside import Helpers
from rota.process.launcher import ProcessLauncher
from rota.process.watch import PidfdWatcher, SigchldWatcher

ROTA = str(Path(sys.executable).parent / "rota")


@pytest.fixture(params=[PidfdWatcher, SigchldWatcher])
def helpers(request, tmp_path):
    watcher = request.param()
    made = Helpers(str(tmp_path), watcher, dict(os.environ))
    made.launcher = ProcessLauncher(str(tmp_path), os.urandom(8).hex(), watcher, {}, made.note_end)
    yield made
    made.launcher.close()


def wait(helpers, name):
    """Turn as the engine does until a helper has ended."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert [] == helpers.launcher.take_exits(), "a helper is no attempt"
        end = helpers.take_end(name)
        if end is not None:
            return end
        helpers.launcher.wait(0.1)
    raise AssertionError("it did not end")


def test_a_helper_is_rota_itself_and_what_it_says_is_heard(helpers):
    helpers.start("apply", ["version"])
    assert helpers.take_end("apply") is None
    end = wait(helpers, "apply")
    assert 0 == end.code
    assert end.lines[0].startswith("rota ")
    assert helpers.take_end("apply") is None, "it is told once"


def test_its_errors_are_heard_with_its_code(helpers):
    helpers.start("apply", ["aply"])
    end = wait(helpers, "apply")
    assert (2, ["rota: there is no verb 'aply'; did you mean 'apply'?"]) == (end.code, end.lines)


def test_a_helper_that_is_let_go_ends_as_it_does_when_the_engine_has_gone(helpers, tmp_path):
    # A job file that is a pipe of ours would keep apply waiting; a store that somebody has locked does.
    (tmp_path / "rota.yaml").write_text("jobs: {a: {run: x}}")
    home = tmp_path / "home"
    subprocess.run([ROTA, "--home", str(home), "init"], cwd=tmp_path, check=True, capture_output=True)
    with closing(sqlite3.connect(home / "rota.db", isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")
        helpers.start("apply", ["apply", "--home", str(home), "-f", str(tmp_path / "rota.yaml")])
        for _ in range(10):
            helpers.launcher.wait(0.1)
            helpers.launcher.take_exits()
        assert helpers.take_end("apply") is None
        helpers.let_go("apply")
        end = wait(helpers, "apply")
    assert (1, []) == (end.code, end.lines)


def test_what_it_says_is_for_the_owner_only_and_goes_when_it_is_heard(helpers, tmp_path):
    helpers.start("apply", ["version"])
    assert 0o600 == stat.S_IMODE((tmp_path / "apply.out").stat().st_mode)
    wait(helpers, "apply")
    assert not (tmp_path / "apply.out").exists()


def test_what_it_says_is_passed_on_line_by_line_while_it_runs_and_the_rest_at_its_end(helpers, tmp_path):
    said = tmp_path / "tell.out"
    said.write_text("first\nsecond\ntor")
    assert (["first", "second"], []) == (helpers.new_lines("tell"), helpers.new_lines("tell"))
    said.write_text("first\nsecond\ntorn\nrest")
    assert ["torn"] == helpers.new_lines("tell")
    helpers.note_end("helper:tell", 0)
    assert ["rest"] == helpers.take_end("tell").lines
    assert [] == helpers.new_lines("tell")
