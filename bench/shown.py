"""How the figures of a fleet are put into rows."""

from __future__ import annotations

import statistics

from bench.measures import Row, percentile


def plain(what: str, found: str, bare: str = "") -> Row:
    """Return a figure that nothing is asked of."""
    return Row(what, found, bare, "", "", None)


def latency(what: str, found: list[float], bare: list[float]) -> Row:
    """Return how long something takes, beside its floor."""
    ratio = percentile(found, 0.5) / percentile(bare, 0.5)
    return Row(
        f"{what}, p50 / p99 of {len(found)}",
        ms(found),
        f"{ms(bare)} (LISTEN, SKIP LOCKED)",
        f"{ratio:.2f}",
        "< 1 s",
        percentile(found, 0.99) < 1,
    )


def ms(seconds: list[float]) -> str:
    """Say p50 and p99."""
    return f"{percentile(seconds, 0.5) * 1000:.1f} / {percentile(seconds, 0.99) * 1000:.1f} ms"


def middle_and_most(seconds: list[float]) -> str:
    """Say the median and the greatest."""
    return f"{statistics.median(seconds):.1f} / {max(seconds):.1f} s"
