"""What there is to measure, in Prometheus' text format, from the store.

Counters are the store's durable totals, and not what this process has seen: they go on over restarts, and pruning takes
nothing from them. All names are in docs/reference/metrics.md; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rota import __version__
from rota.control.desk import Desk
from rota.control.pulse import undone_since
from rota.model.run import State

_FOREVER = -(1 << 40)
_SKIPPED = "skipped"


def metrics_text(desk: Desk) -> bytes:
    """Return all metrics as they are now."""
    registry = CollectorRegistry()
    registry.register(StoreCollector(desk))
    return generate_latest(registry)


class StoreCollector(Collector):
    """Reads the metrics from a store."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def describe(self) -> list[Metric]:
        """Return nothing: what there is to collect needs no look at its names before."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield from self._totals()
        yield from self._now()
        yield from self._engine()
        yield from self._hosts()

    def _totals(self) -> Iterator[Metric]:
        runs = CounterMetricFamily("rota_runs", "Runs that have ended, by how.", labels=["job", "state"])
        attempts = CounterMetricFamily("rota_attempts", "Attempts of these runs.", labels=["job", "state"])
        seconds = CounterMetricFamily("rota_run_seconds", "Seconds that runs took.", labels=["job"])
        skips = CounterMetricFamily("rota_skips", "Slots that did not run; the ledger has the reasons.", labels=["job"])
        for job, outcomes in self._desk.store.ledger.totals(None, _FOREVER).items():
            for state, (count, tries, _) in outcomes.items():
                if state == _SKIPPED:
                    skips.add_metric([job], count)
                else:
                    runs.add_metric([job, state], count)
                    attempts.add_metric([job, state], tries)
            seconds.add_metric([job], sum(busy for state, (_, _, busy) in outcomes.items() if state != _SKIPPED))
        yield from (runs, attempts, seconds, skips)

    def _now(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("rota_jobs", "Jobs, by whether they are active, paused or disabled.", labels=["state"])
        counts = self._desk.store.jobs.counts()
        for name, count in (("active", counts.active), ("paused", counts.paused), ("disabled", counts.disabled)):
            jobs.add_metric([name], count)
        yield jobs
        active = self._desk.store.runs.state_counts()
        for state, name, text in (
            (State.RUNNING, "rota_running", "Runs that are running."),
            (State.QUEUED, "rota_queued", "Runs that wait for a place."),
            (State.WAITING, "rota_waiting", "Runs that wait for their next attempt."),
        ):
            yield GaugeMetricFamily(name, text, active.get(state, 0))

    def _engine(self) -> Iterator[Metric]:
        up = self._desk.engine_pid() is not None
        yield GaugeMetricFamily(
            "rota_engine_up", "Whether an engine has this home: this host's own, whatever others do.", int(up)
        )
        since = undone_since(self._desk.store)
        late = 0.0 if since is None else max(0.0, (self._desk.clock.now() - since).total_seconds())
        yield GaugeMetricFamily(
            "rota_engine_late_seconds", "For how long the oldest thing that is due has been left undone.", late
        )
        build = GaugeMetricFamily("rota_build_info", "Which rota this is.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build

    def _hosts(self) -> Iterator[Metric]:
        hosts = GaugeMetricFamily("rota_hosts", "Hosts, by what they do.", labels=["state"])
        running = GaugeMetricFamily("rota_host_running", "Runs that are running on a host.", labels=["host"])
        capacity = GaugeMetricFamily("rota_host_capacity", "How many runs a host takes at once.", labels=["host"])
        planner = GaugeMetricFamily("rota_planner", "Whether a host is the one that plans for all.", labels=["host"])
        known = self._desk.hosts.all()
        for state in ("up", "draining", "drained", "stopped", "gone"):
            hosts.add_metric([state], sum(view.state == state for view in known))
        for view in known:
            running.add_metric([view.host.name], view.running)
            capacity.add_metric([view.host.name], view.host.capacity)
            if self._desk.store.is_shared:
                planner.add_metric([view.host.name], int(view.plans))
        yield from (hosts, running, capacity, planner)
