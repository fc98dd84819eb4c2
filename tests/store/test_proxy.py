"""Behind a real PgBouncer that gives each transaction any connection, a store is the same store."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from process.waiting import wait_for
from rota.errors import StoreBusy
from rota.model.run import OutputPart
from rota.store.address import parse_address
from servers.postgres import drop_schema, fresh_url

from .worlds import NOW, open_postgres

SETTINGS = """
[databases]
* = host={server} user=postgres
[pgbouncer]
pool_mode = transaction
default_pool_size = 3
unix_socket_dir = {folder}
listen_addr =
listen_port = 6432
auth_type = any
auth_file = {folder}/users
"""


def answers(url: str) -> bool:
    """Tell whether somebody can connect yet."""
    with suppress(psycopg.OperationalError), psycopg.connect(parse_address(url).libpq):
        return True
    return False


@pytest.fixture
def pooled_url(postgres_server, tmp_path_factory) -> Iterator[str]:
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    server = parse_address(postgres_server).libpq.partition("host=")[2].partition("&")[0]
    if program is None or not server.startswith("/"):
        if os.environ.get("ROTA_TEST_REQUIRE") == "all" and program is None:
            pytest.fail("this is to be tried behind a proxy, and ROTA_TEST_REQUIRE=all: install pgbouncer")
        pytest.skip("needs pgbouncer, and a server of our own")
    folder = Path(server) / "proxy"
    folder.mkdir()
    (folder / "settings").write_text(SETTINGS.format(server=server, folder=folder), encoding="utf-8")
    (folder / "users").write_text('"postgres" ""\n', encoding="utf-8")
    command = [program, "-q", str(folder / "settings")]
    if os.geteuid() == 0:  # it refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = fresh_url(f"postgresql://postgres@/postgres?host={folder}&port=6432")
    try:
        wait_for(lambda: answers(url))
        yield f"{url}&pooled=yes"
        drop_schema(url)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def test_more_stores_than_connections_share_them_and_stay_apart(pooled_url):
    worlds = [open_postgres(pooled_url, patience=0.2) for _ in range(6)]
    stored = worlds[0].make(overlap="allow")
    for number in range(12):
        worlds[number % 6].queue(stored)
    claimed = [run for world in worlds for run in world.claim(2)]
    assert 12 == len({run.run_id for run in claimed})
    assert all(worlds[number % 6].end(run) for number, run in enumerate(claimed))
    assert 12 == worlds[3].kinds().count("run.succeeded")
    with worlds[0].transaction():
        worlds[0].jobs.get("backup")
        assert ["backup"] == worlds[1].jobs.names()
        with pytest.raises(StoreBusy), worlds[2].transaction():
            worlds[2].jobs.get("backup")
    worlds[0].ledger.add_event("told", NOW)
    assert [True, False] == [worlds[5].changed_by_others(), worlds[5].changed_by_others()]
    for world in worlds:
        world.close()


def test_where_nobody_said_that_there_is_a_proxy_nothing_is_kept_ready_on_its_connections(pooled_url):
    world = open_postgres(pooled_url.removesuffix("&pooled=yes"))
    for _ in range(20):
        world.jobs.names()
    assert 0 == world.database._connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0]
    world.close()


def test_what_is_left_for_later_goes_through_a_proxy_together(pooled_url):
    world = open_postgres(pooled_url)
    with world.transaction():
        for number in range(700):
            world.database.later("put_meta", key=f"fact-{number}", value=str(number))
        assert "699" == world.upkeep.fact("fact-699")
    run = world.claim_one(world.make())
    world.runs.add_output(run.run_id, 1, [OutputPart("stdout", b"said", b"", 4)])
    assert world.end(run)
    assert [b"said"] == [part.head for part in world.runs.output(run.run_id, 1)]
    world.close()
