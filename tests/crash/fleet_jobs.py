"""The jobs of the fleet that is put to the test, and what each of them does."""

from __future__ import annotations

from datetime import timedelta

from rota.model.host import ANYWHERE, RunsOn
from rota.model.job import ScheduleSpec
from rota.model.policy import CatchUp, Overlap, Policy, Retries

from .harness import cron, every

HOST = "CHAOS_HOST"
"""The variable that tells a job where it is, from the engine's environment."""
POOL, POOL_SIZE = "narrow", 2
SECOND = timedelta(seconds=1)

SCRIPT = f"""\
# It writes down that it begins, before anything else; works for a while; and writes down how it ends.
# /proc/uptime is a clock that all hosts of this machine share and that nobody can set.
read -r up _ < /proc/uptime
token=$$-$up
echo "begin $ROTA_RUN_ID $ROTA_ATTEMPT $ROTA_JOB ${{ROTA_SLOT:--}} ${HOST} $token $up" >> marks
finish() {{
    read -r up _ < /proc/uptime
    echo "end $token $1 $up" >> marks
    exit "$1"
}}
trap 'finish 143' TERM
echo "$ROTA_RUN_ID/$ROTA_ATTEMPT on ${HOST}: $token"
sleep "$1"
finish $((($$ + ROTA_ATTEMPT) % $2))
"""
AGAIN = Retries(count=3, delay=SECOND / 3, jitter=0.0)


def _line(seconds: float, codes: int = 1) -> str:
    """Return a command that works for so long and ends with one of so many codes, from 0."""
    return f"sh ./job {seconds:g} {codes}"


JOBS: dict[str, tuple[str, tuple[ScheduleSpec, ...], Policy, RunsOn]] = {
    "tick": (_line(0.1), (every("1s"),), Policy(overlap=Overlap.ALLOW), ANYWHERE),
    "cron": (_line(0.3, 4), (cron("*/2 * * * * *"),), Policy(), ANYWHERE),
    "skip": (_line(1.5), (every("1s"),), Policy(), ANYWHERE),
    "queue": (_line(1.2), (every("2s"),), Policy(overlap=Overlap.QUEUE), ANYWHERE),
    "two": (_line(2.5, 3), (every("1s"),), Policy(max_instances=2), ANYWHERE),
    "replace": (_line(5), (every("5s"),), Policy(overlap=Overlap.REPLACE, kill_after=SECOND), ANYWHERE),
    "catch-up": (_line(0.2), (every("2s"),), Policy(catch_up=CatchUp.ALL, max_instances=2), ANYWHERE),
    "flaky": (_line(0.4, 3), (every("2s"),), Policy(retries=AGAIN), ANYWHERE),
    "long": (_line(7), (every("6s"),), Policy(retries=AGAIN, overlap=Overlap.ALLOW), ANYWHERE),
    "long-once": (_line(6, 2), (every("8s"),), Policy(overlap=Overlap.ALLOW), ANYWHERE),
    "timeout": (_line(30), (every("7s"),), Policy(timeout=2 * SECOND, kill_after=SECOND), ANYWHERE),
    "by-label": (_line(0.3), (every("2s"),), Policy(), RunsOn(labels={"gpu": "yes"})),
    "by-name": (_line(1.0, 2), (every("3s"),), Policy(retries=AGAIN), RunsOn(host="three")),
    "everywhere": (_line(1.0, 3), (every("3s"),), Policy(), RunsOn(all=True)),
    "pooled": (
        _line(1.0), (every("1s"),), Policy(overlap=Overlap.ALLOW, pool=POOL, start_by=20 * SECOND), ANYWHERE,
    ),
    "pooled-too": (
        _line(1.0), (every("3s"),), Policy(overlap=Overlap.ALLOW, pool=POOL, start_by=20 * SECOND), ANYWHERE,
    ),
    "by-hand": (_line(0.5, 8), (), Policy(max_instances=3), ANYWHERE),
}  # fmt: skip
