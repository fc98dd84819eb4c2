"""Jobs as a rota.yaml: reading what was written gives the same jobs."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problem, Problems
from rota.config.reading import content_of, files_of, read
from rota.config.syntax.yaml_reader import plain, read_yaml
from rota.config.syntax.yaml_writer import entry
from rota.config.writers.rota_yaml import write_jobs
from rota.errors import BadJob
from rota.model.action import Command, Python, Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import CatchUp, Output, OutputMode, Overlap, Policy, Retries

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
ODD = st.sampled_from(
    [
        "",
        " ",
        "on",
        "no",
        "null",
        "~",
        "1",
        "1.50",
        "1e5",
        "0x1f",
        "010",
        "1:30",
        "2027-01-01",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "{a",
        "[a]",
        "'a'",
        '"a"',
        "a\\n",
        "a\nb",
        " a\nb\n",
        "\ta",
        "a\u2028b",
        "😀",
        "<<",
        "${HOME}",
        "$${x}",
        "${",
        "${{ x }}",
        "$HOME",
        "a\x85b",
        "\ufeff",
        "=",
        "?",
        "|",
        ">",
        "---",
        "a:",
        "yes:no",
        "\x00\x1b",
    ]
)
ANY = st.one_of(TEXT, ODD)
DATA = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**15), 10**15), ANY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY.filter(lambda key: key != "<<"), inner, max_size=3),
    max_leaves=8,
)
SPAN = st.integers(1, 10**9).map(lambda ms: timedelta(milliseconds=ms))
WORDS = ANY.map(lambda text: text.replace("\0", ""))
NAME = WORDS.map(lambda text: "".join(filter(str.isprintable, text)).strip().lstrip("-").strip() or "x")
VARIABLE = WORDS.map(lambda text: text.replace("=", "") or "X").filter(lambda text: text != "<<")
INSTANT = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- it has one
SPEC = st.one_of(
    st.sampled_from(["0 9 * * *", "@daily", "*/5 * * * *"]).map(lambda text: ScheduleSpec("cron", text)),
    st.sampled_from(["Mon..Fri 09:00", "daily"]).map(lambda text: ScheduleSpec("calendar", text)),
    st.just(ScheduleSpec("calendar", "daily", dst="skip")),
    st.sampled_from(["2027-01-31 10:00", "boot"]).map(lambda text: ScheduleSpec("at", text)),
    st.builds(lambda anchor: ScheduleSpec("every", "5m", anchor), st.none() | INSTANT),
)
SPECS = st.lists(SPEC, max_size=3, unique=True).map(tuple) | st.just((ScheduleSpec("every", "1h", from_end=True),))
ACTION = st.one_of(
    st.builds(Shell, WORDS.map(lambda text: text if text.strip() else "true")),
    st.builds(Command, st.lists(WORDS, max_size=3).map(lambda words: ("x", *words))),
    st.builds(
        Python, st.just("pkg.mod:func"), st.lists(DATA, max_size=3).map(tuple), st.dictionaries(ANY, DATA, max_size=2)
    ),
)
POLICY = st.builds(
    Policy,
    overlap=st.sampled_from(Overlap),
    max_instances=st.integers(1, 9),
    catch_up=st.sampled_from(CatchUp),
    grace=SPAN,
    retries=st.builds(
        Retries,
        count=st.integers(0, 9),
        delay=SPAN,
        backoff=st.floats(1, 5).map(lambda x: round(x, 2)),
        max_delay=SPAN,
        jitter=st.sampled_from([0.1, 0.25, 1.0]),
        only_on=st.sampled_from([(), (1,), (1, 75)]),
    ),
    timeout=st.none() | SPAN,
    kill_after=SPAN,
    start_by=st.none() | SPAN,
    priority=st.sampled_from([0, 25, 50, 75, 33]),
    pool=st.sampled_from(["", "db", "on"]),
    jitter=SPAN,
    not_before=st.none() | st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    not_after=st.none() | st.just(datetime(2030, 1, 1, 12, 30, 15, tzinfo=UTC)),
    output=st.builds(Output, head=st.integers(0, 10**6), mode=st.sampled_from([None, OutputMode.PIPE])),
)
JOB = st.builds(
    Job,
    name=NAME,
    action=ACTION,
    schedules=SPECS,
    policy=st.one_of(st.just(Policy()), POLICY),
    timezone=st.sampled_from([None, "Europe/Berlin"]),
    description=ANY,
    tags=st.lists(WORDS.filter(str.strip), max_size=2, unique=True).map(tuple),
    enabled=st.booleans(),
    cwd=st.sampled_from(["/", "/tmp", "/a b/${x}"]),
    env=st.dictionaries(VARIABLE, WORDS, max_size=3),
    secrets=st.sampled_from([{}, {"TOKEN": "env:X"}]),
    env_files=st.sampled_from([(), ("/etc/environment",)]),
    user=st.sampled_from([None, "nobody"]),
    umask=st.sampled_from([None, 0o27, 0]),
)


def read_back(text: str, folder: str) -> tuple[list[Job], list[str]]:
    path = os.path.join(folder, "rota.yaml")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    problems = Problems()
    files = files_of([path], folder, None, problems)
    reading = read(files, [content_of(each, problems) for each in files], {"HOME": "/wrong"}, None, problems)
    return [found.job for _, found in reading.jobs], list(map(str, problems))


def is_sound(job: Job) -> bool:
    try:
        job.check()
    except BadJob:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(st.lists(JOB, min_size=1, max_size=3, unique_by=lambda job: job.name), st.booleans())
def test_any_jobs_are_the_same_when_they_are_read_again(jobs, beside):
    assume(all(map(is_sound, jobs)))
    mark = Mark("f", 1, 1)
    pools = {job.policy.pool: 2 for job in jobs if job.policy.pool}
    with tempfile.TemporaryDirectory() as folder:
        jobset = Jobset("x", [FoundJob(job, mark) for job in jobs], pools)
        text = write_jobs([jobset], origin="f", directory=folder if beside else None)
        found, problems = read_back(text, folder)
    assert ([], jobs) == (problems, found), text


@given(DATA)
def test_a_value_is_the_same_when_it_is_read_again_here_and_by_any_yaml(value):
    text = "\n".join(entry("key", value, "")) + "\n"
    problems = Problems()
    node = read_yaml(text, "f", problems)
    assert [] == list(problems), text
    assert node is not None
    assert {"key": value} == plain(node), text
    if "\x00" not in text:
        assert {"key": value} == yaml.safe_load(text), text


JOBS = [
    FoundJob(
        Job(
            "a",
            Shell("echo a | cat\necho b"),
            (ScheduleSpec("cron", "0 9 * * *"),),
            cwd="/srv",
            env={"A": "1", "B": "2"},
        ),
        Mark("f", 3, 1),
    ),
    FoundJob(
        Job(
            "b c",
            Command(("tar", "-c f")),
            (ScheduleSpec("every", "5m"),),
            Policy(retries=Retries(3)),
            cwd="/srv",
            env={"A": "1"},
        ),
        Mark("f", 9, 1),
    ),
]
EXPECTED = """\
# Made by `rota import f`.
#
# NOT CARRIED OVER, because of what is wrong at these places:
#   f:20:1: @reboot: no
#
# Not carried over:
#   f:1:1: MAILTO: later

