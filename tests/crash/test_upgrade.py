"""Rolling upgrades: engines of two versions on one PostgreSQL, while the schema of their store changes under them."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections import Counter
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

import rota
from rota.errors import StoreTooNew
from rota.model.host import RunsOn
from rota.model.policy import Overlap, Policy, Retries
from rota.model.run import State
from rota.store.address import parse_address
from rota.store.statements import load_migrations
from servers.postgres import drop_schema, fresh_url, own_server

from .fleet import FAR_OFF, ROTA, Fleet, FleetHost
from .harness import every, wait_for

KNOWN = len(load_migrations("postgres"))
NEXT_VERSION = "99.0"
GOES_WITH = f"""-- works with: {KNOWN}
ALTER TABLE run ADD COLUMN novelty TEXT NOT NULL DEFAULT 'none';
ALTER TABLE job ADD COLUMN more INTEGER NOT NULL DEFAULT 1;
CREATE INDEX run_novelty ON run (novelty, state);
CREATE TABLE novelty (id INTEGER PRIMARY KEY);
"""
BREAKS = f"""-- works with: {KNOWN + 1}
-- A change that older programs could not work beside.
CREATE TABLE novelty (id INTEGER PRIMARY KEY);
"""
AGAIN = Policy(retries=Retries(count=1, delay=timedelta(0), jitter=0.0))
PATIENT = ("--stop-grace", "1s", "--lease", "60s")
"""A restart takes a while on a busy machine, and is to be over before a lease is."""
WAITS = "until [ -e go ]; do sleep 0.1; done"


@pytest.fixture(scope="module")
def server():
    with own_server() as started:
        yield started


@pytest.fixture
def url(server):
    made = fresh_url(server.url)
    yield made
    drop_schema(made)


@pytest.fixture
def fleet(url, tmp_path, monkeypatch):
    monkeypatch.setenv("ROTA_STORE", url)
    made = Fleet(tmp_path, url + "&prepare=3")
    yield made
    made.close()


def next_version(folder: Path, script: str) -> Path:
    """Make the version after this one: a schema further, with a word in definitions that this one does not know."""
    package = folder / "next" / "rota"
    shutil.copytree(Path(rota.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for dialect in ("sqlite", "postgres"):
        (package / "store" / "migrations" / dialect / f"{KNOWN + 1:04}_next.sql").write_text(script)
    face, job = package / "__init__.py", package / "model" / "job.py"
    face.write_text(face.read_text().replace(f'"{rota.__version__}"', f'"{NEXT_VERSION}"'))
    word = "    runs_on: RunsOn = ANYWHERE\n"
    job.write_text(job.read_text().replace(word, f"{word}    sandbox: bool = False\n", 1))
    return package.parent


def become(host: FleetHost, version: Path | None) -> FleetHost:
    """Let a host's next engine be of another version; None for this one."""
    host._env.pop("PYTHONPATH", None)
    if version is not None:
        host._env["PYTHONPATH"] = str(version)
    return host


def rota_says(host: FleetHost, *words: str) -> tuple[int, str]:
    """Run a command of a host's version on its home, and return its exit code and what it says."""
    done = subprocess.run(
        [ROTA, *words, "--home", str(host.path)], env=host._env, capture_output=True, text=True, timeout=FAR_OFF
    )
    return done.returncode, done.stdout + done.stderr


def plans(host: FleetHost) -> int:
    return host.log.count("this host plans from now on")


def unharmed(*hosts: FleetHost) -> None:
    assert [] == [host.name for host in hosts if "Traceback" in host.log]


