"""`${VAR}` and `${VAR:-default}` in files; `$${` stands for a plain `${`."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Environment

from rota.config.problems import Mark, Problems
from rota.config.yaml_reader import Entry, Mapping, Node, Scalar, Sequence, typed
from rota.errors import did_you_mean

_USE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<otherwise>:-[^}]*)?\}|\$\{(?P<odd>[^}]*\}?)")
_LONGEST = 100_000
_SET = "set it, or write ${{{name}:-default}}"


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
            # Quotes are not known any more, but a text with ${ in it was not typed; what comes out of one may be.
            return Scalar(typed(text) if text and node.text.startswith("${") else text, text, node.mark)
        if isinstance(node, Mapping):
            entries = {
                key: Entry(entry.key_mark, self.put_in(entry.node, leave, (*path, key)))
                for key, entry in node.entries.items()
            }
            return Mapping(entries, node.mark)
        return Sequence([self.put_in(item, leave, (*path, "-")) for item in node.items], node.mark)

    def expand(self, text: str, mark: Mark) -> str:
        """Return a text with its variables put in."""

        def value(found: re.Match[str]) -> str:
            if found[0] == "$${":
                return "${"
            name, otherwise = found["name"], found["otherwise"]
            if name is None:
                self._problems.add(
                    mark, f"'${{{found['odd']}' is no variable", "write ${NAME} or ${NAME:-default}; $${ is a plain ${"
                )
                return ""
            known = self.seen[name] = self._environment.get(name)
            if known:
                return known
            if otherwise is not None:
                return str(otherwise[2:])
            if known is None:
                near = did_you_mean(name, self._environment).removeprefix("; ")
                hint = f"{near} set it, or write ${{{name}:-default}}" if near else _SET.format(name=name)
                self._problems.add(mark, f"the variable {name} is not set", hint)
            return ""

        expanded = _USE.sub(value, text)
        if len(expanded) > _LONGEST:
            self._problems.add(
                mark, "a text that is too long once its variables are put in", f"at most {_LONGEST:,} characters"
            )
            return ""
        return expanded
