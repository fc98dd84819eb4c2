"""Starting attempts, watching them, and collecting what they leave: the engine's hands.

The engine decides and writes to the store; this starts shims, knows their pids and files, and tells which ended. What
an attempt looks like from outside (its name in claims) is `<journal segment>/<spool slot>`.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from rota.clock import SystemClock
from rota.errors import CannotStart, StoreFull
from rota.model.job import Job
from rota.model.policy import Output
from rota.model.run import Run
from rota.model.settlement import Claimed, Exit, Harvest
from rota.plan.adopt import Evidence
from rota.process import identity, tree
from rota.process.argv import ARGUMENT_FILE, RESULT_VARIABLE, Start, base_environment, compile_start
from rota.process.journal import Exited, Journal, Lines
from rota.process.spool import Slot, Spool
from rota.process.watch import Watcher

_LONGEST_RESULT = 256 * 1024
_FD_RESERVE = 64
_LAST_STANDARD = 2
_RESULT, _ARGUMENT = "res", "arg"
_RESET = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
"""Whatever the engine, or the shell that put it into the background, ignores: a job starts with none of it."""
_SECOND_LOOK = 0.05


class _Flight(msgspec.Struct, eq=False):
    """An attempt in the launcher's care."""

    run_id: str
    attempt: int
    mark: str
    segment: str
    slot: Slot
    caps: Output
    extras: tuple[str, ...]  # paths of files beside the slot's own: a result, a long argument
    shim: int | None = None


