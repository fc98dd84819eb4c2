"""Reads YAML (and JSON, which is YAML) into nodes that know their places, with scalar rules that surprise nobody.

1. Only true, false, null, ~, whole and decimal numbers are typed. `on`, `off`, `yes`, `no`, dates, times such as 1:30
   and numbers with a leading zero stay the text that was written; so does everything in quotes.
2. A key that is there twice is a problem with both places.
3. Anchors, aliases and `<<` work, but what they expand to is counted while it is built: a few lines that would mean
   millions of nodes are refused with that reason, and so are a file that is too large and nesting that is too deep.
4. Whatever is wrong becomes a problem with its place; no file ends in a traceback.

The file is read as a stream of events with a stack of our own, so that neither nesting nor aliases recurse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
import yaml

from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_words import explain
from rota.errors import did_you_mean

MAX_BYTES = 16 << 20
MAX_NODES = 1_000_000
MAX_ALIASED = 100_000
"""How many nodes aliases and merges may add to what is written."""
MAX_DEPTH = 50
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_STR_TAGS = ("!", "tag:yaml.org,2002:str")
_OTHER_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null", "map", "seq"))
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False} | dict.fromkeys(
    ("", "~", "null", "Null", "NULL")
)
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,2})?")
_NUMERIC = frozenset("+-.0123456789")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_SURROGATES = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
_MERGE = "<<"


class Scalar(msgspec.Struct, frozen=True):
    """A single value: typed, and as it was written."""

    value: Any
    text: str
    mark: Mark
    quoted: bool = False
    """It is text because of how it is written: in quotes, as a block, or with a tag."""


class Entry(msgspec.Struct, frozen=True):
    """A value of a mapping, and where its key is."""

    key_mark: Mark
    node: Node


class Mapping(msgspec.Struct, frozen=True):
    """Values by key; keys are text."""

    entries: dict[str, Entry]
    mark: Mark


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: list[Node]
    mark: Mark


Node = Scalar | Mapping | Sequence


def read_yaml(text: str, file: str, problems: Problems) -> Node | None:
    """Return the one document of a text, or None; then the problems say why."""
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_BYTES:
        problems.add(Mark(file, 1, 1), f"the file is larger than {MAX_BYTES >> 20} MB", "split it into several files")
        return None
    if bad := _FORBIDDEN.search(text):
        problems.add(_place(text, bad.start(), file), *_forbidden(bad.group()))
        return None
    if file.lower().endswith(".json"):
        text = _SURROGATES.sub(_character, text)
    builder = _Builder(file, problems)
    try:
        # C events come one by one, so what is too much is noticed while it is read.
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        problems.add(*explain(error, text, file))
        return None
    except (yaml.YAMLError, ValueError, RecursionError, MemoryError) as error:
        problems.add(Mark(file, 1, 1), f"it cannot be read as YAML: {error}")
        return None
    if builder.root is None or (isinstance(builder.root, Scalar) and builder.root.text == ""):
        problems.add(Mark(file, 1, 1), "the file is empty", "write jobs into it; `rota init` makes a starter")
        return None
    return builder.root


def plain(node: Node) -> Any:
    """Return ordinary values: dicts, lists, texts, numbers, True, False and None."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    return [plain(item) for item in node.items]


