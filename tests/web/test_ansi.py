"""What a terminal would make of a line: its text, and its look as classes of a palette."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.web.ansi import (
    CLASSES,
    PLAIN,
    Look,
    Piece,
    around_hit,
    look_after,
    marked,
    nearest,
    pieces,
    plain,
    without_sequences,
)

ESC = "\x1b"
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")))
NUMBERS = st.lists(st.integers(0, 300), max_size=6).map(lambda numbers: f"{ESC}[{';'.join(map(str, numbers))}m")
OTHERS = st.sampled_from([f"{ESC}[2J", f"{ESC}]0;title\a", f"{ESC}]8;;x:{ESC}\\", f"{ESC}(B", f"{ESC}[?25l", "\a"])


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("", []),
        ("plain", [("plain", ())]),
        (f"{ESC}[31mred{ESC}[0m not", [("red", ("f1",)), (" not", ())]),
        (f"{ESC}[1;4;32mx{ESC}[22;24my{ESC}[39mz", [("x", ("f2", "bold", "underline")), ("y", ("f2",)), ("z", ())]),
        (f"{ESC}[97;44mx{ESC}[49my{ESC}[mz", [("x", ("f15", "b4")), ("y", ("f15",)), ("z", ())]),
        (f"{ESC}[38;5;9mx", [("x", ("f9",))]),
        (f"{ESC}[38;5;196mx", [("x", ("f9",))]),
        (f"{ESC}[48;5;232mx", [("x", ("b0",))]),
        (f"{ESC}[38;2;250;5;5mx", [("x", ("f9",))]),
        (f"{ESC}[38:2:0:0:230mx", [("x", ("f4",))]),
        (f"{ESC}[38:2::250:0:0mx", [("x", ("f9",))]),
        (f"{ESC}[38;5mx", [("x", ())]),
        (f"{ESC}[7mx{ESC}[27my", [("x", ("inverse",)), ("y", ())]),
        (f"{ESC}[7;31mx", [("x", ("b1",))]),
        (f"{ESC}[3;9;2mx", [("x", ("dim", "italic", "strike"))]),
        (f"{ESC}[31mone {ESC}[31mlook", [("one look", ("f1",))]),
        (f"a{ESC}]8;;https://example.org{ESC}\\link{ESC}]8;;{ESC}\\b", [("alinkb", ())]),
        (f"a{ESC}[2Jb{ESC}[?25lc{ESC}(Bd", [("abcd", ())]),
        (f"cut {ESC}[3", [("cut ", ())]),
        ("10%\r50%\r100%", [("100%", ())]),
        ("10% done\r50%", [("50% done", ())]),
        (f"a long text\r{ESC}[Kshort", [("short", ())]),
        (f"a long text\r{ESC}[31mshort", [("short", ("f1",)), ("g text", ())]),
        (f"gone{ESC}[2K{ESC}[1Ghere", [("here", ())]),
        ("abc\b\bX", [("aXc", ())]),
        (f"a{ESC}[3Cb", [("a   b", ())]),
        ("ends as on Windows\r", [("ends as on Windows", ())]),
        ("nul\0 bell\a", [("nul␀ bell", ())]),
        ("<b>&amp;</b>", [("<b>&amp;</b>", ())]),
    ],
)
def test_a_line_is_shown_as_a_terminal_shows_it(line, shown):
    assert shown == [(piece.text, piece.classes) for piece in pieces(line)[0]]


def test_a_look_goes_on_in_the_next_line():
    _, look = pieces(f"{ESC}[1;31mbegins")
    assert [Piece("goes on", ("f1", "bold"))] == pieces("goes on", look)[0]


def test_the_look_after_some_bytes_is_that_of_the_last_words_about_it():
    assert Look(3, None, frozenset({"bold"})) == look_after(b"\x1b[31mred\x1b[0m\n\x1b[1m\x1b[33mx\n")
    assert PLAIN == look_after(b"\x1b[31mred\x1b[0m\n")


def test_a_wide_jump_does_not_make_a_wide_line():
    assert len(plain(f"{ESC}[999999999Gx\r{ESC}[99999999Cy")) < 5_000


@pytest.mark.parametrize(
    ("colour", "number"), [((0, 0, 0), 0), ((255, 255, 255), 15), ((210, 0, 0), 1), ((130, 130, 130), 8)]
)
def test_a_colour_is_the_nearest_of_the_palette(colour, number):
    assert number == nearest(*colour)


@given(st.lists(st.one_of(TEXT, NUMBERS, OTHERS)))
def test_text_is_kept_and_nothing_else(parts):
    shown, _ = pieces("".join(parts))
    kept = "".join(part for part in parts if not part.startswith((ESC, "\a")))
    assert kept == "".join(piece.text for piece in shown)


@given(st.text(st.one_of(st.characters(), st.sampled_from("\x1b[]0123456789;mKGCD\r\b\a"))))
def test_anything_is_shown_with_classes_of_the_palette(line):
    shown, look = pieces(line)
    assert set() == {name for piece in shown for name in piece.classes} - CLASSES
    assert look.fore is None or 0 <= look.fore < 16
    assert "\x1b" not in "".join(piece.text for piece in shown)


@given(st.binary())
def test_sequences_are_taken_out_within_their_lines(content):
    assert content.count(b"\n") == without_sequences(content).count(b"\n")


def test_what_is_looked_for_is_marked_across_looks():
    shown, _ = pieces(f"an {ESC}[31mERR{ESC}[0mor, and an error")
    assert [
        ("an ", ()),
        ("ERR", ("f1", "hit")),
        ("or", ("hit",)),
        (", and an ", ()),
        ("error", ("hit",)),
    ] == [(piece.text, piece.classes) for piece in marked(shown, "error")]


@given(st.lists(st.tuples(st.text("abA", max_size=4), st.sampled_from([(), ("f1",)]))), st.text("abA", max_size=3))
def test_marking_changes_no_text_and_marks_what_is_there(parts, wanted):
    shown = [Piece(*part) for part in parts if part[0]]
    found = marked(shown, wanted)
    text = "".join(piece.text for piece in shown)
    assert text == "".join(piece.text for piece in found)
    hits = "".join("1" if "hit" in piece.classes else "0" for piece in found for _ in piece.text)
    expected = re.sub(re.escape(wanted), lambda hit: "\1" * len(hit[0]), text, flags=re.IGNORECASE) if wanted else text
    assert re.sub("[^1]", "0", expected.replace("\1", "1")) == hits


def test_of_a_long_line_the_part_with_the_hit_is_shown():
    shown = marked([Piece("x" * 1_000 + "needle" + "y" * 1_000)], "needle")
    clipped = around_hit(shown, 10, 30)
    assert "…" + "x" * 10 + "needle" + "y" * 14 + "…" == "".join(piece.text for piece in clipped)
    assert [Piece("short")] == around_hit([Piece("short")], 10, 30)
