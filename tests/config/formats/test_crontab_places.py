"""Which files of cron's directories are crontabs."""

from __future__ import annotations

import os
import pwd

import pytest

from rota.config.problems import Problems
from rota.config.reading import content_of, files_of, read

NAMES = ["a", "b.dpkg-old", "c~", "d_1-X", ".placeholder", "e.yaml", "#f#", "tmp.Xa12"]


@pytest.mark.parametrize(
    ("directory", "expected"),
    [("cron.d", ["a", "d_1-X"]), ("spool/cron/crontabs", ["#f#", "a", "b.dpkg-old", "d_1-X"])],
)
def test_the_files_are_those_that_cron_reads(tmp_path, directory, expected):
    folder = tmp_path / directory
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_text("@daily root id\n")
    found = files_of([directory], str(tmp_path), None, Problems())
    assert expected == [os.path.basename(file.path) for file in found]


@pytest.mark.parametrize("order", [["one", "two"], ["two", "one"]])
def test_crontabs_that_have_a_line_alike_are_told_apart_by_their_names(tmp_path, order):
    (tmp_path / "one").write_text("@daily pwd\n@daily /opt/a.sh\n")
    (tmp_path / "two").write_text("@hourly pwd\n@daily /opt/b.sh\n")
    problems = Problems()
    files = files_of(order, str(tmp_path), None, problems)
    reading = read(files, [content_of(file, problems) for file in files], {}, None, problems)
    assert [] == list(problems)
    assert {"one.pwd", "a", "two.pwd", "b"} == {found.job.name for _, found in reading.jobs}


def test_files_of_one_name_in_two_directories_are_told_apart_by_the_directories(tmp_path):
    me = pwd.getpwuid(os.geteuid()).pw_name
    for directory, line in (("cron.d", f"@daily {me} pwd\n"), ("crontabs", "@daily pwd\n")):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / me).write_text(line)
    problems = Problems()
    files = files_of(["cron.d", "crontabs"], str(tmp_path), None, problems)
    reading = read(files, [content_of(file, problems) for file in files], {}, None, problems)
    assert [f"cron.d.{me}.pwd", f"crontabs.{me}.pwd"] == [found.job.name for _, found in reading.jobs]
