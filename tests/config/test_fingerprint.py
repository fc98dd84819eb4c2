"""Files that say the same as the last time are recognised without being read as YAML."""

from __future__ import annotations

import os

import pytest

import rota.config.fingerprint as fingerprint
from rota.config.problems import Problems
from rota.config.reading import content_of, files_of, read

ENVIRONMENT = {"WHO": "me", "OTHER": "x"}


class Applied:
    """Files that were applied at revision 3."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "rota.yaml").write_text("jobs: {a: {run: [echo, '${WHO}', '${NONE:-}']}, b: {run: x}}")
        files, contents = self.look()
        reading = read(files, contents, ENVIRONMENT, None, Problems())
        reading.jobsets[0].inputs.append(str(folder / "input"))
        (folder / "input").write_text("1")
        self.known = fingerprint.with_revision(fingerprint.take(reading, contents, ENVIRONMENT, None), 3)

    def look(self):
        problems = Problems()
        files = files_of(["rota.yaml"], str(self.folder), None, problems)
        return files, [content_of(file, problems) for file in files]

    def unchanged(self, *, known=None, environment=ENVIRONMENT, format_name=None, revision=3):
        return fingerprint.unchanged(known or self.known, *self.look(), environment, format_name, revision)


@pytest.fixture
def applied(tmp_path):
    return Applied(tmp_path)


def test_the_same_files_are_unchanged_and_their_jobs_counted(applied):
    assert 2 == applied.unchanged()


def test_a_file_that_was_only_touched_is_unchanged(applied):
    os.utime(applied.folder / "rota.yaml", ns=(1, 1))
    assert 2 == applied.unchanged()


def test_in_another_zone_jobs_that_name_none_mean_other_times(applied, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    assert applied.unchanged() is None


def test_a_variable_that_no_file_uses_may_change(applied):
    assert 2 == applied.unchanged(environment={"WHO": "me"})


@pytest.mark.parametrize(
    "given",
    [
        {"environment": {"WHO": "you"}},
        {"environment": {}},
        {"environment": {"WHO": "me", "NONE": "now set"}},
        {"revision": 4},
        {"format_name": "rota"},
        {"known": "not json"},
        {"known": "{}"},
    ],
)
def test_what_else_counts_is_a_change(applied, given):
    assert applied.unchanged(**given) is None


def test_another_content_input_or_version_is_a_change(applied, monkeypatch):
    (applied.folder / "input").write_text("longer")
    assert applied.unchanged() is None
    (applied.folder / "input").unlink()
    assert applied.unchanged() is None
    (applied.folder / "rota.yaml").write_text("jobs: {}")
    assert applied.unchanged() is None
    monkeypatch.setattr(fingerprint, "__version__", "99")
    assert applied.unchanged() is None


def test_no_value_of_a_variable_is_in_it(applied):
    assert "WHO" in applied.known
    assert '"me"' not in applied.known
