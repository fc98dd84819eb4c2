"""What a terminal would make of a line that a program wrote: pieces of text, each with the classes of its look.

Pages may not carry colours of their own (a strict policy for content), so every colour is one of a palette of sixteen:
those of the old terminals are themselves, those of 256 and true colours are the nearest. How the sixteen look, and that
they can be read in light and dark, is the style sheet's. The rest of what terminals understand is let go; what moves
within a line is done as a terminal does it, so of a progress bar, which goes back to its beginning, the last state is
shown.

Pure: text in, pieces out. A piece is text and never markup.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

PALETTE = (
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
)
"""xterm's sixteen, which all others are compared with."""
_CUBE = (0, 95, 135, 175, 215, 255)
_ATTRIBUTES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
CLASSES = frozenset({*(f"f{n}" for n in range(16)), *(f"b{n}" for n in range(16)), *_ATTRIBUTES.values()})
"""Every class that a piece can have."""
_ENDS = {22: {"bold", "dim"}, 23: {"italic"}, 24: {"underline"}, 27: {"inverse"}, 29: {"strike"}}

_SEQUENCE = (
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # a control sequence: colours, moves, erasing
    r"|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)"  # for the window: titles, links
    r"|\x1b[PX^_][^\x1b\n]*\x1b\\"  # for devices and programs
    r"|\x1b\[[0-?]*[ -/]*$"  # a control sequence that was cut off by the line's end
    r"|\x1b[ -/]*[0-~]"  # everything of two characters
    r"|\x1b"
)
_SPLIT = re.compile(f"({_SEQUENCE}|[\\r\\b])")
_WHOLE_SEQUENCE = re.compile(_SEQUENCE)
_SEQUENCE_BYTES = re.compile(_SEQUENCE.encode(), re.MULTILINE)
_CONTROL = re.compile(r"\x1b\[([0-?]*)[ -/]*([@-~])\Z")
_LOOK_BYTES = re.compile(rb"\x1b\[([0-9;:]*)m")
_RESET = re.compile(rb"\x1b\[0*m")
_MOVES = re.compile(r"[\r\b]|\x1b\[[0-9;]*[CDGK]")
_MOVES_BYTES = re.compile(_MOVES.pattern.encode())
_LOOK_BACK = 1 << 16
_MOST_LOOKS = 1_000
"""A line that changes its look more often than that is shown without: it is a picture, or made to keep us busy."""
_WIDEST = 4096
"""A place in a line that moves do not go beyond."""
_PICTURES: dict[int, int | None] = {code: 0x2400 + code for code in range(32) if chr(code) != "\t"}
_PICTURES |= {**dict.fromkeys(range(0x80, 0xA0), 0xFFFD), ord("\a"): None, 127: 0x2421}


