"""The engine's loop. It waits for a time, a process's end or a poke, handles all that are ready, and commits once.

A turn is: settle what ended, wake what waited, plan what is due, claim what is ready, in one transaction; then start
what was claimed, and tell. Write first, act after, tell last. A store that cannot be written now (locked by another
program, disk full) stops none of the rest: ends are kept in memory, and deadlines and kills go on; it is tried again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from rota.engine.adopting import Adopter
from rota.engine.beating import Alone
from rota.engine.booting import Booter
from rota.engine.claiming import CLAIMS_A_TURN, Claimer
from rota.engine.crashpoints import reach
from rota.engine.flights import Ending, Exited, Flight
from rota.engine.planning import Planner
from rota.engine.pruning import ROWS_A_STEP, Pruner
from rota.engine.sending import Sender
from rota.engine.settings import EngineSettings
from rota.engine.settling import Settler
from rota.engine.strays import Strays
from rota.engine.twins import note_machine, refuse_twin
from rota.engine.watching import Warden
from rota.errors import StoreBusy, StoreFull, StoreTooNew, StoreUnavailable
from rota.model.job import Job
from rota.model.settlement import Claimed
from rota.ports import Clock, Launcher, Log, Pokes, Store

_T = TypeVar("_T")
_SERVING = "serving"
"""The fact that an engine leaves behind when it does not stop in order."""
_LOOK = 1.0
_LOOK_FAST = 0.05
"""A log that outgrew its caps within a second is looked at this often: on a fast disk a second is gigabytes."""
_PLAN_ON = 10
_UPKEEP = 60.0
_PRUNE_AGAIN, _PRUNE_ON = 1.0, 0.05
"""The pause after a step that dropped something, and after one that left something: what comes by the thousand a second
must be able to go as fast."""
_RETRY = 0.1
_ELSEWHERE = timedelta(milliseconds=50)
_RETRY_FULL = 1.0
_ALARM_EVERY = 30.0


class Engine:
    """One host's engine: it holds no jobs, only the attempts that are running now."""

    def __init__(
        self,
        store: Store,
        launcher: Launcher,
        clock: Clock,
        log: Log,
        pokes: Pokes,
        host: str,
        settings: EngineSettings,
        new_id: Callable[[datetime], str],
        member: Alone | None = None,
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._clock = clock
        self._log = log
        self._pokes = pokes
        self._host = host
        self._planner = Planner(store, new_id, log)
        self._claimer = Claimer(store, launcher, host, clock, settings, log)
        self._member = member or Alone(store)
        self._adopter = Adopter(store, launcher, host, log, self._member.of_machine)
        self._booter = Booter(store, launcher, host, new_id, log, self._member.may_run)
        self._sender = Sender(store, launcher)
        self._strays = Strays(store, launcher, log, clock.monotonic)
        self._serving = f"{_SERVING}:{host}" if store.is_shared else _SERVING
        self._settler = Settler(store, launcher, host, log)
        self._warden = Warden(store, launcher, host, log)
        self._pruner = Pruner(store, settings.retention)
        self.flights: dict[str, Flight] = {}
        self._ended: dict[str, Flight] = {}
        """Attempts whose end is known, but not on disk yet."""
        self.planning = True
        """False while the engine is stopping: nothing new is planned or claimed."""
        self._plans = False
        """Whether this engine has planned since it was made the one that plans."""
        self._wake: datetime | None = None
        self._more = True
        self._looked = self._kept = self._output_due = float("-inf")
        self._output_pause = _LOOK
        self._planned_on = 0
        """How many turns in a row have left due jobs to plan."""
        self._begun = False
        """Whether it is on disk that this engine has taken over."""
        self._in_doubt = False
        """Whether the store went away, perhaps in a commit, so that more may be on disk than we know of."""
        self._try_again = float("-inf")
        self._alarmed = float("-inf")

    # -- start and stop -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Meet what the predecessor left; afterwards every run that is running in the store is in our care.

        Nothing is written here. The first turn that can write gives back what never started, before it claims: a store
        that is locked, or a disk that is full, holds up no deadline of what was adopted.
        """
        if self._store.is_shared and self._store.upkeep.fact(self._serving) == "yes":
            refuse_twin(self._store, self._host, self._launcher.boot, self._clock, self._log)
        now, monotonic = self._clock.now(), self._clock.monotonic()
        reach("adopting")
        for flight in self._adopter.adopt(now, self._note_end):
            self.flights[flight.run_id] = flight
            if flight.exited is None:
                self._warden.begin(flight, now, monotonic)
        self._warden.look_for_cancels(self.flights, monotonic)
        if self._store.is_shared:
            self._strays.begin()

    def end_all(self, reason: str, most: float = float("inf")) -> None:
        """Begin to end every attempt, with `most` seconds of grace: nothing is to be left running."""
        monotonic = self._clock.monotonic()
        for flight in self.flights.values():
            if flight.ending is None and flight.exited is None:
                self._warden.end(flight, Ending.CANCEL, reason, monotonic, most)
            elif flight.ending is not None:
                self._warden.shorten(flight, monotonic + most)

    def limit(self, capacity: int, max_running: int | None) -> None:
        """Let so many attempts go at once from now on; what runs already goes on."""
        if self._begun and (capacity, max_running) != (self.capacity, self._claimer.max_running):
            in_all = "" if max_running is None else f", {max_running} on all hosts"
            self._log.info(f"from now on {capacity} at once{in_all}")
        self._claimer.limit(capacity, max_running)
        self._member.limit(capacity, max_running)
        self._more = True

    @property
    def capacity(self) -> int:
        """How many attempts may go at once here."""
        return self._claimer.capacity

    def stopped(self) -> None:
        """Write down that this was an orderly end; a store that cannot be written does not make it a disorderly one."""
        with contextlib.suppress(StoreUnavailable), self._store.transaction():
            self._store.upkeep.put_fact(self._serving, "no")
            self._member.resign()
            self._store.ledger.add_event("engine.stopped", self._clock.now(), left=str(len(self.flights)))

    # -- the loop -----------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Sleep until something happens; the next turn handles it."""
        self._launcher.wait(seconds)

    def turn(self) -> float:
        """Handle everything that is ready, and return for how many seconds there is nothing to do.

        1. Collect ends, and look at deadlines.
        2. If there is anything to write or the store has changed: one transaction for all of it.
        3. Start what was claimed, then tell what is on disk.
        """
        poked = self._pokes.drain()
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for ended in self._launcher.take_exits():
            self._note_end(self.flights[ended.run_id], Exited(ended.exit_code, ended.at or now))
        for flight in self._warden.tick(self.flights, monotonic):
            self._hold_or_end(flight, monotonic)
        if self._begun and self._store.is_shared and monotonic >= self._try_again:
            self._unless_unavailable(lambda: self._beat(monotonic), monotonic)
        look = poked or monotonic - self._looked >= _LOOK
        if look:
            self._looked = monotonic
            changed = self._unless_unavailable(self._store.changed_by_others, monotonic)
            self._more = self._more or poked or bool(changed)
        if monotonic >= self._try_again and self._has_work(now):
            self._unless_unavailable(lambda: self._work(now, monotonic), monotonic)
        if monotonic >= self._output_due:
            self._output_pause = _LOOK_FAST if self._launcher.watch_output() else _LOOK
            self._output_due = monotonic + self._output_pause
        self._keep(now, monotonic)
        return self._rest()

    def _has_work(self, now: datetime) -> bool:
        due = self._wake is not None and self._wake <= now
        # A clock that came back from the future would make an idle engine wait for that future.
        due = due or (self._member.leads and self._planner.clock_went_back(now))
        return bool(self._ended) or self._more or (self.planning and due)

    def _work(self, now: datetime, monotonic: float) -> None:
        more = False
        claimed: list[tuple[Claimed, Job]] = []
        asked = self._member.asks()
        with self._store.transaction():
            if not self._begun:
                self._begin(now)
            if self._in_doubt:
                self._adopter.give_back_unanswered(self.flights, now)
            self._warden.recall_cancels(self._ended)
            ends = sorted(self._ended.values(), key=_job_of)
            settled = [self._settler.settle(flight, _end_of(flight), now) for flight in ends]
            if settled:
                reach("before-settle-commit")
            if self.planning:
                if not self._begun:
                    self._booter.decide(now)
                more = self._member.leads and self._plan(now, monotonic)
                # Who is most urgent is known only when all that are due are planned; but a very long line of them does
                # not keep the first from starting.
                self._planned_on = self._planned_on + 1 if more else 0
                if self._planned_on % _PLAN_ON == 0 and self._member.may_claim():
                    remaining = {key: flight for key, flight in self.flights.items() if key not in self._ended}
                    claimed = self._claimer.claim(now, remaining, self._member.terms(remaining))
                if claimed:
                    reach("before-claim-commit")
            wake = self._store.jobs.next_wake() if self._member.leads else None
        # What is due still is in the hands of somebody else, who will be done in a moment.
        self._wake = wake if wake is None or wake > now else now + _ELSEWHERE
        # A full batch means that more may be ready than were claimed.
        self._more = more or len(claimed) == CLAIMS_A_TURN
        self._committed()
        self._ended.clear()
        for one in settled:
            # Before launching: the next attempt of the same run may be among the claimed.
            reach("after-settle-commit")
            del self.flights[one.flight.run_id]
            self._sender.forget(one.flight)
            self._launcher.release(one.flight.run_id)
            reach("after-release")
        self._launch(claimed, asked, monotonic)
        for one in settled:
            self._settler.tell(one)
        self._warden.look_for_cancels(self.flights, monotonic)

    def _plan(self, now: datetime, monotonic: float) -> bool:
        """Do what one host does for all: make what is due or waited for ready; True when more is due."""
        if not (self._begun and self._plans):
            self._planner.take_over()
            self._planner.mend(now)
            self._plans = True
        self._planner.follow(now, monotonic)
        self._store.runs.wake(now)
        if self._planner.clock_went_back(now):
            self._planner.correct(now)
        more = self._planner.plan(now)
        self._planner.note_clock(now)
        return more

    def _beat(self, monotonic: float) -> None:
        """Keep this host's place among others, and end what went elsewhere; the ledger takes no result of that."""
        for flight in self._member.tick(self.flights, planning=self.planning):
            if flight.exited is None and flight.ending is None:
                why = "its lease was over, and the run was given away"
                self._warden.end(flight, Ending.CANCEL, why, monotonic)
        self._plans = self._plans and self._member.leads
        for flight in self._member.to_hand_over(self.flights):
            self._warden.end(flight, Ending.HAND_OVER, "handed over, because its host is drained", monotonic)
        self._strays.tick()
        self._sender.tick(self.flights, monotonic)
        self._more = self._member.take_change() or self._more

    def _begin(self, now: datetime) -> None:
        """Write down that this engine has taken over."""
        self._member.register()
        self._adopter.give_back(now)
        self._store.runs.release_held()
        if self._store.upkeep.fact(self._serving) == "yes":
            self._store.ledger.add_event("engine.died", now, host=self._host)
            self._log.warning("the engine before this one did not stop in order; its runs are looked after")
        self._store.upkeep.put_fact(self._serving, "yes")
        if self._store.is_shared:
            note_machine(self._store, self._host, self._launcher.boot)
        self._store.ledger.add_event("engine.started", now, host=self._host)
        reach("before-adoption-commit")

    def _committed(self) -> None:
        """Believe what is on disk now, and say so where it was waited for."""
        self._planner.committed()
        self._in_doubt = False
        if not self._begun:
            reach("after-adoption-commit")
            self._begun = True
            self._adopter.tell()
            self._booter.tell()
            self._more = self._member.take_change() or self._more
        if self._alarmed > float("-inf"):
            self._alarmed = float("-inf")
            self._log.info("the store can be written again")

    def _launch(self, claimed: list[tuple[Claimed, Job]], asked: float, monotonic: float) -> None:
        """Start what was claimed, while the claims may be relied on; what was held up too long is given back."""
        if claimed:
            reach("after-claim-commit")
        for one, job in claimed:
            if not self._member.trusts(asked):
                self._in_doubt = self._more = True
                return
            flight = self._claimer.launch(one, job, self._note_end)
            self.flights[one.run_id] = flight
            self._warden.begin(flight, flight.started_at, monotonic)
            reach("after-spawn")

    def _note_end(self, flight: Flight, exited: Exited) -> None:
        reach("exit-seen")
        flight.exited = exited
        self._hold_or_end(flight, self._clock.monotonic())

    def _hold_or_end(self, flight: Flight, monotonic: float) -> None:
        if flight.ending is None or not self._warden.wait_for_leftovers(flight, monotonic):
            self._ended[flight.run_id] = flight

    # -- upkeep -------------------------------------------------------------------------------------------------------

    def _keep(self, now: datetime, monotonic: float) -> None:
        """Every minute: prune a little, repair, and look after files. Never while something is due."""
        if monotonic - self._kept < _UPKEEP or monotonic < self._try_again or not self._begun:
            return
        self._kept = monotonic
        self._launcher.look_after()
        self._log.reopen()
        dropped = self._unless_unavailable(lambda: self._upkeep(now), monotonic)
        if dropped:
            self._kept = monotonic - _UPKEEP + (_PRUNE_ON if dropped >= ROWS_A_STEP else _PRUNE_AGAIN)

    def _upkeep(self, now: datetime) -> int:
        if not self._member.leads:
            return 0
        with self._store.transaction():
            self._planner.note_clock(now)
            if self._store.runs.release_held():
                self._more = True
            if self.planning and self._planner.mend(now):
                self._more = True
            dropped = self._pruner.step(now)
        self._planner.committed()
        return dropped

    def _unless_unavailable(self, call: Callable[[], _T], monotonic: float) -> _T | None:
        """Call; if the store cannot be used now, sound the alarm and try again soon. Nothing is lost meanwhile."""
        try:
            return call()
        except StoreTooNew as error:
            self._log.error(f"{error}. This engine stops; running jobs go on, for the next one to adopt")
            raise
        except StoreUnavailable as error:
            self._planner.rolled_back()
            self._in_doubt = self._in_doubt or not isinstance(error, StoreBusy | StoreFull)
            self._more = True  # whatever it was, it is still to be done
            self._try_again = monotonic + (_RETRY_FULL if isinstance(error, StoreFull) else _RETRY)
            if monotonic - self._alarmed >= _ALARM_EVERY:
                self._alarmed = monotonic
                self._log.error(
                    f"{error}. It is tried again; until then nothing new is started, and running jobs go on"
                )
            return None

    def _rest(self) -> float:
        """Return the seconds until the next thing that is due by time."""
        monotonic = self._clock.monotonic()
        rest = self._looked + _LOOK - monotonic
        if self._begun:
            rest = min(rest, max(self._kept + _UPKEEP, self._try_again) - monotonic)
        alarm = self._warden.next_alarm()
        if alarm is not None:
            rest = min(rest, alarm - monotonic)
        if self._output_pause < _LOOK:
            rest = min(rest, self._output_due - monotonic)
        if self._ended or self._more:
            return max(0.0, min(rest, self._try_again - monotonic))
        if self.planning and self._wake is not None:
            due = (self._wake - self._clock.now()) / timedelta(seconds=1)
            rest = min(rest, max(due, self._try_again - monotonic))
        return max(0.0, rest)


def _end_of(flight: Flight) -> Exited:
    assert flight.exited is not None, "a flight is among the ended ones only with its end"
    return flight.exited


def _job_of(flight: Flight) -> str:
    """Return what ends are settled in order of: an end holds its job, and two hosts must not hold jobs crosswise."""
    return flight.job.name
