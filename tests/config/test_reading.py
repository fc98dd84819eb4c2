"""Directories of job files, the paths under which files are known, and pools that nobody defines."""

from __future__ import annotations

import os

import pytest

import rota.config.reading as reading_module
from rota.config.absolute import absolute
from rota.config.problems import Problems
from rota.config.reading import files_of

from .reads import read_files, read_text

NONE_THERE = ":1:1: there is no job file in this directory"


def test_a_directory_without_a_job_file_is_refused_unless_it_is_for_files_that_come_and_go(tmp_path):
    for name in ("jobs", "rota.d", "cron.d"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".hidden.yaml").write_text("jobs: {}")
    problems = read_files(tmp_path, "jobs", "rota.d", "cron.d/").problems
    assert [f"jobs{NONE_THERE}; they end in .yaml, .yml, .json"] == list(map(str, problems))
    assert [f"cron.d/{NONE_THERE}", f"rota.d{NONE_THERE}; they end in .yaml, .yml, .json"] == [
        str(problem) for problem in problems.warnings
    ]


def test_a_directory_whose_files_were_all_named_before_is_not_empty(tmp_path):
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.yaml").write_text("jobs: {a: {run: x}}")
    reading = read_files(tmp_path, "jobs/a.yaml", "jobs")
    assert ([], 1) == (list(reading.problems), len(reading.jobs))


def test_a_directory_with_too_many_files_is_refused_and_not_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(reading_module, "_MOST_FILES", 2)
    (tmp_path / "many").mkdir()
    for name in ("a.yaml", "b.yaml", "notes.txt", "z.md"):
        (tmp_path / "many" / name).write_text("jobs: {}")
    assert not read_files(tmp_path, "many").problems, "only job files count"
    (tmp_path / "many" / "c.yaml").write_text("jobs: {}")
    reading = read_files(tmp_path, "many")
    assert [
        "many:1:1: there are 3 job files in this directory, and at most 2 are read; write several jobs into a file"
    ] == [str(problem) for problem in reading.problems]
    assert [] == reading.files


def test_a_pool_that_no_file_defines_is_told_once(tmp_path):
    (tmp_path / "a.yaml").write_text("pools: {db: 3}\njobs:\n  a: {run: x, pool: dbb}\n  b: {run: x, pool: dbb}\n")
    (tmp_path / "b.yaml").write_text(
        "jobs:\n  c: {run: x, pool: db}\n  d: {run: x, pool: other-thing}\n  e: {run: x}\n"
    )
    reading = read_files(tmp_path, "a.yaml", "b.yaml")
    assert not reading.problems
    rest = "unless it is there already, it will have 1 place"
    assert [
        f"a.yaml:3:3: pool 'dbb' is in none of these files; did you mean 'db'? {rest}",
        f"b.yaml:3:3: pool 'other-thing' is in none of these files; {rest}",
    ] == [str(problem) for problem in reading.problems.warnings]


def test_a_pool_that_is_wrong_where_it_is_defined_is_not_told_as_missing(tmp_path):
    reading = read_text(tmp_path, "pools: {db: 0}\njobs: {a: {run: x, pool: db}}\n")
    assert (1, []) == (len(reading.problems), reading.problems.warnings)


@pytest.fixture
def linked(tmp_path):
    """`link` leads to `far/deep`, so `link/..` is `far`."""
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (tmp_path / "near").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "deep")
    for folder, name in ((tmp_path / "far", "far"), (tmp_path, "here")):
        (folder / "r.yaml").write_text(f"jobs: {{{name}: {{run: x}}}}")
    return tmp_path


def test_a_path_behind_a_link_is_the_file_that_the_system_opens(linked):
    assert ["far"] == [found.job.name for _, found in read_files(linked, "link/../r.yaml").jobs]
    assert f"{linked}/link/../r.yaml" == absolute(str(linked), "link/../r.yaml")
    assert f"{linked}/link/../../r.yaml" == absolute(str(linked), "link/../../r.yaml")
    assert f"{linked}/gone/../r.yaml" == absolute(str(linked), "gone/../r.yaml")


@pytest.mark.parametrize(
    "path",
    ["r.yaml", "./r.yaml", ".//r.yaml", "near/../r.yaml", "near/./.././r.yaml", "far/deep/../../r.yaml", "r.yaml/"],
)
def test_the_ways_to_write_a_path_are_one_file(linked, path):
    assert f"{linked}/r.yaml" == absolute(str(linked), path) == os.path.normpath(linked / path)
    files = files_of([path, "r.yaml"], str(linked), None, Problems())
    assert [f"{linked}/r.yaml"] == [file.path for file in files]


@pytest.mark.parametrize(("path", "found"), [("/", "/"), ("/../..", "/"), ("~/x", "/home/me/x"), ("/a//b/.", "/a/b")])
def test_absolute_paths_are_tidied(monkeypatch, path, found):
    monkeypatch.setenv("HOME", "/home/me")
    assert found == absolute("/somewhere", path)


def test_paths_in_a_file_follow_the_same_rule(linked):
    reading = read_text(linked, "jobs: {a: {run: x, cwd: link/..}, b: {run: x, cwd: near/..}}")
    assert [f"{linked}/link/..", str(linked)] == [found.job.cwd for _, found in reading.jobs]