class ProcessLauncher:
    """See ports.Launcher."""

    def __init__(
        self,
        home: str,
        home_id: str,
        watcher: Watcher,
        environment: Mapping[str, str],
        others: Callable[[str, int | None], None] = lambda *_: None,
    ) -> None:
        self.boot = identity.boot_identity()
        self._home = (home_id, home)
        directory = os.path.join(home, "spool")
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._watcher = watcher
        self._others = others
        self._base = base_environment(environment)
        self._shim = _read_shim()
        self._journal = Journal(directory)
        self._spool = Spool(directory)
        self._reserved: dict[str, Slot] = {}
        self._flights: dict[str, _Flight] = {}
        _keep_descriptors()
        files = _raise_file_limit()
        self._files = "unlimited" if files == resource.RLIM_INFINITY else str(files)

    # -- starting ---------------------------------------------------------------------------------------------------

    def reserve(self, count: int) -> list[str]:
        """Reserve places for attempts that are about to be claimed, and return their names."""
        while len(self._reserved) < count:
            try:
                slot = self._spool.take()
            except OSError as error:
                raise StoreFull(f"no file can be made in {self._spool.directory}: {error}") from error
            self._reserved[slot.name] = slot
        segment = self._journal.segment
        return [f"{segment}/{name}" for name in list(self._reserved)[:count]]

    def launch(self, claimed: Claimed, job: Job) -> None:
        """Start a claimed attempt; raises CannotStart when there is nothing that could be started."""
        segment, _, name = claimed.spool.partition("/")
        slot = self._reserved.pop(name)
        mark = identity.mark_of(self._home[0], claimed.run_id, claimed.attempt)
        flight = _Flight(claimed.run_id, claimed.attempt, mark, segment, slot, job.policy.output, ())
        self._flights[claimed.run_id] = flight
        result = self._spool.extra_path(slot, _RESULT)
        start = compile_start(claimed, job, self._base, self._home, result)
        if start.argument_file is not None or RESULT_VARIABLE in start.env:
            flight.extras = self._extras(slot)
        try:
            argv = self._words(start, slot)
        except OSError as error:
            raise CannotStart(126, f"its argument cannot be written to the spool: {error}") from error
        umask = "-" if job.umask is None else f"{job.umask:03o}"
        words = [claimed.run_id, str(claimed.attempt), self._files, umask, start.cwd, *argv]
        out, err = self._spool.paths(slot)
        appending = os.O_WRONLY | os.O_APPEND
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, out, appending, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, self._journal.fd, 3),
            (os.POSIX_SPAWN_OPEN, 4, err, appending, 0),
        ]
        try:
            flight.shim = os.posix_spawn(
                "/bin/sh",
                ["sh", "-c", self._shim, "rota", *words],
                start.env,
                file_actions=actions,
                setsid=True,
                setsigmask=(),
                setsigdef=_RESET,
            )
        except (OSError, ValueError) as error:
            raise CannotStart(126, f"the system refused to start it: {error}") from error
        self._watcher.watch_pid(claimed.run_id, flight.shim, ours=True)

    def _words(self, start: Start, slot: Slot) -> list[str]:
        if start.argument_file is None:
            return start.argv
        path = self._spool.extra_path(slot, _ARGUMENT)
        with open(path, "w", encoding="utf-8", opener=_private) as file:
            file.write(start.argument_file)
        return [path if word == ARGUMENT_FILE else word for word in start.argv]

    def _extras(self, slot: Slot) -> tuple[str, ...]:
        return self._spool.extra_path(slot, _RESULT), self._spool.extra_path(slot, _ARGUMENT)

    # -- watching ---------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Wait until something happens, or the time is over."""
        self._watcher.wait(seconds)

    def reap_strangers(self) -> None:
        """As process 1: collect orphans."""
        self._watcher.reap_strangers()

    def take_exits(self) -> list[Exit]:
        """Return the attempts that ended since the last time."""
        exits = []
        for run_id, status in self._watcher.take_ended():
            flight = self._flights.get(run_id)
            if flight is None:
                self._others(run_id, status)
                continue
            ended = self._how_it_ended(flight, status)
            if ended is not None:
                # It was seen to end just now; what the shim knows of the time is in whole seconds.
                exits.append(msgspec.structs.replace(ended, at=None))
        return exits

    def _how_it_ended(self, flight: _Flight, status: int | None) -> Exit | None:
        """Tell how an attempt ended, or None while it has not, because its shim was killed but others live on."""
        if status is not None and status >= 0:
            return Exit(flight.run_id, status)
        known = self._journal.exit_of(flight.segment, flight.run_id, flight.attempt)
        if known is not None:
            return Exit(flight.run_id, known.exit_code, known.at)
        if self._watch_any(flight):
            return None
        return Exit(flight.run_id, None)

    def _watch_any(self, flight: _Flight) -> bool:
        """Watch one of an attempt's processes whose shim is gone; False when there is none."""
        while pids := tree.members(flight.mark, flight.shim):
            if any(self._watch(flight, pid) for pid in pids):
                return True
        return False

    def _watch(self, flight: _Flight, pid: int) -> bool:
        """Watch a process that is not our child; look only now whether it is the one that was meant."""
        if not self._watcher.watch_pid(flight.run_id, pid, ours=False):
            return False
        if tree.belongs(pid, flight.mark, flight.shim) and not identity.is_zombie(pid):
            return True
        self._watcher.forget(flight.run_id)
        return False

    def watch_output(self) -> bool:
        """Keep growing logs within their caps; True when one grows so fast that it should be looked at again soon."""
        fast = [self._spool.watch(flight.slot, flight.caps) for flight in self._flights.values()]
        return self._spool.watch_left(Output()) or any(fast)

    # -- ending -----------------------------------------------------------------------------------------------------

    def terminate(self, run_id: str) -> int:
        """Ask an attempt's whole tree to end, and return how many processes were asked."""
        flight = self._flights[run_id]
        return tree.signal_tree(flight.mark, flight.shim, signal.SIGTERM)

    def kill(self, run_id: str) -> int:
        """Kill an attempt's whole tree; a shim that has nothing left to wait for then ends by itself."""
        flight = self._flights[run_id]
        return tree.kill_tree(flight.mark, flight.shim)

    def kill_shim(self, run_id: str) -> None:
        """Kill the shim, when it does not end although everything else has."""
        flight = self._flights[run_id]
        if flight.shim is not None:
            tree.kill_shim(flight.shim, flight.mark)

    def remains(self, run_id: str) -> bool:
        """Tell whether anything of an attempt's tree but its shim is alive."""
        flight = self._flights[run_id]
        return bool(tree.members(flight.mark, flight.shim))

    def harvest(self, run_id: str) -> Harvest:
        """Read what an ended attempt left."""
        flight = self._flights[run_id]
        note = ""
        if self._spool.was_emptied(flight.slot):
            note = "the job emptied its own output file, so what it wrote before is gone; output: pipe prevents that"
        return Harvest(self._spool.read(flight.slot, flight.caps), self._result(flight), note)

    def _result(self, flight: _Flight) -> str | None:
        if not flight.extras:
            return None
        path = self._spool.extra_path(flight.slot, _RESULT)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read(_LONGEST_RESULT + 1)
        except FileNotFoundError:
            return None
        if len(text) > _LONGEST_RESULT:
            return f'{{"note": "the result is longer than {_LONGEST_RESULT} characters and was not kept"}}'
        return text or None

    def release(self, run_id: str) -> None:
        """Let go of an attempt whose end is on record; its files are used again."""
        flight = self._flights.pop(run_id)
        self._watcher.forget(run_id)
        for path in flight.extras:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        self._spool.release(flight.slot)

    # -- adopting ---------------------------------------------------------------------------------------------------

    def elsewhere(self, runs: list[Run]) -> list[str]:
        """Return the jobs of runs that live in another pid namespace of this machine, by what their shims hold open."""
        boot = self.boot.partition(".")[0]
        hidden = [run for run in runs if run.boot != self.boot and str(run.boot).partition(".")[0] == boot]
        return [run.job for run in hidden if self._journal.is_held(_segment_of(run))]

    def evidence(self, runs: list[Run]) -> dict[str, Evidence]:
        """Gather what can be known about attempts that a predecessor left; see plan/adopt.py for the order."""
        found = self._gather(runs)
        unstarted = [run for run in runs if found[run.id].unstarted]
        if unstarted:
            # A process shows no environment for an instant while it is being replaced by exec. Nothing that was started
            # may be taken for not started, so those are looked at twice.
            SystemClock().sleep(_SECOND_LOOK)
            found.update(self._gather(unstarted))
        return found

    def _gather(self, runs: list[Run]) -> dict[str, Evidence]:
        marked = identity.marked_processes(self._home[0]) if runs else {}
        journals: dict[str, Lines] = {}
        found = {}
        for run in runs:
            segment = _segment_of(run)
            if segment not in journals:
                journals[segment] = self._journal.read(segment)
            found[run.id] = self._evidence(run, segment, journals[segment], marked.get((run.id, run.attempt), []))
        return found

    def _evidence(self, run: Run, segment: str, lines: Lines, pids: list[int]) -> Evidence:
        key = (run.id, run.attempt)
        ended = lines.exited.get(key)
        shim = lines.started.get(key)
        if shim is None and pids:
            shim = min(pids, key=lambda pid: identity.group_and_session(pid)[1] != pid)
        return Evidence(
            same_boot=run.boot == self.boot,
            shim=shim if shim in pids else None,
            age=identity.age_of(shim) if shim in pids else None,
            others=bool(pids) or self._session_lives(run, lines),
            # A segment that is gone proves nothing, so the attempt counts as started.
            started=key in lines.started or not self._journal.has(segment),
            exit_code=None if ended is None else ended.exit_code,
            ended_at=None if ended is None else self._end_of(ended, segment),
        )

    def _session_lives(self, run: Run, lines: Lines) -> bool:
        """Tell whether a session has members whose shim is gone: commands that have cleared their environment."""
        shim = self._gone_shim(run, lines)
        return shim is not None and bool(tree.members(self._mark(run), shim))

    def _gone_shim(self, run: Run, lines: Lines) -> int | None:
        """Return the number of a shim that has ended: its session keeps the number, as long as it has members."""
        shim = lines.started.get((run.id, run.attempt))
        if shim is None or run.boot != self.boot:
            return None
        gone = identity.is_zombie(shim) or identity.group_and_session(shim) == (0, 0)
        return shim if gone else None

    def _mark(self, run: Run) -> str:
        return identity.mark_of(self._home[0], run.id, run.attempt)

    def _end_of(self, ended: Exited, segment: str) -> datetime:
        return ended.at if ended.at is not None else self._journal.touched_at(segment)

    def adopt(self, run: Run, job: Job, pid: int | None) -> bool:
        """Take over an attempt, and watch it if it goes on; False when it has ended in the meantime."""
        segment, mark = _segment_of(run), self._mark(run)
        slot = self._spool.adopt(str(run.spool).split("/")[1])
        flight = _Flight(run.id, run.attempt, mark, segment, slot, job.policy.output, self._extras(slot), pid)
        self._flights[run.id] = flight
        if pid is not None and self._watch(flight, pid):
            return True
        flight.shim = pid if pid is not None else self._gone_shim(run, self._journal.read(segment))
        return self._watch_any(flight)

    def exit_of(self, run_id: str) -> Exit | None:
        """Tell how an adopted attempt ended that ended before it could be watched; None when it goes on after all."""
        return self._how_it_ended(self._flights[run_id], None)

    def sweep(self) -> None:
        """After adoption: take charge of what no run needs any more."""
        self._journal.forget_unneeded({flight.segment for flight in self._flights.values()})
        self._spool.sweep()
        directory = self._spool.directory
        used = {flight.slot.name for flight in self._flights.values()}
        for name in os.listdir(directory):
            if name.endswith((f".{_RESULT}", f".{_ARGUMENT}")) and name.split(".")[0] not in used:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(directory, name))

    # -- upkeep -----------------------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """Now and then: the next journal segment when this one is full, and files that somebody still writes to."""
        self._journal.rotate_if_full()
        self._journal.forget_unneeded({flight.segment for flight in self._flights.values()})
        self._spool.look_after()

    def flying(self) -> list[str]:
        """Return the runs whose attempts are in this launcher's care."""
        return list(self._flights)

    def close(self) -> None:
        """Let go of everything; what runs goes on."""
        for slot in self._reserved.values():
            self._spool.release(slot)
        self._watcher.close()
        self._spool.close()
        self._journal.close()


def _read_shim() -> str:
    with open(os.path.join(os.path.dirname(__file__), "shim.sh"), encoding="utf-8") as file:
        return file.read()


def _segment_of(run: Run) -> str:
    return str(run.spool).split("/")[0]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep_descriptors() -> None:
    """Give no job what the engine itself was started with: a pipe that it held open would keep somebody waiting."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    for name in os.listdir(folder):
        if int(name) > _LAST_STANDARD:
            with contextlib.suppress(OSError):  # the listing's own
                os.set_inheritable(int(name), False)


def _raise_file_limit() -> int:
    """Let the engine itself open as many files as it may, and return the limit that its jobs are to have again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


def most_places() -> int:
    """Return how many attempts can be in flight at once: each needs three descriptors."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 10_000 if soft == resource.RLIM_INFINITY else max(1, (soft - _FD_RESERVE) // 3)
