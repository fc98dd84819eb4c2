"""Reading the mappings of a foreign file key by key: what has the wrong shape is told with its place.

Two kinds of fault are kept apart. Where the old program stopped at a bad job, a fault is an error and nothing is
applied. Where it left the bad job out and ran the others, a fault is a warning that says so, and the reader asks
`sound` before it makes the job.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as MappingOf
from datetime import timedelta
from typing import Any

from rota.config.problems import Mark, Problem, Problems
from rota.config.syntax.places import Places
from rota.config.syntax.yaml_reader import Mapping, Node, Scalar, Sequence, plain
from rota.errors import BadSchedule, did_you_mean

_YES = frozenset({"true", "yes", "on", "y", "1"})
_NO = frozenset({"false", "no", "off", "n", "0"})
_AMOUNT = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,6})?")
_LARGEST = 1_000_000
_SHOWN = 60


class Faults:
    """What is wrong with one thing of a file; counts, so that its reader can tell whether it is sound."""

    def __init__(
        self, problems: Problems, text: str = "", leaves_out: str = "", left_out: list[Problem] | None = None
    ) -> None:
        self.problems, self._places, self._leaves_out = problems, Places(text), leaves_out
        self._left_out = [] if left_out is None else left_out
        self.count = 0

    @property
    def sound(self) -> bool:
        """Tell whether nothing is wrong so far."""
        return not self.count

    def add(self, mark: Mark, text: str, hint: str = "") -> None:
        """Tell a fault: an error, or a warning that the thing is left out."""
        self.count += 1
        if self._leaves_out:
            self._left_out.append(Problem(mark, text, hint))
            self.problems.warn(mark, f"{text}; {self._leaves_out}", hint)
        else:
            self.problems.add(mark, text, hint)

    def inside(self, place: Mark | Node, text: str, column: int) -> Mark:
        """Return the place of a column of a text, if the text stands in the file as it is."""
        if isinstance(place, Mark):
            return place
        return (
            self._places.inside(place, (), column) if isinstance(place, Scalar) and place.text == text else place.mark
        )

    def tell(self, mark: Mark, text: str, hint: str = "") -> None:
        """Tell something that people should know and that stops nothing."""
        self.problems.warn(mark, text, hint)


class Fields:
    """The entries of one mapping. `what` is how messages call it: 'task', 'job', 'trigger'."""

    def __init__(self, node: Mapping, faults: Faults, what: str) -> None:
        self.node, self.faults, self.what = node, faults, what

    @property
    def mark(self) -> Mark:
        """Return where the mapping begins."""
        return self.node.mark

    def has(self, key: str) -> bool:
        """Tell whether a key is there and not empty."""
        entry = self.node.entries.get(key)
        return entry is not None and not _is_null(entry.node)

    def at(self, key: str) -> Mark:
        """Return where a key's value is, or the mapping when it has none."""
        entry = self.node.entries.get(key)
        return self.mark if entry is None else entry.node.mark

    def key_at(self, key: str) -> Mark:
        """Return where a key is written."""
        entry = self.node.entries.get(key)
        return self.mark if entry is None else entry.key_mark

    def node_of(self, key: str) -> Node | None:
        """Return a key's value, or None when it is missing or empty."""
        return self.node.entries[key].node if self.has(key) else None

    def place(self, key: str) -> Mark | Node:
        """Return a key's value, or else where the mapping is."""
        return self.node_of(key) or self.mark

    def value(self, key: str) -> Any:
        """Return a key's value as plain data."""
        node = self.node_of(key)
        return None if node is None else plain(node)

    def gives(self, key: str) -> bool:
        """Tell whether a key asks for something: what is empty or false asks for nothing, and 0 is a number."""
        value = self.value(key)
        return value is not False and value not in (None, "", [], {})

    def check_keys(self, known: Collection[str], listed: Collection[str] = ()) -> None:
        """Tell every key that means nothing here; `listed` are those to name, where all would be too many."""
        for key, entry in self.node.entries.items():
            if key not in known:
                hint = _near(key, listed or known) or f"a {self.what} may have {', '.join(listed or sorted(known))}"
                self.faults.add(entry.key_mark, f"unknown key {_short(key)} in this {self.what}", hint)

    def text(self, key: str, *, required: bool = False, hint: str = "") -> str | None:
        """Return a text; a number or a yes is the text that was written."""
        node = self.node_of(key)
        if node is None:
            if required:
                self._missing(key, hint)
            return None
        if not isinstance(node, Scalar):
            self.faults.add(node.mark, f"{key} must be text, not {kind_of(node)}", hint)
            return None
        text = scalar_text(node)
        if required and not text.strip():
            self._missing(key, hint)
            return None
        return text

    def flag(self, key: str, default: bool) -> bool:
        """Return a yes or a no."""
        node = self.node_of(key)
        if node is None:
            return default
        word = scalar_text(node).lower() if isinstance(node, Scalar) else ""
        if word in _YES:
            return True
        if word not in _NO:
            self.faults.add(node.mark, f"{key} must be true or false, not {shown(node)}")
        return default if word not in _NO else False

    def number(self, key: str, default: int, least: int = 0) -> int:
        """Return a whole number; digits in quotes are one."""
        node = self.node_of(key)
        if node is None:
            return default
        found = _whole(node)
        if found is None:
            self.faults.add(node.mark, f"{key} must be a whole number, not {shown(node)}")
            return default
        if not least <= found <= _LARGEST:
            self.faults.add(node.mark, f"{key} must be {least} to {_LARGEST:,}, not {shown(node)}")
            return default
        return found

    def amount(self, key: str) -> float | None:
        """Return a number that may have a fraction; None when it is wrong, or not there."""
        node = self.node_of(key)
        if node is None:
            return None
        text = scalar_text(node).strip() if isinstance(node, Scalar) else ""
        if not _AMOUNT.fullmatch(text):
            self.faults.add(node.mark, f"{key} must be a number, not {kind_of(node)}", "such as 5 or 1.5")
            return None
        if float(text) > _LARGEST:
            self.faults.add(node.mark, f"{key} must be 0 to {_LARGEST:,}, not {shown(node)}")
            return None
        return float(text)

    def duration(self, key: str, default: timedelta | None = None) -> timedelta | None:
        """Return a duration: a number of seconds, or a text with a unit."""
        node = self.node_of(key)
        return default if node is None else self.read(node, key, parse_span, default)

    def limit(self, key: str, default: timedelta | None = None) -> timedelta | None:
        """Return a duration of which 0 means none."""
        found = self.duration(key, default)
        return found or None

    def read(self, node: Node, key: str, parse: Callable[[str], Any], default: Any = None) -> Any:
        """Read a scalar with one of the schedule readers; what it refuses is told at its column."""
        if not isinstance(node, Scalar):
            self.faults.add(node.mark, f"{key} must be text, not {kind_of(node)}")
            return default
        try:
            return parse(scalar_text(node))
        except BadSchedule as error:
            mark = self.faults.inside(node, error.text, error.column)
            self.faults.add(mark, f"{key} {_short(error.text)}: {error.problem}", error.hint)
            return default

    def texts(self, key: str, example: str) -> tuple[str, ...]:
        """Return a list of texts; numbers become text."""
        node = self.node_of(key)
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            self.faults.add(node.mark, f"{key} must be a list, not {kind_of(node)}", f"such as {example}")
            return ()
        found = []
        for item in node.items:
            if not isinstance(item, Scalar) or _is_null(item):
                what = "empty" if _is_null(item) else kind_of(item)
                self.faults.add(item.mark, f"each of {key} must be text, and this is {what}", "quote it if it is text")
                continue
            found.append(scalar_text(item))
        return tuple(found)

    def words(self, key: str) -> dict[str, str]:
        """Return a mapping of texts, such as an environment."""
        node = self.node_of(key)
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self.faults.add(node.mark, f"{key} must be a mapping of names to texts, not {kind_of(node)}")
            return {}
        found = {}
        for name, entry in node.entries.items():
            if not isinstance(entry.node, Scalar):
                self.faults.add(entry.node.mark, f"{key}.{name} must be text, not {kind_of(entry.node)}")
                continue
            found[name] = "" if _is_null(entry.node) else scalar_text(entry.node)
        return found

    def inner(self, key: str, what: str) -> Fields | None:
        """Return the mapping that a key holds."""
        node = self.node_of(key)
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self.faults.add(node.mark, f"{key} must be a mapping, not {kind_of(node)}")
            return None
        return Fields(node, self.faults, what)

    def choice(self, key: str, known: MappingOf[str, Any], default: Any) -> Any:
        """Return what a word stands for."""
        node = self.node_of(key)
        if node is None:
            return default
        word = scalar_text(node).lower() if isinstance(node, Scalar) else ""
        if word not in known:
            near = did_you_mean(word, known).removeprefix("; ") or f"it may be {', '.join(known)}"
            self.faults.add(node.mark, f"{key} is {shown(node)}, which is unknown", near)
            return default
        return known[word]

    def _missing(self, key: str, hint: str) -> None:
        if key in self.node.entries:
            self.faults.add(self.at(key), f"{key} is empty in this {self.what}", hint)
            return
        near = _near(key, self.node.entries).replace("did you mean", "is it")
        self.faults.add(self.mark, f"{key} is missing in this {self.what}", near or hint)


