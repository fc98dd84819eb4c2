"""Reading a running attempt's output beside the engine: nothing twice, nothing made up, holes stepped over."""

from __future__ import annotations

import os

import pytest

from rota.model.policy import Output
from rota.process.live import SpoolReader
from rota.process.spool import Spool


@pytest.fixture
def place(tmp_path):
    spool = Spool(str(tmp_path))
    slot = spool.take()
    with open(spool.paths(slot)[0], "ab", buffering=0) as out:
        live = SpoolReader(str(tmp_path)).open_place(f"journal-1/{slot.name}")
        assert live is not None
        yield spool, slot, out, live
        live.close()
    spool.close()


def test_what_is_new_is_read_from_where_the_last_piece_ended(place):
    *_, out, live = place
    assert b"" == live.read("stdout", 0).content
    out.write(b"one ")
    first = live.read("stdout", 0)
    out.write(b"two")
    second = live.read("stdout", first.offset)
    assert (b"one ", b"two", 7) == (first.content, second.content, second.offset)
    assert (b"", 7) == (live.read("stdout", 7).content, live.read("stdout", 7).offset)
    assert b"" == live.read("stderr", 0).content


def test_a_hole_is_stepped_over_and_its_length_told(place):
    spool, slot, out, live = place
    out.write(b"a" * 8192 + b"b" * (4 << 20) + b"c" * 8192)
    spool.watch(slot, Output(head=8192, tail=8192))
    pieces, offset, dropped = b"", 0, 0
    while (piece := live.read("stdout", offset)).content:
        pieces, offset, dropped = pieces + piece.content, piece.offset, dropped + piece.dropped
    assert len(pieces) + dropped == 8192 * 2 + (4 << 20)
    assert dropped > 3 << 20
    assert pieces.startswith(b"a" * 8192)
    assert pieces.endswith(b"c" * 8192)


def test_a_file_that_was_emptied_is_read_from_its_beginning(place):
    *_, out, live = place
    out.write(b"x" * 100)
    assert 100 == live.read("stdout", 0).offset
    os.ftruncate(out.fileno(), 0)
    out.write(b"new")
    piece = live.read("stdout", 100)
    assert (b"new", True, 3) == (piece.content, piece.emptied, piece.offset)


def test_what_was_written_can_be_read_after_the_run_s_end(place):
    spool, slot, out, live = place
    out.write(b"the last words")
    out.close()
    spool.release(slot)
    spool.take()
    assert b"the last words" == live.read("stdout", 0).content


def test_a_place_that_is_gone_is_nothing_to_read(tmp_path):
    assert SpoolReader(str(tmp_path)).open_place("journal-1/000099") is None
    (tmp_path / "000001.out").touch()
    assert SpoolReader(str(tmp_path)).open_place("journal-1/000001") is None