def typed(text: str) -> Any:
    """Return what a plain (unquoted) word means."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMERIC:
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


class _Stop(Exception):
    """The rest of the file is not worth reading; the problem is noted."""


class _Open:
    """A container that is being built."""

    __slots__ = ("anchor", "height", "key", "key_mark", "merges", "node", "size")

    def __init__(self, node: Mapping | Sequence, anchor: str | None) -> None:
        self.node, self.anchor = node, anchor
        self.size, self.height = 1, 1
        self.key: str | None = None
        self.key_mark = node.mark
        self.merges: list[tuple[Mark, Node]] = []


class _Builder:
    """Builds nodes from events."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.root: Node | None = None
        self._file = file
        self._problems = problems
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._aliased = 0
        self._count = 0
        self._documents = 0
        self._take = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }

    def take(self, event: Any) -> None:
        """Handle one event."""
        handle = self._take.get(type(event))
        if handle is not None:
            handle(event)

    def _scalar(self, event: Any) -> None:
        text, at = event.value, event.start_mark
        mark = Mark(self._file, at.line + 1, at.column + 1)
        quoted = not event.implicit[0] if event.tag is None else self._is_text(event.tag, mark)
        scalar = Scalar(text if quoted else typed(text), text, mark, quoted)
        self._add(scalar, 1, 1, event.anchor, plain_key=event.implicit[0])

    def _mapping(self, event: Any) -> None:
        self._open(Mapping({}, self._mark(event)), event)

    def _sequence(self, event: Any) -> None:
        self._open(Sequence([], self._mark(event)), event)

    def _open(self, node: Mapping | Sequence, event: Any) -> None:
        if event.tag is not None and self._is_text(event.tag, node.mark):
            self._problems.add(node.mark, f"the tag {event.tag!r} cannot stand here", "leave it out")
        if len(self._stack) >= MAX_DEPTH:
            self._stop(node.mark, f"the file is nested more than {MAX_DEPTH} levels deep", "nothing of rota's is")
        self._stack.append(_Open(node, event.anchor))

    def _end(self, _event: Any) -> None:
        done = self._stack.pop()
        if done.merges:
            self._merge(done)
        self._add(done.node, done.size, done.height, done.anchor)

    def _alias(self, event: Any) -> None:
        mark, name = self._mark(event), event.anchor
        known = self._anchors.get(name)
        if known is None:
            if any(one.anchor == name for one in self._stack):
                self._stop(mark, f"the alias *{name} stands inside of what it names", "a value cannot contain itself")
            near = did_you_mean(name, self._anchors)
            self._stop(mark, f"nothing above is named &{name}{near}", "a text that starts with '*' must be in quotes")
        assert known is not None, "the stops above raise"
        node, size, height = known
        self._aliased += size
        if self._aliased > MAX_ALIASED or len(self._stack) + height > MAX_DEPTH:
            self._stop(
                mark,
                f"aliases make this file mean more than {MAX_ALIASED:,} values, or nest more than {MAX_DEPTH} deep",
                "write less with '*'; a file like this eats the memory of whoever reads it",
            )
        self._add(node, size, height, None, plain_key=True)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(
                self._mark(event),
                "a second document begins here",
                "a file holds one; take the line '---' out, or split it",
            )

    def _add(self, node: Node, size: int, height: int, anchor: str | None, *, plain_key: bool = False) -> None:
        """Put a finished node where it belongs."""
        self._count += 1
        if self._count > MAX_NODES:
            self._stop(node.mark, f"the file has more than {MAX_NODES:,} values", "split it into several files")
        if anchor is not None:
            self._anchors[anchor] = (node, size, height)
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if isinstance(parent.node, Sequence):
            parent.node.items.append(node)
        elif parent.key is None:
            self._take_key(parent, node, plain_key=plain_key)
        else:
            self._take_value(parent, node)

    def _take_key(self, parent: _Open, node: Node, *, plain_key: bool) -> None:
        if not isinstance(node, Scalar):
            self._stop(
                node.mark, "a key must be a single word or text", "a value that starts with '{' or '[' needs quotes"
            )
        assert isinstance(node, Scalar), "the stop above raises"
        parent.key, parent.key_mark = node.text, node.mark
        if plain_key and node.text == _MERGE:
            parent.key = "\0<<"

    def _take_value(self, parent: _Open, node: Node) -> None:
        key, mark = parent.key, parent.key_mark
        parent.key = None
        assert isinstance(parent.node, Mapping), "only a mapping has keys"
        assert key is not None, "a value follows its key"
        if key == "\0<<":
            parent.merges.append((mark, node))
            return
        entries = parent.node.entries
        if key in entries:
            first = entries[key].key_mark
            self._problems.add(
                mark, f"{key!r} is there twice", f"the first is at line {first.line}, column {first.column}"
            )
            return
        entries[key] = Entry(mark, node)

    def _merge(self, done: _Open) -> None:
        """Take over what `<<` names; what the mapping says itself goes before it, an earlier merge before a later."""
        assert isinstance(done.node, Mapping), "only a mapping has keys"
        for mark, node in done.merges:
            sources: Iterable[Node] = node.items if isinstance(node, Sequence) else [node]
            for source in sources:
                if not isinstance(source, Mapping):
                    self._problems.add(mark, "'<<' takes over the keys of a mapping", "write: <<: *name")
                    continue
                for key, entry in source.entries.items():
                    done.node.entries.setdefault(key, entry)

    def _is_text(self, tag: str, mark: Mark) -> bool:
        """Tell whether a tag asks for text; one that asks for something foreign is a problem."""
        if tag in _STR_TAGS:
            return True
        if tag not in _OTHER_TAGS:
            self._problems.add(mark, f"the tag {tag!r} means nothing here", "leave it out")
        return False

    def _mark(self, event: Any) -> Mark:
        at = event.start_mark
        return Mark(self._file, at.line + 1, at.column + 1)

    def _stop(self, mark: Mark, text: str, hint: str) -> None:
        self._problems.add(mark, text, hint)
        raise _Stop


def _place(text: str, at: int, file: str) -> Mark:
    start = text.rfind("\n", 0, at) + 1
    return Mark(file, text.count("\n", 0, at) + 1, at - start + 1)


def _forbidden(character: str) -> tuple[str, str]:
    if character == "\0":
        return "a NUL character", "this is no text file, or it was damaged; look at it with an editor"
    if character == "\ufeff":
        return "a byte order mark in the middle of the file", "somebody joined two files here; take it out"
    return f"the control character {character!r}", "take it out, or write it as an escape in double quotes"


def _character(found: re.Match[str]) -> str:
    high, low = int(found[1], 16), int(found[2], 16)
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
