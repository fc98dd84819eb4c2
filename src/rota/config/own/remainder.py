"""What is left of a file when what is wrong in it is taken out, so that everything else is looked at in the same go.

The least is taken out that lets the rest be judged: the key or the list's item that a fault is in. Two things are more:
a schedule whose kind is not known would be told to have none, and goes whole; a job whose action is not known would be
told to have none, and gets one that stands for it.

Nodes are not changed, but built anew on the way to what goes: an alias may show the same node in other places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rota.config.own.complaints import is_action
from rota.config.own.documents import ACTIONS
from rota.config.syntax.places import Step
from rota.config.syntax.yaml_reader import Entry, Mapping, Node, Scalar, Sequence
from rota.schedule.parse import KINDS

Path = tuple[Step, ...]
_STANDS_FOR_ONE = "false"
_IN_A_JOB, _IN_A_SCHEDULE = 3, 5
"""How long the path of a key is there: `jobs`, the job, the key; `jobs`, the job, `schedules`, the number, the key."""


def without(node: Mapping, paths: Iterable[Path]) -> Mapping:
    """Return a file without what some paths lead to; of a path that ends earlier, the last thing on it goes."""
    paths = list(paths)
    left = _cut(node, {_known(node, path) for each in paths for path in _whole(node, each)} - {()})
    assert isinstance(left, Mapping), "a file stays a mapping, whatever goes"
    lost = {str(path[1]) for path in paths if _is_of_action(path)}
    return _with_actions(left, lost) if lost else left


def _is_of_action(path: Path) -> bool:
    return len(path) >= _IN_A_JOB and path[0] == "jobs" and is_action(str(path[2]))


def _whole(node: Mapping, path: Path) -> Iterator[Path]:
    """Yield what must go when there is a fault at a path."""
    if path[-2:] == ("every", "every"):
        yield path[:-1]  # an interval's own key is required
    elif len(path) >= _IN_A_SCHEDULE and path[2] == "schedules":
        entry = _at(node, path[:4])
        kinds = set(KINDS) & entry.entries.keys() if isinstance(entry, Mapping) else set()
        yield path if kinds - {path[4]} else path[:4]
    elif _is_of_action(path):
        yield path[:3]
        beside = ((*path[:2], key) for key in ("args", "kwargs", "with"))  # whose they are is not known
        yield from (each for each in beside if _known(node, each) == each)
    else:
        yield path


def _known(node: Node, path: Path) -> Path:
    """Return the part of a path that is in the file: a short form has less than what it stands for."""
    for length, step in enumerate(path):
        below = _below(node, step)
        if below is None:
            return path[:length]
        node = below
    return path


def _at(node: Node, path: Path) -> Node | None:
    found: Node | None = node
    for step in path:
        found = None if found is None else _below(found, step)
    return found


def _below(node: Node, step: Step) -> Node | None:
    if isinstance(node, Mapping):
        entry = node.entries.get(str(step))
        return None if entry is None else entry.node
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def _cut(node: Node, paths: set[Path]) -> Node:
    """Return a node without what is at the end of each path."""
    below: dict[Step, set[Path]] = {}
    for path in paths:
        below.setdefault(path[0], set()).add(path[1:])
    if isinstance(node, Mapping):
        entries = {
            key: entry if key not in below else Entry(entry.key_mark, _cut(entry.node, below[key]))
            for key, entry in node.entries.items()
            if () not in below.get(key, ())
        }
        return Mapping(entries, node.mark)
    if isinstance(node, Sequence):
        items = [
            item if number not in below else _cut(item, below[number])
            for number, item in enumerate(node.items)
            if () not in below.get(number, ())
        ]
        return Sequence(items, node.mark)
    return node


def _with_actions(node: Mapping, names: set[str]) -> Mapping:
    """Give the jobs of some names an action if they have none left."""
    jobs = node.entries["jobs"]
    assert isinstance(jobs.node, Mapping), "the path of a fault led through it"
    entries = dict(jobs.node.entries)
    for name in names & entries.keys():
        job = entries[name]
        if isinstance(job.node, Mapping) and not job.node.entries.keys() & set(ACTIONS):
            run = Entry(job.key_mark, Scalar(_STANDS_FOR_ONE, _STANDS_FOR_ONE, job.key_mark))
            entries[name] = Entry(job.key_mark, Mapping({**job.node.entries, "run": run}, job.node.mark))
    return Mapping({**node.entries, "jobs": Entry(jobs.key_mark, Mapping(entries, jobs.node.mark))}, node.mark)