defaults:
  cwd: /srv

pools:
  db: 3

env:
  A: '1'

jobs:
  a:
    run: |-
      echo a | cat
      echo b
    cron: '0 9 * * *'
    env:
      B: '2'

  # not carried over: notify: later
  b c:
    run: [tar, '-c f']
    every: 5m
    retries: 3
"""


def test_what_jobs_share_is_said_once_and_what_was_lost_stands_beside_its_job():
    notes = [(Mark("f", 1, 1), "MAILTO: later"), (Mark("f", 11, 3), "notify: later")]
    text = write_jobs(
        [Jobset("x", JOBS, {"db": 3}, notes=notes)], [Problem(Mark("f", 20, 1), "@reboot: no")], origin="f"
    )
    assert EXPECTED == text


def test_paths_inside_of_the_file_s_directory_are_relative_to_it(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t/run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "t/run.sh").chmod(0o755)
    mark = Mark("f", 1, 1)
    jobs = [
        FoundJob(Job("task", Command(("./run.sh", "5")), cwd=str(tmp_path / "t")), mark),
        FoundJob(Job("here", Shell("x"), cwd=str(tmp_path)), mark),
        FoundJob(Job("inside", Shell("x"), cwd=str(tmp_path / "in")), mark),
        FoundJob(Job("outside", Shell("x"), cwd="/elsewhere", env_files=(str(tmp_path / "e"),)), mark),
    ]
    text = write_jobs([Jobset("x", jobs, settings={"log_file": str(tmp_path / "l")})], directory=str(tmp_path))
    found = yaml.safe_load(text)
    assert {"task": "t", "args": ["5"]} == found["jobs"]["task"]
    assert {"run": "x"} == found["jobs"]["here"]
    assert {"run": "x", "cwd": "in"} == found["jobs"]["inside"]
    assert {"run": "x", "cwd": "/elsewhere", "env_file": ["e"]} == found["jobs"]["outside"]
    assert {"log_file": "l"} == found["engine"]
    assert str(tmp_path / "t") in write_jobs([Jobset("x", jobs)])


def test_no_jobs_are_an_empty_file_that_can_be_read(tmp_path):
    assert ([], []) == read_back(write_jobs([]), str(tmp_path))


@pytest.mark.parametrize(
    "word", ["on", "yes", "1.50", "1e5", "2027-01-01", "1:30", "0o17", "~", "null", "=", "<<", "0x1F"]
)
def test_a_word_that_some_reader_would_take_for_something_else_is_quoted(word):
    assert [f"key: '{word}'"] == entry("key", word, "")
