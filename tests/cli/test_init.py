"""`rota init` makes everything or nothing, and says what stands in its way."""

from __future__ import annotations

import os

import pytest

from rota.cli.init import init_command
from rota.cli.session import Session
from rota.errors import UsageError


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROTA_HOME", raising=False)
    return tmp_path


def refused(place):
    """Call the verb, which must refuse, and return why; nothing may have been made."""
    before = sorted(path.relative_to(place) for path in place.rglob("*"))
    with pytest.raises(UsageError) as caught:
        init_command.main([], "rota init", standalone_mode=False, obj=Session())
    assert before == sorted(path.relative_to(place) for path in place.rglob("*"))
    return str(caught.value)


def test_a_link_to_nowhere_in_the_place_of_the_starter_is_told(place):
    (place / "rota.yaml").symlink_to("gone.yaml")
    assert refused(place) == (
        "rota.yaml is a link to gone.yaml, where nothing is; take the link away, or write the file that it leads to"
    )


def test_a_directory_in_the_place_of_the_schema_is_told(place):
    (place / ".rota" / "rota.schema.json").mkdir(parents=True)
    assert refused(place) == (
        f"{place}/.rota/rota.schema.json is a directory, and a file for editors is to be there; take it away"
    )


@pytest.mark.parametrize(
    ("closed", "made", "what"), [("", (), ".rota"), (".rota", (".rota",), ".rota"), ("", (".rota",), "rota.yaml")]
)
def test_a_directory_that_cannot_be_written_is_told(place, monkeypatch, closed, made, what):
    for name in made:
        (place / name).mkdir()
    place_closed = os.path.join(place, closed) if closed else str(place)
    can = os.access  # the tests may run as root, who may write everywhere
    monkeypatch.setattr(os, "access", lambda path, mode: path != place_closed and can(path, mode))
    assert refused(place) == (
        f"{place}/{what} cannot be written: you may not change {place_closed}; work in a directory of your own, or let "
        "its owner give you the right to write"
    )


def test_the_refusals_end_with_the_code_of_a_wrong_use(home):
    (home.folder / "rota.yaml").symlink_to("gone.yaml")
    assert home.fails(2, "init").startswith("rota: rota.yaml is a link to gone.yaml")
    assert not (home.path / "rota.db").exists()


def test_a_link_to_a_job_file_is_a_job_file(home):
    (home.folder / "elsewhere.yaml").write_text("jobs: {}")
    (home.folder / "rota.yaml").symlink_to("elsewhere.yaml")
    assert "rota.yaml is there already; it stays as it is." in home.ok("init")
    assert "rota.yaml is there already" in home.ok("init"), "and again"
