"""`python -m bench.scale_tables`: the simulated tables of docs/architecture/scale.md."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bench.scale import Cost, Costs, Found, Setting, simulate

MEASURED = Costs(
    look=Cost(66e-6, 25e-6),
    lead=Cost(457e-6, 425e-6),
    beat=Cost(819e-6, 575e-6),
    turn=Cost(276e-6, 100e-6),
    plan_turn=Cost(403e-6, 175e-6),
    lanes=Cost(530e-6, 231e-6),
    claim=Cost(99e-6, 94e-6),
    settle=Cost(316e-6, 265e-6),
    output=Cost(44e-6, 31e-6),
    plan=Cost(172e-6, 125e-6),
    commit=78e-6,
    launch=645e-6,
)
"""By `python -m bench.fleet moves`, on two cores; PostgreSQL 15, a socket, a fast disk."""
_ONE_MACHINE = Setting(hosts=3, cores=2, one_machine=True, round_trip=0.0, writes=False, lasts=0.0)
_BACKLOG = msgspec.structs.replace(_ONE_MACHINE, backlog=2000)
_HOURLY = msgspec.structs.replace(_ONE_MACHINE, rate=100_000 / 3600, job_cpu=0.001, seconds=30.0)
_TODAY = Setting(hosts=10, rate=100.0, capacity=256)
HOSTS, RATES = (3, 10, 30, 100, 300), (10.0, 100.0, 300.0, 500.0, 700.0)


def compared() -> Iterator[str]:
    """Yield what was measured too: the bench has it as `drains` and `many_jobs`."""
    for hosts in (1, 3):
        setting = msgspec.structs.replace(_BACKLOG, hosts=hosts)
        # Nothing is launched there: an end is the next turn's business.
        found = simulate(msgspec.structs.replace(MEASURED, launch=0.0), setting)
        yield f"| claims and settles, {hosts} at work | {found.ended:.0f} a second |"
    found = simulate(MEASURED, _HOURLY)
    yield f"| 28 due each second, 3 hosts: lateness p50 / p99 | {_ms(found)} |"


def grown() -> Iterator[str]:
    """Yield hosts by slots a second, as rota is."""
    yield "| hosts | " + " | ".join(f"{rate:g}/s" for rate in RATES) + " |"
    yield "|---" * (len(RATES) + 1) + "|"
    for hosts in HOSTS:
        cells = [_cell(simulate(MEASURED, _with(_TODAY, hosts=hosts, rate=rate))) for rate in RATES]
        yield f"| {hosts} | " + " | ".join(cells) + " |"


def beyond() -> Iterator[str]:
    """Yield what each step past it would change, at ten and a hundred times a hundred slots a second."""
    steps: list[tuple[str, dict[str, object]]] = [
        ("as it is", {}),
        ("ends of a turn sent together", {"pipelined": True}),
        ("and 4 planners by shard", {"planners": 4}),
        ("and 16 planners", {"planners": 16}),
        ("and no lock where nothing is limited", {"one_lock": False}),
        ("and one host woken instead of all", {"wakes_all": False}),
        ("and 64 planners", {"planners": 64}),
        ("and ten such stores, each a tenth of all of it", {"share": 0.1, "planners": 8}),
    ]
    yield "| step | 1,000 slots/s, 100 hosts | 10,000 slots/s, 300 hosts |"
    yield "|---|---|---|"
    now: dict[str, object] = {"cores": 32, "capacity": 256}
    for name, change in steps:
        now |= change
        share = float(str(now.pop("share", 1.0)))
        cells = []
        for rate, hosts in ((1_000.0, 100), (10_000.0, 300)):
            given = {"seconds": 4.0, **now, "rate": rate * share, "hosts": int(hosts * share)}
            cells.append(_cell(simulate(MEASURED, _with(_TODAY, **given))))
        yield f"| {name} | {cells[0]} | {cells[1]} |"


def _with(setting: Setting, **changes: object) -> Setting:
    return msgspec.convert(msgspec.structs.asdict(setting) | changes, Setting)


def _cell(found: Found) -> str:
    """Say lateness and what is full; nothing where it falls behind without end."""
    full = max(("server", found.server), ("lock", found.lock), ("planner", found.planner), key=lambda each: each[1])
    late = _ms(found) if found.keeps_up else "**falls behind**"
    return f"{late}; {full[0]} {full[1] * 100:.0f} %"


def _ms(found: Found) -> str:
    return f"{found.p50 * 1000:.0f} / {found.p99 * 1000:.0f} ms"


def main() -> None:
    for table in (compared, grown, beyond):
        print("\n".join(table()), end="\n\n")


if __name__ == "__main__":
    main()