def parse_span(text: str) -> timedelta:
    """Read a duration; a number alone, with or without a fraction, is seconds."""
    from rota.schedule.duration import parse_duration

    return parse_duration(text)


def scalar_text(node: Scalar) -> str:
    """Return a scalar as it was written."""
    return node.value if isinstance(node.value, str) else node.text


def kind_of(node: Node) -> str:
    """Return what a node is, in words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    return "empty" if _is_null(node) else shown(node)


def shown(node: Node) -> str:
    """Return a node for a message: its text, shortened."""
    return _short(scalar_text(node)) if isinstance(node, Scalar) else kind_of(node)


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def _near(key: str, known: Iterable[str]) -> str:
    """Return a question for the nearest key, whose letters may be small or large, or nothing."""
    known = list(known)
    plain_key = key.strip().lower().replace("-", "_")
    same = next((each for each in known if each.lower() == plain_key), None)
    return f"did you mean {same!r}?" if same else did_you_mean(key, known).removeprefix("; ")


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _whole(node: Node) -> int | None:
    if not isinstance(node, Scalar) or isinstance(node.value, bool):
        return None
    if isinstance(node.value, float):
        return int(node.value) if node.value.is_integer() else None
    if isinstance(node.value, int):
        return node.value
    word = scalar_text(node).strip()
    digits = word.removeprefix("-")
    return int(word) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
