"""Where a log may lie: whatever the format, it is no pipe, no job file, and nothing that would be taken for one."""

from __future__ import annotations

import os

import pytest

from .reads import read_files, read_text


def problems(tmp_path, path):
    return [
        str(each) for each in read_text(tmp_path, f"engine: {{log_file: {path}}}\njobs: {{a: {{run: x}}}}\n").problems
    ]


@pytest.mark.parametrize("path", ["new.log", "logs/deep/new.log", "there.log", "elsewhere/log.json", "link.log"])
def test_a_file_is_a_log_whether_or_not_it_is_there(tmp_path, path):
    (tmp_path / "there.log").touch()
    (tmp_path / "link.log").symlink_to("there.log")
    assert [] == problems(tmp_path, path)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("pipe", "that is no regular file; name a file, which is made if it is not there, or leave log_file out"),
        ("/dev/null", "that is no regular file"),
        ("folder", "that is a directory"),
        ("/dev/stdout", "what runs write goes into files, not to the engine's own output; name a file, or leave"),
        ("/dev/stderr", "what runs write goes into files"),
        ("/proc/self/fd/1", "what runs write goes into files"),
        ("rota.yaml", "that file is read as a job file, and a log would be appended to it; name another file"),
        ("link", "that file is read as a job file"),
        ("other.YML", "there, a file of that name is taken for a job file; give it another ending, such as .log"),
        ("all.json", "there, a file of that name is taken for a job file"),
    ],
)
def test_what_can_be_no_log_is_refused_with_its_file(tmp_path, path, what):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("rota.yaml")
    (problem,) = problems(tmp_path, path)
    assert problem.startswith("rota.yaml:1:1: log_file /")
    assert what in problem


def test_another_file_of_a_watched_directory_is_no_log(tmp_path):
    (tmp_path / "rota.d").mkdir()
    (tmp_path / "rota.d" / "a.yaml").write_text("jobs: {a: {run: x}}")
    (tmp_path / "b.yaml").write_text("engine: {log_file: rota.d/all.yaml}\njobs: {b: {run: x}}\n")
    (problem,) = read_files(tmp_path, "rota.d", "b.yaml").problems
    assert "is taken for a job file" in problem.text


def test_the_other_formats_are_looked_at_as_well(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    text = "scheduler: {log_file: pipe}\ntasks: [{name: t, command: x, schedule: {type: interval, minutes: 5}}]\n"
    found = [str(each) for each in read_text(tmp_path, text, "config.yaml").problems]
    assert any("log_file /" in each and "no regular file" in each for each in found), found
