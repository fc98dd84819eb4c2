"""The journal: lines of many writers in one file; what is torn or damaged is passed over, never believed."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.process.journal import SEGMENT_SIZE, ExitLine, Journal, parse_lines

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def start(run="RUN", attempt=1, pid=4711):
    return f"\nS {run} {attempt} {pid} {(pid * 7 + attempt) % 9973}\n"


def end(run="RUN", attempt=1, pid=4711, code=0, at="-"):
    return f"\nX {run} {attempt} {pid} {code} {at} {(pid * 7 + attempt + code * 31) % 9973}\n"


@pytest.fixture
def journal(tmp_path):
    made = Journal(str(tmp_path))
    yield made
    made.close()


def test_starts_and_exits_are_read_back():
    lines = parse_lines(
        (start() + start("OTHER", 3, 99) + end(code=7) + end("OTHER", 3, 99, 143, "1772366400")).encode()
    )
    assert {("RUN", 1): 4711, ("OTHER", 3): 99} == lines.started
    assert {("RUN", 1): ExitLine(7, None), ("OTHER", 3): ExitLine(143, AT)} == lines.exited


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "\n",
        "S",
        start().replace("4711", "4712"),
        start().replace("S", "T"),
        end(code=7).replace(" 7 ", " 0 "),
        end().replace("-", "yesterday"),
        end(at="99999999999999999999"),
        "S RUN x 4711 33",
        "S RÜN 1 4711 3064",
        "X RUN 1 4711 0 -",
    ],
)
def test_a_damaged_line_says_nothing_and_spoils_no_other(damaged):
    lines = parse_lines((start("A") + damaged + start("B") + end("B")).encode())
    assert ({"A", "B"}, {"B"}) == ({run for run, _ in lines.started}, {run for run, _ in lines.exited})


@pytest.mark.parametrize("cut", range(1, len(end(code=137).strip())))
def test_a_torn_line_is_never_believed(cut):
    torn = end(code=137).strip()[:cut]
    lines = parse_lines((torn + start("NEXT")).encode())
    assert ({}, {("NEXT", 1)}) == (lines.exited, set(lines.started))


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_whatever_surrounds_them_good_lines_are_read_and_nothing_fails(before, after):
    lines = parse_lines(before + (start() + end(code=3)).encode() + after)
    assert (4711, ExitLine(3, None)) == (lines.started["RUN", 1], lines.exited["RUN", 1])


def test_a_new_segment_is_preallocated_so_that_a_full_disk_stops_no_line(journal, tmp_path):
    found = os.stat(tmp_path / journal.segment)
    assert (SEGMENT_SIZE, True) == (found.st_size, found.st_blocks * 512 >= SEGMENT_SIZE)
    assert not os.get_inheritable(journal.fd)


def test_lines_of_many_shells_that_share_the_file_never_overlap(journal):
    script = """
        n=0
        while [ $n -lt 50 ]; do
            n=$((n + 1))
            printf '\\nS %s %s %s %s\\n' "$1" $n $$ $((($$ * 7 + n) % 9973)) >&3
            printf '\\nX %s %s %s %s - %s\\n' "$1" $n $$ 7 $((($$ * 7 + n + 217) % 9973)) >&3
        done
    """
    names = [f"RUN{number}" for number in range(8)]
    shared = [(os.POSIX_SPAWN_DUP2, journal.fd, 3)]
    pids = {
        name: os.posix_spawn("/bin/sh", ["sh", "-c", script, "x", name], os.environ, file_actions=shared)
        for name in names
    }
    assert {0} == {os.waitpid(pid, 0)[1] for pid in pids.values()}
    lines = journal.read(journal.segment)
    wanted = {(name, number): pids[name] for name in names for number in range(1, 51)}
    assert wanted == lines.started
    assert dict.fromkeys(wanted, ExitLine(7, None)) == lines.exited
    assert ExitLine(7, None) == journal.exit_of(journal.segment, "RUN3", 50)
    assert journal.exit_of(journal.segment, "RUN3", 51) is None


def test_a_segment_that_is_nearly_full_is_followed_by_the_next(journal, tmp_path):
    first = journal.segment
    assert journal.rotate_if_full() is False
    os.write(journal.fd, start().encode())
    os.lseek(journal.fd, SEGMENT_SIZE * 7 // 8, os.SEEK_SET)
    assert journal.rotate_if_full() is True
    assert journal.segment != first
    assert (True, {("RUN", 1): 4711}) == (journal.has(first), journal.read(first).started)
    journal.forget_unneeded({first})
    assert journal.has(first), "an attempt still refers to it"
    journal.forget_unneeded(set())
    assert (False, True) == (journal.has(first), journal.has(journal.segment))
    assert {} == journal.read(first).started
    assert journal.exit_of(first, "RUN", 1) is None


def test_a_shim_that_still_has_an_old_segment_writes_into_that_one(journal):
    first, shared = journal.segment, os.dup(journal.fd)
    os.lseek(journal.fd, SEGMENT_SIZE * 7 // 8, os.SEEK_SET)
    journal.rotate_if_full()
    os.write(shared, end().encode())
    os.close(shared)
    assert {("RUN", 1): ExitLine(0, None)} == journal.read(first).exited


def test_the_next_engine_begins_a_segment_of_its_own_and_keeps_what_is_needed(tmp_path):
    first = Journal(str(tmp_path))
    os.write(first.fd, start().encode())
    first.close()
    second = Journal(str(tmp_path))
    assert first.segment != second.segment
    assert {("RUN", 1): 4711} == second.read(first.segment).started
    second.forget_unneeded({first.segment})
    assert second.has(first.segment)
    second.forget_unneeded(set())
    assert not second.has(first.segment)
    second.close()


def test_a_name_never_comes_up_again_even_if_somebody_empties_the_directory(tmp_path):
    first = Journal(str(tmp_path))
    first.close()
    os.unlink(tmp_path / first.segment)
    second = Journal(str(tmp_path))
    assert first.segment != second.segment
    assert not second.has(first.segment)
    second.close()


def test_the_time_of_the_last_line_is_known(journal):
    os.write(journal.fd, start().encode())
    assert abs((journal.touched_at(journal.segment) - datetime.now(UTC)).total_seconds()) < 60
