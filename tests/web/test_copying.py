"""A job as text to take along makes the same job elsewhere, whatever is in it."""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest

from rota.config.given import read_document, read_job
from rota.model.action import Command, Function, Shell
from rota.model.job import Job, ScheduleSpec
from rota.web.copying import job_curl, job_yaml

SITE = "http://127.0.0.1:7682/"
ODD = Job(
    'it\'s `odd` $HOME "näme"',
    Command(("echo", "it's", "$(id)", "two\nlines", "\\")),
    (ScheduleSpec("cron", "30 2 * * *"),),
    timezone="UTC",
    cwd="/",
    env={"A": "${B}", "C": "'\"'"},
)
JOBS = [Job("plain", Shell("true && false"), cwd="/"), ODD]


@pytest.mark.parametrize("job", JOBS, ids=["plain", "odd"])
def test_the_file_of_a_job_is_read_as_the_same_job(job):
    text = job_yaml(job)
    assert text is not None
    assert [job] == read_document(text).jobs


@pytest.mark.parametrize("job", JOBS, ids=["plain", "odd"])
def test_a_shell_sends_the_same_job_with_the_token_of_its_own(job):
    line = job_curl(job, SITE)
    assert line is not None
    words = ["sh", "-c", "curl() { printf '%s\\0' \"$@\"; }\n" + line]
    sent = subprocess.run(words, capture_output=True, check=True, env={"ROTA_TOKEN": "secret"}).stdout.decode()
    given = sent.split("\0")[:-1]
    assert "http://127.0.0.1:7682/api/v1/jobs" in given
    assert "Authorization: Bearer secret" in given
    assert job == read_job(given[given.index("--data-raw") + 1]).jobs[0]


def test_no_token_is_in_what_is_copied():
    line = job_curl(ODD, SITE)
    assert line is not None
    assert '"Authorization: Bearer $ROTA_TOKEN"' in line
    assert json.loads(shlex.split(line.replace("\\\n", ""))[-1])["name"] == ODD.name


def test_a_function_of_a_program_cannot_be_copied():
    job = Job("f", Function("f"))
    assert job_yaml(job) is None
    assert job_curl(job, SITE) is None