def test_hosts_are_upgraded_one_after_the_other_while_jobs_run(fleet, tmp_path, url):
    newer = next_version(tmp_path, GOES_WITH)
    old = fleet.host("old", *PATIENT)
    fleet.add("tick", "echo $ROTA_SLOT >> marks", every("1s"), policy=Policy(overlap=Overlap.ALLOW))
    long = fleet.trigger("long", f"{WAITS}; exit 7", RunsOn(host="old"), AGAIN)
    fleet.wait_until_running(long)

    new = become(fleet.host("new", *PATIENT, start=False), newer)
    new.start()
    assert KNOWN + 1 == fleet.client.store._db.schema().number
    wait_for(lambda: plans(new), "a host that understands more plans", FAR_OFF)
    for name in ("old", "new"):
        ended = fleet.wait_for_end(fleet.trigger(f"on-{name}", "true", RunsOn(host=name)))
        assert (State.SUCCEEDED, name) == (ended.state, fleet.host_of(ended.id).name)
    versions = {view.host.name: (view.host.version, view.host.schema) for view in fleet.client.hosts.all()}
    assert {"old": (rota.__version__, KNOWN), "new": (NEXT_VERSION, KNOWN + 1)} == versions
    assert f"{NEXT_VERSION} (schema {KNOWN + 1})" in rota_says(old, "hosts", "show", "new")[1]

    before = plans(old)
    new.signal(signal.SIGKILL)
    wait_for(lambda: plans(old) > before, "the older one plans again", FAR_OFF)
    goes_on(fleet)
    fleet.add("special", "true")
    write_as_newer(url, "special")
    assert 0 == rota_says(new, "run", "special")[0]
    wait_for(lambda: "left for a newer rota" in old.log, "the older one leaves what it does not understand", FAR_OFF)
    before = plans(new)
    new.start()
    wait_for(lambda: plans(new) > before, "the newer one plans again", FAR_OFF)
    (special,) = fleet.client.store.runs.beginning_with(run_of(url, "special"))
    assert (State.SUCCEEDED, "new") == (fleet.wait_for_end(special.id).state, fleet.host_of(special.id).name)

    old.signal(signal.SIGKILL)
    old.start()
    wait_for(lambda: old.log.count("adopted: attempt 1"), "an older engine may start on the newer schema", FAR_OFF)
    goes_on(fleet)
    old.signal(signal.SIGTERM)
    become(old, newer).start()
    wait_for(lambda: old.log.count("adopted: attempt 1") == 2, "it is upgraded in its turn", FAR_OFF)
    (fleet.work / "go").touch()
    wait_for(lambda: fleet.client.store.runs.attempts(long), "the first attempt has ended", FAR_OFF)
    (attempt,) = fleet.client.store.runs.attempts(long)
    assert (State.FAILED, 7) == (attempt.state, attempt.exit_code)
    assert 1 == max(Counter(fleet.marks()).values())
    unharmed(old, new)


def goes_on(fleet: Fleet) -> None:
    before = len(fleet.marks())
    wait_for(lambda: len(fleet.marks()) >= before + 3, "slots run", FAR_OFF)


def write_as_newer(url: str, job: str) -> None:
    """Let a job have a definition as only the next version writes it."""
    newer = """UPDATE definition SET body = replace(body, '"action"', '"sandbox":true,"action"')
                WHERE id = (SELECT definition_id FROM job WHERE name = %s)"""
    asked(url, newer, job)


def run_of(url: str, job: str) -> str:
    return asked(url, "SELECT run.id FROM run JOIN job ON job.id = job_id WHERE job.name = %s", job)


def asked(url: str, text: str, *given: object) -> str:
    address = parse_address(url)
    with psycopg.connect(address.libpq, autocommit=True) as connection:
        connection.execute(f"SET search_path TO {address.schema}")
        cursor = connection.execute(text, given)
        return "" if cursor.description is None else str(cursor.fetchone()[0])


def test_a_version_that_the_others_cannot_work_beside_waits_until_they_are_gone_and_then_refuses_them(fleet, tmp_path):
    newer = next_version(tmp_path, BREAKS)
    host = fleet.host("one", *PATIENT)
    run = fleet.trigger("long", f"{WAITS}; exit 7", policy=AGAIN)
    fleet.wait_until_running(run)
    become(host, newer)
    code, told = rota_says(host, "list")
    assert 4 == code
    assert f"At work on it: one (rota {rota.__version__}, schema {KNOWN}). Stop those engines first" in told
    assert State.SUCCEEDED is fleet.wait_for_end(fleet.trigger("short", "true")).state

    host.signal(signal.SIGTERM)
    host.start()
    wait_for(lambda: "adopted: attempt 1" in host.log, "what ran on is adopted by the newer one", FAR_OFF)
    with pytest.raises(StoreTooNew, match="upgrade rota here, or use the newer one"):
        fleet.client.store.refuse_newer()
    code, told = rota_says(become(host, None), "list")
    assert 2 == code
    assert f"was written by a newer rota (schema {KNOWN + 1}; this one knows up to {KNOWN})" in told
    (fleet.work / "go").touch()
    asks = become(host, newer)
    wait_for(lambda: "failed" in rota_says(asks, "why", run)[1], "it has ended under the newer one", FAR_OFF)
    unharmed(host)


def test_an_engine_under_which_the_store_becomes_too_new_stops_and_its_runs_go_on(fleet, tmp_path, url):
    newer = next_version(tmp_path, BREAKS)
    host = fleet.host("one")
    run = fleet.trigger("long", f"{WAITS}; exit 7", policy=AGAIN)
    fleet.wait_until_running(run)
    asked(url, "UPDATE meta SET value = 'no' WHERE key LIKE 'serving:%%'")  # somebody says that it has stopped
    assert 0 == rota_says(become(host, newer), "hosts")[0]
    assert host.process is not None
    assert 2 == host.process.wait(FAR_OFF)
    assert "upgrade rota here, or use the newer one. This engine stops; running jobs go on" in host.log
    assert host.pids()
    host.start()
    wait_for(lambda: "adopted: attempt 1" in host.log, "the newer one has them", FAR_OFF)
    unharmed(host)
