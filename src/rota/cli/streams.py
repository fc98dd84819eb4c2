"""Where a run's output goes: bytes as they are into a pipe, and nothing that could harm a terminal."""

from __future__ import annotations

import codecs
import sys
from typing import BinaryIO

import click

from rota.cli.text import safe


class RawOutput:
    """Passes bytes on as they are."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, content: bytes) -> None:
        """Pass on, at once."""
        self._stream.write(content)
        self._stream.flush()

    def close(self) -> None:
        """Nothing is kept back."""


class SafeOutput:
    """Shows text, and control characters as escapes; a lone carriage return begins a new line."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._after_return = False
        self._at_start = True

    def write(self, content: bytes) -> None:
        """Show, at once."""
        self._show(self._decoder.decode(content))

    def close(self) -> None:
        """Show what is left of a broken character, and end the line."""
        self._show(self._decoder.decode(b"", final=True))
        if not self._at_start:
            self._show("\n")

    def _show(self, text: str) -> None:
        if not text:
            return
        if self._after_return and text.startswith("\n"):
            text = text[1:]
        self._after_return = text.endswith("\r")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        shown = "\n".join("\t".join(map(safe, line.split("\t"))) for line in text.split("\n"))
        self._at_start = shown.endswith("\n") if shown else self._at_start
        self._stream.write(shown.encode("utf-8", "backslashreplace"))
        self._stream.flush()


Output = RawOutput | SafeOutput


def output_for_people() -> Output:
    """Return standard output: safe on a terminal, raw in a pipe."""
    sys.stdout.flush()
    return SafeOutput(sys.stdout.buffer) if sys.stdout.isatty() else RawOutput(sys.stdout.buffer)


def raw_streams() -> dict[str, Output]:
    """Return both streams as they are."""
    sys.stdout.flush()
    sys.stderr.flush()
    return {"stdout": RawOutput(sys.stdout.buffer), "stderr": RawOutput(sys.stderr.buffer)}


def say_dropped(stream: str, count: int) -> None:
    """Say on standard error that bytes are missing here."""
    if count:
        click.echo(f"[rota: {count:,} bytes of {stream} were left out here: it outgrew what is kept]", err=True)
    else:
        click.echo(f"[rota: the job emptied its {stream} here; what it writes now follows]", err=True)
