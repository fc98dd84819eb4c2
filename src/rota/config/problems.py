"""What is wrong with files, and where: every problem of all files is gathered before anybody is told."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class Mark(msgspec.Struct, frozen=True, order=True, gc=False):
    """A place in a file, as editors count: lines and columns from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong at a place."""

    mark: Mark
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.mark}: {self.text}" + (f"; {self.hint}" if self.hint else "")


class Problems:
    """Gathers problems, which refuse a file, and warnings, which do not."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._warnings: dict[Problem, None] = {}

    def add(self, mark: Mark, text: str, hint: str = "") -> None:
        """Note what is wrong at a place; the same again is the same problem."""
        self._found[Problem(mark, text, hint.removeprefix("; "))] = None

    def warn(self, mark: Mark, text: str, hint: str = "") -> None:
        """Note what somebody should look at, although it can be read."""
        self._warnings[Problem(mark, text, hint.removeprefix("; "))] = None

    @property
    def count(self) -> int:
        """How many problems there are."""
        return len(self._found)

    @property
    def warnings(self) -> list[Problem]:
        """The warnings, by file and line."""
        return sorted(self._warnings)

    def __iter__(self) -> Iterator[Problem]:
        """Yield the problems, by file and line."""
        return iter(sorted(self._found))

    def __len__(self) -> int:
        return len(self._found)

    def __bool__(self) -> bool:
        return bool(self._found)
