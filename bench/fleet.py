"""`python -m bench.fleet [NAME…]`: hosts on one PostgreSQL, each figure beside a bare SKIP LOCKED loop in the same run.

Everything is on one machine, so what hosts cost together is seen, and a network between them is not. Pairs take turns.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from bench import costs, crowd, reactions, server, skip_locked, tables
from bench.crew import Crew
from bench.hosts import counting, fleet
from bench.measures import Row
from bench.server import Counts, Server
from bench.shown import plain

RUNS, BATCH, ROUNDS = 2000, 16, 3
SPAWNED, JOBS = 1000, 50
IDLE_SECONDS, BARE_IDLE_SECONDS = 20, 10
LINE = ("/bin/date",)
_TOLD_BY_NOW = 11
"""A server's process that has nothing more to do says after ten seconds what it did."""


def drains(postgres: Server) -> list[Row]:
    """Claims and settles a second, by the store's own moves: no engine, no process."""
    return [row for hosts in (1, 3) for row in _drained(postgres, hosts)]


def _drained(postgres: Server, hosts: int) -> list[Row]:
    rates, floors, costs, bare = [], [], [], []
    for _ in range(ROUNDS):
        floors.append(_bare_rate(postgres, "drain", hosts, RUNS, BATCH, bare))
        with fleet(postgres) as world:
            world.queue(world.idle_jobs(RUNS), RUNS)
            crew = Crew("claimer", [[world.url, f"host-{number}", str(BATCH)] for number in range(hosts)])
            with counting(postgres) as counts:
                rates.append(RUNS / crew.seconds())
        costs += counts
    what = f"claims and settles a second, {hosts} × {BATCH} a transaction, nothing started"
    return [_rates(what, rates, floors), *_costs(f"a run of these, {hosts} at work", costs, bare, RUNS)]


def spawned(postgres: Server) -> list[Row]:
    """Whole runs a second, by engines."""
    return [row for hosts in (1, 3) for row in _spawned(postgres, hosts)]


def _spawned(postgres: Server, hosts: int) -> list[Row]:
    rates, floors, costs, bare, cpus = [], [], [], [], []
    for _ in range(ROUNDS):
        floors.append(_bare_rate(postgres, "work", hosts, SPAWNED, BATCH, bare))
        with fleet(postgres, hosts, BATCH) as world:
            jobs = world.idle_jobs(JOBS)
            with counting(postgres) as counts:
                before = world.cpu()
                world.queue(jobs, SPAWNED)
                world.wait_until_quiet()
                rates.append(world.rate())
                cpus.append((world.cpu() - before) / SPAWNED * 1e6)
        costs += counts
    what = f"runs a second, recorded ({SPAWNED} × true, {hosts} hosts, {BATCH} at once on each)"
    return [
        _rates(what, rates, floors),
        *_costs(f"a run of these, {hosts} hosts", costs, bare, SPAWNED),
        plain(f"a run of these, {hosts} hosts: CPU of the engines", f"{statistics.median(cpus):.0f} µs"),
    ]


def _bare_rate(postgres: Server, what: str, hosts: int, count: int, batch: int, costs: list[Counts]) -> float:
    with skip_locked.table(postgres):
        postgres.execute("INSERT INTO work SELECT number, 'queued' FROM generate_series(1, %s) AS number", count)
        crew = Crew("skip_locked", [[what, postgres.url, str(batch)]] * hosts)
        with counting(postgres) as counts:
            seconds = crew.seconds()
    costs += counts
    return count / seconds


def idle(postgres: Server) -> list[Row]:
    """What a fleet costs that has nothing to do."""
    rows = []
    for hosts in (1, 3):
        with postgres.without_vacuum(), fleet(postgres, hosts) as world:
            time.sleep(_TOLD_BY_NOW)
            with counting(postgres) as counts:
                before, begin = world.cpu(), time.perf_counter()
                time.sleep(IDLE_SECONDS)
                share = (world.cpu() - before) / (time.perf_counter() - begin) * 100
        bare = _bare_idle(postgres, hosts)
        found = counts[0]
        seconds = IDLE_SECONDS + 2.4
        rows += [
            plain(
                f"idle, {hosts} hosts: transactions, statements a second",
                f"{found.commits / seconds:.1f}, {found.statements / seconds:.1f}",
                f"{bare.commits / BARE_IDLE_SECONDS:.1f}, {bare.statements / BARE_IDLE_SECONDS:.1f} (LISTEN, a look)",
            ),
            plain(
                f"idle, {hosts} hosts: log a second; CPU of all engines, of PostgreSQL",
                f"{found.wal / seconds:.0f} B; {share:.2f} %, {found.cpu / seconds * 100:.2f} %",
                f"{bare.wal / BARE_IDLE_SECONDS:.0f} B; {bare.cpu / BARE_IDLE_SECONDS * 100:.2f} % of PostgreSQL",
            ),
        ]
    return rows


