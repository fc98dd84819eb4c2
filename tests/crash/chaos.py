"""The kill-loop: a busy home whose engine is killed again and again, and then the books, checked from outside.

    python -m tests.crash.chaos --kills 200 [--seed N]

Every job appends a line to a file when it begins, before anything else. At the end the store's ledger and that file are
compared, and each is checked for itself; neither is derived from the other. One process plays the people: it triggers,
cancels, pauses, resumes, changes and retries while the engine lives and while it does not.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from signal import SIGTERM

import msgspec

from rota.engine.crashpoints import POINTS
from rota.errors import RotaError
from rota.model.job import ScheduleSpec
from rota.model.policy import CatchUp, Output, OutputMode, Overlap, Policy, Retries
from rota.model.run import FINAL

from .harness import EngineProcess, Home, cron, every, wait_for
from .verdict import verdict

BEGIN = (
    'echo "$ROTA_JOB ${ROTA_SLOT:--} $ROTA_RUN_ID $ROTA_ATTEMPT $$" >> marks; echo "out $ROTA_RUN_ID/$ROTA_ATTEMPT"; '
)
SECOND = timedelta(seconds=1)
JOBS: dict[str, tuple[str, tuple[ScheduleSpec, ...], Policy]] = {
    "tick": ("", (every("1s"),), Policy()),
    "cron": ("", (cron("*/2 * * * * *"),), Policy()),
    "two-schedules": ("", (every("2s"), cron("*/3 * * * * *")), Policy()),
    "skip": ("sleep 2.2", (every("1s"),), Policy()),
    "queue": ("sleep 1.3", (every("1s"),), Policy(overlap=Overlap.QUEUE)),
    "replace": ("sleep 3", (every("2s"),), Policy(overlap=Overlap.REPLACE, kill_after=SECOND)),
    "allow": ("sleep 2", (every("1s"),), Policy(overlap=Overlap.ALLOW)),
    "all": ("", (every("1s"),), Policy(catch_up=CatchUp.ALL, max_instances=2)),
    "none": ("", (every("1s"),), Policy(catch_up=CatchUp.NONE)),
    "flaky": (
        "exit $(($$ % 3))", (every("2s"),), Policy(retries=Retries(count=2, delay=SECOND / 3, backoff=1.5)),
    ),
    "failing": ("exit 3", (every("3s"),), Policy()),
    "timeout": ("sleep 30", (every("4s"),), Policy(timeout=SECOND, kill_after=SECOND)),
    "stubborn": ("trap : TERM; while :; do sleep 1; done", (every("5s"),), Policy(timeout=SECOND, kill_after=SECOND)),
    "daemon": ("(sleep 1; echo late) & exit 0", (every("3s"),), Policy()),
    "piped": ("sleep 0.2", (every("3s"),), Policy(output=Output(mode=OutputMode.PIPE))),
    "loud": ("yes | head -c 3000000", (every("5s"),), Policy()),
    "resting": ("", (every("1s", from_end=True),), Policy()),
    "by-hand": ("sleep 0.5; exit 7", (), Policy(max_instances=3)),
    "pooled": ("sleep 0.4", (every("1s"),), Policy(overlap=Overlap.ALLOW, pool="narrow")),
}  # fmt: skip

DEEDS = ("trigger", "trigger", "cancel", "cancel job", "pause", "resume", "change", "retry", "lock")


class Chaos:
    """One performance."""

    def __init__(self, home: Home, seed: int, *, hurry: float = 1.0) -> None:
        self.home, self.hurry = home, hurry
        self.random = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.deeds: Counter[str] = Counter()

    def perform(self, kills: int) -> None:
        """Kill the engine so many times, restarting it after random delays; then let everything come to rest."""
        for name, (command, schedules, policy) in JOBS.items():
            self.home.add(name, BEGIN + command, *schedules, policy=policy)
        for _ in range(kills):
            self._one_life()
            pause = self.random.choice((0, 0, self.random.uniform(0, 0.8), self.random.uniform(0, 2.5)))
            self._wait(pause * self.hurry)
        self._come_to_rest()

    def _one_life(self) -> None:
        point = self.random.choice(POINTS) if self.random.random() < 0.5 else ""
        likeness = self.random.choice(("", "", "hasty", "hasty", "macos", "macos hasty"))
        engine = self.home.start_engine(
            f"{point}:{self.random.randint(1, 6)}" if point else "",
            ready=False,
            capacity=12,
            stop_grace=SECOND / 10,
            env={"ROTA_TEST_LIKE": likeness},
        )
        if likeness:
            self.deeds[f"an engine like: {likeness}"] += 1
        longest = 4.0 if point else self.random.choice((0.1, 0.3, 1.0, 2.0))
        self._wait(longest * self.random.uniform(0.5, 1.5) * self.hurry, engine)
        if engine.process.poll() is None:
            point = "any moment"
            if self.random.random() < 0.1 and "serving" in engine.errors:
                point = "a stop in order, or in the middle of that"
                engine.kill(SIGTERM)
                self._wait(self.random.uniform(0, 0.2), engine)
            engine.kill()
        self.kills[point] += 1
        assert engine.process.returncode in (-9, 0), f"the engine ended by itself:\n{engine.errors}"

    def _wait(self, seconds: float, engine: EngineProcess | None = None) -> None:
        """Let time pass, being busy; no longer than the engine lives."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and (engine is None or engine.process.poll() is None):
            if self.random.random() < 0.2:
                self._do_something()
            time.sleep(min(0.05, max(0.0, end - time.monotonic())))

    def _do_something(self) -> None:
        verbs, name = self.home.verbs, self.random.choice(list(JOBS))
        deed = self.random.choice(DEEDS)
        with suppress(RotaError):  # nothing to cancel, paused already: as people do
            match deed:
                case "trigger":
                    verbs.trigger(self.random.choice(("by-hand", "by-hand", name)))
                case "cancel":
                    verbs.cancel(self.random.choice([run.id for run in self.home.runs(name)[-3:]] or [name]))
                case "cancel job":
                    verbs.cancel(name)
                case "pause":
                    verbs.pause(name)
                case "resume":
                    for other in JOBS:
                        with suppress(RotaError):
                            verbs.resume(other)
                case "change":
                    job = self.home.store.jobs.get(name).job
                    verbs.change(name, msgspec.structs.replace(job, description=str(self.random.random())))
                case "lock":
                    with sqlite3.connect(self.home.path / "rota.db", isolation_level=None, timeout=5) as other:
                        other.execute("BEGIN IMMEDIATE")
                        time.sleep(self.random.uniform(0, 0.7))
                        other.execute("ROLLBACK")
                    other.close()
                case "retry":
                    verbs.retry(self.random.choice([run.id for run in self.home.runs(name)[-3:]] or [name]))
            self.deeds[deed] += 1

    def _come_to_rest(self) -> None:
        """Pause everything, let what runs end, stop the engine, and wait for what jobs have left behind."""
        engine = self.home.start_engine(capacity=12)
        time.sleep(2)
        for name in JOBS:
            self.home.verbs.pause(name)
        wait_for(
            lambda: all(run.state in FINAL for name in JOBS for run in self.home.runs(name)), "all is quiet", 90, 0.3
        )
        engine.kill(SIGTERM)
        assert engine.wait() == 0, f"the engine did not stop in order:\n{engine.errors}"
        with suppress(AssertionError):
            wait_for(lambda: not self.home.pids(), "no process is left", 5)


