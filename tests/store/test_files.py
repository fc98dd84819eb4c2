"""The store as a file: made, opened by many, locked, damaged, newer, full, copied."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import textwrap

import pytest

from rota.errors import BadHome, RotaError, StoreBusy, StoreCorrupt, StoreFull, StoreTooNew
from rota.store.sqlite import SqliteDatabase, _split, file_system_of, wal_warning
from rota.store.statements import load_migrations

from .worlds import NOW, World


def open_file(path, *, patience=0.0, checkpoints=False):
    return World(SqliteDatabase(str(path), patience=patience, checkpoints=checkpoints))


def python(code, *arguments, **given):
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], text=True, **given)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rota.db"


def test_a_new_store_is_made_for_its_owner_alone_and_opened_again_as_it_was(path):
    first = open_file(path)
    stored = first.make()
    first.close()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    again = open_file(path)
    assert stored == again.jobs.get("backup")
    assert [] == again.upkeep.faults()
    again.close()


def test_every_commit_is_on_the_disk_before_anything_is_started_on_its_word(path):
    store = open_file(path)
    execute = store.database._connection.execute
    assert ("wal", 2, 1) == tuple(
        execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
    )
    store.close()


@pytest.mark.parametrize(("checkpoints", "pages"), [(True, 1000), (False, 0)])
def test_only_the_engine_checkpoints(path, checkpoints, pages):
    store = open_file(path, checkpoints=checkpoints)
    assert pages == store.database._connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0]
    store.close()


def test_a_newer_store_is_refused_with_a_sentence_and_left_alone(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreTooNew, match=r"was written by a newer rota \(schema 99; this one knows up to \d+\)"):
        open_file(path)
    connection = sqlite3.connect(path)
    assert 99 == connection.execute("PRAGMA user_version").fetchone()[0]
    assert [] == connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()


def test_a_new_store_is_at_the_newest_schema(path):
    store = open_file(path)
    assert len(load_migrations("sqlite")) == store.database._version()
    store.close()


def test_processes_that_make_the_store_at_once_make_it_once(path):
    code = """
        import sys
        from rota.store.sqlite import SqliteDatabase
        from rota.store.store import TableStore
        sys.stdin.readline()
        store = TableStore(SqliteDatabase(sys.argv[1], patience=20, checkpoints=False))
        with store.transaction():
            known = store.upkeep.fact("opened") or ""
            store.upkeep.put_fact("opened", known + sys.argv[2])
    """
    openers = [python(code, path, name, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for name in "abcd"]
    for opener in openers:
        opener.stdin.write("go\n")
        opener.stdin.flush()
    assert [""] * 4 == [opener.communicate(timeout=60)[1] for opener in openers]
    store = open_file(path)
    assert "abcd" == "".join(sorted(store.upkeep.fact("opened")))
    store.close()


def test_a_store_that_somebody_else_writes_is_busy_and_says_so(path):
    one, two = open_file(path), open_file(path)
    with one.transaction():
        one.upkeep.put_fact("x", "1")
        with pytest.raises(StoreBusy, match="is locked by another program"), two.transaction():
            pass
        assert two.upkeep.fact("x") is None, "readers never wait"
    with two.transaction():
        two.upkeep.put_fact("x", "2")
    assert "2" == one.upkeep.fact("x")
    one.close()
    two.close()


def test_a_commit_of_another_connection_is_noticed_once_and_an_own_one_never(path):
    one, two = open_file(path), open_file(path)
    assert one.changed_by_others() is False
    one.upkeep.put_fact("x", "1")
    assert one.changed_by_others() is False
    two.upkeep.put_fact("x", "2")
    assert [True, False] == [one.changed_by_others(), one.changed_by_others()]
    one.close()
    two.close()


def test_a_full_disk_undoes_the_transaction_and_can_be_tried_again(path):
    store = open_file(path)
    stored = store.make()
    execute = store.database._connection.execute
    execute(f"PRAGMA max_page_count = {execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreFull, match="make room on the disk"), store.transaction():  # noqa: PT012 -- until it is full
        for number in range(1_000):
            store.upkeep.put_fact(f"fact {number}", "x" * 500)
    assert store.upkeep.fact("fact 0") is None
    execute("PRAGMA max_page_count = 100000")
    store.queue(stored)
    assert [] == store.upkeep.faults()
    store.close()


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_refused_with_what_to_do_and_left_as_it_is(path, content):
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match=r"is damaged .* Move it aside, .* put a backup in its place"):
        open_file(path)
    assert content == path.read_bytes()


def test_a_page_that_was_overwritten_is_found_by_the_check(path):
    store = open_file(path)
    for number in range(50):
        store.make(f"job-{number}")
    store.database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    content = bytearray(path.read_bytes())
    content[-4096 * 3 :] = b"\x55" * (4096 * 3)
    path.write_bytes(bytes(content))
    try:
        store = open_file(path)
        assert store.upkeep.faults()
        store.close()
    except StoreCorrupt:
        pass


@pytest.mark.parametrize("where", ["missing/rota.db", "."])
def test_a_place_that_cannot_hold_a_store_is_refused(tmp_path, where):
    with pytest.raises(BadHome, match="check that the directory is yours and writable"):
        open_file(tmp_path / where)


def test_a_backup_is_a_whole_store_even_while_others_write(path, tmp_path):
    store = open_file(path)
    stored = store.make()
    code = """
        import sys
        from rota.store.sqlite import SqliteDatabase
        from rota.store.store import TableStore
        store = TableStore(SqliteDatabase(sys.argv[1], patience=20, checkpoints=False))
        print("ready", flush=True)
        for number in range(10**9):
            store.upkeep.put_fact("a", str(number))
            with store.transaction():
                store.upkeep.put_fact("b", str(number))
                store.upkeep.put_fact("c", str(number))
    """
    writer = python(code, path, stdout=subprocess.PIPE)
    try:
        assert "ready\n" == writer.stdout.readline()
        steps = []
        target = tmp_path / "copy.db"
        store.upkeep.backup(str(target), lambda done, total: steps.append((done, total)))
    finally:
        writer.kill()
        writer.communicate()
    copy = open_file(target)
    assert [] == copy.upkeep.faults()
    assert stored == copy.jobs.get("backup")
    assert copy.upkeep.fact("b") == copy.upkeep.fact("c"), "a transaction is in it as a whole"
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)
    assert steps[-1][0] == steps[-1][1] > 0
    copy.close()
    store.close()


def test_a_backup_that_cannot_be_written_says_where(path, tmp_path):
    store = open_file(path)
    with pytest.raises(BadHome, match=r"missing/copy\.db cannot be opened"):
        store.upkeep.backup(str(tmp_path / "missing" / "copy.db"), lambda *_: None)
    store.close()


@pytest.mark.parametrize(
    ("version", "warned"),
    [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 44, 6), False), ((3, 50, 7), False)],
)
def test_a_library_with_a_known_fault_is_named(version, warned):
    assert warned is bool(wal_warning(version))


def test_the_file_system_of_a_path_is_known_where_the_system_tells(tmp_path):
    assert os.path.isdir("/proc/self") is bool(file_system_of(str(tmp_path / "rota.db")))


def test_a_migration_that_ends_in_the_middle_is_refused():
    assert ["SELECT 1;\n"] == list(_split("SELECT 1;\n"))
    with pytest.raises(RotaError, match="ends in the middle of a statement: SELECT 2"):
        list(_split("SELECT 1;\nSELECT 2"))


def test_a_killed_writer_leaves_a_store_that_works(path):
    open_file(path).close()
    code = """
        import os, sys
        from rota.store.sqlite import SqliteDatabase
        from rota.store.store import TableStore
        store = TableStore(SqliteDatabase(sys.argv[1], patience=20, checkpoints=False))
        store.upkeep.put_fact("committed", "yes")
        with store.transaction():
            store.upkeep.put_fact("uncommitted", "yes")
            os.kill(os.getpid(), 9)
    """
    assert -9 == python(code, path).wait(timeout=60)
    store = open_file(path)
    assert ("yes", None) == (store.upkeep.fact("committed"), store.upkeep.fact("uncommitted"))
    store.make(now=NOW)
    store.close()
