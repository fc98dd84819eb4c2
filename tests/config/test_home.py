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
    home, before = place / "new" / "home", os.umask(0)
    prepare_home(str(home))
    prepare_home(str(home))
    os.umask(before)
    assert 0o700 == stat.S_IMODE(home.stat().st_mode)
    assert 0o600 == stat.S_IMODE((home / ".gitignore").stat().st_mode)
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


def test_a_directory_of_something_else_is_refused_and_left_as_it_was(place):
    other = place / "other"
    other.mkdir()
    other.chmod(0o755)
    (other / "rota.yaml").write_text("mine")
    with pytest.raises(BadHome, match=r"/other is no home of rota: it holds other things \(rota.yaml\); .*--home"):
        prepare_home(str(other))
    assert (0o755, ["rota.yaml"]) == (stat.S_IMODE(other.stat().st_mode), os.listdir(other))


def test_a_directory_that_all_may_write_into_is_refused_even_when_it_is_empty(place):
    shared = place / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(BadHome, match="is shared by all users"):
        prepare_home(str(shared))
    assert 0o1777 == stat.S_IMODE(shared.stat().st_mode)


@pytest.mark.parametrize("names", [[], ["spool"], [".gitignore", "engine.lock", "rota.log"], ["rota.db", "notes.txt"]])
def test_an_empty_directory_a_home_in_the_making_and_a_home_with_something_beside_it_are_used(place, names):
    home = place / "home"
    home.mkdir()
    for name in names:
        (home / name).mkdir() if name == "spool" else (home / name).write_text("")
    prepare_home(str(home))
    assert 0o700 == stat.S_IMODE(home.stat().st_mode)


def test_a_user_without_a_home_variable_has_the_directory_of_the_password_file(place, monkeypatch):
    import pwd

    monkeypatch.setenv("HOME", "")
    mine = os.path.realpath(os.path.join(pwd.getpwuid(os.getuid()).pw_dir, ".local/state/rota"))
    assert mine == find_home(None, {}, str(place))


def test_a_relative_state_directory_is_ignored_as_xdg_says(place, monkeypatch):
    monkeypatch.setenv("HOME", str(place))
    assert str(place / ".local" / "state" / "rota") == find_home(None, {"XDG_STATE_HOME": "state"}, str(place))
