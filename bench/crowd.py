"""A hundred thousand jobs on three hosts: how late runs start, and how fast many slots of an instant are planned."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from bench import skip_locked, subject
from bench.crew import Crew
from bench.hosts import NOBODY, Fleet, counting, fleet, spread, wait_for
from bench.measures import Row, percentile
from bench.server import Server
from bench.shown import ms, plain
from rota.model.job import Job, ScheduleSpec

HOURLY, BURST, SECONDS = 100_000, 5000, 25


def many_jobs(postgres: Server) -> list[Row]:
    """A hundred thousand jobs, one an hour each, and a burst of five thousand."""
    with fleet(postgres) as world:
        begin = datetime.now(UTC) + timedelta(seconds=9)
        slots = spread(HOURLY, begin, timedelta(hours=1))
        world.seed([_hourly(number, slot) for number, slot in enumerate(slots)], slots)
        ready = [world.start_one(f"host-{number}") for number in range(3)]
        while datetime.now(UTC) < begin + timedelta(seconds=1):
            time.sleep(0.05)
        before = world.cpu()
        with counting(postgres) as counts:
            time.sleep(SECONDS)
        seconds = SECONDS + 2.4
        share = (world.cpu() - before) / seconds * 100
        memory = max(subject.memory_mb(engine.pid) for engine in world.engines.values())
        late = [run.lateness for run in subject.all_runs(world.client) if run.lateness is not None]
        planned = _burst(world)
    ratio = percentile(late, 0.5) / percentile(bare := _bare_hourly(postgres), 0.5)
    due = HOURLY / 3600
    name = f"{HOURLY:,} jobs, one run an hour each ({due:.0f} due each second), 3 hosts"
    return [
        Row(f"{name}: lateness p50 / p99", ms(late), f"{ms(bare)} (bare loops)", f"{ratio:.2f}", "", None),
        plain("the same: CPU of all engines, of PostgreSQL", f"{share:.1f} %, {counts[0].cpu / seconds * 100:.1f} %"),
        plain("the same: memory of an engine, at most", f"{memory:.1f} MB"),
        plain("the same: an engine serves after, at most", f"{max(ready):.2f} s"),
        plain(f"a burst beside these jobs: {BURST} slots of one instant planned", planned),
    ]


def _hourly(number: int, slot: datetime) -> Job:
    spec = ScheduleSpec("every", "1h", anchor=slot - timedelta(hours=1))
    return Job(f"hourly-{number:06}", subject.TRUE, (spec,), timezone="UTC")


def _burst(world: Fleet) -> str:
    """Plan many slots of one instant that no host may run: it is planning alone that is measured."""
    slot = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    spec = ScheduleSpec("at", slot.isoformat())
    jobs = [Job(f"burst-{number:05}", subject.TRUE, (spec,), runs_on=NOBODY) for number in range(BURST)]
    world.client.store.jobs.add_lane("", NOBODY.needs)
    world.seed(jobs, [slot] * BURST)
    waiting = f"SELECT count(*) FROM {world.schema}.run WHERE needs = '{NOBODY.needs}'"
    wait_for(lambda: world.server.ask(waiting) == BURST)
    seconds = (datetime.now(UTC) - slot).total_seconds()
    return f"{seconds:.2f} s, {BURST / seconds:.0f} a second"


def _bare_hourly(postgres: Server) -> list[float]:
    with skip_locked.table(postgres):
        postgres.execute(
            "INSERT INTO work (id, state, due) "
            "SELECT number, 'idle', now() + interval '2 seconds' + number * interval '1 hour' / %s "
            "FROM generate_series(1, %s) AS number",
            HOURLY,
            HOURLY,
        )
        postgres.execute("ANALYZE work")
        crew = Crew("skip_locked", [["due", postgres.url, str(SECONDS / 2)]] * 3)
        crew.go()
        return [late for each in crew.results() for late in each]
