"""What a fleet is judged by: the ledger, and what the jobs themselves wrote down. Neither is derived from the other.

A job appends a line to a file that all hosts share when it begins, before anything else, and one when it ends. Each
attempt has a token, which nobody else can know: it stands in its lines and in its output. So a result that the ledger
has of an attempt is that attempt's own, or somebody was fooled.

An attempt whose lease went by may live on beside the next, for as long as its host does not hear of that. It counts
towards no limit from the moment at which it was given away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from rota.model.host import Terms, may_run, target_of
from rota.model.job import StoredJob
from rota.model.ledger import Event, Skip
from rota.model.run import FINAL, Run, State
from rota.ports import Store

from .ledger import event_faults, record_faults, runs_of, skips_of, sum_faults

_BLUR = timedelta(seconds=0.3)
"""How far a host may be out when it notes the time of an event."""
_SEEN_LATELY = timedelta(seconds=45)
"""Who began something so shortly before a slot was planned had been seen within the minute that counts."""
_ALL = 1_000_000
_BY_ITSELF = frozenset({State.SUCCEEDED, State.FAILED})
Key = tuple[str, int]
"""A run and the number of an attempt."""


class Mark(msgspec.Struct, frozen=True):
    """What an attempt wrote down."""

    run_id: str
    attempt: int
    job: str
    slot: str
    host: str
    token: str
    began: datetime
    ended: datetime | None = None
    code: int | None = None

    @property
    def key(self) -> Key:
        """Which attempt this was."""
        return self.run_id, self.attempt


class Entry(msgspec.Struct, frozen=True):
    """What the ledger has of an attempt."""

    run: Run
    attempt: int
    state: State
    host: str
    """By its name."""
    exit_code: int | None
    reason: str
    output: bytes = b""

    @property
    def key(self) -> Key:
        """Which attempt this is."""
        return self.run.id, self.attempt


class Books(msgspec.Struct, frozen=True):
    """All that the verdict is about."""

    jobs: dict[str, StoredJob]
    runs: list[Run]
    skips: dict[str, list[Skip]]
    entries: list[Entry]
    given_away: dict[Key, datetime]
    """Attempts whose leases went by, and when that was noticed."""
    marks: list[Mark]
    hosts: dict[str, str]
    """Names by id."""
    labels: dict[str, dict[str, str]]
    """By the name of the host."""
    pools: dict[str, int]
    max_running: int
    small_disks: frozenset[str] = frozenset()
    """Hosts that may have had no room for what was written."""

    def runs_of(self, job: str) -> list[Run]:
        """Return a job's runs."""
        return [run for run in self.runs if run.job == job]


# -- reading ----------------------------------------------------------------------------------------------------------


def read_marks(lines: Iterable[str], machine_began: datetime) -> list[Mark]:
    """Read what jobs wrote; their times are seconds since the machine began, which no clock can set."""
    marks: dict[str, Mark] = {}
    for line in lines:
        kind, *words = line.split()
        if kind == "begin":
            run_id, attempt, job, slot, host, token, up = words
            began = machine_began + timedelta(seconds=float(up))
            marks[token] = Mark(run_id, int(attempt), job, slot, host, token, began)
        else:
            token, code, up = words
            ended = machine_began + timedelta(seconds=float(up))
            marks[token] = msgspec.structs.replace(marks[token], ended=ended, code=int(code))
    return list(marks.values())


def read_books(
    store: Store, names: Iterable[str], marks: list[Mark], max_running: int, small_disks: frozenset[str]
) -> Books:
    """Read the ledger."""
    jobs = {name: store.jobs.get(name) for name in names}
    hosts = {host.id: host for host in store.hosts.all()}
    known = {host.id: host.name for host in hosts.values()}
    runs = [run for stored in jobs.values() for run in runs_of(store, stored.id)]
    return Books(
        jobs=jobs,
        runs=runs,
        skips={name: skips_of(store, stored.id) for name, stored in jobs.items()},
        entries=[entry for run in runs for entry in _entries_of(store, run, known)],
        given_away=dict(_given_away(store.ledger.events(0, _ALL))),
        marks=marks,
        hosts=known,
        labels={host.name: host.labels for host in hosts.values()},
        pools={name: size for name, (size, _) in store.jobs.pools().items()},
        max_running=max_running,
        small_disks=small_disks,
    )


def _entries_of(store: Store, run: Run, hosts: Mapping[str, str]) -> Iterator[Entry]:
    attempts = store.runs.attempts(run.id)
    told = [(each.attempt, each.state, each.host, each.exit_code, each.reason) for each in attempts]
    if run.attempt and run.attempt not in [attempt for attempt, *_ in told]:
        told.append((run.attempt, run.state, run.host, run.exit_code, run.reason))
    for attempt, state, host, code, reason in told:
        parts = store.runs.output(run.id, attempt)
        output = b"".join(part.head + part.tail for part in parts if part.stream == "stdout")
        yield Entry(run, attempt, state, hosts.get(host or "", host or ""), code, reason, output)


