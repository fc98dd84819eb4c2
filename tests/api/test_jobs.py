"""Jobs over REST: made, changed and removed with the words of a job file, and only where they are made."""

from __future__ import annotations

import pytest

from rota.model.action import Function

from .worlds import API

DOCUMENT = {"run": "echo hello", "cron": "30 2 * * *", "timezone": "Europe/Berlin", "retries": 2, "tags": ["nightly"]}


def test_a_job_is_made_from_its_document_and_shown_with_everything_it_says(world):
    answer = world.ask("POST", f"{API}/jobs", json={"name": "backup"} | DOCUMENT)
    assert 201 == answer.status_code
    assert f"{API}/jobs/backup" == answer.headers["location"]
    shown = world.get("/jobs/backup")
    assert {"kind": "shell", "line": "echo hello"} == shown["action"]
    assert ["cron", "30 2 * * *", "Europe/Berlin"] == [
        shown["schedules"][0][key] for key in ("kind", "text", "timezone")
    ]
    assert 2 == shown["policy"]["retries"]["count"]
    assert "hand" == shown["origin"]
    assert shown["next_slot"] is not None


def test_a_job_may_be_written_in_yaml(world):
    world.post("/jobs", 201, content="name: poll\nrun: [curl, -fsS, 'https://example.org']\nevery: 5m\n")
    assert {"kind": "command", "argv": ["curl", "-fsS", "https://example.org"]} == world.get("/jobs/poll")["action"]


def test_a_jobs_document_makes_the_same_job_again(world):
    made = world.post("/jobs", 201, json={"name": "backup"} | DOCUMENT | {"env": {"A": "$${x}"}, "timeout": "90s"})
    again = world.put("/jobs/backup", json=made["document"])
    same = ("action", "schedules", "policy", "tags", "env", "cwd", "timezone", "document")
    assert {key: made[key] for key in same} == {key: again[key] for key in same}
    assert {"A": "${x}"} == again["env"]


def test_everything_that_is_wrong_with_a_document_is_told_at_once_with_its_place(world):
    wrong = {"name": "x", "run": "true", "cron": "61 * * * *", "retires": 3, "retries": {"count": -1}}
    told = world.post("/jobs", 422, json=wrong)
    places = {each["place"]: each for each in told["problems"]}
    assert {"cron", "retires", "retries.count"} == set(places)
    assert "did you mean 'retries'?" == places["retires"]["hint"]
    assert "and 2 more" in told["detail"]
    assert [] == world.get("/jobs")["items"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "empty"),
        (b"[1]", "no job"),
        (b"null", "no job"),
        (b'{"run": "true"}', "name"),
        (b'{"name": "", "run": "true"}', "name"),
        (b'{"name": ["a"], "run": "true"}', "name"),
        (b'{"name": "a"}', "nothing to run"),
        (b'{"name": "a", "run": "true", "task": "b"}', "one thing"),
        (b'{"name": "a\\u0000b", "run": "true"}', "printable"),
        (b'{"name": "a", "run": "x\\u0000y"}', "NUL"),
        (b'{"name": "a\\ud800", "run": "true"}', "character"),
        (b'{"name": "a", "run": "true", "timeout": 1e99}', "timeout"),
        (b'{"name": "a", "run": "true", "priority": 99999999999999999999999999}', "priority"),
        (b'{"name": "a", "run": "true", "every": "0s"}', "every"),
        (b"\xff\xfe", "UTF-8"),
        (b"name: a\nrun: &x [*x]\n", "stands inside"),
        (b"{" * 1000, "deep"),
        (b'{"name": "' + b"n" * 201 + b'", "run": "true"}', "201 characters"),
        (b'{"name": "-rf", "run": "true"}', "option"),
        (b'{"name": "a", "run": "true", "env": {"A=B": "c"}}', "A=B"),
    ],
)
def test_a_document_that_cannot_be_a_job_is_refused_with_the_reason(world, body, word):
    assert word in world.post("/jobs", 422, content=body)["detail"]


def test_the_environment_of_the_process_is_not_put_into_documents(world, monkeypatch):
    monkeypatch.setenv("A_SECRET", "hunter2")
    told = world.post("/jobs", 422, json={"name": "x", "run": "true", "description": "${A_SECRET}"})
    assert "hunter2" not in str(told)
    shell = world.post("/jobs", 201, json={"name": "x", "run": "echo ${A_SECRET}"})
    assert "echo ${A_SECRET}" == shell["action"]["line"]


def test_a_name_that_is_taken_is_a_conflict(world):
    world.add("backup")
    assert (
        "there is a job named 'backup' already"
        in world.post("/jobs", 409, json={"name": "backup"} | DOCUMENT)["detail"]
    )


@pytest.mark.parametrize(
    "name", ["a/b", "a%2Fb", "..//x", "ünï ☃", "50% off", "<script>alert(1)</script>", "a?b#c", "'; --"]
)
def test_a_job_of_any_name_is_found_by_its_percent_encoded_name(world, name):
    place = world.ask("POST", f"{API}/jobs", json={"name": name} | DOCUMENT).headers["location"]
    assert name == world.ask("GET", place).json()["name"]
    assert 202 == world.ask("POST", f"{place}/run").status_code
    assert 200 == world.ask("DELETE", place).status_code


