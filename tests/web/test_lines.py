"""Output as lines: pages of it, the lines that hold a text, and what is missing in the middle."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rota.web.lines import BYTES, LINES, MOST_HITS, Stretch, Written


def text(line) -> str:
    return "".join(piece.text for piece in line.pieces)


def whole(content: bytes, *, is_whole: bool = True) -> Written:
    return Written([Stretch(0, content)], is_whole=is_whole)


def numbered(count: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(1, count + 1))


def test_a_line_has_its_number_and_the_byte_that_it_begins_at():
    page = whole(b"one\ntwo\nthree").page(0)
    assert [(0, 1, "one"), (4, 2, "two"), (8, 3, "three")] == [(x.start, x.number, text(x)) for x in page.lines]
    assert (13, None, None) == (page.next, page.earlier, page.later)


def test_pages_follow_each_other_without_a_gap():
    kept = whole(numbered(2 * LINES + 5))
    first = kept.page(0)
    second = kept.page(first.later)
    third = kept.page(second.later)
    shown = [line.number for page in (first, second, third) for line in page.lines]
    assert list(range(1, 2 * LINES + 6)) == shown
    assert third.later is None
    assert first.lines[0].start == second.earlier


def test_the_last_page_is_as_full_as_any():
    last = whole(numbered(2 * LINES + 5)).last_page()
    assert LINES == len(last.lines)
    assert (2 * LINES + 5, None) == (last.lines[-1].number, last.later)


def test_long_lines_make_a_page_of_fewer_lines_and_very_long_ones_are_parts():
    kept = whole((b"x" * 5_000 + b"\n") * 200 + "ü".encode() * 20_000)
    page = kept.page(0)
    assert sum(len(text(line)) for line in page.lines) <= BYTES
    last = kept.last_page().lines
    assert "ü" * 20_000 == "".join(text(line) for line in last if "ü" in text(line))
    assert [None, None] == [line.number for line in last][-2:]


def test_a_line_without_its_end_is_read_again_from_its_beginning():
    page = whole(b"one\ntw", is_whole=False).page(0)
    assert [False, True] == [line.is_open for line in page.lines]
    assert (4, 2) == (page.next, page.next_number)
    later = whole(b"one\ntwo\n", is_whole=False).page(page.next, number=page.next_number)
    assert [(2, "two", False)] == [(line.number, text(line), line.is_open) for line in later.lines]
    assert (8, 3) == (later.next, later.next_number)


def test_what_is_missing_is_said_where_it_is_missing():
    kept = Written([Stretch(0, b"one\ntw"), Stretch(1_006, b"e end\nlast\n", 1_000)])
    assert [("one", 0), ("tw", 0), ("e end", 1_000), ("last", 0)] == [(text(x), x.dropped) for x in kept.page(0).lines]
    assert [1, 2, 3, 4] == [line.number for line in kept.page(0).lines]
    assert 4 == kept.page(1_012).lines[0].number
    assert (17, 1_000, 1_017) == (kept.kept, kept.dropped, kept.end)


def test_colours_go_on_from_the_page_before():
    kept = whole(b"\x1b[31mred\n" + b"still\n" * (LINES + 10))
    assert ("f1",) == kept.last_page().lines[0].pieces[0].classes


def test_lines_are_found_with_their_numbers():
    kept = Written([Stretch(0, b"An ERROR\nfine\nerror, error\n"), Stretch(100, b"an error\n", 73)])
    assert [(0, 1), (14, 3), (100, 4)] == [(hit.start, hit.number) for hit in kept.find("Error")]
    assert [] == kept.find("nowhere")


def test_lines_are_found_as_they_are_shown():
    kept = whole(b"\x1b[1mer\x1b[31mror\x1b[0m\n10% error\r100% done \nno\n")
    assert [1] == [hit.number for hit in kept.find("error")]
    assert [2] == [hit.number for hit in kept.find("done")]
    assert [] == kept.find("31m")


def test_of_too_many_lines_some_are_found():
    assert MOST_HITS == len(whole(b"x\n" * (MOST_HITS + 10)).find("x"))


def test_a_page_around_a_line_has_some_before_it():
    kept = whole(numbered(5 * LINES))
    hit = kept.find("line 3210")[0]
    page = kept.page_around(hit.start, "line 3210")
    current = [line for line in page.lines if line.is_current]
    assert [3210] == [line.number for line in current]
    assert page.lines[0].number < 3210
    assert any("hit" in piece.classes for piece in current[0].pieces)


def test_bytes_that_are_no_text_are_noticed():
    assert whole(b"\x7fELF\0\0\1").looks_binary
    assert whole(bytes(range(128, 256))).looks_binary
    assert not whole("grüße\n".encode()).looks_binary


@given(st.lists(st.binary(max_size=40), max_size=6), st.booleans())
def test_pages_show_every_byte_once(parts, is_whole):
    content = b"\n".join(parts)
    kept, shown, at = whole(content, is_whole=is_whole), [], 0
    page = kept.page(at)
    shown += page.lines
    while page.later is not None:
        page = kept.page(page.later)
        shown += page.lines
    assert content.split(b"\n")[: len(shown)] == [
        content[line.start :].split(b"\n")[0] for line in shown if line.number is not None
    ]
    assert len(content.removesuffix(b"\n").split(b"\n") if content else []) == len(shown)


def test_a_page_of_nothing_but_colours_is_shown_without_some():
    page = whole(b"\x1b[31ma\x1b[32mb" * 20_000).page(0)
    assert sum(len(line.pieces) for line in page.lines) < 10_000
    assert "abab" in text(page.lines[-1])