def _given_away(events: Iterable[Event]) -> Iterator[tuple[Key, datetime]]:
    for event in events:
        if event.kind == "run.expired" and event.run_id is not None:
            yield (event.run_id, int(event.data["attempt"])), event.at


# -- judging ----------------------------------------------------------------------------------------------------------


def store_faults(store: Store, names: Iterable[str]) -> list[str]:
    """Return where the store contradicts itself."""
    faults = [f"the store is damaged: {fault}" for fault in store.upkeep.faults()]
    for name in names:
        faults += sum_faults(store, name) + event_faults(store, name)
    return faults


def faults_of(books: Books) -> list[str]:
    """Return everything that is wrong with the books."""
    return [
        *_slots(books),
        *_ends(books),
        *_beginnings(books),
        *_results(books),
        *_given_away_results(books),
        *_places(books),
        *_limits(books),
    ]


def _slots(books: Books) -> Iterator[str]:
    """Every slot has exactly one record: in all, or on each host."""
    for name, stored in books.jobs.items():
        runs = [run for run in books.runs_of(name) if run.slot is not None]
        slots = [run.slot for run in runs if run.slot is not None]
        if stored.job.runs_on.all:
            slots = list(set(slots))
            records = Counter((run.slot, target_of(run.needs)) for run in runs)
            for (slot, target), count in records.items():
                if count > 1:
                    yield f"{name}: {count} runs for the slot {slot} on {books.hosts.get(target, target)}"
            yield from _left_out(books, runs)
        yield from record_faults(stored, slots, books.skips[name])


def _left_out(books: Books, runs: list[Run]) -> Iterator[str]:
    """A host has its record of each slot that was planned while it was there."""
    planned: dict[datetime, tuple[datetime, set[str]]] = {}
    for run in runs:
        assert run.slot is not None
        at, targets = planned.get(run.slot, (run.queued_at, set()))
        planned[run.slot] = at, targets | {target_of(run.needs)}
    for slot, (at, targets) in planned.items():
        for host, name in books.hosts.items():
            if host not in targets and _was_there(books, name, at):
                yield f"{runs[0].job}: the slot {slot} has no record on {name}, which was there"


def _was_there(books: Books, host: str, at: datetime) -> bool:
    return any(
        mark.host == host and at - _SEEN_LATELY < mark.began < at and mark.key not in books.given_away
        for mark in books.marks
    )


def _ends(books: Books) -> Iterator[str]:
    """Every run has ended, after as many attempts as are on record and no more than it may have."""
    counted = Counter(entry.run.id for entry in books.entries)
    for run in books.runs:
        most = 1 + books.jobs[run.job].job.policy.retries.count
        if run.state not in FINAL:
            yield f"{run.job}: {run.id} is still {run.state}"
        if run.state is State.TIMED_OUT and books.jobs[run.job].job.policy.timeout is None:
            yield f"{run.job}: {run.id} timed out without a timeout"
        if counted[run.id] != run.attempt:
            yield f"{run.job}: {run.id} has had {run.attempt} attempts, {counted[run.id]} are on record"
        if run.attempt > most:
            yield f"{run.job}: {run.id} has had {run.attempt} attempts, and may have {most}"


def _beginnings(books: Books) -> Iterator[str]:
    """Nothing begins twice, and what began is on record."""
    recorded = {entry.key: entry for entry in books.entries}
    for (run_id, attempt), count in Counter(mark.key for mark in books.marks).items():
        if count > 1:
            yield f"attempt {attempt} of {run_id} began {count} times"
    slots: Counter[tuple[str, str, str]] = Counter()
    for mark in books.marks:
        job = books.jobs[mark.job].job
        if mark.slot != "-" and not job.policy.retries.count:
            slots[mark.job, mark.slot, mark.host if job.runs_on.all else ""] += 1
        if mark.key not in recorded:
            yield f"{mark.job}: attempt {mark.attempt} of {mark.run_id} began, the ledger knows nothing of it"
    yield from (f"{job}: the slot {slot} began {count} times" for (job, slot, _), count in slots.items() if count > 1)


def _results(books: Books) -> Iterator[str]:
    """What the ledger has of an attempt is what that attempt wrote down, on the host that the ledger names."""
    marks = {mark.key: mark for mark in books.marks}
    for entry in books.entries:
        what = f"{entry.run.job}: attempt {entry.attempt} of {entry.run.id}"
        mark = marks.get(entry.key)
        if mark is not None and mark.host != entry.host:
            yield f"{what} ran on {mark.host}, the ledger says on {entry.host}"
        if entry.state is State.LOST and entry.key not in books.given_away:
            yield f"{what} was lost, though no lease went by: {entry.reason}"
        if entry.state not in _BY_ITSELF:
            continue
        if mark is None:
            yield f"{what} is on record as {entry.state} ({entry.exit_code}), but never began: {entry.reason}"
        elif mark.code != entry.exit_code:
            yield f"{what} ended with {mark.code}, the ledger says {entry.exit_code}: {entry.reason}"
        elif not _is_own_output(entry, mark, mark.host in books.small_disks):
            yield f"{what} has an output that is not its own: {entry.output[:80]!r}"


