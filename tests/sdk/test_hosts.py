"""A program among hosts: where its jobs may run, and a store that it shares."""

from __future__ import annotations

import pytest

import rota
from rota.model.host import NewHost, RunsOn
from rota.model.run import State
from rota.sdk.hosts import label_of_program
from rota.wiring.client import Client

from .conftest import until

SHARED = """
    import sys
    import rota

    scheduler = rota.Scheduler({home!r}, store={store!r})
    scheduler.add(lambda: "of this program", "ours")
    with scheduler:
        print(scheduler.trigger("ours").result())
"""


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("all", RunsOn(all=True)),
        ("db-1", RunsOn(host="db-1")),
        ("gpu=a100, disk=big", RunsOn(labels={"gpu": "a100", "disk": "big"})),
        ({"gpu": "a100", "disks": 2}, RunsOn(labels={"gpu": "a100", "disks": "2"})),
        (None, RunsOn()),
    ],
)
def test_where_a_job_may_run_is_said_as_on_the_command_line_or_as_a_dict(scheduler, said, meant):
    scheduler.add("true", "train", runs_on=said)
    assert meant == scheduler.get("train").stored.job.runs_on


@pytest.mark.parametrize("said", ["", " ", {}, {"gpu": True}, 7, ["db-1"]])
def test_what_is_no_place_to_run_is_told_with_what_is(scheduler, said):
    with pytest.raises(rota.BadJob, match=r"runs_on is .*; give 'all', the name of a host, labels"):
        scheduler.add("true", "train", runs_on=said)


def test_a_label_that_no_host_can_have_is_refused(scheduler):
    with pytest.raises(rota.BadJob, match="label a=: a key and a value are printable"):
        scheduler.add("true", "train", runs_on={"a": ""})


def test_a_store_on_a_server_needs_a_home_beside_it(home):
    with pytest.raises(rota.RotaError, match="needs a home beside it"):
        rota.Scheduler(store="postgresql://rota@db.example/ops")
    with pytest.raises(rota.RotaError, match="a store is named by a URL such as postgresql://"):
        rota.Scheduler(home, store="somewhere")


def test_a_program_with_a_store_is_one_of_its_hosts_whatever_the_environment_says(home, postgres_url, monkeypatch):
    monkeypatch.setenv("ROTA_STORE", "sqlite")
    with rota.Scheduler(home, store=postgres_url) as scheduler:
        answer = scheduler.trigger(scheduler.add("echo 42", "answer"))
        assert (State.SUCCEEDED, "42\n") == (answer.wait().state, answer.output())
        client = Client(str(home))
        assert [label_of_program()] == [view.host.labels for view in client.hosts.all()]
        client.close()
    assert not (home / "rota.db").exists()


def test_a_function_that_nobody_can_import_runs_only_where_its_program_does(home, postgres_url):
    with rota.Scheduler(home, store=postgres_url) as scheduler:
        scheduler.add(lambda: 6 * 7, "ours")
        scheduler.add("true", "anybody's")
        scheduler.add(lambda: 6 * 7, "said", runs_on="db-1")
        assert RunsOn(labels=label_of_program()) == scheduler.get("ours").stored.job.runs_on
        assert RunsOn() == scheduler.get("anybody's").stored.job.runs_on
        assert RunsOn(host="db-1") == scheduler.get("said").stored.job.runs_on
        assert 42 == scheduler.trigger("ours").result()


def test_another_program_leaves_alone_what_it_does_not_have(home, postgres_url, program, tmp_path):
    program.write(SHARED.format(home=str(tmp_path / "theirs"), store=postgres_url), "theirs.py")
    assert "of this program\n" == program.run("theirs.py")
    with rota.Scheduler(home, store=postgres_url) as scheduler:
        other = scheduler.trigger("ours")
        scheduler.trigger(scheduler.add("true", "anybody's")).wait()
        assert State.QUEUED is scheduler.history("ours")[0].state
        assert "of this program\n" == program.run("theirs.py")
        until(lambda: other.state is State.SUCCEEDED, "its own program has run it")


def test_with_a_store_in_the_home_a_function_has_no_place_of_its_own(home):
    with rota.Scheduler(home) as scheduler:
        scheduler.add(lambda: 6 * 7, "ours")
        assert RunsOn() == scheduler.get("ours").stored.job.runs_on


def test_the_label_of_a_program_is_one_that_a_host_can_have():
    NewHost("id", "name", True, label_of_program(), 1, "1")
    RunsOn(labels=label_of_program()).check("the label")
