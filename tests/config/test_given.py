"""Documents that are in no file: the same words, every problem at once, each with its keys and its line."""

from __future__ import annotations

import msgspec
import pytest

from rota.config.given import job_document, job_file, job_schemas, read_document, read_job
from rota.model.action import Command, Function, Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy, Retries


def places(given):
    return [(fault.place, fault.line, fault.column) for fault in given.faults]


def test_a_job_says_its_name_or_has_it_already():
    assert "backup" == read_job('{"name": "backup", "run": "true"}').jobs[0].name
    assert "backup" == read_job("run: 'true'", "backup").jobs[0].name
    assert "backup" == read_job("name: backup\nrun: 'true'", "backup").jobs[0].name
    assert "needs a name" in read_job("run: 'true'").faults[0].problem
    assert "keeps its name" in read_job("name: other\nrun: 'true'", "backup").faults[0].problem


def test_every_problem_has_its_keys_its_line_and_its_column():
    given = read_job(
        '{\n\t"name": "x",\n\t"run": "true",\n\t"cron": ["@daily", "61 * * * *"],\n\t"retries": {"cuont": 1}\n}'
    )
    assert [("cron.1", 4, 21), ("retries.cuont", 5, 14)] == places(given)
    assert "did you mean 'count'?" == given.faults[1].hint
    assert [] == given.jobs


def test_a_tab_within_a_text_is_kept():
    assert Shell("a\tb") == read_job('{"name":\t"x",\t"run": "a\\tb"}').jobs[0].action


def test_a_document_has_many_jobs_and_those_that_can_be_read_are_told():
    given = read_document("jobs:\n  one: {run: 'true'}\n  two: {rn: 'true'}\n")
    assert ["one", "two"] == [job.name for job in given.jobs]
    assert [("jobs.two.rn", 3, 9)] == places(given)


@pytest.mark.parametrize("text", ["", "[]", "5", "jobs: 5", "{", "\x00", "a: b: c", "&x [*x]", '{"jobs": {"a": null}}'])
def test_what_is_no_document_is_told_and_never_an_exception(text):
    assert read_document(text).faults
    assert read_job(text).faults


def test_the_environment_is_nobodys_business(monkeypatch):
    monkeypatch.setenv("HERE", "secret")
    given = read_job("name: x\nrun: echo ${HERE}\ndescription: ${HERE:-nothing}\n")
    assert ("nothing", Shell("echo ${HERE}")) == (given.jobs[0].description, given.jobs[0].action)
    assert ["description"] == [fault.place for fault in read_job("name: x\nrun: 'true'\ndescription: ${HERE}\n").faults]


def test_relative_paths_begin_at_the_home_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    job = read_job("name: x\nrun: 'true'\n").jobs[0]
    assert str(tmp_path) == job.cwd
    (tmp_path / "here").mkdir()
    assert str(tmp_path / "here") == read_job("name: x\nrun: 'true'\ncwd: here\n").jobs[0].cwd


def test_a_document_of_a_job_makes_the_same_job():
    job = Job(
        name="a: b",
        action=Command(("echo", "${x}", "")),
        schedules=(ScheduleSpec("cron", "30 2 * * *"), ScheduleSpec("every", "5m", from_end=False)),
        policy=Policy(retries=Retries(count=2), pool="db"),
        timezone="Europe/Berlin",
        tags=("x",),
        cwd="/",
        env={"A": "${B}"},
    )
    assert job == read_job(msgspec.json.encode(job_document(job)).decode(), job.name).jobs[0]
    text = job_file(job)
    assert text is not None
    assert [job] == read_document(text).jobs


def test_a_function_of_a_program_is_no_document():
    job = Job("tick", Function("tick"))
    assert (None, None) == (job_document(job), job_file(job))


def test_the_schemas_refer_to_each_other_as_asked():
    found = job_schemas("#/components/schemas/{model}")
    assert {"JobDocument", "RetriesDocument"} <= set(found)
    assert "#/components/schemas/RetriesDocument" in str(found["JobDocument"])
