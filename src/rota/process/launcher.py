"""Starting attempts, watching them, and collecting what they leave: the engine's hands.

The engine decides and writes to the store; this starts shims, knows their pids and files, and tells which ended. What
an attempt looks like from outside (its name in claims) is `<journal segment>/<spool slot>`.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from rota.errors import CannotStart, Conflict, StoreFull
from rota.model.job import Job
from rota.model.policy import Output
from rota.model.run import Run
from rota.model.settlement import Claimed, Exit, Harvest
from rota.plan.adopt import Evidence
from rota.process import identity, tree
from rota.process.argv import ARGUMENT_FILE, PAYLOAD, RESULT_VARIABLE, Start, base_environment, compile_start
from rota.process.evidence import Detective, segment_of
from rota.process.journal import Journal
from rota.process.limits import file_limit, files_needed, keep_descriptors, most_places, raise_file_limit
from rota.process.live import SpoolFiles
from rota.process.nameless import nameless
from rota.process.results import LONGEST_RESULT, bounded
from rota.process.spool import Slot, Spool, make_directory
from rota.process.watch import Watcher

_SIGNALLED = 128
_RESULT, _ARGUMENT = "res", "arg"
_RESET = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
"""Whatever the engine, or the shell that put it into the background, ignores: a job starts with none of it."""


class _Charge(msgspec.Struct, eq=False):
    """An attempt in the launcher's care."""

    run_id: str
    attempt: int
    mark: str
    segment: str
    slot: Slot
    caps: Output
    extras: tuple[str, ...]  # paths of files beside the slot's own: a result, a long argument
    shim: int | None = None
    direct: bool = False
    """Started without a shim: then that pid is the command itself, and its end is known only here."""
    held: bool = False
    """Without any process: it is a function of this program."""