def _bare_idle(postgres: Server, hosts: int) -> Counts:
    with postgres.without_vacuum(), skip_locked.table(postgres):
        crew = Crew("skip_locked", [["idle", postgres.url, str(BARE_IDLE_SECONDS)]] * hosts)
        with counting(postgres) as counts:
            crew.go()
            crew.results()
    return counts[0]


def kept(postgres: Server) -> list[Row]:
    """How much of a run stays in the store."""
    with fleet(postgres, 1) as world:
        jobs = [world.add(f"job-{number}", LINE) for number in range(JOBS)]
        world.queue(jobs, RUNS)
        world.wait_until_quiet()
        postgres.execute(f"VACUUM ANALYZE {world.schema}.run, {world.schema}.event, {world.schema}.output")
        sizes = {
            table: postgres.ask("SELECT pg_total_relation_size(%s::regclass)", f"{world.schema}.{table}") / RUNS
            for table in ("run", "event", "output")
        }
        live = postgres.ask(f"SELECT sum(pg_column_size(run.*)) FROM {world.schema}.run") / RUNS
    shown = ", ".join(f"{name} {size:.0f} B" for name, size in sizes.items())
    return [plain("kept of a run that writes a line, with indexes", f"{shown} (a row of run: {live:.0f} B)")]


def _rates(what: str, rates: list[float], floors: list[float]) -> Row:
    ratio = statistics.median(rate / bare for rate, bare in zip(rates, floors, strict=True))
    shown = f"{statistics.median(floors):.0f} (SKIP LOCKED)"
    return Row(what, f"{statistics.median(rates):.0f}", shown, f"{ratio:.2f}", "", None)


def _costs(what: str, counts: list[Counts], bare: list[Counts], runs: int) -> list[Row]:
    def shown(found: list[Counts]) -> tuple[str, str]:
        commits, statements, wal, cpu = (
            statistics.median(getattr(each, name) for each in found) / runs for name in Counts.__struct_fields__
        )
        return f"{commits:.2f}, {statements:.1f}", f"{wal / 1024:.1f} KiB; {cpu * 1e6:.0f} µs"

    ours, theirs = shown(counts), shown(bare)
    return [
        plain(f"{what}: commits, statements", ours[0], theirs[0]),
        plain(f"{what}: log; CPU of PostgreSQL", ours[1], theirs[1]),
    ]


MEASURES: tuple[Callable[[Server], list[Row]], ...] = (
    drains,
    spawned,
    reactions.wakes,
    reactions.take_overs,
    crowd.many_jobs,
    idle,
    kept,
    costs.moves,
)


def hosts_on_postgresql() -> list[Row]:
    """Measure all of it on one server; where there is none, say so, and measure nothing."""
    try:
        with server.running() as postgres:
            return [row for measure in MEASURES for row in _measured(measure, postgres)]
    except server.Missing as missing:
        print(f"hosts are not measured: {missing}", file=sys.stderr)
        return []


def _measured(measure: Callable[[Server], list[Row]], postgres: Server) -> list[Row]:
    begin = time.monotonic()
    rows = measure(postgres)
    for row in rows:
        print(f"  {row.measure}: {row.rota}; {row.floor}", file=sys.stderr)
    print(f"{measure.__name__}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return rows


def main(names: list[str]) -> int:
    known = [measure.__name__ for measure in MEASURES]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"there is no measure {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    try:
        with server.running() as postgres:
            version = postgres.ask("SHOW server_version")
            chosen = [measure for measure in MEASURES if not names or measure.__name__ in names]
            rows = [row for measure in chosen for row in _measured(measure, postgres)]
    except server.Missing as missing:
        print(f"hosts are not measured: {missing}", file=sys.stderr)
        return 0
    text = tables.page(rows, f", PostgreSQL {version}")
    print(text)
    if not names:
        tables.keep(text, "fleet")
    return 0


ALL = (hosts_on_postgresql,)

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