def perform(kills: int, seed: int, directory: Path, *, hurry: float = 1.0) -> tuple[list[str], str]:
    """Perform once, and return what is wrong and a summary."""
    home = Home(directory)
    try:
        chaos = Chaos(home, seed, hurry=hurry)
        began = time.monotonic()
        chaos.perform(kills)
        faults, counted = verdict(home, JOBS)
        lines = [
            f"seed {seed}: {kills} kills in {time.monotonic() - began:.0f} s",
            "killed at: " + ", ".join(f"{point} {count}" for point, count in chaos.kills.most_common()),
            "people did: " + ", ".join(f"{deed} {count}" for deed, count in chaos.deeds.most_common()),
            counted,
            f"{len(faults)} faults" if faults else "nothing was lost, nothing was doubled, everything is on record",
        ]
        return faults, "\n".join(lines)
    finally:
        home.close()


def main() -> int:
    """Perform as the command line says; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true", help="keep the home, to look into it")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.randrange(1_000_000)
    directory = tempfile.mkdtemp(prefix="rota-chaos-")
    faults, summary = perform(given.kills, seed, Path(directory))
    sys.stdout.write(summary + "\n")
    sys.stdout.writelines(f"  {fault}\n" for fault in faults[:40])
    if given.keep or faults:
        sys.stdout.write(f"the home is in {directory}\n")
    else:
        import shutil

        shutil.rmtree(directory)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