@pytest.mark.parametrize("part", ["%00", "%ff%fe", "..%2f..%2fetc%2fpasswd", "x" * 599, "%F0%9F%92%A9"])
def test_a_name_that_nobody_has_is_not_found_whatever_it_is(world, part):
    assert world.get(f"/jobs/{part}", 404)["type"] == "urn:rota:problem:no-such-job"


def test_a_slip_in_a_name_is_answered_with_the_name_that_was_meant(world):
    world.add("backup")
    assert "did you mean 'backup'?" in world.get("/jobs/bakcup", 404)["detail"]


def test_an_older_revision_changes_and_removes_nothing(world):
    world.add("backup")
    tag = world.ask("GET", f"{API}/jobs/backup").headers["etag"]
    world.put("/jobs/backup", json=DOCUMENT, headers={"If-Match": tag})
    told = world.put("/jobs/backup", 412, json={"run": "false"}, headers={"If-Match": tag})
    assert "somebody changed it" in told["detail"]
    world.put("/jobs/backup", 412, json={"run": "false"}, params={"revision": 1})
    world.delete("/jobs/backup", 412, headers={"If-Match": tag})
    assert "echo hello" == world.get("/jobs/backup")["action"]["line"]
    assert {"name": "backup", "still_active": []} == world.delete("/jobs/backup", headers={"If-Match": '"2"'})
    assert "was removed" in world.get("/jobs/backup", 404)["detail"]


def test_what_is_no_etag_is_refused(world):
    world.add("backup")
    world.put("/jobs/backup", 422, json=DOCUMENT, headers={"If-Match": "abc"})


def test_of_many_changes_to_one_revision_one_wins(world):
    world.add("backup")
    same = {"headers": {"If-Match": '"1"'}}
    answers = world.ask_all(
        [("PUT", f"{API}/jobs/backup", same | {"json": {"run": f"echo {number}"}}) for number in range(12)]
    )
    assert [200] + [412] * 11 == sorted(answer.status_code for answer in answers)
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert winner.json()["action"] == world.get("/jobs/backup")["action"]


def test_a_job_keeps_its_name(world):
    world.add("backup")
    assert "keeps its name" in world.put("/jobs/backup", 422, json={"name": "other", "run": "true"})["detail"]
    world.put("/jobs/backup", json={"name": "backup", "run": "true"})
    world.put("/jobs/nobody", 404, json={"run": "true"})


def test_a_files_job_is_changed_in_its_file_and_the_answer_says_which(world):
    world.add("backup", origin="file:/etc/rota.yaml")
    for told in (world.put("/jobs/backup", 409, json=DOCUMENT), world.delete("/jobs/backup", 409)):
        assert "/etc/rota.yaml" in told["detail"]
    world.post("/jobs/backup/pause")
    world.post("/jobs/backup/run", 202)


def test_a_programs_job_is_the_programs(world):
    world.add("tick", origin="program", action=Function("tick", "pkg.mod:tick"))
    assert "was made by program" in world.delete("/jobs/tick", 409)["detail"]
    assert world.get("/jobs/tick")["document"] is None
    world.get("/jobs/tick/document", 422)


def test_a_job_is_shown_as_a_file_of_its_own(world):
    world.post("/jobs", 201, json={"name": "a/b"} | DOCUMENT)
    answer = world.ask("GET", f"{API}/jobs/a%2Fb/document")
    assert "application/yaml" == answer.headers["content-type"].partition(";")[0]
    found = world.post("/validate", content=answer.text)
    assert ["a/b"] == found["jobs"]
    assert found["valid"]


def test_a_paused_job_has_no_next_slot_and_goes_on_when_it_is_resumed(world):
    world.add("backup", ("every", "1h"))
    assert world.post("/jobs/backup/pause")["changed"]
    assert not world.post("/jobs/backup/pause")["changed"]
    assert world.get("/jobs/backup")["next_slot"] is None
    resumed = world.post("/jobs/backup/resume")
    assert resumed["changed"]
    assert resumed["next_slot"] is not None
    assert not world.post("/jobs/backup/resume")["changed"]


def test_a_job_says_what_comes_what_it_did_and_why(world):
    world.add("backup", ("every", "1h"))
    world.run()
    assert 3 == len(world.get("/jobs/backup/next?n=3")["items"])
    assert 1 == world.get("/jobs/backup/stats")["succeeded"]
    assert any("Its last run" in sentence for sentence in world.get("/jobs/backup/why")["sentences"])
    assert "No slot" in world.get("/jobs/backup/why?at=2001-01-01T02:30:00Z")["sentences"][0]
    world.get("/jobs/backup/why?at=nonsense", 422)


def test_what_was_done_is_in_the_audit(world):
    world.post("/jobs", 201, json={"name": "backup"} | DOCUMENT)
    world.post("/jobs/backup/run", 202)
    world.delete("/jobs/backup")
    entries = world.client.accounts.audit()
    assert ["job.remove", "job.run", "job.make"] == [entry.action for entry in entries]
    assert {("somebody", "backup")} == {(entry.who, entry.target) for entry in entries}