def _is_own_output(entry: Entry, mark: Mark, may_be_cut: bool) -> bool:
    wrote = output_of(entry.run.id, entry.attempt, mark.host, mark.token)
    return wrote == entry.output or (may_be_cut and wrote.startswith(entry.output))


def output_of(run_id: str, attempt: int, host: str, token: str) -> bytes:
    """Return what an attempt writes."""
    return f"{run_id}/{attempt} on {host}: {token}\n".encode()


def _given_away_results(books: Books) -> Iterator[str]:
    """Of an attempt whose lease went by nothing is accepted."""
    recorded = {entry.key: entry for entry in books.entries}
    for (run_id, attempt), at in books.given_away.items():
        entry = recorded.get((run_id, attempt))
        if entry is None:
            yield f"attempt {attempt} of {run_id} was given away at {at}, and is not on record"
        elif entry.state not in (State.LOST, State.CANCELLED) or entry.exit_code is not None or entry.output:
            what = f"{entry.run.job}: attempt {attempt} of {run_id} was given away at {at}"
            yield f"{what}, but its result was accepted: {entry.state} ({entry.exit_code}), {entry.output[:80]!r}"


def _places(books: Books) -> Iterator[str]:
    """Jobs ran where they may run."""
    ids = {name: host for host, name in books.hosts.items()}
    needs = {run.id: run.needs for run in books.runs}
    for mark in books.marks:
        job = books.jobs[mark.job].job
        terms = Terms(mark.host, books.labels[mark.host])
        needed = needs.get(mark.run_id, "") if job.runs_on.all else job.runs_on.needs
        if not may_run(needed, ids[mark.host], terms):
            yield f"{mark.job}: {mark.run_id} ran on {mark.host}, and may run on {job.runs_on.words()}: {needed}"


class Limit(msgspec.Struct, frozen=True):
    """How many may live together."""

    what: str
    most: int
    of_all: bool = False
    """Whether several jobs share it."""


def _limits(books: Books) -> Iterator[str]:
    """Limits hold over all hosts."""
    for limit, together in _reached(books).items():
        if len(together) > limit.most:
            runs = ", ".join(f"{mark.run_id}/{mark.attempt} on {mark.host}" for mark in together)
            yield f"{limit.what}: {len(together)} at once, {limit.most} allowed: {runs}"


def _reached(books: Books) -> dict[Limit, list[Mark]]:
    """Return who lived together, at most, of those whom a limit is for."""
    groups: dict[Limit, list[Mark]] = {Limit("all jobs together", books.max_running, of_all=True): books.marks}
    for mark in books.marks:
        for limit in _limits_of(mark, books):
            groups.setdefault(limit, []).append(mark)
    return {limit: _most_at_once([_span(mark, books) for mark in marks]) for limit, marks in groups.items()}


def _limits_of(mark: Mark, books: Books) -> Iterator[Limit]:
    job = books.jobs[mark.job].job
    if job.job_limit is not None:
        yield Limit(mark.job, job.job_limit)
    elif job.policy.job_limit is not None and mark.slot != "-":  # on all hosts people are not held up by it
        yield Limit(f"{mark.job} on {mark.host}", job.policy.job_limit)
    if job.policy.pool:
        yield Limit(f"the pool {job.policy.pool}", books.pools[job.policy.pool], of_all=True)


def _span(mark: Mark, books: Books) -> tuple[datetime, datetime, Mark]:
    """Return from when to when an attempt certainly lived and counted."""
    end = mark.began if mark.ended is None else mark.ended
    given_away = books.given_away.get(mark.key)
    return mark.began, end if given_away is None else min(end, given_away - _BLUR), mark


def _most_at_once(spans: list[tuple[datetime, datetime, Mark]]) -> list[Mark]:
    """Return the most marks that lived at one moment."""
    steps = [(at, begins, mark) for start, end, mark in spans if start < end
             for at, begins in ((start, True), (end, False))]  # fmt: skip
    now: dict[str, Mark] = {}
    most: list[Mark] = []
    for _, begins, mark in sorted(steps, key=lambda step: step[:2]):  # of one instant the ends come first
        if begins:
            now[mark.token] = mark
            most = max(most, list(now.values()), key=len)
        else:
            del now[mark.token]
    return most


def figures(books: Books) -> str:
    """Return a line of figures."""
    states = Counter(run.state.value for run in books.runs)
    counted = ", ".join(f"{count} {state}" for state, count in states.most_common())
    skipped = sum(skip.count for skips in books.skips.values() for skip in skips)
    moved = Counter(mark.host for mark in books.marks)
    reached = {limit: len(marks) for limit, marks in _reached(books).items() if limit.of_all}
    peaks = ", ".join(f"{number} of {limit.most} in {limit.what}" for limit, number in reached.items())
    by_host = ", ".join(f"{count} on {host}" for host, count in sorted(moved.items()))
    return (
        f"{len(books.runs)} runs ({counted}), {len(books.entries)} attempts ({len(books.given_away)} given away), "
        f"{skipped} slots skipped; {len(books.marks)} beginnings ({by_host}), {peaks}"
    )
