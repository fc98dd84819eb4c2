"""What a run wrote, as lines: in pages, and the lines that hold a text.

A line is known by the byte that it begins at, which stays true while more is written and the middle of a log that grows
too long is let go; its number is counted over what was kept. Pages are found by looking for line ends from where they
begin, so a page of a large output costs what it shows, and not what it passes over.

Pure: bytes in, lines out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from rota.control.whole_lines import LONGEST_LINE
from rota.web.ansi import Look, Piece, folded, look_after, marked, moves, pieces, plain, without_sequences

LINES, BYTES = 1_000, 256 << 10
"""A page has so many lines and so many bytes at most."""
MOST_HITS = 5_000
_MOST_PIECES = 6_000
"""So many pieces of one look a page has at most; lines after that, which no person has coloured, are without."""
_BEGINNING = 8_192
_INSIDE = 0b1000_0000
_KIND = 0b1100_0000


class Stretch(msgspec.Struct, frozen=True):
    """Some output without a gap."""

    start: int
    """The byte of the stream that it begins at."""
    content: bytes
    dropped: int = 0
    """How many bytes are missing right before it."""

    @property
    def end(self) -> int:
        """Return where it ends."""
        return self.start + len(self.content)


class Line(msgspec.Struct, frozen=True):
    """A line, or a part of one that is very long."""

    start: int
    number: int | None
    """None: it goes on with the line before."""
    pieces: Sequence[Piece]
    dropped: int = 0
    is_open: bool = False
    """Its end has not been written yet."""
    is_current: bool = False
    """It is the one that somebody wants to see."""


class LinePage(msgspec.Struct, frozen=True):
    """Some lines of a stream, and where the pages around them begin."""

    lines: Sequence[Line]
    next: int
    """Where to read on: behind the last whole line."""
    next_number: int = 1
    """The number of the line there."""
    earlier: int | None = None
    later: int | None = None


class Hit(msgspec.Struct, frozen=True):
    """A line that holds what somebody looks for."""

    start: int
    number: int


class Written:
    """One stream of one attempt, as far as it was kept."""

    def __init__(self, stretches: Iterable[Stretch], *, is_whole: bool = True, is_cut: bool = False) -> None:
        self._stretches = [each for each in stretches if each.content or each.dropped]
        self.is_whole = is_whole
        """Nothing more will be written."""
        self.is_cut = is_cut
        """There is more than anybody wants to read on a page."""

    @property
    def kept(self) -> int:
        """Return how many bytes there are."""
        return sum(len(each.content) for each in self._stretches)

    @property
    def dropped(self) -> int:
        """Return how many bytes are missing."""
        return sum(each.dropped for each in self._stretches)

    @property
    def end(self) -> int:
        """Return how much was written."""
        return self._stretches[-1].end if self._stretches else 0

    @property
    def looks_binary(self) -> bool:
        """Tell whether this is no text."""
        first = next((each.content[:_BEGINNING] for each in self._stretches), b"")
        strange = first.decode("utf-8", "replace").count("\ufffd")
        return b"\0" in first or strange * 10 > len(first)

    # -- pages --------------------------------------------------------------------------------------------------------

    def page(self, start: int, wanted: str = "", current: int | None = None, number: int | None = None) -> LinePage:
        """Return the page that begins at a byte; who has shown the lines before may say its first line's number."""
        raw = list(self._from(start))
        first_number = self._number_at(raw[0].start if raw else start) if number is None else number
        lines = list(_shown(raw, self._look_before(start), first_number, wanted, current))
        if not lines:
            return LinePage([], start, first_number)
        last = raw[-1]
        number = next((line.number for line in reversed(lines) if line.number is not None), first_number)
        later = last.next if last.next < self.end else None
        first = lines[0].start
        earlier = self._before(first) if self._has_before(first) else None
        if last.is_open:
            return LinePage(lines, last.start, number, earlier)
        return LinePage(lines, last.next, number + (last.end < last.next), earlier, later)

    def last_page(self, wanted: str = "") -> LinePage:
        """Return the page that ends where the output ends."""
        return self.page(self._before(self.end), wanted)

    def page_around(self, start: int, wanted: str) -> LinePage:
        """Return a page with a line somewhat below its top."""
        return self.page(self._before(start, LINES // 50), wanted, start)

    def line(self, start: int, wanted: str) -> Line | None:
        """Return the line that begins at a byte; for a list of lines, so without the look of those before it."""
        return next(_shown(islice(self._from(start), 1), Look(), 0, wanted, None), None)

    def find(self, wanted: str) -> list[Hit]:
        """Return the lines that hold a text, so many at most; A to Z may be upper or lower case."""
        return list(islice(self._hits(wanted.encode().lower()), MOST_HITS)) if wanted else []

    # -- lines --------------------------------------------------------------------------------------------------------

    def _from(self, start: int) -> Iterator[_Raw]:
        """Yield the lines of a page."""
        left, size = LINES, BYTES
        for stretch in self._stretches:
            if stretch.end <= start and stretch.content:
                continue
            is_last = stretch is self._stretches[-1]
            for raw in _lines_of(stretch, max(0, start - stretch.start), ends=self.is_whole or not is_last):
                if left == 0 or size < raw.next - raw.start:
                    return
                yield raw
                left, size = left - 1, size - (raw.next - raw.start)

    def _before(self, end: int, most: int = LINES) -> int:
        """Return where the page begins that ends before a byte."""
        left, size, begin = most, BYTES - LONGEST_LINE, end
        for stretch in reversed(self._stretches):
            at = min(end, stretch.end) - stretch.start
            while at > 0:
                found = max(stretch.content.rfind(b"\n", 0, at - 1) + 1, at - LONGEST_LINE)
                if left == 0 or size < at - found:
                    return begin
                left, size, at, begin = left - 1, size - (at - found), found, stretch.start + found
        return begin

    def _has_before(self, start: int) -> bool:
        return bool(self._stretches) and start > self._stretches[0].start

    def _look_before(self, start: int) -> Look:
        return look_after(next((_upto(each, start) for each in reversed(self._stretches) if each.start < start), b""))

    def _number_at(self, start: int) -> int:
        """Return the number of the line at a byte, counted over what was kept."""
        return 1 + sum(_ends_in(each, start) for each in self._stretches)

    # -- finding ------------------------------------------------------------------------------------------------------

    def _hits(self, wanted: bytes) -> Iterator[Hit]:
        number = 1
        for stretch in self._stretches:
            is_plain = b"\x1b" not in stretch.content and b"\r" not in stretch.content and b"\b" not in stretch.content
            search = _plain_hits if is_plain else _hits_behind_signs
            for at, line in search(stretch.content, wanted):
                yield Hit(stretch.start + at, number + line)
            number += _ends_in(stretch, stretch.end + 1)


class _Raw(msgspec.Struct, frozen=True):
    """A line before it is read."""

    start: int
    content: bytes
    next: int
    begins: bool
    """It is the beginning of a line, and not a later part of a long one."""
    is_open: bool
    dropped: int = 0

    @property
    def end(self) -> int:
        """Return where its content ends."""
        return self.start + len(self.content)


def _lines_of(stretch: Stretch, at: int, *, ends: bool) -> Iterator[_Raw]:
    """Yield the lines from an offset in a stretch on; a very long one in parts, never cut within a character."""
    content, dropped = stretch.content, stretch.dropped if at == 0 else 0
    if dropped and not content:
        yield _Raw(stretch.start, b"", stretch.start, True, False, dropped)
    while at < len(content):
        begins = at == 0 or content[at - 1 : at] == b"\n"
        end = content.find(b"\n", at, at + LONGEST_LINE + 1)
        if end >= 0:
            following = end + 1
        elif len(content) - at > LONGEST_LINE:
            following = end = _whole_characters(content, at + LONGEST_LINE)
        else:
            following = end = len(content)
        is_open = following == len(content) and content[-1:] != b"\n" and not ends
        start = stretch.start
        yield _Raw(start + at, content[at:end], start + following, begins, is_open, dropped)
        at, dropped = following, 0


def _whole_characters(content: bytes, end: int) -> int:
    """Return the last place up to an end that is between two characters."""
    return next((end - back for back in range(4) if content[end - back] & _KIND != _INSIDE), end)


def _shown(raw: Iterable[_Raw], look: Look, number: int, wanted: str, current: int | None) -> Iterator[Line]:
    """Yield lines as they look; how a line ends, the next one begins, as on a terminal."""
    left = _MOST_PIECES
    for index, each in enumerate(raw):
        if each.dropped:
            look = Look()
        shown, look = pieces(each.content.decode("utf-8", "replace"), look)
        if len(shown) > left:
            shown = [Piece("".join(piece.text for piece in shown))]
        left -= len(shown)
        number += each.begins and index > 0
        yield Line(
            each.start,
            number if each.begins else None,
            marked(shown, wanted) if wanted else shown,
            each.dropped,
            each.is_open,
            each.start == current,
        )


def _upto(stretch: Stretch, end: int) -> bytes:
    return stretch.content[: end - stretch.start]


def _ends_in(stretch: Stretch, end: int) -> int:
    """Return how many lines of a stretch end before a byte; a gap ends one, too."""
    if end <= stretch.start:
        return 0
    passed = stretch.content.count(b"\n", 0, end - stretch.start)
    return passed + (end > stretch.end and not stretch.content.endswith(b"\n"))


def _plain_hits(content: bytes, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Yield where lines with a text begin, and how many lines are before them, where text is all there is."""
    lower = content.lower()
    counted = passed = 0
    at = lower.find(wanted)
    while at >= 0:
        start = content.rfind(b"\n", 0, at) + 1
        passed += content.count(b"\n", counted, start)
        counted = start
        yield start, passed
        end = content.find(b"\n", at)
        at = lower.find(wanted, end) if end >= 0 else -1


def _hits_behind_signs(content: bytes, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Do the same where terminal signs are between the letters: what is likely is looked at as it is shown."""
    text = wanted.decode("utf-8", "replace")
    start = 0
    for number, (line, bare) in enumerate(
        zip(content.split(b"\n"), without_sequences(content).lower().split(b"\n"), strict=False)
    ):
        if wanted in bare and (not moves(line) or text in folded(plain(line.decode("utf-8", "replace")))):
            yield start, number
        start += len(line) + 1
