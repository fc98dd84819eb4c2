"""The guided form and the document of a job: each from the other, and nothing is lost that the form does not show."""

from __future__ import annotations

import json

import msgspec
import pytest

from rota.config.given import job_document, read_job
from rota.web.guided import Guided, document_of, field_of, guided_from, wrong_fields
from rota.web.guided_times import cron_of, days_of
from rota.web.job_drafts import Draft, read_draft

BARE = Guided(name="x", line="true")
change = msgspec.structs.replace

DOCUMENTS = [
    (BARE, {"run": "true"}),
    (change(BARE, what="argv", argv="rsync\n-a\n\nsrc dst"), {"run": ["rsync", "-a", "src dst"]}),
    (
        change(BARE, what="python", python="a.b:c", args='["daily", 7]', kwargs='{"year": 2027}'),
        {"python": "a.b:c", "args": ["daily", 7], "kwargs": {"year": 2027}},
    ),
    (change(BARE, when="every", every="15", unit="m"), {"run": "true", "every": "15m"}),
    (change(BARE, when="every", every="1h30m", unit=""), {"run": "true", "every": "1h30m"}),
    (
        change(BARE, when="every", every="2", unit="h", from_end=True),
        {"run": "true", "every": {"every": "2h", "from": "end"}},
    ),
    (change(BARE, when="days", times="02:30"), {"run": "true", "cron": "30 2 * * *"}),
    (
        change(BARE, when="days", times="17:30 9:00,12:00", days="week", weekdays=("1", "2", "3", "4", "5")),
        {"run": "true", "cron": ["0 9,12 * * 1-5", "30 17 * * 1-5"]},
    ),
    (
        change(BARE, when="days", times="06:00", days="month", month_days="1, 15, last"),
        {"run": "true", "cron": "0 6 1,15,L * *"},
    ),
    (
        change(BARE, when="cron", cron="*/5 * * * *", timezone="Asia/Tokyo"),
        {"run": "true", "cron": "*/5 * * * *", "timezone": "Asia/Tokyo"},
    ),
    (change(BARE, when="calendar", calendar="Mon 09:00"), {"run": "true", "calendar": "Mon 09:00"}),
    (change(BARE, when="once", at="2027-01-31 10:00"), {"run": "true", "at": "2027-01-31 10:00"}),
    (change(BARE, when="boot", timezone="Asia/Tokyo"), {"run": "true", "at": "boot"}),
    (change(BARE, enabled=False, description="Why"), {"description": "Why", "run": "true", "enabled": False}),
    (change(BARE, retries="3"), {"run": "true", "retries": {"count": 3}}),
    (change(BARE, retries="3", retry_delay="1m"), {"run": "true", "retries": {"count": 3, "delay": "1m"}}),
    (
        change(BARE, overlap="queue", max_instances="2", catch_up="none", grace="2h", priority="high", pool="db"),
        {
            "run": "true",
            "overlap": "queue",
            "max_instances": 2,
            "catch_up": "none",
            "grace": "2h",
            "priority": "high",
            "pool": "db",
        },
    ),
    (
        change(BARE, tags="nightly, shop,", timeout="90s", cwd="/srv", user="shop"),
        {"run": "true", "user": "shop", "tags": ["nightly", "shop"], "timeout": "90s", "cwd": "/srv"},
    ),
    (change(BARE, where="all"), {"run": "true", "runs_on": "all"}),
    (change(BARE, where="host", host="db-1"), {"run": "true", "runs_on": "db-1"}),
    (
        change(BARE, where="labels", labels="gpu=a100\ndisk=a,b"),
        {"run": "true", "runs_on": {"gpu": "a100", "disk": "a,b"}},
    ),
    (
        change(BARE, env="A=1\nB=x=y", secrets="TOKEN=env:TOKEN"),
        {"run": "true", "env": {"A": "1", "B": "x=y", "TOKEN": {"from": "env:TOKEN"}}},
    ),
]


@pytest.mark.parametrize(("form", "document"), DOCUMENTS, ids=lambda given: "")
def test_a_form_becomes_a_document_that_can_be_read(form, document):
    assert document == document_of(form, {})
    assert [] == read_job(json.dumps(document), "x").faults


@pytest.mark.parametrize("document", [document for _, document in DOCUMENTS], ids=str)
def test_a_form_that_nobody_touches_leaves_a_document_as_it_is(document):
    assert document == document_of(guided_from("x", document), document)


@pytest.mark.parametrize(
    "document",
    [
        {"run": "true", "schedules": [{"cron": "0 1 * * *"}, {"every": "5m"}]},
        {"run": "true", "cron": ["0 1 * * *", "*/7 3 * * *"]},
        {"run": "true", "calendar": ["Mon 09:00", "Tue 10:00"]},
        {"run": "true", "custom": "sunset Berlin"},
        {"run": "true", "every": {"every": "5m", "anchor": "2027-01-01T00:00:00Z"}},
        {"run": ["sh", "-c", "two\nlines", ""]},
        {"task": "/srv/task", "args": ["a"]},
        {"run": "true", "env": {"TEXT": "two\nlines", "S": {"from": "file:/s"}}, "tags": ["a, b"]},
        {"run": "true", "umask": "027", "jitter": "10s", "not_after": "2030-01-01T00:00:00Z", "output": "pipe"},
        {"run": "true", "retries": {"count": 2, "backoff": 3.0, "only_on": [75]}},
        {"run": "true", "cron": "0 9 * * MON", "priority": 7},
    ],
    ids=str,
)
def test_what_the_form_cannot_show_stays_when_something_else_is_changed(document):
    form = change(guided_from("x", document), description="other", timeout="5m")
    assert {**document, "description": "other", "timeout": "5m"} == document_of(form, document)