class ProcessLauncher:
    """See ports.Launcher."""

    def __init__(
        self,
        home: str,
        home_id: str,
        watcher: Watcher,
        environment: Mapping[str, str],
        others: Callable[[str, int | None], None] = lambda *_: None,
        payload_of: Callable[[Job], bytes | None] = lambda _: None,
        *,
        outlives: bool = True,
        guest: bool = False,
    ) -> None:
        self._home = (home_id, home)
        directory = os.path.join(home, "spool")
        make_directory(directory)
        self._watcher = watcher
        self._others = others
        self._payload_of = payload_of
        self._outlives = outlives
        """Whether attempts are to outlive this engine; if nothing is, most need no shim."""
        self._base = base_environment(environment)
        self._shim = _read_shim()
        self._journal = Journal(directory)
        self._detective = Detective(home_id, self._journal)
        self.boot = self._detective.boot
        self._spool = Spool(directory)
        self._reserved: dict[str, Slot] = {}
        self._charges: dict[str, _Charge] = {}
        if not guest:  # a program's descriptors and limits are its own
            keep_descriptors()
        self._files = file_limit() if guest else raise_file_limit()

    # -- starting ---------------------------------------------------------------------------------------------------

    def reserve(self, count: int) -> list[str]:
        """Reserve places for attempts that are about to be claimed, and return their names."""
        while len(self._reserved) < count:
            try:
                slot = self._spool.take()
            except OSError as error:
                raise StoreFull(f"no file can be made in {self._spool.directory}: {error}") from error
            self._reserved[slot.name] = slot
        # Here no claim names the old segment that has not been started yet.
        self._journal.rotate_if_full()
        segment = self._journal.segment
        return [f"{segment}/{name}" for name in list(self._reserved)[:count]]

    def launch(self, claimed: Claimed, job: Job) -> None:
        """Start a claimed attempt; raises CannotStart when there is nothing that could be started."""
        segment, _, name = claimed.spool.partition("/")
        slot = self._reserved.pop(name)
        mark = identity.mark_of(self._home[0], claimed.run_id, claimed.attempt)
        charge = _Charge(claimed.run_id, claimed.attempt, mark, segment, slot, job.policy.output, ())
        self._charges[claimed.run_id] = charge
        try:
            charge.shim = self._start(claimed, job, charge)
        except (OSError, ValueError) as error:
            raise CannotStart(126, f"the system refused to start it: {error}") from error
        self._watcher.watch_pid(claimed.run_id, charge.shim, ours=True)

    def _start(self, claimed: Claimed, job: Job, charge: _Charge) -> int:
        result = self._spool.extra_path(charge.slot, _RESULT)
        payload = self._payload_of(job)
        start = compile_start(claimed, job, self._base, self._home, result, payload, outlives=self._outlives)
        if start.argument_file is not None or RESULT_VARIABLE in start.env:
            charge.extras = self._extras(charge.slot)
        umask = "-" if job.umask is None else f"{job.umask:03o}"
        words = [claimed.run_id, str(claimed.attempt), self._files, umask, start.cwd]
        # posix_spawn can neither change the directory nor the umask.
        charge.direct = not self._outlives and job.umask is None and start.cwd == os.getcwd()
        spawn = self._spawn_direct if charge.direct else partial(self._spawn, words)
        try:
            return spawn(start, charge.slot)
        except FileNotFoundError:
            if not self._spool.renew(charge.slot):
                raise
            return spawn(start, charge.slot)

    def _spawn_direct(self, start: Start, slot: Slot) -> int:
        """Start the command itself, when nobody but this engine will ever want to know how it ends."""
        out, err = self._spool.paths(slot)
        appending = os.O_WRONLY | os.O_APPEND
        actions: list[Any] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, out, appending, 0),
            (os.POSIX_SPAWN_OPEN, 2, err, appending, 0),
        ]
        argv = self._words(start, slot)
        with nameless(start.payload) as payload:
            if payload is not None:
                actions.append((os.POSIX_SPAWN_DUP2, payload, PAYLOAD))
            return os.posix_spawn(
                argv[0], argv, start.env, file_actions=actions, setsid=True, setsigmask=(), setsigdef=_RESET
            )

    def _spawn(self, words: list[str], start: Start, slot: Slot) -> int:
        out, err = self._spool.paths(slot)
        appending = os.O_WRONLY | os.O_APPEND
        actions: list[Any] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, out, appending, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, self._journal.fd, 3),
            (os.POSIX_SPAWN_OPEN, 4, err, appending, 0),
        ]
        with nameless(start.payload) as payload:
            if payload is not None:
                actions.append((os.POSIX_SPAWN_DUP2, payload, PAYLOAD))
            return os.posix_spawn(
                "/bin/sh",
                ["sh", "-c", self._shim, "rota", *words, *self._words(start, slot)],
                start.env,
                file_actions=actions,
                setsid=True,
                setsigmask=(),
                setsigdef=_RESET,
            )

    def hold(self, claimed: Claimed, job: Job) -> None:
        """Take charge of an attempt that runs in this program: it has no process, and writes no files.

        That it begins is in the journal first: a claim without that line counts as never started.
        """
        segment, _, name = claimed.spool.partition("/")
        slot = self._reserved.pop(name)
        charge = _Charge(claimed.run_id, claimed.attempt, "", segment, slot, job.policy.output, (), held=True)
        self._charges[claimed.run_id] = charge
        if not self._outlives:
            return
        try:
            self._journal.note_start(claimed.run_id, claimed.attempt)
        except OSError as error:
            raise CannotStart(126, f"its start cannot be written down: {error}") from error

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
            charge = self._charges.get(run_id)
            if charge is None:
                self._others(run_id, status)
                continue
            ended = self._how_it_ended(charge, status)
            if ended is not None:
                # It was seen to end just now; what the shim knows of the time is in whole seconds.
                exits.append(msgspec.structs.replace(ended, at=None))
        return exits

    def _how_it_ended(self, charge: _Charge, status: int | None) -> Exit | None:
        """Tell how an attempt ended, or None while it has not, because its shim was killed but others live on."""
        if status is not None and (status >= 0 or charge.direct):
            return Exit(charge.run_id, status if status >= 0 else _SIGNALLED - status)
        known = self._journal.exit_of(charge.segment, charge.run_id, charge.attempt)
        if known is not None:
            return Exit(charge.run_id, known.exit_code, known.at)
        if self._watch_any(charge):
            return None
        return Exit(charge.run_id, None)

    def _watch_any(self, charge: _Charge) -> bool:
        """Watch one of an attempt's processes whose shim is gone; False when there is none."""
        while pids := tree.members(charge.mark, charge.shim):
            if any(self._watch(charge, pid) for pid in pids):
                return True
        return False

    def _watch(self, charge: _Charge, pid: int) -> bool:
        """Watch a process that is not our child; look only now whether it is the one that was meant."""
        if not self._watcher.watch_pid(charge.run_id, pid, ours=False):
            return False
        if tree.belongs(pid, charge.mark, charge.shim) and not identity.is_zombie(pid):
            return True
        self._watcher.forget(charge.run_id)
        return False

    def watch_output(self) -> bool:
        """Keep growing logs within their caps; True when one grows so fast that it should be looked at again soon."""
        fast = [self._spool.watch(charge.slot, charge.caps) for charge in self._charges.values()]
        return self._spool.watch_left(Output()) or any(fast)

    # -- ending -----------------------------------------------------------------------------------------------------

    def terminate(self, run_id: str) -> int:
        """Ask an attempt's whole tree to end, and return how many processes were asked."""
        charge = self._charges[run_id]
        return tree.signal_tree(charge.mark, charge.shim, signal.SIGTERM, spare=not charge.direct)

    def kill(self, run_id: str) -> int:
        """Kill an attempt's whole tree; a shim that has nothing left to wait for then ends by itself."""
        charge = self._charges[run_id]
        return tree.kill_tree(charge.mark, charge.shim, spare=not charge.direct)

    def kill_shim(self, run_id: str) -> None:
        """Kill the shim, when it does not end although everything else has."""
        charge = self._charges[run_id]
        if charge.shim is not None:
            tree.kill_shim(charge.shim, charge.mark)

    def remains(self, run_id: str) -> bool:
        """Tell whether anything of an attempt's tree but its shim is alive."""
        charge = self._charges[run_id]
        return bool(tree.members(charge.mark, charge.shim))

    def live(self, run_id: str) -> SpoolFiles:
        """Return what an attempt writes, while it is in our charge; its files are not the reader's to close."""
        out, err = self._charges[run_id].slot.fds
        return SpoolFiles({"stdout": out, "stderr": err})

    def harvest(self, run_id: str) -> Harvest:
        """Read what an ended attempt left."""
        charge = self._charges[run_id]
        note = ""
        if self._spool.was_emptied(charge.slot):
            note = "the job emptied its own output file, so what it wrote before is gone; output: pipe prevents that"
        return Harvest(self._spool.read(charge.slot, charge.caps), self._result(charge), note)

    def _result(self, charge: _Charge) -> str | None:
        if not charge.extras:
            return None
        path = self._spool.extra_path(charge.slot, _RESULT)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read(LONGEST_RESULT + 1)
        except FileNotFoundError:
            return None
        return bounded(text) if text else None

    def release(self, run_id: str) -> None:
        """Let go of an attempt whose end is on record; its files are used again."""
        charge = self._charges.pop(run_id)
        self._watcher.forget(run_id)
        for path in charge.extras:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        if charge.held:
            self._spool.put_back(charge.slot)
        else:
            self._spool.release(charge.slot)

    def machine_started(self, now: datetime) -> datetime:
        """Return when this machine, or the container that is one, started; now, where nobody can tell."""
        return identity.machine_started(now)

    # -- adopting ---------------------------------------------------------------------------------------------------

    def elsewhere(self, runs: list[Run]) -> list[str]:
        """Return the jobs of runs that live where they can be neither seen nor watched."""
        return self._detective.elsewhere(runs)

    def evidence(self, runs: list[Run]) -> dict[str, Evidence]:
        """Gather what can be known about attempts that a predecessor left; refuses more than can be looked after."""
        if len(runs) > most_places():
            raise Conflict(
                f"{len(runs)} runs are to be taken over, and this engine may not open enough files for them: raise the "
                f"limit to {files_needed(len(runs))} (ulimit -n, or LimitNOFILE= in a unit); the jobs go on meanwhile"
            )
        return self._detective.evidence(runs)

    def adopt(self, run: Run, job: Job, pid: int | None) -> bool:
        """Take over an attempt, and watch it if it goes on; False when it has ended in the meantime."""
        segment, mark = segment_of(run), self._detective.mark(run)
        slot = self._spool.adopt(str(run.spool).split("/")[1])
        charge = _Charge(run.id, run.attempt, mark, segment, slot, job.policy.output, self._extras(slot), pid)
        self._charges[run.id] = charge
        if pid is not None and self._watch(charge, pid):
            return True
        charge.shim = pid if pid is not None else self._detective.gone_shim(run)
        return self._watch_any(charge)

    def exit_of(self, run_id: str) -> Exit | None:
        """Tell how an adopted attempt ended that ended before it could be watched; None when it goes on after all."""
        return self._how_it_ended(self._charges[run_id], None)

    def marked(self) -> list[tuple[str, int]]:
        """Return the attempts of which processes carry the mark, whether they are in our charge or not."""
        return list(self._detective.marked())

    def end_marked(self, run_id: str, attempt: int, *, kill: bool) -> int:
        """Ask processes of an attempt that is in nobody's charge to end, or kill them; return how many there were."""
        mark = self._detective.mark_of(run_id, attempt)
        return tree.kill_tree(mark, None) if kill else tree.signal_tree(mark, None, signal.SIGTERM)

    def sweep(self) -> None:
        """After adoption: take charge of what no run needs any more."""
        self._journal.forget_unneeded({charge.segment for charge in self._charges.values()})
        self._spool.sweep()
        directory = self._spool.directory
        used = {charge.slot.name for charge in self._charges.values()}
        for name in os.listdir(directory):
            if name.endswith((f".{_RESULT}", f".{_ARGUMENT}")) and name.split(".")[0] not in used:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(directory, name))

    # -- upkeep -----------------------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """Now and then: the next journal segment when this one is full, and files that somebody still writes to."""
        self._journal.rotate_if_full()
        self._journal.forget_unneeded({charge.segment for charge in self._charges.values()})
        self._spool.look_after()

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


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
