"""One fault a file, and its message: where, what, which, why, and what to do. The files are in `bad/`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .reads import read_files, read_text

BAD = Path(__file__).parent / "bad"
MESSAGES = dict(line.split(":", 1) for line in (BAD / "messages.txt").read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("bad")
    for name in ("bare", "limp", "good"):
        (made / name).mkdir()
    for name, mode in (("limp", 0o644), ("good", 0o755)):
        (made / name / "run.sh").write_text("#!/bin/sh\n")
        (made / name / "run.sh").chmod(mode)
    return made


@pytest.mark.parametrize("name", MESSAGES)
def test_a_fault_has_one_message_with_its_place(folder, name):
    shutil.copyfile(BAD / f"{name}.yaml", folder / "rota.yaml")
    found = [str(problem).replace(str(folder), "DIR") for problem in read_files(folder, "rota.yaml").problems]
    assert [f"rota.yaml:{MESSAGES[name]}"] == found


def test_every_bad_file_has_a_message():
    assert sorted(path.stem for path in BAD.glob("*.yaml")) == sorted(MESSAGES)
    assert len(MESSAGES) >= 60


def test_all_problems_of_all_files_come_at_once_by_file_and_line(tmp_path):
    (tmp_path / "rota.d").mkdir()
    (tmp_path / "rota.d" / "b.yaml").write_text("jobs:\n  b: {run: x, cron: '61 * * * *', retires: 1, timeout: soon}\n")
    (tmp_path / "rota.d" / "a.yml").write_text("jobs: {a: {\n")
    (tmp_path / "rota.d" / "c.json").write_text('{"jobs": {"c": {"cron": "@daily"}}, "tz": 1}')
    places = [str(problem.mark) for problem in read_files(tmp_path, "rota.d", "gone.yaml").problems]
    assert [
        "gone.yaml:1:1",
        "rota.d/a.yml:2:1",
        "rota.d/b.yaml:2:21",
        "rota.d/b.yaml:2:35",
        "rota.d/b.yaml:2:56",
        "rota.d/c.json:1:11",
        "rota.d/c.json:1:37",
    ] == places


def test_a_name_in_two_files_is_told_with_both_places(tmp_path):
    (tmp_path / "rota.d").mkdir()
    for name in ("a", "b"):
        (tmp_path / "rota.d" / f"{name}.yaml").write_text("jobs:\n  same: {run: x}\n")
    assert ["rota.d/b.yaml:2:3: a job named 'same' is there already; the first is at rota.d/a.yaml:2:3"] == [
        str(problem) for problem in read_files(tmp_path, "rota.d").problems
    ]


def test_pools_of_two_sizes_are_told(tmp_path):
    (tmp_path / "rota.d").mkdir()
    for name, size in (("a", 1), ("b", 2)):
        (tmp_path / "rota.d" / f"{name}.yaml").write_text(f"pools: {{db: {size}}}\njobs: {{}}\n")
    found = [str(problem) for problem in read_files(tmp_path, "rota.d").problems]
    assert ["rota.d/b.yaml:1:1: pool 'db' has 2 places here and 1 in rota.d/a.yaml; say it in one file only"] == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"jobs:\n  a: {run: \xff}\n", "x.yaml:2:12: the byte 0xff is no UTF-8; save the file as UTF-8"),
        ("jobs: {}".encode("utf-16"), "x.yaml:1:1: this is UTF-16; save the file as UTF-8"),
        (b"x" * ((16 << 20) + 1), "x.yaml:1:1: the file is larger than 16 MB; split it into several files"),
    ],
)
def test_what_is_no_text_is_told(tmp_path, content, message):
    assert [message] == [str(problem) for problem in read_text(tmp_path, content, "x.yaml").problems]


def test_what_is_no_file_is_told(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "closed").mkdir()
    assert [
        "closed:1:1: there is no job file in this directory; they end in .yaml, .yml, .json",
        "gone.yaml:1:1: it cannot be read: No such file or directory; `rota init` writes a starter",
        "pipe.yaml:1:1: this is no regular file; name a file or a directory of files",
    ] == [str(problem) for problem in read_files(tmp_path, "pipe.yaml", "gone.yaml", "closed").problems]


def test_what_is_not_there_yet_is_a_warning(tmp_path):
    text = "jobs:\n  a: {run: x, cwd: gone, env_file: no.env, env: {A: {from: 'file:nothing'}}}\n"
    reading = read_text(tmp_path, text)
    assert not reading.problems
    assert [
        f"rota.yaml:2:20: {tmp_path}/gone is not there now; the job fails until it is",
        f"rota.yaml:2:36: {tmp_path}/no.env is not there now; the job fails until it is",
        f"rota.yaml:2:53: {tmp_path}/nothing is not there now; the job fails until it is",
    ] == [str(problem) for problem in reading.problems.warnings]


def test_what_is_there_and_of_another_kind_is_told_as_that(tmp_path):
    (tmp_path / "file").write_text("")
    text = "jobs:\n  a: {run: x, cwd: file, env_file: '', env: {A: {from: 'file:.'}}}\n"
    assert [
        f"rota.yaml:2:20: {tmp_path}/file is no directory; the job fails until it is a directory",
        f"rota.yaml:2:36: {tmp_path} is no file; the job fails until it is a file",
        f"rota.yaml:2:49: {tmp_path} is no file; the job fails until it is a file",
    ] == [str(problem) for problem in read_text(tmp_path, text).problems.warnings]


def test_a_fault_in_what_jobs_share_is_told_once_where_it_is_written(tmp_path):
    text = """\