class Look(NamedTuple):
    """How text looks from here on."""

    fore: int | None = None
    back: int | None = None
    attributes: frozenset[str] = frozenset()

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the classes for it, in order."""
        fore, back, rest = self.fore, self.back, self.attributes
        if "inverse" in rest and (fore is not None or back is not None):
            fore, back, rest = back, fore, rest - {"inverse"}
        colours = [f"f{fore}"] if fore is not None else []
        colours += [f"b{back}"] if back is not None else []
        return (*colours, *sorted(rest))


class Piece(NamedTuple):
    """Some text of one look."""

    text: str
    classes: tuple[str, ...] = ()


PLAIN = Look()


def pieces(line: str, look: Look = PLAIN) -> tuple[list[Piece], Look]:
    """Return what a line shows, and how text looks after it."""
    line = line.removesuffix("\r")
    if "\x1b" not in line and "\r" not in line and "\b" not in line:
        return ([Piece(_visible(line), look.classes)] if line else []), look
    if line.count("\x1b") > _MOST_LOOKS:
        return [Piece(_visible(_WHOLE_SEQUENCE.sub("", line)), look.classes)], look
    shown, look = _moved(line, look) if _MOVES.search(line) else _straight(line, look)
    return _joined(shown), look


def plain(line: str) -> str:
    """Return the text that a line shows."""
    return "".join(piece.text for piece in pieces(line)[0])


def without_sequences(content: bytes) -> bytes:
    """Return bytes without what only a terminal understands, in the same lines."""
    return _SEQUENCE_BYTES.sub(b"", content) if b"\x1b" in content else content


def moves(content: bytes) -> bool:
    """Tell whether something in a line covers what was before, so that not all that was written is shown."""
    return _MOVES_BYTES.search(content) is not None


def look_after(content: bytes) -> Look:
    """Return how text looks after some bytes; what was said very long before the end is not looked for."""
    recent = content[-_LOOK_BACK:]
    if b"\x1b" not in recent:
        return PLAIN
    begin = max((found.end() for found in _RESET.finditer(recent)), default=0)
    look = PLAIN
    for found in _LOOK_BYTES.finditer(recent, begin):
        look = _changed(look, found[1].decode())
    return look


def marked(shown: Iterable[Piece], wanted: str) -> list[Piece]:
    """Return pieces with the class `hit` where they hold a text; upper and lower case of A to Z are the same."""
    whole = list(shown)
    text, needle = folded("".join(piece.text for piece in whole)), folded(wanted)
    spans, at = [], text.find(needle) if needle else -1
    while at >= 0:
        spans.append((at, at + len(needle)))
        at = text.find(needle, at + len(needle))
    return list(_cut(whole, spans)) if spans else whole


def around_hit(shown: Sequence[Piece], before: int, most: int) -> list[Piece]:
    """Return so much of a line as fits into a list, with its first hit in it."""
    offsets = list(accumulate((len(piece.text) for piece in shown), initial=0))
    hit = next((at for at, piece in zip(offsets, shown, strict=False) if "hit" in piece.classes), 0)
    begin = max(0, hit - before)
    end = begin + most
    clipped = [
        Piece(piece.text[max(0, begin - at) : end - at], piece.classes)
        for at, piece in zip(offsets, shown, strict=False)
        if at < end and at + len(piece.text) > begin
    ]
    return [Piece("…")] * (begin > 0) + clipped + [Piece("…")] * (end < offsets[-1])


def folded(text: str) -> str:
    """Return text in which upper and lower case of A to Z are the same."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


