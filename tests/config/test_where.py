"""Where job files are when nobody names them."""

from __future__ import annotations

import pytest

from rota.config.where import chosen, default_in, usual
from rota.errors import UsageError


@pytest.fixture
def place(tmp_path):
    (tmp_path / "config" / "rota").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    return tmp_path


def environment(place):
    return {"XDG_CONFIG_HOME": str(place / "config")}


def test_what_is_named_is_meant(place):
    assert ["a", "b"] == chosen(["a", "b"], environment(place), str(place / "here"), own=True)


def test_the_first_of_the_usual_names_here_goes_before_the_user_s_own(place):
    (place / "config" / "rota" / "rota.yaml").touch()
    here = str(place / "here")
    assert [str(place / "config" / "rota" / "rota.yaml")] == chosen([], environment(place), here, own=True)
    for name in ("rota.d", "rota.yml", "rota.yaml"):
        (place / "here" / name).touch()
        assert [name] == chosen([], environment(place), here, own=True)
        assert str(place / "here" / name) == default_in(here)


def test_without_any_it_is_said_what_to_do(place):
    assert usual(environment(place), str(place / "here"), own=True) is None
    with pytest.raises(
        UsageError, match=r"there is no rota.yaml, rota.yml or rota.d in .*; `rota init` writes a starter"
    ):
        chosen([], environment(place), str(place / "here"), own=True)


def test_the_user_s_own_files_are_not_for_the_home_of_a_project(place):
    (place / "config" / "rota" / "rota.yaml").touch()
    assert usual(environment(place), str(place / "here"), own=False) is None
