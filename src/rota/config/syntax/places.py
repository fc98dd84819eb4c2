"""Finds places in a file by the path of keys and numbers that leads to them."""

from __future__ import annotations

from collections.abc import Sequence as Path

from rota.config.problems import Mark
from rota.config.syntax.yaml_reader import Entry, Mapping, Node, Scalar, Sequence

Step = str | int


class Places:
    """The places of one file."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: list[str] | None = None

    def value(self, node: Node, path: Path[Step]) -> Mark:
        """Return where a value is, or the last thing on the way to it that is in the file."""
        return _follow(node, path)[0].mark

    def key(self, node: Node, path: Path[Step]) -> Mark:
        """Return where a key is, or the last thing on the way to it that is in the file."""
        found, entry = _follow(node, path)
        return found.mark if entry is None else entry.key_mark

    def has(self, node: Node, path: Path[Step]) -> bool:
        """Tell whether a path leads to something in the file."""
        for part in path:
            if not isinstance(node, Mapping) or str(part) not in node.entries:
                return False
            node = node.entries[str(part)].node
        return True

    def inside(self, node: Node, path: Path[Step], column: int) -> Mark:
        """Return a place inside of a text: its own columns count from 1, and 0 is the whole of it."""
        found = _follow(node, path)[0]
        mark = found.mark
        if column <= 1 or not isinstance(found, Scalar):
            return mark
        if self._lines is None:
            self._lines = self._text.split("\n")
        line = self._lines[mark.line - 1] if mark.line <= len(self._lines) else ""
        start = mark.column - 1
        if line[start : start + 1] in ("'", '"'):
            start += 1
        if not line.startswith(found.text, start):
            return mark  # folded over several lines, or escaped: its columns are not those of the file
        return Mark(mark.file, mark.line, start + column)


def _follow(node: Node, path: Path[Step]) -> tuple[Node, Entry | None]:
    """Return what a path leads to, and its entry; steps that a file leaves out (a short form) are passed over."""
    last = None
    for part in path:
        if isinstance(node, Mapping) and (entry := node.entries.get(str(part))) is not None:
            node, last = entry.node, entry
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node, last = node.items[part], None
    return node, last
