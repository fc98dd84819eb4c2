"""A copy of a home is told from a home that was moved, restored, or is reached by another path."""

from __future__ import annotations

import shutil

import msgspec
import pytest

from rota.config.place import decode_place, encode_place, is_copy, place_of


@pytest.fixture
def home(tmp_path):
    made = tmp_path / "home"
    made.mkdir()
    (made / "rota.db").touch()
    return made


@pytest.fixture
def recorded(home):
    """What the home's own store says of it."""
    return decode_place(encode_place(place_of(str(home))))


def test_a_home_in_its_place_is_no_copy(home, recorded):
    assert is_copy(place_of(str(home)), recorded) is False


def test_a_copy_is_known_by_its_original(home, recorded, tmp_path):
    shutil.copytree(home, tmp_path / "copy")
    assert is_copy(place_of(str(tmp_path / "copy")), recorded) is True


def test_a_home_that_was_moved_is_no_copy_whatever_is_in_its_old_place(home, recorded, tmp_path):
    moved = home.rename(tmp_path / "moved")
    assert is_copy(place_of(str(moved)), recorded) is False
    home.mkdir()
    (home / "rota.db").touch()
    assert is_copy(place_of(str(moved)), recorded) is False


def test_a_home_whose_files_were_moved_out_of_their_directory_is_no_copy(home, recorded, tmp_path):
    (tmp_path / "moved").mkdir()
    (home / "rota.db").rename(tmp_path / "moved" / "rota.db")
    assert is_copy(place_of(str(tmp_path / "moved")), recorded) is False


def test_the_same_directory_by_another_path_is_no_copy(home, recorded, tmp_path):
    (tmp_path / "link").symlink_to(home)
    by_another = msgspec.structs.replace(recorded, path=str(tmp_path / "link"))  # as through a bind mount
    assert [False, False] == [is_copy(place_of(str(tmp_path / "link")), recorded), is_copy(recorded, by_another)]
