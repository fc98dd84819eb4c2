"""Whatever a file holds, reading it ends in jobs and problems with places: never in a traceback."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rota.config.formats.crontab_lines import JobLine
from rota.config.formats.crontab_names import names_of
from rota.config.formats.registry import FORMATS, Source, by_name
from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import Entry, Mapping, Node, Scalar, Sequence, read_yaml, typed
from rota.config.writers.crontab import Place, write_crontab
from rota.config.writers.rota_yaml import write_jobs

FOREIGN = [name for name in FORMATS if name != "rota" and "crontab" not in name]
CRONTABS = [name for name in FORMATS if "crontab" in name]
DESCRIBED = sorted((Path(__file__).parent / "described").glob("*.yaml"))
KEYS = st.sampled_from(
    [
        "scheduler",
        "tasks",
        "name",
        "path",
        "cron",
        "args",
        "timeout",
        "enabled",
        "log_file",
        "default_timeout",
        "script",
        "schedule",
        "every",
        "retries",
        "retry_delay",
        "notify",
        "email",
        "version",
        "saved_at",
        "schedule_type",
        "schedule_value",
        "last_run",
        "next_run",
        "max_workers",
        "timezone",
        "id",
        "command",
        "priority",
        "max_retries",
        "timeout_seconds",
        "jobs_dir",
        "max_concurrent_jobs",
        "func",
        "trigger",
        "type",
        "hour",
        "minute",
        "day",
        "day_of_week",
        "year",
        "week",
        "second",
        "minutes",
        "hours",
        "run_date",
        "start_date",
        "end_date",
        "jitter",
        "kwargs",
        "coalesce",
        "misfire_grace_time",
        "max_instances",
        "is_enabled",
        "services",
        "exec_start",
        "start_command",
        "start_schedule",
        "restart_policy",
        "env",
        "env_file",
        "working_directory",
        "cgroup",
        "environment",
        "period",
        "relative_to",
        "start_on",
        "persistent",
        "condition",
        "max_attempts",
        "window",
        "delay",
        "limits",
        "enabled",
        "odd",
    ]
)
WORDS = st.one_of(
    st.sampled_from(
        [
            "",
            "~",
            "5m",
            "every 5m",
            "0 9 * * *",
            "@daily",
            "@reboot",
            "x.y",
            "x:y",
            "a.py",
            "./run.sh",
            "cron",
            "interval",
            "date",
            "mon-fri",
            "2nd fri",
            "last",
            "*/5",
            "*",
            "-1",
            "0",
            "1e9",
            "9" * 30,
            "1.5",
            "true",
            "no",
            "UTC",
            "Mars",
            "Mon..Fri 09:00",
            "daily 03:00",
            "1.0",
            "on-failure",
            "always",
            "2027-01-01",
            "/",
            "..",
            "\\",
            "'",
            '"',
            "%",
            "${X}",
            "$X",
            "%i",
            "-x",
            "a ; b",
            "a > b",
            "command",
        ]
    ),
    st.text(max_size=12),
)
MARK = Mark("f", 1, 1)


def node_of(value: object) -> Node:
    if isinstance(value, dict):
        return Mapping({key: Entry(MARK, node_of(each)) for key, each in value.items()}, MARK)
    if isinstance(value, list):
        return Sequence([node_of(each) for each in value], MARK)
    text = str(value)
    return Scalar(typed(text) if text else None, text, MARK)


TREES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=25
)


def check(name: str, text: str, node: Node | None, problems: Problems) -> None:
    """Read, and write what was read in both ways."""
    with tempfile.TemporaryDirectory() as folder:
        found = by_name(name).read(Source("f", text, node, folder, {}), problems)
    for each in [*problems, *problems.warnings]:
        assert each.mark.line >= 1
        assert each.mark.column >= 1
        assert each.text
    write_jobs([found], problems, origin="f")
    write_crontab([job.job for job in found.jobs], Place("/root", "/bin", "UTC"))


@pytest.mark.parametrize("name", FOREIGN)
@settings(max_examples=150, deadline=None)
@given(value=TREES)
def test_any_tree_is_read(name, value):
    node = node_of(value)
    for format_name in FORMATS:
        by_name(format_name).recognises("f", node)
    check(name, "", node, Problems())


@pytest.mark.parametrize("name", FOREIGN)
@settings(max_examples=100, deadline=None)
@given(value=st.dictionaries(KEYS, TREES, min_size=4, max_size=14))
def test_any_job_is_read(name, value):
    wrapped = {
        "resilient": [value],
        "taskflows": {"services": [value]},
        "tasks-loop": value,
    }.get(name, {"tasks": [value]})
    check(name, "", node_of(wrapped), Problems())


@pytest.mark.parametrize("name", FOREIGN)
def test_a_damaged_file_is_read(name):
    chance = random.Random(7)
    for path in DESCRIBED:
        text = path.read_text(encoding="utf-8")
        for _ in range(60):
            letters = list(text)
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(letters))
                letters[at] = chance.choice(
                    ["", "\n", ":", "-", " ", "'", '"', "{", "[", "*", "&", "0", letters[at] * 2]
                )
            damaged, problems = "".join(letters), Problems()
            node = read_yaml(damaged, "f", problems)
            if node is not None:
                check(name, damaged, node, problems)


LINES = st.one_of(
    st.text(max_size=40),
    st.builds(
        "{} {}{}".format,
        st.one_of(
            st.lists(st.sampled_from(["*", "*/5", "0", "1-5", "mon", "L", "~", "99", "?"]), min_size=3, max_size=6).map(
                " ".join
            ),
            st.sampled_from(["@daily", "@reboot", "@x", "-* * * * *", "A=", "CRON_TZ=", "MAILTO=", "HOME=", "SHELL="]),
        ),
        st.sampled_from(["", "root ", "cd /x && ", "sudo -u ", "bash -c '", "timeout "]),
        st.text(st.sampled_from("ab%\\'\"=;&|()#$ \t/.-"), max_size=20),
    ),
)


@pytest.mark.parametrize("name", CRONTABS)
@settings(max_examples=300, deadline=None)
@given(lines=st.lists(LINES, max_size=6))
def test_any_crontab_is_read(name, lines):
    text = "\n".join(lines)
    by_name(name).recognises_text("f", text)
    check(name, text, None, Problems())


@given(st.lists(st.tuples(st.sampled_from(["@daily", "0 9 * * *"]), st.text(max_size=30)), max_size=5))
def test_any_command_gets_a_name_of_its_own(lines):
    jobs = [
        JobLine(number, 1, schedule, "", 1, command, 1, None) for number, (schedule, command) in enumerate(lines, 1)
    ]
    found = names_of(jobs)
    assert len(jobs) == len(found) == len(set(found))
    assert all(name and name.isprintable() and not name.startswith("-") for name in found)


def test_a_directory_that_cannot_be_read_is_told(files):
    files.write("p/jobs/a.yaml", "id: a\nname: A\ncommand: 'true'\nschedule: '@daily'\n")
    os.symlink("nowhere", files.folder / "p/jobs/b.yaml")
    found = files.read("p")
    assert ["a"] == list(found.jobs)
    assert "p/jobs/b.yaml:1:1: it cannot be read" in found.said
