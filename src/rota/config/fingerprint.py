"""Whether files say the same as the last time, told without reading them as YAML.

The store keeps, for a set of files, what they were when they were applied: their content, the variables that they
used, what else was looked at, the version of rota, the machine's zone, and the revision that the catalogue of jobs had
afterwards. If all of it is still so, applying them again would change nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence

import msgspec

from rota import __version__
from rota.config.reading import File, Reading
from rota.schedule.zones import local_zone_name


class Fingerprint(msgspec.Struct, frozen=True):
    """What is remembered of files that were applied."""

    version: str
    zone: str
    """The machine's, which jobs get that name none."""
    format: str
    files: dict[str, str]
    inputs: dict[str, str]
    variables: list[str]
    values: str
    revision: int
    jobs: int


def digest_of(paths: Sequence[str]) -> str:
    """Return what stands for these files, by their absolute paths, in the names of facts about them."""
    return hashlib.sha256("\0".join(sorted(paths)).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def key_of(digest: str) -> str:
    """Return the name under which the store keeps the fingerprint of files of a digest."""
    return f"applied:{digest}"


def take(
    reading: Reading, contents: Sequence[bytes | None], environment: Mapping[str, str], format_name: str | None
) -> Fingerprint:
    """Return the fingerprint of what was read, for the store; whoever writes it adds the revision."""
    names = sorted({name for jobset in reading.jobsets for name in jobset.variables})
    inputs = {path: _stamp(path) for jobset in reading.jobsets for path in jobset.inputs}
    return Fingerprint(
        __version__,
        local_zone_name(),
        format_name or "",
        _hashes(reading.files, contents),
        inputs,
        names,
        _values(names, environment),
        0,
        len(reading.jobs),
    )


def with_revision(found: Fingerprint, revision: int) -> str:
    """Return the fingerprint as text, with the revision that the catalogue has."""
    return msgspec.json.encode(msgspec.structs.replace(found, revision=revision)).decode()


def unchanged(
    known: str | None,
    files: Sequence[File],
    contents: Sequence[bytes | None],
    environment: Mapping[str, str],
    format_name: str | None,
    revision: int,
) -> int | None:
    """Return how many jobs there are if nothing has changed since the files were applied, else None."""
    try:
        before = None if known is None else msgspec.json.decode(known, type=Fingerprint)
    except msgspec.DecodeError:
        return None
    same = (__version__, local_zone_name(), format_name or "", revision)
    if before is None or (before.version, before.zone, before.format, before.revision) != same:
        return None
    if before.files != _hashes(files, contents) or before.values != _values(before.variables, environment):
        return None
    return before.jobs if all(_stamp(path) == stamp for path, stamp in before.inputs.items()) else None


def _hashes(files: Sequence[File], contents: Sequence[bytes | None]) -> dict[str, str]:
    return {
        file.path: hashlib.sha256(content or b"").hexdigest() for file, content in zip(files, contents, strict=True)
    }


def _values(names: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return a digest, so that no value of a variable gets into the store by this way."""
    said = "\0".join(f"{name}={environment[name]}" if name in environment else f"{name}!" for name in names)
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()


def _stamp(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_mtime_ns}:{found.st_size}:{found.st_ino}"
