"""What reaches a terminal is text, and what goes into a pipe is what was written."""

from __future__ import annotations

import io

import pytest

from rota.cli.progress import Progress
from rota.cli.streams import RawOutput, SafeOutput
from rota.cli.text import safe, safe_lines, typed


def shown(*pieces: bytes) -> str:
    stream = io.BytesIO()
    output = SafeOutput(stream)
    for piece in pieces:
        output.write(piece)
    output.close()
    return stream.getvalue().decode()


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([b"plain\n"], "plain\n"),
        ([b"no end"], "no end\n"),
        ([], ""),
        ([b"a\tb\n"], "a\tb\n"),
        ([b"\x1b[31mred\x1b[0m\n"], "\\x1b[31mred\\x1b[0m\n"),
        ([b"10%\r20%\r\n"], "10%\n20%\n"),
        ([b"line\r", b"\nnext\n"], "line\nnext\n"),
        (["é".encode()[:1], "é".encode()[1:] + b"\n"], "é\n"),
        ([b"broken \xff\n"], "broken \\xff\n"),
        (["half é".encode()[:-1]], "half \\xc3\n"),
        (["\u202etxt.exe\n".encode()], "\\u202etxt.exe\n"),
        ([b"\x9b2J\n"], "\\x9b2J\n"),
        ([b"\0\n"], "\\x00\n"),
    ],
)
def test_a_terminal_is_shown_text_and_nothing_else(pieces, text):
    assert text == shown(*pieces)


def test_a_pipe_gets_every_byte_as_it_is():
    stream = io.BytesIO()
    output = RawOutput(stream)
    output.write(bytes(range(256)))
    output.close()
    assert bytes(range(256)) == stream.getvalue()


def test_text_from_elsewhere_stays_on_its_line_and_does_nothing():
    assert "a\\nb\\x1b[2J" == safe("a\nb\x1b[2J")
    assert "a\nb\\x07" == safe_lines("a\nb\x07")
    assert "'a b;rm'" == typed("a b;rm")


class Recorded:
    """Stands where a bar would be drawn."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int | None]] = []
        self.stopped = False

    def update(self, _task: object, *, completed: int, total: int | None) -> None:
        self.steps.append((completed, total))

    def stop(self) -> None:
        self.stopped = True


@pytest.mark.parametrize(
    ("at_terminal", "seconds", "steps"), [(True, 1.5, [(2, 9)]), (True, 0.5, []), (False, 1.5, [])]
)
def test_a_bar_appears_after_a_second_where_somebody_sees_it(monkeypatch, at_terminal, seconds, steps):
    bar = Recorded()
    monkeypatch.setattr("rota.cli.progress.error_is_terminal", lambda: at_terminal)
    monkeypatch.setattr("rota.cli.progress._begin", lambda _what: (bar, None))
    progress = Progress("copying")
    progress._began -= seconds
    progress.step(2, 9)
    progress.end()
    assert (steps, bool(steps)) == (bar.steps, bar.stopped)
