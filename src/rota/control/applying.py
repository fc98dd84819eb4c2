"""Making the jobs of files match the files: a pure difference, and one transaction that writes it.

1. Whoever applies reads the catalogue's revision, then the jobs, and works out the difference. This takes as long as it
   takes, and holds no lock.
2. The write checks that the catalogue is still at that revision. If it is not, somebody else has changed jobs in
   between: nothing is written, and the applier looks again (exit code 4 at the command line).
3. Only jobs of the applied files are touched: each job knows its origin. A name that another origin owns is refused. A
   job that has moved from one file to another keeps its history, its pause and its phase; jobs of a file that has
   vanished stay until somebody says --prune. Where several hosts share the store, a file that is not on this machine
   may be on another: it counts as there, so its jobs are taken only with --take-over, and never pruned.

A job whose definition is the same is not written at all, so it keeps its phase, its anchor and its revision.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache

import msgspec

from rota.control.editing import Editor, with_zone
from rota.errors import Outdated
from rota.model import origin
from rota.model.job import Job, StoredJob
from rota.model.run import Run
from rota.model.settlement import RunFilter
from rota.plan.timetables import with_anchors
from rota.ports import Clock, Store
from rota.schedule.zones import local_zone_name

_UNSURE = "because something in {} has no name that can be read, and might be it"
_VANISHED = "although {} has vanished; --prune removes it"
_PAGE = 2_000
_MANY = 10_000


class Wanted(msgspec.Struct, frozen=True):
    """A job as a file or a module has it."""

    job: Job
    origin: str
    place: str
    """Where in which file, for messages."""


class Wish(msgspec.Struct, frozen=True):
    """What some files ask for, together."""

    jobs: tuple[Wanted, ...]
    origins: frozenset[str]
    """All files and modules that were read, those without jobs, too."""
    pools: Mapping[str, int] = {}
    skipped: frozenset[str] = frozenset()
    """Names that a file has, but that could not be read: the jobs that have them stay as they are."""
    unsure: frozenset[str] = frozenset()
    """Files in which something could not even be told by its name: none of their jobs goes."""
    prune: bool = False
    take_over: bool = False
    """Whether jobs of other files may become these files' own."""


class Edit(msgspec.Struct, frozen=True):
    """A job that is there, and what it is to be."""

    before: StoredJob
    after: Job
    origin: str


class Kept(msgspec.Struct, frozen=True):
    """A job that no file has any more, and that stays all the same."""

    stored: StoredJob
    why: str


class Difference(msgspec.Struct, frozen=True):
    """What applying would do."""

    revision: int
    added: tuple[Wanted, ...] = ()
    changed: tuple[Edit, ...] = ()
    removed: tuple[StoredJob, ...] = ()
    unchanged: int = 0
    kept: tuple[Kept, ...] = ()
    conflicts: tuple[str, ...] = ()
    pools: tuple[tuple[str, int | None, int], ...] = ()
    """Pools that are new or get another size: name, size before, size after."""

    @property
    def is_empty(self) -> bool:
        """Tell whether everything is as it should be."""
        return not (self.added or self.changed or self.removed or self.pools)


def difference(
    revision: int,
    stored: Iterable[StoredJob],
    sizes: Mapping[str, int],
    wish: Wish,
    is_there: Callable[[str], bool],
    now: datetime,
) -> Difference:
    """Compare what is with what is wanted; `is_there` tells whether a file or a module still exists."""
    known = {one.name: one for one in stored}
    added, changed, conflicts = [], [], []
    unchanged = 0
    for wanted in wish.jobs:
        before = known.get(wanted.job.name)
        if before is None:
            added.append(wanted)
        elif not _may_take(before.origin, wish, is_there):
            conflicts.append(f"{wanted.place}: {_conflict(before)}")
        else:
            after = with_anchors(wanted.job, before.job, now)
            if after == before.job and wanted.origin == before.origin:
                unchanged += 1
            else:
                changed.append(Edit(before, after, wanted.origin))
    names = {wanted.job.name for wanted in wish.jobs} | wish.skipped
    gone = [one for one in known.values() if one.name not in names and origin.is_applied(one.origin)]
    vanished = [one for one in gone if one.origin not in wish.origins and not is_there(one.origin)]
    missing = [one for one in gone if one.origin in wish.origins]
    removed = [one for one in missing if one.origin not in wish.unsure] + (vanished if wish.prune else [])
    kept = [Kept(one, _UNSURE.format(origin.shown(one.origin))) for one in missing if one.origin in wish.unsure]
    kept += [] if wish.prune else [Kept(one, _VANISHED.format(origin.shown(one.origin))) for one in vanished]
    pools = [(name, sizes.get(name), size) for name, size in wish.pools.items() if sizes.get(name) != size]
    return Difference(
        revision,
        tuple(added),
        tuple(changed),
        tuple(removed),
        unchanged,
        tuple(kept),
        tuple(conflicts),
        tuple(pools),
    )


