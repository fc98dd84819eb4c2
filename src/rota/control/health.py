"""A check-up of a home: facts in, judgements out. Each line is ok, warn or fail, and says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from rota.control.host_names import a_few
from rota.control.pulse import Served, silence_text
from rota.control.times import brief
from rota.errors import UnreadableJob
from rota.model.host import Host
from rota.model.machine import MachineFacts
from rota.plan.broken import BROKEN_FACT, Broken, decode_broken, why_broken
from rota.ports import Store
from rota.schedule.zones import local_zone_name

Verdict = Literal["ok", "warn", "fail"]
_LITTLE_ROOM = 100 << 20
_SOME_ROOM = 1 << 30
_FEW_FILES = 1_000
_FEW_OPEN_FILES = 256
_CLOCK_FACT = "clock"
_CLOCK_STEP = timedelta(minutes=5)
_CLOCK_OFF = timedelta(seconds=30)
_OLDEST = datetime(2024, 1, 1)  # noqa: DTZ001 -- a date that every running clock is past, compared without a zone


class Facts(msgspec.Struct, frozen=True):
    """What a check-up looks at."""

    home: str
    store: str
    served: Served
    file_system: str
    sqlite: str
    wal_warning: str
    machine: MachineFacts
    zone_warning: str = ""
    silent: timedelta | None = None
    """For how long the engine has left undone what is due."""
    plugins: dict[str, list[str]] = {}
    """The names that installed distributions offer, by what they are names of."""
    server: str = ""
    """What serves the store; nothing where it is a file."""
    web: str = ""
    """Where the pages are served; nothing when they are not."""
    clock_off: timedelta = timedelta(0)
    """How far this machine's clock is ahead of the one that slots go by."""


class Finding(msgspec.Struct, frozen=True):
    """One line of a check-up."""

    verdict: Verdict
    what: str
    text: str
    advice: str = ""


def check(facts: Facts, store: Store, now: datetime) -> list[Finding]:
    """Judge a home, most important things first."""
    return [
        _home(facts),
        _modes(facts),
        _disk(facts),
        _file_system(facts),
        _sqlite(facts),
        _integrity(facts, store),
        _engine(facts, store),
        *_hosts(store, now),
        _web(facts),
        _clock(facts, store, now),
        _zone(facts),
        _shell(facts),
        _open_files(facts),
        _held(store),
        _schedules(store),
        _plugins(facts),
    ]


def _home(facts: Facts) -> Finding:
    machine = facts.machine
    if machine.home_owner is not None and machine.home_owner != machine.user:
        text = f"{facts.home} belongs to user {machine.home_owner}, not to you ({machine.user})"
        return Finding("fail", "home", text, "use rota as its owner, or choose another home with --home")
    return Finding("ok", "home", facts.home)


def _modes(facts: Facts) -> Finding:
    machine = facts.machine
    open_to = [
        path
        for path, mode in ((facts.home, machine.home_mode), (facts.store, machine.store_mode))
        if mode is not None and mode & 0o077
    ]
    if open_to:
        fix = " && ".join(f"chmod go-rwx {path}" for path in open_to)
        return Finding("warn", "modes", f"others can read {' and '.join(open_to)}", fix)
    return Finding("ok", "modes", "only you can read it")