defaults:
  not_before: yesterday
  timeout: 0s
  env_file: [/dev/null/x, gone]
  env: {A: {from: "file:gone"}}
env:
  B: {from: "file:nothing"}
jobs:
  a: {run: x}
  b: {run: x}
"""
    found = read_text(tmp_path, text).problems
    assert ["rota.yaml:2:15", "rota.yaml:3:12"] == [str(problem.mark) for problem in found]
    assert ["rota.yaml:4:14", "rota.yaml:4:27", "rota.yaml:5:12", "rota.yaml:7:6"] == [
        str(problem.mark) for problem in found.warnings
    ]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('jobs:\n  a: {run: x, schedules: [{cron: "61 * * * *"}, {evry: 5m}]}', ["2:34", "2:50"]),
        ('jobs:\n  a: {run: x, schedules: [{evry: 5m}, {cron: "61 * * * *"}]}', ["2:28", "2:46"]),
        ("jobs:\n  a: {run: x, schedules: [{every: 5x, form: end}, {every: 6x}]}", ["2:36", "2:39", "2:60"]),
        ("jobs:\n  a: {run: x, schedules: [{cron: x, every: 5m, dst: foo}]}", ["2:27", "2:53"]),
        ("jobs:\n  a: {run: x, every: {every: 5m, from: ned, anchor: yesterday}}", ["2:40", "2:53"]),
        ("defaults: {timeout: soon, not_before: yesterday}\njobs:\n  a: {run: x}", ["1:21", "1:39"]),
        ("jobs:\n  a: {rn: [x], args: [1], timeout: 0s}\n  b: {run: x, cron: 1}", ["2:7", "2:36", "3:22"]),
        ("jobs:\n  a: {run: [], cron: '61 * * * *'}", ["2:12", "2:22"]),
        ("engine: {capacity: 0, max_running: 0}\njobs: {a: {run: ''}}", ["1:20", "1:36", "2:17"]),
        ("pools: {a: 0, b: y}\njobs: {a: {run: x, retries: {count: x, delay: y}}}", ["1:12", "1:18", "2:37", "2:47"]),
        ("x: &s [{evry: 5m}, {cron: 61 * * * *}]\njobs: {a: {run: x, schedules: *s}}", ["1:1", "1:9", "1:27"]),
    ],
)  # fmt: skip
def test_no_fault_hides_another(tmp_path, text, places):
    assert [f"rota.yaml:{place}" for place in places] == [
        str(problem.mark) for problem in read_text(tmp_path, text).problems
    ]


def test_a_job_without_indentation_is_told_key_by_key(tmp_path):
    text = "jobs:\n  a:\n  run: x\n  retries: {count: 1}\n  command: y\n  b: {run: x}\n  env: {run: x}\n"
    assert [
        "rota.yaml:3:3: the key 'run' stands where a job's name should be; indent it under its job, 'a'",
        "rota.yaml:4:3: the key 'retries' stands where a job's name should be; indent it under its job, 'a'",
        "rota.yaml:5:3: the key 'command' stands where a job's name should be; indent it under its job, 'a'",
    ] == list(map(str, read_text(tmp_path, text).problems))


def test_a_job_may_be_called_like_a_key(tmp_path):
    assert not read_text(tmp_path, "jobs:\n  run: {run: x}\n  env: {run: x}\n").problems
