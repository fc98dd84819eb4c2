"""The checker of the fleet can fail: each fault that is put into good books is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from rota.model.action import Shell
from rota.model.host import ANYWHERE, RunsOn, needs_of_target
from rota.model.job import Job, StoredJob
from rota.model.ledger import Skip, SkipCode
from rota.model.policy import Overlap, Policy, Retries
from rota.model.run import Run, State, Trigger

from .fleet_verdict import Books, Entry, Mark, faults_of, output_of, read_marks
from .harness import every

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOSTS = {"id-1": "one", "id-2": "two"}
IDS = {name: host for host, name in HOSTS.items()}


def _job(number: int, name: str, policy: Policy, runs_on: RunsOn) -> StoredJob:
    schedules = (every("10s", anchor=NOON),)
    job = Job(name, Shell("true"), schedules, policy, timezone="UTC", runs_on=runs_on)
    return StoredJob(
        id=number,
        job=job,
        definition_id=number,
        origin="hand",
        revision=1,
        paused_at=None,
        removed_at=None,
        planned_to=NOON + 40 * SECOND,
        next_slot=None,
        jitter=timedelta(0),
        skip_streak=0,
        created_at=NOON,
    )


def _run(job: StoredJob, slot: int | None, state: State, attempt: int, code: int | None, target: str = "") -> Run:
    """Return a run for a slot so many seconds after noon."""
    at = None if slot is None else NOON + slot * SECOND
    return Run(
        id=f"{job.name}-{slot}{target}",
        job=job.name,
        job_id=job.id,
        definition_id=job.id,
        trigger=Trigger.SCHEDULE,
        slot=at,
        state=state,
        attempt=attempt,
        host=None,
        boot=None,
        spool=None,
        queued_at=at or NOON,
        ready_at=None,
        start_by=None,
        started_at=at,
        ended_at=at,
        exit_code=code,
        reason="",
        cancel_at=None,
        cancel_reason="",
        params={},
        result=None,
        retry_of=None,
        needs=needs_of_target(target) if target else job.job.runs_on.needs,
    )


def _mark(run: Run, attempt: int, host: str, since: float, lasts: float, code: int = 0) -> Mark:
    assert run.slot is not None
    began = run.slot + since * SECOND
    slot = run.slot.isoformat()
    token = f"{run.id}/{attempt}"
    return Mark(run.id, attempt, run.job, slot, host, token, began, began + lasts * SECOND, code)


def _entry(run: Run, mark: Mark, state: State) -> Entry:
    """Return what the ledger has of an attempt that wrote this."""
    by_itself = state in (State.SUCCEEDED, State.FAILED)
    output = output_of(run.id, mark.attempt, mark.host, mark.token) if by_itself else b""
    return Entry(run, mark.attempt, state, mark.host, mark.code if by_itself else None, "", output)


def _good() -> Books:
    """Return books without a fault: three jobs and four slots, a skip, a run that moved, a job for all hosts."""
    once = _job(1, "once", Policy(pool="narrow"), RunsOn(host="one"))
    again = _job(2, "again", Policy(retries=Retries(count=1)), RunsOn(labels={"gpu": "yes"}))
    everywhere = _job(3, "everywhere", Policy(), RunsOn(all=True))
    runs, marks, entries = [], [], []
    for slot in (10, 20, 30):
        run = _run(once, slot, State.SUCCEEDED, 1, 0)
        mark = _mark(run, 1, "one", 0.1, 3)
        runs, marks, entries = [*runs, run], [*marks, mark], [*entries, _entry(run, mark, State.SUCCEEDED)]
    for slot in (20, 30, 40):
        run = _run(again, slot, State.FAILED, 1, 3)
        mark = _mark(run, 1, "one", 0.2, 2, code=3)
        runs, marks, entries = [*runs, run], [*marks, mark], [*entries, _entry(run, mark, State.FAILED)]
    moved = _run(again, 10, State.SUCCEEDED, 2, 0)
    lost, rest = _mark(moved, 1, "one", 0.5, 8, code=1), _mark(moved, 2, "one", 5, 1)
    entries += [_entry(moved, lost, State.LOST), _entry(moved, rest, State.SUCCEEDED)]
    runs, marks = [*runs, moved], [*marks, lost, rest]
    for slot in (10, 20, 30, 40):
        for host, name in HOSTS.items():
            run = _run(everywhere, slot, State.SUCCEEDED, 1, 0, host)
            mark = _mark(run, 1, name, 0.3, 1)
            runs, marks, entries = [*runs, run], [*marks, mark], [*entries, _entry(run, mark, State.SUCCEEDED)]
    return Books(
        jobs={job.name: job for job in (once, again, everywhere)},
        runs=runs,
        skips={
            "once": [Skip(NOON + 40 * SECOND, NOON + 40 * SECOND, 1, SkipCode.OVERLAP, "busy")],
            "again": [],
            "everywhere": [],
        },
        entries=entries,
        given_away={lost.key: NOON + 14 * SECOND},
        marks=marks,
        hosts=HOSTS,
        labels={"one": {"gpu": "yes"}, "two": {}},
        pools={"narrow": 1},
        max_running=4,
    )


def _without(books: Books, run_id: str) -> Books:
    """Return the books with a run torn out of the ledger."""
    runs = [run for run in books.runs if run.id != run_id]
    return msgspec.structs.replace(
        books, runs=runs, entries=[entry for entry in books.entries if entry.run.id != run_id]
    )


def _with_mark(books: Books, run_id: str, attempt: int = 1, **changes: object) -> Books:
    """Return the books with what one attempt wrote changed."""
    marks = [
        msgspec.structs.replace(mark, **changes) if mark.key == (run_id, attempt) else mark for mark in books.marks
    ]
    return msgspec.structs.replace(books, marks=marks)


def _with_entry(books: Books, run_id: str, attempt: int = 1, **changes: object) -> Books:
    """Return the books with what the ledger has of one attempt changed."""
    entries = [
        msgspec.structs.replace(entry, **changes) if entry.key == (run_id, attempt) else entry
        for entry in books.entries
    ]
    return msgspec.structs.replace(books, entries=entries)


def _with_run(books: Books, run_id: str, **changes: object) -> Books:
    runs = [msgspec.structs.replace(run, **changes) if run.id == run_id else run for run in books.runs]
    return msgspec.structs.replace(books, runs=runs)


def _begun_again(books: Books, run_id: str, attempt: int = 1, **changes: object) -> Books:
    """Return the books with one more beginning, like one that is there."""
    mark = next(mark for mark in books.marks if mark.key == (run_id, 1))
    again = msgspec.structs.replace(mark, attempt=attempt, token="another", **changes)
    return msgspec.structs.replace(books, marks=[*books.marks, again])


def _with_policy(books: Books, name: str, policy: Policy) -> Books:
    stored = books.jobs[name]
    job = msgspec.structs.replace(stored.job, policy=policy)
    return msgspec.structs.replace(books, jobs={**books.jobs, name: msgspec.structs.replace(stored, job=job)})


def _overlapping(books: Books, **changes: object) -> Books:
    """Return the books with the first run of `once` going on until after the second has begun."""
    return _with_mark(books, "once-10", ended=NOON + 21 * SECOND, **changes)


def test_good_books_have_no_fault():
    assert [] == faults_of(_good())


def test_marks_are_read_as_they_were_written():
    lines = [
        "begin r 2 job - one 7-1.50 1.50",
        "begin s 1 job 2026-01-01T12:00:00Z two 8-1.60 1.60",
        "end 7-1.50 3 2.00",
    ]
    ended, open_still = read_marks(lines, NOON)
    assert Mark("r", 2, "job", "-", "one", "7-1.50", NOON + 1.5 * SECOND, NOON + 2 * SECOND, 3) == ended
    assert ("s", 1, "two", None, None) == (*open_still.key, open_still.host, open_still.ended, open_still.code)


LATE = output_of("again-10", 1, "one", "again-10/1")
FAULTS: dict[str, tuple[Callable[[Books], Books], str]] = {
    "a run is torn out of the ledger": (lambda books: _without(books, "once-20"), "once: no record of the slot"),
    "a skip is torn out of the ledger": (
        lambda books: msgspec.structs.replace(books, skips={**books.skips, "once": []}),
        "once: no record of the slot",
    ),
    "a slot has two runs": (
        lambda books: msgspec.structs.replace(books, runs=[*books.runs, _with_run_id(books, "once-20", "second")]),
        "once: 2 runs for the slot",
    ),
    "a host has two records of a slot for all": (
        lambda books: msgspec.structs.replace(
            books, runs=[*books.runs, _with_run_id(books, "everywhere-20id-2", "second")]
        ),
        "everywhere: 2 runs for the slot",
    ),
    "a host is left out": (
        lambda books: _without(books, "everywhere-30id-2"),
        "has no record on two, which was there",
    ),
    "a run is left running": (lambda books: _with_run(books, "once-20", state=State.RUNNING), "is still running"),
    "a run timed out without a timeout": (
        lambda books: _with_run(books, "once-20", state=State.TIMED_OUT),
        "timed out without a timeout",
    ),
    "an attempt is torn out of the ledger": (
        lambda books: msgspec.structs.replace(books, entries=books.entries[1:]),
        "has had 1 attempts, 0 are on record",
    ),
    "a run has more attempts than it may": (
        lambda books: _with_policy(books, "again", Policy()),
        "has had 2 attempts, and may have 1",
    ),
    "a mark is doubled": (lambda books: _begun_again(books, "again-20"), "attempt 1 of again-20 began 2 times"),
    "a slot of a job without retries is started twice": (
        lambda books: _begun_again(books, "once-10", 2),
        "once: the slot 2026-01-01T12:00:10+00:00 began 2 times",
    ),
    "something began that the ledger does not know": (
        lambda books: _begun_again(books, "again-20", 2),
        "the ledger knows nothing of it",
    ),
    "an attempt ended that never began": (
        lambda books: msgspec.structs.replace(books, marks=books.marks[1:]),
        "but never began",
    ),
    "the code is another attempt's": (lambda books: _with_entry(books, "again-20", exit_code=0), "ended with 3, the"),
    "the output is another attempt's": (
        lambda books: _with_entry(books, "again-10", 2, output=LATE),
        "has an output that is not its own",
    ),
    "the ledger names another host": (
        lambda books: _with_entry(books, "once-10", host="two"),
        "the ledger says on two",
    ),
    "an attempt ended without a word": (
        lambda books: _with_mark(books, "once-10", ended=None, code=None),
        "ended with None",
    ),
    "a late result is accepted": (
        lambda books: _with_entry(books, "again-10", 1, state=State.FAILED, exit_code=1, output=LATE),
        "but its result was accepted",
    ),
    "a late output is accepted": (
        lambda books: _with_entry(books, "again-10", 1, output=LATE),
        "but its result was accepted",
    ),
    "an attempt is lost though its host lived": (
        lambda books: _with_entry(books, "once-10", state=State.LOST, exit_code=None, output=b""),
        "was lost, though no lease went by",
    ),
    "what was given away is nowhere": (
        lambda books: msgspec.structs.replace(books, given_away={**books.given_away, ("gone", 1): NOON}),
        "was given away at 2026-01-01 12:00:00+00:00, and is not on record",
    ),
    "a run is on a host of another name": (
        lambda books: _with_mark(books, "once-10", host="two"),
        "may run on host one",
    ),
    "a run is on a host without its label": (
        lambda books: _with_mark(books, "again-20", host="two"),
        "may run on hosts with gpu=yes",
    ),
    "a host runs another one's record": (
        lambda books: _with_mark(books, "everywhere-20id-1", host="two"),
        "may run on every host, once each",
    ),
    "a job has more at once than it may": (_overlapping, "once: 2 at once, 1 allowed"),
    "a pool has more at once than it may": (
        lambda books: _overlapping(_with_policy(books, "once", Policy(overlap=Overlap.ALLOW, pool="narrow"))),
        "the pool narrow: 2 at once, 1 allowed",
    ),
    "all hosts have more at once than they may": (
        lambda books: msgspec.structs.replace(books, max_running=3),
        "all jobs together: 4 at once, 3 allowed",
    ),
    "a host has more of a job for all at once than it may": (
        lambda books: _with_mark(books, "everywhere-10id-1", ended=NOON + 21 * SECOND),
        "everywhere on one: 2 at once, 1 allowed",
    ),
    "an attempt lives beside the next though nobody gave it away": (
        lambda books: msgspec.structs.replace(books, given_away={}),
        "again: 2 at once, 1 allowed",
    ),
}


def _with_run_id(books: Books, run_id: str, new_id: str) -> Run:
    """Return a copy of a run under another id."""
    return msgspec.structs.replace(next(run for run in books.runs if run.id == run_id), id=new_id)


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_found(what):
    doctor, said = FAULTS[what]
    faults = faults_of(doctor(_good()))
    assert any(said in fault for fault in faults), faults


def test_where_the_disk_was_full_an_output_may_be_cut_but_not_be_anothers():
    books = msgspec.structs.replace(_good(), small_disks=frozenset({"one"}))
    assert [] == faults_of(_with_entry(books, "once-10", output=b""))
    assert [] != faults_of(_with_entry(books, "once-10", output=LATE))
    assert [] != faults_of(_with_entry(_good(), "once-10", output=b""))


def test_a_job_for_any_host_may_run_on_any_host():
    books = _good()
    stored = books.jobs["again"]
    anywhere = msgspec.structs.replace(stored, job=msgspec.structs.replace(stored.job, runs_on=ANYWHERE))
    free = msgspec.structs.replace(books, jobs={**books.jobs, "again": anywhere})
    moved = _with_entry(_with_mark(free, "again-20", host="two"), "again-20", host="two")
    told = _with_entry(moved, "again-20", output=output_of("again-20", 1, "two", "again-20/1"))
    assert [] == faults_of(told)
