"""The verbs that change something; every door calls these. A verb is one transaction and a poke."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from rota.control.editing import Applied, Editor
from rota.control.references import Finder
from rota.errors import BadJob, Conflict, IllegalMove, Outdated
from rota.model.host import target_of
from rota.model.job import BY_HAND, Job, StoredJob
from rota.model.run import ACTIVE, Run, State, Trigger
from rota.model.settlement import NewRun, RunFilter
from rota.ports import Clock, Store

_MAX_PARAMS = 64 * 1024


class Verbs:
    """Add, change, remove, pause, resume, trigger, cancel, retry."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        home_id: str,
        new_id: Callable[[datetime], str],
        poke: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._poke = poke
        self._finder = Finder(store)
        self._editor = Editor(store, home_id, new_id)

    def add(self, job: Job, origin: str = BY_HAND) -> Applied:
        """Make a job that is not there yet."""
        now = self._clock.now()
        job = self._editor.checked(job, None, now)
        with self._store.transaction():
            self._editor.move_revision()
            applied = self._editor.add(job, origin, now)
        self._poke()
        return applied

    def change(self, name: str, job: Job, revision: int | None = None) -> Applied:
        """Give a job a new definition; what was due until now is decided under the old one."""
        now = self._clock.now()
        with self._store.transaction():
            self._editor.move_revision()
            before = self._editor.planned(_unchanged(self._store.jobs.get(name), revision), now)
            applied = self._editor.change(before, self._editor.checked(job, before.job, now), before.origin, now)
            self._store.runs.release_held()
        self._poke()
        return applied

    def change_if_different(self, name: str, job: Job) -> Applied:
        """Give a job a definition that it may have already; then nothing is written, and it keeps its phase."""
        before = self._store.jobs.get(name)
        wanted = self._editor.checked(job, before.job, self._clock.now())
        return Applied(before) if wanted == before.job else self.change(name, job)

    def remove(self, name: str, revision: int | None = None) -> list[Run]:
        """Take a job out of service, and return its runs that go on; those that wait for a start are cancelled."""
        now = self._clock.now()
        with self._store.transaction():
            self._editor.move_revision()
            stored = self._editor.planned(_unchanged(self._store.jobs.get(name), revision), now)
            self._editor.remove(stored, now)
            left = self._store.runs.page(RunFilter(job_id=stored.id, state="active"), None, 1000)
        self._poke()
        return left

    def pause(self, name: str) -> bool:
        """Make no more slots of a job due; False when it was paused already."""
        now = self._clock.now()
        with self._store.transaction():
            stored = self._editor.planned(self._store.jobs.get(name), now)
            if stored.paused_at is not None:
                return False
            self._store.jobs.pause_if_unchanged(stored, now, now)
            self._store.ledger.add_event("job.paused", now, stored.id)
        self._poke()
        return True

    def resume(self, name: str) -> int:
        """End a pause, and return how many slots passed in it; none of them is caught up."""
        now = self._clock.now()
        with self._store.transaction():
            stored = self._store.jobs.get(name)
            if stored.paused_at is None:
                raise Conflict(f"job {name!r} is not paused")
            passed = self._editor.account_for_pause(stored, now)
            self._store.jobs.pause_if_unchanged(stored, None, now)
            self._editor.set_cursor(self._store.jobs.by_id(stored.id), now)
            self._store.ledger.add_event("job.resumed", now, stored.id)
        self._poke()
        return passed

    def trigger(self, name: str, params: dict[str, str] | None = None, request_key: str | None = None) -> str:
        """Ask for a run now, and return its id; the same request key asks only once."""
        return self.ask(name, params, request_key)[0]

    def ask(self, name: str, params: dict[str, str] | None = None, request_key: str | None = None) -> tuple[str, bool]:
        """Do the same, and tell as well whether the run was made just now, and not by an earlier request."""
        now = self._clock.now()
        _check_params(params or {})
        with self._store.transaction():
            stored = self._store.jobs.get(name)
            if request_key is not None:
                known = self._store.runs.with_request_key(request_key)
                if known is not None:
                    self._check_same_request(known, stored, params or {}, request_key)
                    return known, False
            new = NewRun(
                self._new_id(now),
                stored.id,
                stored.definition_id,
                Trigger.MANUAL,
                params=params or {},
                request_key=request_key,
                held=self._editor.is_full(stored),
            )
            self._store.add_run(new, stored.job, now, self._new_id)
        self._poke()
        return new.id, True

    def retry(self, reference: str) -> str:
        """Ask for an ended run once more, with its parameters, and return the new run's id."""
        now = self._clock.now()
        with self._store.transaction():
            run = self._finder.run(reference)
            if run.state in ACTIVE:
                raise IllegalMove(f"run {run.id} is {run.state}; only a run that has ended can be tried again")
            stored = self._store.jobs.get(run.job)
            new = NewRun(
                self._new_id(now),
                stored.id,
                stored.definition_id,
                Trigger.RETRY,
                params=run.params,
                retry_of=run.id,
                target=target_of(run.needs),
                held=self._editor.is_full(stored),
            )
            self._store.runs.add(new, stored.job, now)
        self._poke()
        return new.id

    def cancel(self, reference: str, why: str = "cancelled by hand") -> list[Run]:
        """End a run, or all active runs of a job, and return them as they were."""
        now = self._clock.now()
        with self._store.transaction():
            runs = self._finder.active_runs(reference)
            # Those that wait go first: ending one that has a place would let the next one start.
            for run in sorted(runs, key=lambda run: (run.state is not State.QUEUED, run.id)):
                if not self._store.runs.cancel_if_not_running(run.id, now, why):
                    self._store.runs.ask_to_cancel_if_running(run.id, now, why)
        self._poke()
        return runs

    def set_pool(self, name: str, size: int) -> None:
        """Make or resize a pool."""
        with self._store.transaction():
            self._editor.move_revision()
            self._editor.set_pool(name, size)
        self._poke()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Do several verbs as one: all of them, and then the engine is told."""
        with self._store.transaction():
            yield
        self._poke()

    def _check_same_request(self, run_id: str, stored: StoredJob, params: Mapping[str, str], request_key: str) -> None:
        run = self._store.runs.find(run_id)
        if run is not None and run.job_id != stored.id:
            raise Conflict(
                f"the request key {request_key!r} has asked for run {run_id} of job {run.job!r} already; "
                f"choose another key for job {stored.name!r}"
            )
        if run is not None and run.params != params:
            raise Conflict(
                f"the request key {request_key!r} has asked for run {run_id} with other parameters already; "
                "choose another key for another request"
            )


def _unchanged(stored: StoredJob, revision: int | None) -> StoredJob:
    """Refuse to go on with a job that is not as somebody saw it."""
    if revision is not None and revision != stored.revision:
        raise Outdated(
            f"job {stored.name!r} is at revision {stored.revision}, not {revision}: somebody changed it; look again"
        )
    return stored


def _check_params(params: dict[str, str]) -> None:
    for name, value in params.items():
        if not name.isidentifier() or not name.isascii():
            raise BadJob(f"parameter {name!r}: a name is letters, digits and '_', because it becomes ROTA_PARAM_{name}")
        if "\0" in value:
            raise BadJob(f"parameter {name!r}: a value cannot hold a NUL character")
    if sum(len(value) for value in params.values()) > _MAX_PARAMS:
        raise BadJob(f"the parameters are longer than {_MAX_PARAMS} characters; pass a file's name instead")
