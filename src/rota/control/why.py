"""Why: the ledger in plain sentences. A run, a slot, or what a job will do next; every decision tells its reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from shlex import quote

import msgspec

from rota.control.hosts import unwatched, waits_for_host
from rota.control.pulse import Served, served, silence, silence_text
from rota.control.references import Finder
from rota.control.times import brief, relative
from rota.errors import UsageError
from rota.model.job import StoredJob
from rota.model.ledger import SkipRecord
from rota.model.run import ACTIVE, Attempt, Run, State, Trigger
from rota.model.settlement import RunFilter
from rota.plan.broken import BROKEN_FACT, decode_broken, why_broken
from rota.plan.timetables import rest_of, timetable_shown
from rota.ports import Clock, Store
from rota.schedule.timetable import Timetable

_TICK = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_ON_TIME = 1.0
_LATEST_SKIPS = 3
_LONGEST_RESULT = 200
_EPOCH_DAYS = timedelta(days=3650)


class Answer(msgspec.Struct, frozen=True):
    """What `why` found: the sentences, and what they are about."""

    about: str
    sentences: tuple[str, ...]
    job: str
    run: Run | None = None
    attempts: tuple[Attempt, ...] = ()
    skip: SkipRecord | None = None
    slot: datetime | None = None


class Why:
    """See the module; `said` says an instant on the wall clock of who asks."""

    def __init__(
        self, store: Store, clock: Clock, said: Callable[[datetime], str], engine: Callable[[], int | None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._said = said
        self._engine = engine
        self._finder = Finder(store)

    def _served(self) -> Served:
        return served(self._store, self._clock, self._engine())

    # -- a run --------------------------------------------------------------------------------------------------------

    def run(self, run: Run) -> Answer:
        """Tell the story of a run: who asked, how each attempt went, and why it ended so."""
        now = self._clock.now()
        attempts = tuple(self._store.runs.attempts(run.id))
        told = [self._asked(run), *self._placed(run, attempts)]
        told += [self._attempt(each) for each in attempts]
        told += self._outcome(run, attempts, now)
        about = f"run {run.id} of {run.job!r}: {run.state.words}"
        return Answer(about, tuple(told), run.job, run=run, attempts=attempts)

    def _asked(self, run: Run) -> str:
        match run.trigger:
            case Trigger.SCHEDULE if self._is_boot(run):
                return f"The machine started at {self._slot(run)}, and it runs once for each start."
            case Trigger.SCHEDULE:
                return f"Its schedule made it due at {self._slot(run)}."
            case Trigger.CATCH_UP:
                return (
                    f"It was due at {self._slot(run)}, which passed while nobody planned it; "
                    f"catch-up made it at {self._said(run.queued_at)}."
                )
            case Trigger.RETRY:
                return f"Somebody asked at {self._said(run.queued_at)} to run {run.retry_of} once more."
            case _:
                given = ", ".join(f"{name}={value}" for name, value in run.params.items())
                ending = f", with {given}" if given else ""
                return f"It was asked for by hand at {self._said(run.queued_at)}{ending}."

    def _is_boot(self, run: Run) -> bool:
        """Tell whether a start of the machine, and no clock, made a run due."""
        job = self._store.jobs.definition(run.definition_id)
        if not job.at_boot or run.slot is None:
            return False
        return len(job.schedules) == 1 or timetable_shown(job).latest_until(run.slot) != run.slot

    def _slot(self, run: Run) -> str:
        assert run.slot is not None, "the store's CHECK: a run of the schedule has a slot"
        return self._said(run.slot)

    def _placed(self, run: Run, attempts: tuple[Attempt, ...]) -> list[str]:
        first = next((each.started_at for each in attempts if each.started_at), None) or run.started_at
        if first is None:
            return []
        waited = (first - run.queued_at).total_seconds()
        late = None if run.slot is None else (first - run.slot).total_seconds()
        if late is not None and late >= _ON_TIME:
            behind = f", of which it waited {brief(waited)} for a place" if waited >= _ON_TIME else ""
            return [f"It started at {self._said(first)}, {brief(late)} after its slot{behind}."]
        if waited >= _ON_TIME:
            return [f"It started at {self._said(first)}, after waiting {brief(waited)} for a place."]
        return [f"It started at {self._said(first)}, on time."] if late is not None else []

    def _attempt(self, attempt: Attempt) -> str:
        length = "" if attempt.started_at is None else f" after {_lasted(attempt.started_at, attempt.ended_at)}"
        return f"Attempt {attempt.attempt} {_did(attempt.state)}{self._where(attempt)}{length}: {attempt.reason}."

    def _outcome(self, run: Run, attempts: tuple[Attempt, ...], now: datetime) -> list[str]:
        policy = self._store.jobs.definition(run.definition_id).policy
        asked = (
            []
            if run.cancel_at is None
            else [f"At {self._said(run.cancel_at)} its end was asked for: {run.cancel_reason}."]
        )
        match run.state:
            case State.QUEUED:
                return [f"It is queued: {reason}." for reason in self._queued_because(run)]
            case State.WAITING:
                assert run.ready_at is not None, "the store's CHECK: a waiting run knows when it goes on"
                when = f"{self._said(run.ready_at)} ({relative(run.ready_at, now)})"
                return [f"It waits for attempt {run.attempt + 1} of {policy.retries.count + 1}, at {when}."]
            case State.RUNNING:
                started = run.started_at or now
                of = f"Attempt {run.attempt}" if attempts else "It"
                limit = "" if policy.timeout is None else f"; it may take {brief(policy.timeout)}"
                gone = unwatched(self._store, self._clock, run, self._served())
                tail = f", but {gone}" if gone else ""
                return [f"{of} has been running for {brief(now - started)}{self._where(run)}{limit}{tail}.", *asked]
            case _:
                return [*asked, *self._end(run, attempts), *self._no_retry(run, policy.retries.count)]

    def _where(self, tried: Run | Attempt) -> str:
        """Say on which host a run or an attempt is or was, where there may be several."""
        host = self._store.hosts.find(tried.host) if self._store.is_shared and tried.host is not None else None
        return "" if host is None else f" on {host.name}"

    def _end(self, run: Run, attempts: tuple[Attempt, ...]) -> list[str]:
        assert run.ended_at is not None, "the store's CHECK: an ended run has an end"
        which = f"Attempt {run.attempt}" if attempts else "It"
        length = "" if run.started_at is None else f" after {_lasted(run.started_at, run.ended_at)}"
        reason = f": {run.reason}" if run.reason else ""
        never = " before it started" if run.started_at is None and run.state is State.CANCELLED else ""
        returned = [] if run.result is None else [f"It returned {_shortened(run.result)}"]
        return [
            f"{which} {_did(run.state)}{never}{self._where(run)}{length}, at {self._said(run.ended_at)}{reason}.",
            *returned,
        ]

    def _no_retry(self, run: Run, count: int) -> list[str]:
        if run.state in (State.SUCCEEDED, State.CANCELLED) or count or not run.attempt:
            return []
        return ["It was not tried again, because the job has no retries."]

    def _queued_because(self, run: Run) -> list[str]:
        """Say what a queued run waits for."""
        job = self._store.jobs.definition(run.definition_id)
        if run.reason:
            return [run.reason]
        absent = waits_for_host(self._store, self._clock, run)
        if absent:
            return [absent]
        by = self._served()
        if not by.by_anybody:
            return ["no engine is running; it starts with the next `rota serve`"]
        held = next((each.held for each in self._store.runs.active(run.job_id) if each.id == run.id), False)
        if held:
            limit = _places(job.policy.max_instances)
            ahead = [each for each in self._store.runs.active(run.job_id) if not each.held]
            first = f", and run {ahead[0].id} is {ahead[0].state.words}" if ahead else ""
            return [f"{limit} of the job may go at a time{first}"]
        pool = self._store.jobs.pools().get(job.policy.pool)
        if pool is not None and pool[1] >= pool[0]:
            return [f"its pool {job.policy.pool!r} is full ({pool[1]} of {pool[0]} places are taken)"]
        silent = silence(self._store, self._clock)
        if silent:
            return [silence_text(by, silent)]
        running = self._store.runs.state_counts().get(State.RUNNING, 0)
        who = "no host that may run it has a" if self._store.is_shared else "the engine has no"
        counted = f"{running} run is" if running == 1 else f"{running} runs are"
        return [f"{who} free place for it yet ({counted} running; see --capacity)"]

    # -- a job --------------------------------------------------------------------------------------------------------

    def job(self, stored: StoredJob) -> Answer:
        """Tell what a job will do next, and why; and what it skipped lately."""
        told = self._next(stored)
        active = self._store.runs.page(RunFilter(stored.id, "active"), None, 10)
        for run in reversed(active):
            if run.state is State.QUEUED:
                told += [f"Run {run.id} is queued: {why}." for why in self._queued_because(run)]
            else:
                gone = unwatched(self._store, self._clock, run, self._served())
                where = self._where(run) if run.state is State.RUNNING else ""
                told.append(f"Run {run.id} is {run.state.words}{where}{f', but {gone}' if gone else ''}.")
        told += self._latest(stored)
        skips = self._store.ledger.page(stored.id, stored.created_at - _EPOCH_DAYS, None, _LATEST_SKIPS)
        told += [f"{self.skip_text(record)}." for record in skips]
        return Answer(f"job {stored.name!r}", tuple(told), stored.name, slot=stored.next_slot)

    def _latest(self, stored: StoredJob) -> list[str]:
        ended = [run for run in self._store.runs.page(RunFilter(stored.id), None, 20) if run.state not in ACTIVE]
        if not ended:
            return ["It has no ended run yet."]
        run = ended[0]
        reason = f": {run.reason}" if run.reason else ""
        at = "" if run.ended_at is None else f" at {self._said(run.ended_at)}"
        return [f"Its last run, {run.id}, {_did(run.state)}{at}{reason}."]

    def _next(self, stored: StoredJob) -> list[str]:
        """Say why the job will, or will not, become due."""
        now = self._clock.now()
        if stored.removed_at is not None:
            return [f"It was removed at {self._said(stored.removed_at)}; only its history is left."]
        if not stored.job.enabled:
            return ["It will not run by itself: it is disabled in its definition."]
        if stored.paused_at is not None:
            since, onward = self._said(stored.paused_at), f"rota resume {quote(stored.name)}"
            return [f"It will not run by itself: it has been paused since {since}. Go on with: {onward}"]
        if not stored.job.schedules:
            return [f"It will not run by itself: it has no schedule. Run it with: rota run {quote(stored.name)}"]
        broken = why_broken(decode_broken(self._store.upkeep.fact(BROKEN_FACT)), stored)
        if broken:
            since = self._said(stored.planned_to)
            return [
                f"It is not planned, because its schedule cannot be read: {broken}.",
                f"When it can, slots since {since} are caught up as its policy says.",
            ]
        if stored.next_slot is None:
            if rest_of(stored.job) is not None:
                return ["Its next slot is set when the run before it ends."]
            if stored.job.at_boot:
                idle = "" if self._served().by_anybody else ". No engine is running now; start one with: rota serve"
                return [f"It runs once each time the machine starts, as soon as the engine does{idle}."]
            return ["It will not run by itself any more: its schedule has no slot left."]
        too = ["It also runs once each time the machine starts."] if stored.job.at_boot else []
        return [self._coming(stored.next_slot, now), *too]

    def _coming(self, slot: datetime, now: datetime) -> str:
        when = f"{self._said(slot)} ({relative(slot, now)})"
        by = self._served()
        if by.by_anybody:
            silent = silence(self._store, self._clock) if slot <= now else None
            if silent is not None:
                return f"It has been due since {when}, but {silence_text(by, silent)}."
            return f"Its next slot is {when}."
        if slot <= now:
            return f"It has been due since {when}, but no engine is running. Start one with: rota serve"
        return f"Its next slot is {when}, but no engine is running now. Start one with: rota serve"

    # -- a slot -------------------------------------------------------------------------------------------------------

    def slot(self, stored: StoredJob, at: datetime, *, exact: bool) -> Answer:
        """Tell what became of a slot, or that there is none; a time said to the minute means all of that minute.

        1. A run, or a skip, that is on record.
        2. A slot still to come, or one that nobody has planned yet.
        3. No slot: the nearest ones.
        """
        until = at + (_SECOND if exact else _MINUTE)
        runs = self._store.runs.in_slots(stored.id, at, until, 1)
        if runs:
            return self.run(runs[0])
        timetable = timetable_shown(stored.job)
        due = timetable.next_after(at - _TICK)
        due = due if due is not None and due < until else None
        ledger = self._store.ledger
        # Without a slot of the present schedule: one of an earlier definition, or a start of the machine.
        skip = ledger.alone_in(stored.id, at, until) if due is None else ledger.at(stored.id, due)
        if skip is not None:
            text = f"{self.skip_text(skip)}."
            slot = due or skip.skip.first_slot
            return Answer(f"job {stored.name!r} at {self._said(slot)}", (text,), stored.name, skip=skip, slot=slot)
        told = self._no_record(stored, timetable, at, due)
        return Answer(f"job {stored.name!r} at {self._said(due or at)}", tuple(told), stored.name, slot=due)

    def _no_record(self, stored: StoredJob, timetable: Timetable, at: datetime, due: datetime | None) -> list[str]:
        now = self._clock.now()
        if due is None:
            return [f"No slot of its schedule is there{self._but(stored)}.", *self._nearest(timetable, at)]
        if due > now:
            why = self._next(stored) if not stored.wants_slots else []
            return why or [f"It is still to come, {relative(due, now)}."]
        if due <= stored.created_at:
            return [f"The job was made later, at {self._said(stored.created_at)}."]
        if not stored.wants_slots:
            return [f"It has no record. {self._next(stored)[0]}"]
        if due > stored.planned_to:
            served = self._served().by_anybody
            alive = "the engine will decide on it in a moment" if served else "no engine has run since then"
            return [f"It was due and is not decided on yet: {alive}."]
        return ["It has no record: the job had another schedule then, or it was pruned."]

    def _but(self, stored: StoredJob) -> str:
        return f": it is due {timetable_shown(stored.job).explain()}" if stored.job.schedules else ", for it has none"

    def _nearest(self, timetable: Timetable, at: datetime) -> list[str]:
        before, after = timetable.latest_until(at), timetable.next_after(at)
        near = [f"before it, {self._said(before)}"] if before else []
        near += [f"after it, {self._said(after)}"] if after else []
        return [f"The nearest: {'; '.join(near)}."] if near else []

    def skip_text(self, record: SkipRecord) -> str:
        """Say which slots were skipped, and why."""
        skip = record.skip
        if skip.count == 1:
            return f"The slot at {self._said(skip.first_slot)} was skipped: {skip.reason}"
        return (
            f"The {skip.count:,} slots from {self._said(skip.first_slot)} to {self._said(skip.last_slot)} "
            f"were skipped: {skip.reason}"
        )


_TO_THE_MINUTE = re.compile(r"(^|[ T])[0-9]{1,2}:[0-9]{2}$")


def is_exact(text: str) -> bool:
    """Tell whether a time was said with its seconds."""
    return not _TO_THE_MINUTE.search(text.strip())


def refuse_slot_of_run(reference: str) -> UsageError:
    """Return the error for asking about a run at a time."""
    return UsageError(f"{reference!r} is a run, and a run has one slot; leave out the time, or name its job")


def _shortened(result: str) -> str:
    """Return a result as JSON, on one line, up to a length."""
    return result if len(result) <= _LONGEST_RESULT else f"{result[:_LONGEST_RESULT]}… ({len(result):,} characters)"


def _did(state: State) -> str:
    return {State.CANCELLED: "was cancelled", State.LOST: "was lost"}.get(state, state.words)


def _lasted(start: datetime, end: datetime) -> str:
    return brief(max(timedelta(0), end - start))


def _places(number: int) -> str:
    return "one run" if number == 1 else f"{number} runs"