def test_an_interval_that_is_changed_counts_anew():
    base = {"run": "true", "every": {"every": "5m", "anchor": "2027-01-01T00:00:00Z"}}
    assert {"run": "true", "every": "6m"} == document_of(change(guided_from("x", base), every="6"), base)


def test_another_count_of_retries_keeps_what_is_said_of_them_besides():
    base = {"run": "true", "retries": {"count": 2, "only_on": [75]}}
    form = change(guided_from("x", base), retries="5")
    assert {"count": 5, "only_on": [75]} == document_of(form, base)["retries"]


def test_spaces_around_a_text_that_a_form_takes_away_are_no_change():
    base = {"run": "echo hello\n", "description": " First\nsecond "}
    form = change(guided_from("x", base), line="echo hello", description="First\nsecond", timeout="5m")
    assert {**base, "timeout": "5m"} == document_of(form, base)


def test_retries_that_are_taken_away_are_gone():
    base = {"run": "true", "retries": {"count": 2, "delay": "1m"}}
    assert {"run": "true"} == document_of(change(guided_from("x", base), retries="", retry_delay=""), base)


def test_another_variable_keeps_one_of_several_lines_that_the_form_cannot_show():
    base = {"run": "true", "env": {"TEXT": "two\nlines", "A": "1"}}
    form = guided_from("x", base)
    assert "A=1" == form.env
    assert {"TEXT": "two\nlines", "A": "2"} == document_of(change(form, env="A=2"), base)["env"]
    assert {} == wrong_fields(form)


def test_another_schedule_takes_the_place_of_several():
    base = {"run": "true", "schedules": [{"cron": "0 1 * * *"}, {"every": "5m"}]}
    assert {"run": "true"} == document_of(change(guided_from("x", base), when="hand"), base)


@pytest.mark.parametrize(
    "lines",
    [
        ["30 2 * * *"],
        ["0 9,12 * * 1-5", "30 17 * * 1-5"],
        ["0 6 1,15,L * *"],
        ["15 8 * * 0,6"],
    ],
)
def test_lines_of_cron_that_the_form_would_make_are_shown_as_times(lines):
    shown = days_of(lines)
    assert shown is not None
    assert lines == cron_of(**shown)


@pytest.mark.parametrize(
    "lines", [["*/5 * * * *"], ["30 02 * * *"], ["0 9 1 * 1"], ["0 9 * 1 *"], ["0 1 * * *", "0 2 * * 1"], ["@daily"]]
)
def test_other_lines_of_cron_are_left_as_they_are(lines):
    assert days_of(lines) is None


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        (change(BARE, name=""), "name", "needs a name"),
        (change(BARE, when="days", times=""), "times", "no time is given"),
        (change(BARE, when="days", times="nine"), "times", "'nine' is no time of day"),
        (change(BARE, when="days", times="09:00", days="week"), "weekdays", "no day is chosen"),
        (change(BARE, when="days", times="09:00", days="month"), "month_days", "no day is given"),
        (change(BARE, what="python", python="a:b", args="{"), "args", "no JSON list"),
        (change(BARE, what="python", python="a:b", kwargs="[]"), "kwargs", "no JSON object"),
        (change(BARE, env="FOO"), "env", "'FOO' has no '='"),
    ],
)
def test_what_is_no_document_is_told_at_its_field(form, field, said):
    assert said in wrong_fields(form)[field]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (change(BARE, name="-x"), "name"),
        (change(BARE, line=""), "line"),
        (change(BARE, what="argv", argv=""), "argv"),
        (change(BARE, what="python", python="no target"), "python"),
        (change(BARE, when="cron", cron="61 * * * *"), "cron"),
        (change(BARE, when="days", times="25:00"), "times"),
        (change(BARE, when="every", every="5", unit="x"), "every"),
        (change(BARE, when="every", every=""), "every"),
        (change(BARE, when="every", every="0", from_end=True), "every"),
        (change(BARE, when="calendar", calendar="Moonday"), "calendar"),
        (change(BARE, when="once", at="soon"), "at"),
        (change(BARE, when="cron", cron="@daily", timezone="Europe/Berlim"), "timezone"),
        (change(BARE, timeout="long"), "timeout"),
        (change(BARE, retries="many"), "retries"),
        (change(BARE, retries="1", retry_delay="x"), "retry_delay"),
        (change(BARE, max_instances="0"), "max_instances"),
        (change(BARE, grace="-1"), "grace"),
        (change(BARE, priority="highest"), "priority"),
        (change(BARE, secrets="TOKEN=vault:x"), "secrets"),
    ],
)
def test_what_is_wrong_with_the_document_comes_back_to_the_field_that_said_it(form, field):
    reading = read_draft(Draft("guided", form))
    assert reading.job is None
    assert {field} == set(reading.fields), (reading.fields, reading.general)
    assert [] == reading.general


def test_what_no_field_said_is_told_in_general():
    assert "" == field_of("umask", "umask: 'x' is no umask", BARE)
    reading = read_draft(Draft("guided", BARE, base={"run": "true", "umask": "x"}))
    assert 1 == len(reading.general)


def test_a_job_as_it_is_stored_is_the_same_after_the_form():
    job = read_job('{"name": "x", "run": "echo ${HOME}", "env": {"A": "$${B}"}, "cron": "0 9 * * 1-5"}').jobs[0]
    document = job_document(job)
    assert document is not None
    again = read_draft(Draft("guided", guided_from("x", document), base=document)).job
    assert job == again
