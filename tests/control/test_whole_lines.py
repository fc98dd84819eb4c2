"""Lines of bytes: whole ones are given, the rest is kept, and none is too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.control.whole_lines import LONGEST_LINE, split_lines


@pytest.mark.parametrize(
    ("content", "lines", "rest"),
    [
        (b"", [], b""),
        (b"a\nb", [b"a"], b"b"),
        (b"\n\n", [b"", b""], b""),
        (b"x" * LONGEST_LINE, [], b"x" * LONGEST_LINE),
        (b"x" * LONGEST_LINE + b"y", [b"x" * LONGEST_LINE], b"y"),
        (b"x" * LONGEST_LINE + b"y\n", [b"x" * LONGEST_LINE, b"y"], b""),
        (b"x" * (LONGEST_LINE - 1) + "é!".encode(), [b"x" * (LONGEST_LINE - 1)], "é!".encode()),
        (b"\xbf" * (LONGEST_LINE + 1), [b"\xbf" * LONGEST_LINE], b"\xbf"),
    ],
)
def test_a_stream_is_cut_into_lines_and_long_ones_into_pieces_between_characters(content, lines, rest):
    assert (lines, rest) == split_lines(content)
    assert ([*lines, rest] if rest else lines, b"") == split_lines(content, last=True)


@given(content=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_however_a_stream_comes_its_lines_are_the_same(content, cuts):
    lines, held, start = [], b"", 0
    for end in [*sorted(cuts), len(content)]:
        more, held = split_lines(held + content[start:end])
        lines, start = lines + more, max(start, end)
    assert (lines, held) == split_lines(content)
