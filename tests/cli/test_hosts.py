"""`rota hosts`: what people see of the machines on a store, and say to them."""

from __future__ import annotations

import pytest

from process.waiting import wait_for


def test_the_host_of_a_home_is_shown_with_its_name_and_labels_as_long_as_its_engine_runs(home):
    assert "No host is known yet" in home.ok("hosts")
    home.serve("--host-name", "db-1", "--label", "gpu=a100", "--label", "disk=big", "--capacity", "3")
    (host,) = home.json("hosts")
    assert ("db-1", "up", 0, 3) == (host["name"], host["state"], host["running"], host["capacity"])
    assert {"gpu": "a100", "disk": "big"} == host["labels"]
    assert host["seen_at"] > host["started_at"]
    assert "disk=big, gpu=a100" in home.ok("hosts", "show", "db-1")
    assert f"{host['version']} (schema {host['schema']})" in home.ok("hosts", "show", "db-1")
    home.stop()
    assert ["gone"] == [each["state"] for each in home.json("hosts", "list", "--json")]
    assert "db-1 is forgotten" in home.ok("hosts", "forget", "db-1")
    assert [] == home.json("hosts")


def test_a_run_is_started_where_it_may_run_and_why_says_where_that_is(home):
    home.serve("--label", "gpu=a100")
    home.ok("add", "here", "--runs-on", "gpu=a100", "--", "true")
    home.ok("add", "nowhere", "--runs-on", "db-7", "--", "true")
    home.ok("run", "here", "--wait")
    home.ok("run", "nowhere")
    assert "it may only run on host db-7, and none is known" in home.ok("why", "nowhere")
    assert "host db-7" in home.ok("show", "nowhere")


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (3, ("hosts", "show", "db-2"), "no host named 'db-2'; did you mean 'db-1'?"),
        (4, ("hosts", "drain", "db-1"), "the store in a home has one host; stop its engine instead"),
        (4, ("hosts", "forget", "db-1"), "host 'db-1' is up; stop its engine first"),
        (2, ("add", "x", "--runs-on", "a=", "--", "true"), "label a=: a key and a value are printable"),
        (2, ("serve", "--label", "gpu"), "label 'gpu' has no value; write it as in gpu=yes"),
        (2, ("serve", "--host-name", "all"), "host name 'all': it would be read as something else"),
        (2, ("serve", "--lease", "1s"), "--lease 1s: a lease lasts 3s or longer"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(home, code, words, said):
    if words[0] == "serve":
        assert said in home.fails(code, *words)
        return
    home.serve("--host-name", "db-1")
    assert said in home.fails(code, *words)


def test_hosts_on_postgresql_are_told_apart_drained_and_resumed(home, postgres_url):
    home.env["ROTA_STORE"] = postgres_url
    home.serve("--host-name", "db-1")
    assert "db-1 starts nothing more; nothing runs there." in home.ok("hosts", "drain", "db-1")
    assert ["drained"] == [each["state"] for each in home.json("hosts")]
    assert "db-1 starts runs again." in home.ok("hosts", "resume", "db-1")
    assert "host 'db-1' is up" in home.fails(4, "hosts", "forget", "db-1")
    assert "1 known, 1 there" in home.ok("doctor")
    elsewhere = str(home.folder / "other")
    told = home.fails(4, "serve", "--home", elsewhere, "--host-name", "db-1")
    assert "there is another host named 'db-1' on this store; choose another --host-name" in told


def test_draining_can_be_waited_for_until_nothing_runs_there_or_until_patience_is_over(home, postgres_url):
    home.env["ROTA_STORE"] = postgres_url
    home.serve("--host-name", "db-1")
    home.ok("add", "long", "--", "sh", "-c", "until [ -e go ]; do sleep 0.1; done")
    home.ok("run", "long")
    wait_for(lambda: home.json("runs")[0]["state"] == "running")
    told = home.fails(124, "hosts", "drain", "db-1", "--hand-over", "--timeout", "1s")
    assert "still running there: long; it stays drained" in told
    (host,) = home.json("hosts")
    assert ("draining", True, True) == (host["state"], host["hands_over"], host["plans"])
    with home.start("hosts", "drain", "db-1", "--wait") as waiting:
        assert b"1 still running there" in waiting.stdout.readline()
        (home.folder / "go").touch()
        assert b"Nothing runs there any more.\n" == waiting.stdout.read()
    assert 0 == waiting.returncode
    assert "drained" in home.ok("hosts")
    home.stop()
    assert ["stopped"] == [each["state"] for each in home.json("hosts")], "one need not wait to be told"


def test_a_desk_without_an_engine_knows_that_hosts_work_on_the_store(home, postgres_url):
    home.env["ROTA_STORE"] = postgres_url
    home.serve("--host-name", "db-1")
    home.ok("add", "talks", "--every", "1h", "--", "echo", "hello")
    desk = ("--home", str(home.folder / "desk"))
    done = home.call("run", "talks", "--wait", *desk)
    assert (0, b"hello\n", b"") == (done.returncode, done.stdout, done.stderr)
    assert "no engine" not in home.ok("why", "talks", *desk)
    assert "none of this home; db-1 works on the store" in home.ok("doctor", *desk)


def test_a_run_is_told_with_the_name_of_its_host_and_found_by_it(home):
    home.serve("--host-name", "db-1")
    home.ok("add", "backup", "--", "true")
    home.ok("run", "backup", "--wait")
    assert ["db-1"] == [run["host"] for run in home.json("runs", "--host", "db-1", "--json")]
    assert "no host named 'db-2'; did you mean 'db-1'?" in home.fails(3, "runs", "--host", "db-2")
