"""Cutting a stream of bytes into lines."""

from __future__ import annotations

LONGEST_LINE = 16 * 1024
_INSIDE_A_CHARACTER = 0b1000_0000
_KIND = 0b1100_0000
_LONGEST_CHARACTER = 4


def split_lines(content: bytes, *, last: bool = False) -> tuple[list[bytes], bytes]:
    """Return the lines of some content without their ends, and what is left over: a line that has no end yet.

    With `last`, nothing is left over. A very long line is returned in pieces, so that what is left over stays small.
    """
    *lines, rest = content.split(b"\n")
    if any(len(line) > LONGEST_LINE for line in lines):
        lines = [piece for line in lines for piece in _pieces(line)]
    if len(rest) > LONGEST_LINE:
        *pieces, rest = _pieces(rest)
        lines += pieces
    if last and rest:
        lines.append(rest)
        rest = b""
    return lines, rest


def _pieces(line: bytes) -> list[bytes]:
    """Cut a line that is too long, but never within a character."""
    pieces, start = [], 0
    while len(line) - start > LONGEST_LINE:
        end = start + LONGEST_LINE
        for back in range(_LONGEST_CHARACTER):
            if line[end - back] & _KIND != _INSIDE_A_CHARACTER:
                end -= back
                break
        pieces.append(line[start:end])
        start = end
    pieces.append(line[start:])
    return pieces
