"""The spool: files that are used again only when nobody else has them, and never grow without end."""

from __future__ import annotations

import os

import pytest

from rota.model.policy import Output
from rota.process.spool import Spool

SMALL = Output(head=10, tail=20)
MB = 1 << 20


@pytest.fixture
def spool(tmp_path):
    made = Spool(str(tmp_path))
    yield made
    made.close()


def append(spool, slot, content, stream=0):
    """Write as a job does: through a descriptor of its own, appending."""
    fd = os.open(spool.paths(slot)[stream], os.O_WRONLY | os.O_APPEND)
    os.write(fd, content)
    os.close(fd)


def files(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_what_was_written_is_read_and_an_empty_stream_is_left_out(spool):
    slot = spool.take()
    assert [] == spool.read(slot, SMALL)
    append(spool, slot, b"oh\n", stream=1)
    (part,) = spool.read(slot, SMALL)
    assert ("stderr", b"oh\n", b"", 3, 0) == (part.stream, part.head, part.tail, part.size, part.dropped)


@pytest.mark.parametrize(
    ("size", "head", "tail", "dropped"), [(10, 10, 0, 0), (11, 10, 1, 0), (30, 10, 20, 0), (31, 10, 20, 1)]
)
def test_the_beginning_and_the_end_are_kept_up_to_the_caps(spool, size, head, tail, dropped):
    slot = spool.take()
    content = bytes(range(65, 65 + size))
    append(spool, slot, content)
    (part,) = spool.read(slot, SMALL)
    assert (content[:head], content[size - tail :] if tail else b"", dropped) == (part.head, part.tail, part.dropped)


def test_a_cap_of_nothing_keeps_nothing(spool):
    slot = spool.take()
    append(spool, slot, b"12345")
    (part,) = spool.read(slot, Output(head=0, tail=0))
    assert (b"", b"", 5) == (part.head, part.tail, part.dropped)


def test_files_that_nobody_has_open_are_emptied_and_used_again(spool, tmp_path):
    slot = spool.take()
    append(spool, slot, b"old")
    spool.release(slot)
    again = spool.take()
    assert (slot.name, []) == (again.name, spool.read(again, SMALL))
    assert ["000001.err", "000001.out"] == files(tmp_path)


def test_files_that_a_daemon_still_has_open_are_not_used_again_until_it_has_gone(spool, tmp_path):
    slot = spool.take()
    daemon = os.open(spool.paths(slot)[1], os.O_WRONLY | os.O_APPEND)
    spool.release(slot)
    other = spool.take()
    os.write(daemon, b"late words")
    assert slot.name != other.name
    assert [] == spool.read(other, SMALL), "no other run's output"
    spool.look_after()
    assert "000001.err" in files(tmp_path)
    os.close(daemon)
    spool.look_after()
    assert [f"{other.name}.err", f"{other.name}.out"] == files(tmp_path)


def test_a_reader_keeps_the_files_of_an_ended_run_as_they_are(spool):
    slot = spool.take()
    append(spool, slot, b"words")
    reader = os.open(spool.paths(slot)[0], os.O_RDONLY)
    spool.release(slot)
    assert slot.name != spool.take().name
    assert b"words" == os.read(reader, 10)
    os.close(reader)


def test_a_runaway_log_is_cut_in_its_middle_and_keeps_beginning_end_and_length(spool):
    slot, caps = spool.take(), Output(head=8192, tail=8192)
    head, middle, tail = b"a" * 8192, b"b" * (40 * MB), b"c" * 8192
    for piece in (head, middle, tail):
        append(spool, slot, piece)
    before = os.stat(spool.paths(slot)[0]).st_blocks * 512
    assert spool.watch(slot, caps) is True
    after = os.stat(spool.paths(slot)[0])
    assert after.st_blocks * 512 < before // 20, "the disk has its room back"
    (part,) = spool.read(slot, caps)
    assert (head, tail, len(head + middle + tail), 40 * MB) == (part.head, part.tail, part.size, part.dropped)
    append(spool, slot, b"d" * 8192)
    assert b"d" * 8192 == spool.read(slot, caps)[0].tail, "what comes later is written where it belongs"
    assert spool.was_emptied(slot) is False


def test_a_log_within_its_caps_is_left_alone(spool):
    slot = spool.take()
    append(spool, slot, b"x" * MB)
    assert spool.watch(slot, SMALL) is False
    assert b"x" * 20 == spool.read(slot, SMALL)[0].tail


def test_what_grows_on_is_cut_again(spool):
    slot, caps = spool.take(), Output(head=4096, tail=4096)
    for _ in range(3):
        append(spool, slot, b"x" * (3 * MB))
        spool.watch(slot, caps)
        assert os.stat(spool.paths(slot)[0]).st_blocks * 512 < 100_000


def test_a_daemon_s_log_is_cut_as_well(spool):
    slot = spool.take()
    daemon = os.open(spool.paths(slot)[0], os.O_WRONLY | os.O_APPEND)
    spool.release(slot)
    os.write(daemon, b"x" * (5 * MB))
    assert spool.watch_left(Output(head=4096, tail=4096)) is True
    assert os.fstat(daemon).st_blocks * 512 < 100_000
    os.close(daemon)


def test_a_file_that_its_own_job_has_emptied_is_noticed(spool):
    slot = spool.take()
    append(spool, slot, b"x" * 100)
    spool.watch(slot, SMALL)
    assert spool.was_emptied(slot) is False
    os.truncate(spool.paths(slot)[0], 0)
    append(spool, slot, b"new")
    assert spool.was_emptied(slot) is True
    spool.release(slot)
    assert spool.was_emptied(spool.take()) is False


def test_the_next_engine_opens_a_run_s_files_and_takes_charge_of_the_others(tmp_path):
    first = Spool(str(tmp_path))
    running, ended, held = first.take(), first.take(), first.take()
    append(first, running, b"before")
    daemon = os.open(first.paths(held)[0], os.O_WRONLY)
    first.close()
    second = Spool(str(tmp_path))
    adopted = second.adopt(running.name)
    second.sweep()
    second.look_after()
    assert b"before" == second.read(adopted, SMALL)[0].head
    assert [f"{slot.name}.{end}" for slot in (running, held) for end in ("err", "out")] == files(tmp_path)
    assert second.take().name not in (running.name, ended.name, held.name)
    os.close(daemon)
    second.close()


def test_a_run_whose_files_somebody_has_deleted_is_adopted_with_empty_ones(tmp_path):
    spool = Spool(str(tmp_path))
    slot = spool.adopt("000007")
    assert [] == spool.read(slot, SMALL)
    assert "000008" == spool.take().name
    spool.close()


def test_files_beyond_the_millionth_are_still_known_by_their_names(tmp_path):
    (tmp_path / "1000000.out").touch()
    (tmp_path / "1000000.err").touch()
    spool = Spool(str(tmp_path))
    assert "1000001" == spool.take().name
    spool.close()


def test_files_are_for_their_owner_alone_and_not_for_children(spool, tmp_path):
    slot = spool.take()
    assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert [False, False] == [os.get_inheritable(fd) for fd in slot.fds]