def _disk(facts: Facts) -> Finding:
    free, files = facts.machine.disk_free, facts.machine.files_free
    if free is None:
        return Finding("warn", "disk", "how much room there is cannot be told")
    room = f"{size_of(free)} free"
    if free < _LITTLE_ROOM or (files is not None and files < _FEW_FILES // 10):
        return Finding("fail", "disk", f"{room}: the ledger and the output need some", "make room on this disk")
    if free < _SOME_ROOM or (files is not None and files < _FEW_FILES):
        return Finding("warn", "disk", room, "make room on this disk, or let old history go with: rota prune")
    return Finding("ok", "disk", room)


def _file_system(facts: Facts) -> Finding:
    if not facts.file_system:
        return Finding("ok", "file system", "of an unknown kind (no /proc here)")
    if facts.file_system in ("tmpfs", "ramfs"):
        text = f"{facts.file_system} is gone after a restart of the machine, and the ledger with it"
        return Finding("warn", "file system", text, "choose a home on a disk with --home")
    return Finding("ok", "file system", facts.file_system)


def _sqlite(facts: Facts) -> Finding:
    if facts.server:
        return Finding("ok", "database", facts.server)
    if facts.wal_warning:
        return Finding("warn", "sqlite", facts.wal_warning, "a newer SQLite or Python, when you can")
    return Finding("ok", "sqlite", facts.sqlite)


def _integrity(facts: Facts, store: Store) -> Finding:
    faults = store.upkeep.faults()
    if faults:
        text = f"{facts.store} is damaged: {'; '.join(faults[:3])}"
        return Finding("fail", "store", text, "stop the engine and put a backup in its place")
    return Finding("ok", "store", "its check found nothing wrong")


def _engine(facts: Facts, store: Store) -> Finding:
    by = facts.served
    if by.by_anybody and facts.silent is not None:
        return Finding("fail", "engine", silence_text(by, facts.silent), "go on with it, or restart it")
    if by.pid is not None:
        return Finding("ok", "engine", f"running (pid {by.pid})")
    if by.hosts:
        do = "works" if len(by.hosts) == 1 else "work"
        return Finding("ok", "engine", f"none of this home; {a_few(by.hosts)} {do} on the store")
    if store.jobs.count():
        return Finding("warn", "engine", "not running: nothing is started", "start it with: rota serve")
    return Finding("ok", "engine", "not running, and there are no jobs yet")


def _hosts(store: Store, now: datetime) -> list[Finding]:
    """Judge the hosts of a shared store."""
    hosts = store.hosts.all() if store.is_shared else []
    if not hosts:
        return []
    gone = [host.name for host in hosts if host.is_silent(now) and not host.stopped and not host.drained]
    there = [host for host in hosts if not host.is_silent(now)]
    if gone:
        advice = "start their engines, or, if they are gone for good: rota hosts forget NAME"
        return [Finding("warn", "hosts", f"not seen lately: {a_few(gone)}", advice), *_versions(there)]
    return [Finding("ok", "hosts", f"{len(hosts)} known, {len(there)} there"), *_versions(there)]


def _versions(there: list[Host]) -> list[Finding]:
    """Look whether hosts of several versions share the store: that is how they are upgraded, and should pass."""
    versions = sorted({host.version for host in there})
    if len(versions) == 1:
        return [Finding("ok", "versions", f"every host that is there has rota {versions[0]}")]
    named = [f"rota {one}: {', '.join(host.name for host in there if host.version == one)}" for one in versions]
    advice = "two versions work side by side; upgrade the others when you can"
    return [Finding("warn", "versions", "; ".join(named), advice)] if named else []


def _web(facts: Facts) -> Finding:
    if facts.web:
        return Finding("ok", "pages", f"on {facts.web}")
    return Finding("ok", "pages", "not served" if facts.served.pid is None else "not served by this engine")


def _clock(facts: Facts, store: Store, now: datetime) -> Finding:
    fact = store.upkeep.fact(_CLOCK_FACT)
    seen = None if fact is None else datetime.fromisoformat(fact)
    if now.replace(tzinfo=None) < _OLDEST:
        return Finding("fail", "clock", f"it says {now:%Y-%m-%d %H:%M} UTC, which is past", "set the clock")
    if abs(facts.clock_off) >= _CLOCK_OFF:
        way = "ahead of" if facts.clock_off > timedelta(0) else "behind"
        text = f"this machine's is {brief(abs(facts.clock_off))} {way} the database's, which slots and leases go by"
        return Finding("warn", "clock", text, "check that the machine's time is kept (NTP): jobs see its own clock")
    if seen is not None and seen > now + _CLOCK_STEP:
        text = f"it is {brief(seen - now)} behind the latest time the engine has seen"
        return Finding("warn", "clock", text, "check that the machine's time is kept (NTP)")
    return Finding("ok", "clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _zone(facts: Facts) -> Finding:
    if facts.zone_warning:
        return Finding("warn", "time zone", facts.zone_warning, "set TZ to a name, or leave it unset")
    name = local_zone_name()
    return Finding("ok", "time zone", f"{name}; schedules without a zone of their own use it")


def _shell(facts: Facts) -> Finding:
    if facts.machine.has_shell:
        return Finding("ok", "shell", "/bin/sh is there")
    return Finding("fail", "shell", "there is no /bin/sh, and every attempt is started through it", "install one")


def _open_files(facts: Facts) -> Finding:
    _soft, hard = facts.machine.open_files
    if 0 <= hard < _FEW_OPEN_FILES:
        text = f"at most {hard}: each running attempt takes three"
        return Finding("warn", "open files", text, "raise the limit (ulimit -Hn)")
    return Finding("ok", "open files", "no limit" if hard < 0 else f"up to {hard:,}")


def _held(store: Store) -> Finding:
    """Look for runs that wait for a place of their job although nothing of the job holds one."""
    from rota.model.run import State
    from rota.model.settlement import RunFilter

    queued = store.runs.page(RunFilter(None, State.QUEUED.value), None, 1000)
    stuck = []
    for job_id in {run.job_id for run in queued}:
        active = store.runs.active(job_id)
        if active and all(run.held for run in active):
            stuck += [run.id for run in active]
    if stuck:
        text = f"{len(stuck)} queued runs wait behind runs that are gone ({stuck[0]})"
        return Finding("warn", "queue", text, "the engine frees them within a minute; if not, cancel them")
    return Finding("ok", "queue", f"{len(queued)} waiting" if queued else "nothing waits")


def _schedules(store: Store) -> Finding:
    """Look for jobs that are not planned, because their schedules cannot be read."""
    broken = decode_broken(store.upkeep.fact(BROKEN_FACT))
    looked_at = [_why_broken(store, job_id, broken) for job_id in broken]
    found = [(name, reason) for name, reason in looked_at if reason]
    if not found:
        return Finding("ok", "schedules", "all can be read")
    name, reason = found[0]
    count = "1 job is" if len(found) == 1 else f"{len(found)} jobs are"
    advice = "install what is missing, or restart the engine with what is mended; or give the job another schedule"
    return Finding("fail", "schedules", f"{count} not planned: {name}: {reason}", advice)


def _why_broken(store: Store, job_id: int, broken: Mapping[int, Broken]) -> tuple[str, str]:
    try:
        stored = store.jobs.by_id(job_id)
    except UnreadableJob as error:
        return error.name, error.why
    return stored.name, why_broken(broken, stored)


def _plugins(facts: Facts) -> Finding:
    """Say what is installed under the names that jobs may use."""
    said = [f"{what}: {', '.join(known)}" for what, known in facts.plugins.items() if known]
    return Finding("ok", "plug-ins", "; ".join(said) or "none is installed")


def size_of(number: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit in ("B", "KiB") else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
