"""Runs over REST: asked for once however often, cancelled, tried again; and verbs on many jobs."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rota.control.bulk import Action, Bulk
from rota.model.run import State

from .worlds import API


def test_a_run_is_asked_for_with_its_parameters(world):
    world.add()
    made = world.post("/jobs/backup/run", 202, json={"params": {"day": "monday"}})
    assert ["queued", "manual", "backup"] == [made[key] for key in ("state", "trigger", "job")]
    assert {"day": "monday"} == world.get(f"/runs/{made['id']}")["params"]


@pytest.mark.parametrize(
    "body",
    [b'{"params": {"a b": "c"}}', b'{"params": {"a": 5}}', b'{"params": {"a": "\\u0000"}}', b'{"parms": {}}', b"[]",
     b'{"params": {"a": "\\ud800"}}', b'{"params": {"a\\udfff": "x"}}', b"{", b"[" * 50_000,
     b'{"params": {"a": "' + b"x" * 70_000 + b'"}}'],
)  # fmt: skip
def test_parameters_that_cannot_be_are_refused(world, body):
    world.add()
    answer = world.ask("POST", f"{API}/jobs/backup/run", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert [] == world.get("/runs")["items"]


def test_twenty_clients_with_one_key_ask_for_one_run(world):
    world.add(overlap="allow")
    same = {"headers": {"Idempotency-Key": "deploy-1"}}
    answers = world.ask_all([("POST", f"{API}/jobs/backup/run", same)] * 20)
    assert [200] * 19 + [202] == sorted(answer.status_code for answer in answers)
    assert 1 == len({answer.json()["id"] for answer in answers}) == len(world.get("/runs")["items"])


def test_a_key_is_for_one_request(world):
    world.add("one")
    world.add("two")
    key = {"Idempotency-Key": "k"}
    world.post("/jobs/one/run", 202, headers=key)
    assert "choose another key" in world.post("/jobs/two/run", 409, headers=key)["detail"]
    told = world.post("/jobs/one/run", 409, headers=key, json={"params": {"a": "b"}})
    assert "other parameters" in told["detail"]
    world.post("/jobs/one/run", 422, headers={"Idempotency-Key": "k" * 201})


def test_a_run_is_cancelled_once(world):
    world.add()
    run = world.client.verbs.trigger("backup")
    assert "cancelled" == world.post(f"/runs/{run}/cancel", 202)["state"]
    assert "cancelled by somebody" == world.get(f"/runs/{run}")["reason"]
    assert "has ended already" in world.post(f"/runs/{run}/cancel", 409)["detail"]


def test_an_ended_run_is_tried_again_with_its_parameters(world):
    world.add()
    run = world.client.verbs.trigger("backup", {"day": "monday"})
    world.post(f"/runs/{run}/retry", 409)
    world.begin()
    world.end(run, State.FAILED, 1, "no")
    again = world.post(f"/runs/{run}/retry", 202)
    shown = world.get(f"/runs/{again['id']}")
    assert ({"day": "monday"}, run, "retry") == (shown["params"], shown["retry_of"], shown["trigger"])


def test_a_run_tells_its_story_and_its_attempts(world):
    world.add()
    run = world.run(state=State.FAILED, code=137, reason="it was killed")
    shown = world.get(f"/runs/{run}")
    assert (9, 137) == (shown["signal"], shown["exit_code"])
    assert [(1, "failed")] == [(each["attempt"], each["state"]) for each in shown["attempts"]]
    assert any("it was killed" in sentence for sentence in world.get(f"/runs/{run}/why")["sentences"])
    assert shown["id"] == world.get(f"/runs/{run.lower()}")["id"]


@pytest.mark.parametrize("part", ["x", "%00", "..%2f..", "01M7X2WB3NPS0VXM81Z7ZG5T4M", "%ff"])
def test_a_run_that_is_not_there_is_not_found(world, part):
    for method, tail in (("GET", ""), ("GET", "/output"), ("POST", "/cancel"), ("POST", "/retry"), ("GET", "/why")):
        assert 404 == world.ask(method, f"{API}/runs/{part}{tail}").status_code


def test_many_jobs_are_paused_each_with_its_own_outcome(world):
    for number in range(120):
        world.add(f"job-{number:03}", ("every", "1h"))
    names = [f"job-{number:03}" for number in range(120)]
    done = world.post("/jobs/bulk", json={"action": "pause", "names": [*names, "nobody", "job-000"]})
    assert (121, 1) == (len(done["outcomes"]), done["failed"])
    assert ("nobody", False) == tuple(done["outcomes"][-1][key] for key in ("name", "ok"))
    assert all(job["paused"] for job in world.get("/jobs?limit=1000")["items"])
    done = world.post("/jobs/bulk", json={"action": "resume", "filter": {"text": "job-00", "paused": True}})
    assert names[:10] == [outcome["name"] for outcome in done["outcomes"]]


def test_many_jobs_are_run_and_only_what_is_made_by_hand_is_deleted(world):
    world.add("mine")
    world.add("files", origin="file:/etc/rota.yaml")
    done = world.post("/jobs/bulk", json={"action": "run", "filter": {}})
    assert {run["id"] for run in world.get("/runs")["items"]} == {outcome["run"] for outcome in done["outcomes"]}
    done = world.post("/jobs/bulk", json={"action": "delete", "names": ["mine", "files"]})
    assert [True, False] == [outcome["ok"] for outcome in done["outcomes"]]
    assert "/etc/rota.yaml" in done["outcomes"][1]["problem"]
    assert ["files"] == [job["name"] for job in world.get("/jobs")["items"]]


@pytest.mark.parametrize(
    "body",
    [{"action": "pause"}, {"action": "pause", "names": [], "filter": {}}, {"action": "explode", "names": []},
     {"action": "pause", "names": ["x"] * 10_001}, {"action": "pause", "filter": {"sate": "x"}},
     {"action": "pause", "filter": {"state": "x"}}, {"action": "pause", "names": "backup"}],
)  # fmt: skip
def test_a_verb_on_many_jobs_that_says_not_which_is_refused(world, body):
    world.post("/jobs/bulk", 422, json=body)


def test_names_that_nobody_has_hold_up_nobody_who_writes(world):
    """To look for what was meant takes a while; the engine does not wait for that."""
    world.add("backup")
    with closing(sqlite3.connect(f"{world.home}/rota.db", isolation_level=None)) as engine:
        engine.execute("BEGIN IMMEDIATE")
        told = Bulk(world.store, world.client.verbs).do(Action.PAUSE, [f"bakcup{number}" for number in range(100)])
    assert {False} == {outcome.ok for outcome in told}
    assert "no job named 'bakcup0'; did you mean 'backup'?" == told[0].problem
    assert "no job named 'bakcup99'" == told[99].problem