class Applier:
    """Looks at what applying would do, and does it."""

    def __init__(self, store: Store, clock: Clock, editor: Editor, poke: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._editor = editor
        self._poke = poke

    @property
    def revision(self) -> int:
        """The number of the catalogue's last change."""
        return self._editor.revision()

    def look(self, wish: Wish, is_there: Callable[[str], bool]) -> Difference:
        """Work out what is to be done; nothing is locked, and nothing is written."""
        revision = self._editor.revision()
        wish = _with_zones(wish)
        sizes = {name: size for name, (size, _) in self._store.jobs.pools().items()}
        is_known = _may_be_elsewhere if self._has_several_hosts() else is_there
        return difference(revision, self._all(), sizes, wish, is_known, self._clock.now())

    def _has_several_hosts(self) -> bool:
        return self._store.is_shared and len(self._store.hosts.all()) > 1

    def write(self, found: Difference, facts: Mapping[str, Callable[[int], str]] | None = None) -> list[str]:
        """Do it, in one transaction, and return what somebody should know; facts are told the new revision.

        1. Refuse if anybody has changed a definition since the difference was worked out.
        2. Remove, change, add: a name is free before another job takes it.
        3. Size the pools, and say so.
        """
        warnings: list[str] = []
        with self._store.transaction():
            revision = self._editor.revision()
            if revision != found.revision:
                raise Outdated(
                    f"the jobs are at revision {revision}, and this was worked out at {found.revision}: somebody else "
                    "has changed them; nothing was written, so look again and repeat it"
                )
            now = self._clock.now()
            for one in found.removed:
                self._editor.remove(self._editor.planned(self._store.jobs.by_id(one.id), now), now)
            for edit in found.changed:
                before = self._editor.planned(self._store.jobs.by_id(edit.before.id), now)
                after = with_anchors(edit.after, before.job, now)
                warnings += self._named(edit.after.name, self._editor.change(before, after, edit.origin, now).warnings)
            for wanted in found.added:
                warnings += self._named(wanted.job.name, self._editor.add(wanted.job, wanted.origin, now).warnings)
            for name, _, size in found.pools:
                self._editor.set_pool(name, size)
            if not found.is_empty:
                revision = self._editor.move_revision()
                self._note(found, now)
            for key, value in (facts or {}).items():
                self._store.upkeep.put_fact(key, value(revision))
            if found.changed or found.pools:
                self._store.runs.release_held()
        if not found.is_empty:
            self._poke()
        return warnings

    def touched(self, found: Difference) -> dict[str, list[Run]]:
        """Return the runs of jobs that change or go which have not ended, by job.

        Those that run go on under the definition they have. Of a job that goes, those that wait are cancelled.
        """
        wanted = {edit.before.id for edit in found.changed} | {one.id for one in found.removed}
        runs: dict[str, list[Run]] = {}
        if wanted:
            for run in self._store.runs.page(RunFilter(state="active"), None, _MANY):
                if run.job_id in wanted:
                    runs.setdefault(run.job, []).append(run)
        return runs

    def _all(self) -> Iterator[StoredJob]:
        after = ""
        while batch := self._store.jobs.page(after, _PAGE):
            yield from batch
            after = batch[-1].name

    def _note(self, found: Difference, now: datetime) -> None:
        added, changed, removed = map(len, (found.added, found.changed, found.removed))
        self._store.ledger.add_event("jobs.applied", now, added=str(added), changed=str(changed), removed=str(removed))

    @staticmethod
    def _named(name: str, warnings: Collection[str]) -> list[str]:
        return [f"job {name!r}: {warning}" for warning in warnings]


def _with_zones(wish: Wish) -> Wish:
    """Write down which zone is meant where files name none: this machine's, as it is named here and now."""
    here = cache(local_zone_name)
    jobs = tuple(msgspec.structs.replace(wanted, job=with_zone(wanted.job, here)) for wanted in wish.jobs)
    return msgspec.structs.replace(wish, jobs=jobs)


def _may_be_elsewhere(_source: str) -> bool:
    """Take any source for one that exists: nobody sees the disks of other hosts."""
    return True


def _may_take(owner: str, wish: Wish, is_there: Callable[[str], bool]) -> bool:
    """Tell whether the applied files may have a job of this origin: it is theirs, or its file is gone."""
    if owner in wish.origins:
        return True
    return origin.is_applied(owner) and (wish.take_over or not is_there(owner))


def _conflict(before: StoredJob) -> str:
    name = before.name
    if origin.is_applied(before.origin):
        return (
            f"job {name!r} belongs to {origin.shown(before.origin)}; take it out there, choose another name, or make "
            "it this file's with: rota apply --take-over"
        )
    return (
        f"job {name!r} was made by {before.origin} and is kept apart from files; remove it first "
        f"(rota remove {name}), or choose another name"
    )