_LOWER = {ord(letter): ord(letter) + 32 for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def _cut(whole: Sequence[Piece], spans: Sequence[tuple[int, int]]) -> Iterable[Piece]:
    """Yield the pieces, cut where spans begin and end."""
    begin, left = 0, deque(spans)
    for piece in whole:
        end, at = begin + len(piece.text), begin
        while left and left[0][0] < end:
            first, last = max(left[0][0], begin), min(left[0][1], end)
            if first > at:
                yield Piece(piece.text[at - begin : first - begin], piece.classes)
            yield Piece(piece.text[first - begin : last - begin], (*piece.classes, "hit"))
            at = last
            if left[0][1] > end:
                break
            left.popleft()
        if at < end:
            yield Piece(piece.text[at - begin :], piece.classes)
        begin = end


def _straight(line: str, look: Look) -> tuple[list[Piece], Look]:
    """Read a line in which nothing moves."""
    shown = []
    for number, part in enumerate(_SPLIT.split(line)):
        if number % 2:
            look = _after(look, part)
        elif part:
            shown.append(Piece(_visible(part), look.classes))
    return shown, look


def _moved(line: str, look: Look) -> tuple[list[Piece], Look]:
    """Write a line as a terminal does, character by character: what comes later covers what was there."""
    cells: list[Piece] = []
    at = 0
    for number, part in enumerate(_SPLIT.split(line)):
        if not number % 2:
            classes, text = look.classes, _visible(part)
            cells[at : at + len(text)] = [Piece(letter, classes) for letter in text]
            at += len(text)
        elif part == "\r":
            at = 0
        elif part == "\b":
            at = max(0, at - 1)
        else:
            look = _after(look, part)
            at = _erased_or_gone(cells, at, part)
    return cells, look


def _erased_or_gone(cells: list[Piece], at: int, sequence: str) -> int:
    """Do what a sequence asks for in this line, and return the place to go on at."""
    found = _CONTROL.match(sequence)
    if found is None:
        return at
    number = int(found[1][:9]) if found[1].isdecimal() else None
    match found[2]:
        case "K" if number in (None, 0):
            del cells[at:]
        case "K":
            upto = len(cells) if number == 2 else min(at + 1, len(cells))
            cells[:upto] = [Piece(" ")] * upto
        case "C":
            at = min(at + (number or 1), _WIDEST)
        case "D":
            at = max(0, at - (number or 1))
        case "G":
            at = min(max(1, number or 1), _WIDEST) - 1
    cells += [Piece(" ")] * (at - len(cells))
    return at


def _joined(shown: Iterable[Piece]) -> list[Piece]:
    """Return the pieces with neighbours of one look in one."""
    joined: list[tuple[list[str], tuple[str, ...]]] = []
    for piece in shown:
        if joined and joined[-1][1] == piece.classes:
            joined[-1][0].append(piece.text)
        else:
            joined.append(([piece.text], piece.classes))
    return [Piece("".join(texts), classes) for texts, classes in joined]


def _visible(text: str) -> str:
    """Return text with pictures for what has none; a bell is only heard."""
    return text if text.isprintable() else text.translate(_PICTURES)


def _after(look: Look, sequence: str) -> Look:
    found = _CONTROL.match(sequence)
    return _changed(look, found[1]) if found is not None and found[2] == "m" else look


@lru_cache(1 << 10)
def _codes(text: str) -> tuple[int, ...]:
    """Return the numbers of a sequence; nothing is 0. With colons, a colour may leave its space unnamed."""
    parts = text.replace("::", ":").replace(":", ";").split(";")
    return tuple(int(part[:4]) if part.isdecimal() else 0 for part in parts) if text.isascii() else ()


def _changed(look: Look, text: str) -> Look:
    """Return a look after a sequence of numbers."""
    codes = list(_codes(text)) if len(text) <= 200 and not text.startswith(("<", "=", ">", "?")) else []
    while codes:
        code = codes.pop(0)
        if code in (38, 48):
            colour = _chosen(codes)
            if colour is not None:
                look = look._replace(fore=colour) if code == 38 else look._replace(back=colour)
        else:
            look = _with(look, code)
    return look


def _with(look: Look, code: int) -> Look:
    if code == 0:
        return PLAIN
    if code in _ATTRIBUTES:
        return look._replace(attributes=look.attributes | {_ATTRIBUTES[code]})
    if code in _ENDS:
        return look._replace(attributes=look.attributes - _ENDS[code])
    for first, offset in ((30, 0), (90, 8)):
        if first <= code < first + 8:
            return look._replace(fore=code - first + offset)
        if first + 10 <= code < first + 18:
            return look._replace(back=code - first - 10 + offset)
    if code == 39:
        return look._replace(fore=None)
    return look._replace(back=None) if code == 49 else look


def _chosen(codes: list[int]) -> int | None:
    """Take what names a colour from a sequence, and return the nearest of the palette."""
    kind = codes.pop(0) if codes else None
    if kind == 5 and codes:
        return _of_256(codes.pop(0))
    if kind == 2 and len(codes) >= 3:
        red, green, blue = (min(255, codes.pop(0)) for _ in range(3))
        return nearest(red, green, blue)
    codes.clear()
    return None


def _of_256(number: int) -> int | None:
    if number < 16:
        return number
    if number < 232:
        red, rest = divmod(number - 16, 36)
        green, blue = divmod(rest, 6)
        return nearest(_CUBE[red], _CUBE[green], _CUBE[blue])
    grey = 8 + 10 * (number - 232)
    return nearest(grey, grey, grey) if number < 256 else None


@lru_cache(1 << 10)
def nearest(red: int, green: int, blue: int) -> int:
    """Return the number of the colour of the palette that looks most like this one."""

    def distance(number: int) -> float:
        r, g, b = PALETTE[number]
        return 3 * (r - red) ** 2 + 4 * (g - green) ** 2 + 2 * (b - blue) ** 2

    return min(range(len(PALETTE)), key=distance)
