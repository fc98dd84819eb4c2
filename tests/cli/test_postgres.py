"""A home whose store is on PostgreSQL: moved there and back, remembered, and never a password in sight."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from process.waiting import wait_for

PASSWORD = "s3cr3t-word"


@pytest.fixture
def url(postgres_url) -> str:
    """A store on PostgreSQL, with a password in its URL that the server does not even ask for."""
    return postgres_url.replace("postgres@", f"postgres:{PASSWORD}@")


def everything_in(home) -> str:
    files = [path for path in home.path.rglob("*") if path.is_file() and path.name != "rota.db"]
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


def test_a_home_moves_to_postgresql_with_its_history_and_back(home, url):
    home.ok("add", "backup", "--every", "1h", "--", "sh", "-c", "echo saved; exit 3")
    home.ok("add", "idle", "--every", "1h", "--", "true")
    home.ok("pause", "idle")
    engine = home.serve()
    assert 3 == home.call("run", "backup", "--wait").returncode
    assert f"pid {engine.pid}" in home.fails(4, "store", "copy", str(home.path), url)
    home.stop()
    before = home.json("runs", "--json")

    told = home.ok("store", "copy", str(home.path), url)

    assert "Copied 2 jobs and 1 runs" in told
    assert "counts and sums are the same on both sides" in told
    home.serve("--store", url)
    assert before == home.json("runs", "--json"), "what the engine used is remembered"
    assert "saved" in home.ok("logs", "backup")
    assert "paused" in home.ok("why", "idle")
    assert 3 == home.call("run", "backup", "--wait").returncode
    assert "PostgreSQL" in home.ok("doctor")
    home.stop()
    assert PASSWORD not in told + everything_in(home)

    (home.path / "rota.db").rename(home.folder / "old.db")
    home.ok("store", "copy", url, str(home.path))
    home.serve("--store", "sqlite")
    assert 2 == len(home.json("runs", "--json"))
    assert "PostgreSQL" not in home.ok("doctor")
    assert not (home.path / "rota.store").exists()


def test_a_history_that_a_file_cannot_hold_leaves_no_file(home, postgres_url):
    home.env["ROTA_STORE"] = postgres_url
    home.serve("--host-name", "db-1")
    other = home.folder / "other"
    home.serve("--home", str(other), "--host-name", "db-2")
    home.ok("add", "everywhere", "--every", "1s", "--runs-on", "all", "--", "true")
    wait_for(lambda: {"db-1", "db-2"} == {run["host"] for run in home.json("runs") if run["state"] == "succeeded"})
    home.stop()
    file = home.folder / "copy.db"
    told = home.fails(4, "store", "copy", postgres_url, str(file))
    assert "with a record on each of several hosts" in told
    assert not file.exists()


def test_the_password_is_in_no_argument_of_any_process(home, url):
    (home.folder / "rota.yaml").write_text("jobs: {x: {run: 'cat /proc/*/cmdline; env', every: 1h}}", encoding="utf-8")
    home.env["ROTA_STORE"] = url
    home.serve()
    seen = home.call("run", "x", "--wait").stdout
    assert b"rota\0serve" in seen
    assert PASSWORD.encode() not in seen, "nor in the environment of a job"
    assert PASSWORD not in everything_in(home) + home.ok("doctor") + home.ok("show", "x")


def test_the_url_may_be_in_a_file(home, url):
    (home.folder / "url").write_text(url + "\n", encoding="utf-8")
    home.env["ROTA_STORE_FILE"] = str(home.folder / "url")
    home.ok("add", "backup", "--", "true")
    assert not (home.path / "rota.db").exists()
    assert ["backup"] == [job["name"] for job in home.json("list", "--json")]


def test_a_copy_is_refused_where_there_is_something_and_where_there_is_nothing(home, url):
    home.ok("add", "backup", "--", "true")
    home.ok("store", "copy", str(home.path), url)
    assert "holds jobs already" in home.fails(4, "store", "copy", str(home.path), url)
    assert "there is no store at" in home.fails(2, "store", "copy", str(home.folder / "nowhere.db"), url)
    assert "is the store itself" in home.fails(2, "store", "copy", url, url)


@pytest.mark.parametrize(
    ("code", "named", "said"),
    [
        (2, "mysql://ann:hush@db/ops", "a store is named by a URL such as postgresql://"),
        (2, "postgresql://ann:hush@db:port/ops", "its port is not a number"),
        (2, "postgresql://ann:hush@db/ops?schema=Bad-Name", "schema 'Bad-Name'"),
        (1, "postgresql://ann:hush@127.0.0.1:1/ops", "postgresql://ann@127.0.0.1:1/ops cannot be reached"),
    ],
)
def test_a_store_that_cannot_be_used_is_told_of_in_a_sentence_without_its_password(home, code, named, said):
    told = home.fails(code, "list", "--store", named)
    assert said in told
    assert "hush" not in told


def test_without_psycopg_one_sentence_says_what_to_install(home):
    code = "import sys; sys.modules['psycopg'] = None; from rota.cli.main import main; sys.exit(main(sys.argv[1:]))"
    words = ["list", "--store", "postgresql://db/ops", "--home", str(home.path)]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, env=home.env)
    expected = (
        "rota: the store postgresql://db/ops is on PostgreSQL, which needs psycopg: pip install 'rota[postgres]'\n"
    )
    assert (1, expected) == (done.returncode, done.stderr)
    assert os.path.isdir(home.path)


def test_a_backup_is_the_databases_own_and_a_copy_into_a_file_is_a_store(home, url):
    home.env["ROTA_STORE"] = url
    home.ok("add", "backup", "--", "true")
    told = home.fails(1, "backup", str(home.folder / "copy.db"))
    assert "pg_dump --schema=" in told
    assert PASSWORD not in told
    home.ok("store", "copy", url, str(home.folder / "copy.db"))
    home.env["ROTA_STORE"] = "sqlite"
    (home.path / "rota.db").unlink(missing_ok=True)
    (home.folder / "copy.db").rename(home.path / "rota.db")
    assert ["backup"] == [job["name"] for job in home.json("list", "--json")]
