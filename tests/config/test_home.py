"""Where a home is, and what makes a directory one."""

from __future__ import annotations

import os
import stat

import pytest

from rota.config.home import find_home, prepare_home
from rota.errors import BadHome


@pytest.fixture
def place(tmp_path):
    (tmp_path / "project" / "deep").mkdir(parents=True)
    return tmp_path


def test_the_flag_goes_before_the_variable_before_the_nearest_directory(place):
    (place / "project" / ".rota").mkdir()
    deep, environment = str(place / "project" / "deep"), {"ROTA_HOME": str(place / "b"), "XDG_STATE_HOME": "/state"}
    assert str(place / "a") == find_home(str(place / "a"), environment, deep)
    assert str(place / "b") == find_home(None, environment, deep)
    assert str(place / "project" / ".rota") == find_home(None, {}, deep)
    assert str(place / "project" / ".rota") == find_home("", {"ROTA_HOME": ""}, deep)


def test_without_any_it_is_the_user_s_state_directory(place, monkeypatch):
    assert os.path.realpath("/state/rota") == find_home(None, {"XDG_STATE_HOME": "/state"}, str(place))
    monkeypatch.setenv("HOME", str(place))
    assert str(place / ".local" / "state" / "rota") == find_home(None, {}, str(place / "project"))


def test_a_home_is_beside_the_job_file_in_use_or_above_it(place):
    (place / "project" / "rota.yaml").write_text("jobs: {}")
    file = str(place / "project" / "rota.yaml")
    assert str(place / "project" / ".rota") == find_home(None, {}, "/", file)
    assert str(place / "project" / ".rota") == find_home(None, {}, str(place / "project"), "rota.yaml")
    assert str(place / "project" / ".rota") == find_home(None, {}, str(place), str(place / "project" / "rota.d"))
    (place / ".rota").mkdir()
    assert str(place / ".rota") == find_home(None, {}, "/", file), "one that is there above is used"
    assert str(place / "a") == find_home(str(place / "a"), {}, "/", file)


def test_only_a_directory_counts_as_a_home_in_use(place):
    (place / "project" / ".rota").write_text("a file")
    assert find_home(None, {"XDG_STATE_HOME": "/state"}, str(place / "project")).endswith("/state/rota")


def test_two_ways_to_one_home_are_one_home(place):
    (place / "link").symlink_to(place / "project")
    assert find_home(str(place / "project"), {}, "/") == find_home(str(place / "link"), {}, "/")


def test_a_tilde_is_the_user_s_directory(place, monkeypatch):
    monkeypatch.setenv("HOME", str(place))
    assert str(place / "h") == find_home("~/h", {}, "/")


def test_a_home_is_made_for_its_owner_alone_and_kept_out_of_git(place):
    home = place / "new" / "home"
    prepare_home(str(home))
    prepare_home(str(home))
    assert 0o700 == stat.S_IMODE(home.stat().st_mode)
    assert ({".gitignore", "spool"}, "*\n") == (
        {path.name for path in home.iterdir()},
        (home / ".gitignore").read_text(),
    )


def test_a_home_that_others_could_read_is_closed_to_them(place):
    home = place / "open"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    prepare_home(str(home))
    assert 0o700 == stat.S_IMODE(home.stat().st_mode)


def test_what_cannot_be_a_home_is_refused_with_what_to_do(place):
    (place / "file").write_text("")
    with pytest.raises(
        BadHome, match=r"cannot use .*/file/home as a home: .*; choose another with --home or ROTA_HOME"
    ):
        prepare_home(str(place / "file" / "home"))
