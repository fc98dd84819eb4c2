"""Hosts over REST: what there is to see, who may say what to them, and runs that are told with the name of theirs."""

from __future__ import annotations

import pytest

from rota.model.access import Kind
from rota.model.host import NewHost, RunsOn

from .passwords import let_in
from .worlds import HOST

HOME = "0123456789abcdef"


def register(world, home_id, name, **labels):
    """Make a host known, as its engine does when it starts."""
    world.store.hosts.register(NewHost(home_id, name, True, labels, 4, "1.0.0"))


def test_the_host_of_a_home_is_told_with_what_it_is(world):
    assert [] == world.get("/hosts")["items"]
    register(world, HOME, "db-1", gpu="a100")
    (host,) = world.get("/hosts")["items"]
    told = {key: host[key] for key in ("name", "state", "plans", "running", "capacity", "labels", "version", "id")}
    assert {
        "name": "db-1",
        "state": "gone",
        "plans": False,
        "running": 0,
        "capacity": 4,
        "labels": {"gpu": "a100"},
        "version": "1.0.0",
        "id": HOME,
    } == told
    assert {**host, "runs": []} == world.get("/hosts/db-1") == world.get(f"/hosts/{HOME}")


def test_a_host_that_there_is_not_is_a_problem_that_says_which_there_are(world):
    register(world, HOME, "db-1")
    for method, path in (("GET", "/hosts/db-2"), ("POST", "/hosts/db-2/drain"), ("DELETE", "/hosts/db-2")):
        problem = world.ask(method, f"/api/v1{path}")
        assert 404 == problem.status_code
        assert "no host named 'db-2'; did you mean 'db-1'?" == problem.json()["detail"]


def test_the_only_host_of_a_store_is_not_drained_and_is_forgotten_once_it_is_gone(world):
    register(world, HOME, "db-1")
    assert "stop its engine instead" in world.post("/hosts/db-1/drain", 409)["detail"]
    assert "stop its engine instead" in world.post("/hosts/db-1/drain", 409, json={"hand_over": False})["detail"]
    world.post("/hosts/db-1/drain", 422, json={"hand_over": "perhaps"})
    world.ask("DELETE", "/api/v1/hosts/db-1")
    assert [] == world.get("/hosts")["items"]
    (line, *_) = world.client.accounts.audit()
    assert ("host.forget", "db-1", "ok") == (line.action, line.target, line.outcome)


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("viewer", "GET", "/hosts", 200),
        ("viewer", "POST", "/hosts/db-1/drain", 403),
        ("viewer", "POST", "/hosts/db-1/resume", 403),
        ("operator", "POST", "/hosts/db-1/drain", 409),
        ("operator", "POST", "/hosts/db-1/resume", 409),
        ("operator", "DELETE", "/hosts/db-1", 403),
        ("admin", "DELETE", "/hosts/db-1", 204),
    ],
)
def test_who_may_run_jobs_may_drain_hosts_and_who_may_change_jobs_may_forget_them(world, role, method, path, status):
    register(world, HOME, "db-1")
    let_in(world.client, "ann", "admin")
    let_in(world.client, "somebody", role)
    shown = {"Authorization": f"Bearer {world.client.accounts.issue('somebody', Kind.TOKEN).secret}"}
    assert status == world.ask(method, f"/api/v1{path}", headers=shown).status_code


def test_a_run_is_told_with_the_name_of_its_host_and_one_that_was_forgotten_with_its_id(world):
    world.add()
    run_id = world.run()
    assert HOST == world.get(f"/runs/{run_id}")["host"]
    register(world, HOST, "db-1")
    assert "db-1" == world.get(f"/runs/{run_id}")["host"] == world.get(f"/runs/{run_id}")["attempts"][0]["host"]
    assert ["db-1"] == [run["host"] for run in world.get("/runs")["items"]]
    assert ["db-1"] == [entry["run"]["host"] for entry in world.get("/jobs/backup/ledger")["items"]]
    assert "db-1" == world.get(f"/runs/{run_id}/why")["run"]["host"]


def test_runs_are_found_by_their_host_and_one_that_is_not_known_is_a_problem(world):
    register(world, HOST, "db-1")
    register(world, HOME, "db-2")
    world.add()
    run_id = world.run()

    def runs(**wanted):
        return [run["id"] for run in world.get("/runs", params=wanted)["items"]]

    assert [run_id] == runs(host="db-1") == runs(host=HOST) == runs(host="db-1", state="succeeded", job="backup")
    assert [] == runs(host="db-2") == runs(host="db-1", state="trouble") == runs(host="db-1", state="active")
    assert [] == runs(host="f" * 16), "a host that was forgotten has an id still"
    assert "did you mean" in world.get("/runs", 404, params={"host": "db-3"})["detail"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"runs_on": "db-1"}, RunsOn(host="db-1")),
        ({"runs_on": "all"}, RunsOn(all=True)),
        ({"runs_on": {"gpu": "a100", "disks": 2}}, RunsOn(labels={"gpu": "a100", "disks": "2"})),
    ],
)
def test_where_a_job_runs_is_said_in_its_document_and_told_with_it(world, said, meant):
    made = world.post("/jobs", 201, json={"name": "train", "run": "true", **said})
    assert meant == world.store.jobs.get("train").job.runs_on
    assert meant.document() == made["runs_on"] == made["document"]["runs_on"]
    changed = world.put("/jobs/train", json=made["document"] | {"description": "as before"})
    assert meant.document() == changed["runs_on"]
    assert ["train"] * (said["runs_on"] == "db-1") == [
        job["name"] for job in world.get("/jobs", params={"host": "db-1"})["items"]
    ]


def test_a_job_that_says_nothing_of_hosts_runs_on_any(world):
    assert world.post("/jobs", 201, json={"name": "backup", "run": "true"})["runs_on"] is None
    problem = world.post("/jobs", 422, json={"name": "other", "run": "true", "runs_on": []})
    assert "write `all`, a host's name, or labels such as {gpu: a100}" in problem["problems"][0]["hint"]
