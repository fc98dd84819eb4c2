"""Hosts: which machines work on one store, and where a job may run.

Where a run may run is a short text in its row (`needs`), made once with the run: empty for anywhere, else a host's
name, a host's id, or labels. Runs with one such text wait in one lane, and a host decides by the text alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import msgspec

from rota.errors import BadJob

ALL = "all"
"""What a job says that is to run once on every host; so no host has this name."""
SILENT = timedelta(seconds=30)
"""A host that was not seen for so long is taken for gone."""
MAX_HOST_NAME = 100
_BY_NAME, _BY_ID = "@", "#"


class RunsOn(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a job may run: anywhere, on a host by name, on hosts with some labels, or once on each of all hosts."""

    labels: dict[str, str] = {}
    host: str = ""
    all: bool = False

    @property
    def needs(self) -> str:
        """Return what a host must have, as runs carry it; a run for all hosts carries its own host instead."""
        if self.host:
            return _BY_NAME + self.host
        return labels_text(self.labels) if self.labels else ""

    def words(self) -> str:
        """Say it as people write it."""
        if self.all:
            return "every host, once each"
        if self.host:
            return f"host {self.host}"
        pairs = ", ".join(f"{key}={value}" for key, value in sorted(self.labels.items()))
        return f"hosts with {pairs}" if pairs else "any host"

    def check(self, what: str) -> None:
        """Refuse what no host can be."""
        if sum((bool(self.labels), bool(self.host), self.all)) > 1:
            raise BadJob(f"{what}: runs_on is labels, a host's name or `all`, and only one of them")
        if self.host:
            check_host_name(self.host)
        for key, value in self.labels.items():
            check_label(key, value)

    def document(self) -> str | dict[str, str]:
        """Return it as a job file has it; nothing for anywhere."""
        return ALL if self.all else self.host or dict(self.labels)


ANYWHERE = RunsOn()


def parse_runs_on(said: str | Mapping[str, object]) -> RunsOn:
    """Read what people say anywhere: `all`, a host's name, labels such as gpu=a100,disk=big, or a mapping of labels."""
    if not isinstance(said, str):
        return RunsOn(labels={str(key): str(value) for key, value in said.items()})
    if said == ALL:
        return RunsOn(all=True)
    if "=" not in said:
        return RunsOn(host=said)
    pairs = [pair.strip().partition("=") for pair in said.split(",")]
    return RunsOn(labels={key: value for key, _, value in pairs})


class Host(msgspec.Struct, frozen=True):
    """One home whose engine works on the store."""

    id: str
    """The home's id."""
    name: str
    labels: dict[str, str]
    capacity: int
    version: str
    schema: int
    """The store's schema that its rota knows: docs/decisions/0018."""
    drained: bool
    """It finishes what it has, and takes nothing more."""
    hands_over: bool
    """What it has goes elsewhere, where that is possible."""
    max_running: int | None
    """How many runs may go at once on all hosts, as far as this one is asked."""
    stopped: bool
    """Its engine was stopped in order."""
    started_at: datetime
    seen_at: datetime

    def is_silent(self, now: datetime) -> bool:
        """Tell whether its engine was stopped, or was not seen for so long that it is taken for gone."""
        return self.stopped or now - self.seen_at >= SILENT


class NewHost(msgspec.Struct, frozen=True):
    """What a host says of itself when it starts."""

    id: str
    name: str
    named: bool
    """Whether somebody chose this name; else another is found if it is taken."""
    labels: dict[str, str]
    capacity: int
    version: str
    max_running: int | None = None
    """How many runs may go at once on all hosts, as far as this one is asked."""


class Standing(msgspec.Struct, frozen=True):
    """What a host has to know before it claims."""

    drained: bool = False
    hands_over: bool = False
    max_running: int | None = None
    """The smallest limit over everything that any host names."""


class Beat(msgspec.Struct, frozen=True):
    """What a host is told when it says that it lives."""

    began: datetime | None
    """When the engine began that is this host now; None for a host that was forgotten meanwhile."""
    own: frozenset[tuple[str, int]]
    """The attempts that are its own still, by run and number."""


class Lead(msgspec.Struct, frozen=True):
    """Whether a host is the one that plans, and whether there are leases that are over."""

    plans: bool
    expired: bool


class Terms(msgspec.Struct, frozen=True):
    """On what terms a host claims: who it is, and for how long it may rely on what it gets."""

    name: str = ""
    labels: dict[str, str] = {}
    lease: timedelta | None = None
    """None: for ever, because nobody else works on the store."""
    max_running: int | None = None
    """How many runs may go at once on all hosts."""
    busy_with: Collection[str] = ()
    """Runs of which an earlier attempt still lives here: they are left for later, or for others."""


def may_run(needs: str, host_id: str, terms: Terms) -> bool:
    """Tell whether a host is one that a run may run on."""
    if not needs:
        return True
    if needs.startswith(_BY_ID):
        return needs[1:] == host_id
    if needs.startswith(_BY_NAME):
        return needs[1:] == terms.name
    try:
        wanted = msgspec.json.decode(needs, type=dict[str, str])
    except msgspec.DecodeError:
        return False  # a newer rota asks for something that this one knows nothing of, so it is not here
    return all(terms.labels.get(key) == value for key, value in wanted.items())


def needs_of_target(host_id: str) -> str:
    """Return what a run needs that is one host's record of a slot for all."""
    return _BY_ID + host_id


def target_of(needs: str) -> str:
    """Return the host whose record this is of a slot for all; nothing for any other run."""
    return needs[1:] if needs.startswith(_BY_ID) else ""


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as text, always the same for the same labels."""
    return msgspec.json.encode(dict(sorted(labels.items()))).decode()


def check_host_name(name: str) -> None:
    """Refuse names that could not be typed, or that mean something else."""
    if not name or name != name.strip() or not name.isprintable() or len(name) > MAX_HOST_NAME:
        raise BadJob(
            f"host name {name[:40]!r}: a name has 1 to {MAX_HOST_NAME} printable characters, and no space at either end"
        )
    if name == ALL or name.startswith("-") or "=" in name:
        raise BadJob(f"host name {name!r}: it would be read as something else; choose another")


def check_label(key: str, value: str) -> None:
    """Refuse labels that could not be typed."""
    for text in (key, value):
        if not text or text != text.strip() or not text.isprintable() or "=" in text:
            raise BadJob(f"label {key}={value}: a key and a value are printable, and neither empty nor with '=' in it")
