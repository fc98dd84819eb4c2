"""`${VAR}` and `${VAR:-default}` in files; a default may hold variables, too. `$${` stands for a plain `${`.

What is in quotes stays text, as everywhere in a file; where a number or a flag is wanted, it is read as one (see
quantities.py), because between `{ }` there is no other way to write a variable than in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Environment

from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import Entry, Mapping, Node, Scalar, Sequence, typed
from rota.errors import did_you_mean

_BEGIN = re.compile(r"\$\$\{|\$\{")
_NAME = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<otherwise>:-)?")
_STEP = re.compile(r"\$\{|\}")
_ODD = re.compile(r"[^}]*\}?")
_DEEPEST = 10
"""How many variables may stand in one another's defaults."""
_LONGEST = 100_000
_SHOWN = 60
_SET = "set it, or write ${{{name}:-default}}"
_FORMS = "write ${NAME} or ${NAME:-default}; $${ is a plain ${"


class Filled(Scalar, frozen=True):
    """A text in quotes that variables were put into."""


class Variables:
    """Puts variables into nodes, and remembers which were looked at."""

    def __init__(self, environment: Environment[str, str], problems: Problems) -> None:
        self._environment = environment
        self._problems = problems
        self.seen: dict[str, str | None] = {}

    def put_in(self, node: Node, leave: Callable[[tuple[str, ...]], bool], path: tuple[str, ...] = ()) -> Node:
        """Return the node with its variables put in; `leave` names the places that are not ours to touch."""
        if isinstance(node, Scalar):
            if "${" not in node.text or leave(path):
                return node
            text = self.expand(node.text, node.mark)
            if node.quoted:
                return Filled(text, text, node.mark, quoted=True)
            # A text with ${ in it was not typed; what comes out of one may be.
            return Scalar(typed(text) if text and node.text.startswith("${") else text, text, node.mark)
        if isinstance(node, Mapping):
            entries = {
                key: Entry(entry.key_mark, self.put_in(entry.node, leave, (*path, key)))
                for key, entry in node.entries.items()
            }
            return Mapping(entries, node.mark)
        return Sequence([self.put_in(item, leave, (*path, "-")) for item in node.items], node.mark)

    def expand(self, text: str, mark: Mark) -> str:
        """Return a text with its variables put in; whatever is wrong with it is noted."""
        try:
            return self._expand(text, mark)
        except _TooLong:
            self._problems.add(
                mark, "a text that is too long once its variables are put in", f"at most {_LONGEST:,} characters"
            )
        except _TooDeep:
            self._problems.add(
                mark, f"variables that are nested more than {_DEEPEST} deep", "give the inner ones a name of their own"
            )
        return ""

    def _expand(self, text: str, mark: Mark) -> str:
        pieces, at, size = [], 0, 0
        while (found := _BEGIN.search(text, at)) is not None:
            put, end = ("${", found.end()) if found[0] == "$${" else self._use(text, found.end(), mark)
            pieces += [text[at : found.start()], put]
            size += found.start() - at + len(put)
            if size > _LONGEST:  # before the next is put in: a large file could ask for any amount
                raise _TooLong
            at = end
        if size + len(text) - at > _LONGEST:
            raise _TooLong
        return "".join([*pieces, text[at:]])

    def _use(self, text: str, start: int, mark: Mark) -> tuple[str, int]:
        """Return what a variable is, and where the text goes on; `start` is behind its `${`."""
        head = _NAME.match(text, start)
        end = None if head is None else _end(text, head.end())
        if head is None or end is None or (end > head.end() and not head["otherwise"]):
            odd = _ODD.match(text, start)
            assert odd is not None, "it matches nothing, too"
            shown = odd[0] if len(odd[0]) <= _SHOWN else odd[0][:_SHOWN] + "…"
            self._problems.add(mark, f"'${{{shown}' is no variable", _FORMS)
            return "", odd.end()
        return self._value(head["name"], text[head.end() : end] if head["otherwise"] else None, mark), end + 1

    def _value(self, name: str, otherwise: str | None, mark: Mark) -> str:
        """Return a variable's value, or its default; the variables of a default that is not used do not matter."""
        known = self.seen[name] = self._environment.get(name)
        if known:
            return known
        if otherwise is not None:
            return self._expand(otherwise, mark)
        if known is None:
            near = did_you_mean(name, self._environment).removeprefix("; ")
            hint = f"{near} set it, or write ${{{name}:-default}}" if near else _SET.format(name=name)
            self._problems.add(mark, f"the variable {name} is not set", hint)
        return ""


class _TooLong(Exception):
    """A text has grown beyond what anybody means."""


class _TooDeep(Exception):
    """Variables stand in one another's defaults, on and on."""


def _end(text: str, at: int) -> int | None:
    """Return where the `}` of a variable is, whose default may hold others; None: it has none."""
    depth = 1
    for step in _STEP.finditer(text, at):
        depth += 1 if step[0] == "${" else -1
        if depth > _DEEPEST:
            raise _TooDeep
        if depth == 0:
            return step.start()
    return None
