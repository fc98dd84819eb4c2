"""Which files are meant, and what all of them say together."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rota.config.formats.registry import Source, by_name, directory_format, is_text, recognise, text_format
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.yaml_reader import MAX_BYTES, read_yaml

SUFFIXES = (".yaml", ".yml", ".json")
_ENDINGS = ", ".join(SUFFIXES)
_CRON_DIRECTORIES = ("cron.d", "crontabs")
_MOST_FILES = 10_000


class File(msgspec.Struct, frozen=True):
    """A file that is to be read: as it was said, and its absolute path."""

    shown: str
    path: str
    format: str | None = None
    """The format of a directory that is read as a whole; its files are the format's own inputs."""


class Reading(msgspec.Struct):
    """What some files say."""

    files: list[File]
    jobsets: list[Jobset]
    problems: Problems

    @property
    def pools(self) -> dict[str, int]:
        """The pools of all files."""
        return {name: size for jobset in self.jobsets for name, size in jobset.pools.items()}

    @property
    def settings(self) -> dict[str, Any]:
        """What the files say about the engine; a later file goes before an earlier."""
        return {key: value for jobset in self.jobsets for key, value in jobset.settings.items()}

    @property
    def jobs(self) -> list[tuple[File, FoundJob]]:
        """All jobs with their files."""
        return [(file, found) for file, jobset in zip(self.files, self.jobsets, strict=True) for found in jobset.jobs]


def files_of(roots: Sequence[str], directory: str, format_name: str | None, problems: Problems) -> list[File]:
    """Return the files to read; those of a directory by name, hidden ones and editors' leftovers left out."""
    found: dict[str, File] = {}
    for root in roots:
        shown = os.path.expanduser(root)
        path = os.path.normpath(os.path.join(directory, shown))
        if not os.path.isdir(path):
            found.setdefault(path, File(shown, path))
            continue
        whole = directory_format(path, format_name)
        if whole is not None:
            found.setdefault(path, File(shown, path, whole))
            continue
        texts = os.path.basename(path) in _CRON_DIRECTORIES or (format_name is not None and is_text(format_name))
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            problems.add(Mark(shown, 1, 1), f"the directory cannot be read: {error.strerror}")
            continue
        before = len(found)
        for name in names[:_MOST_FILES]:
            inside = os.path.join(path, name)
            if _is_wanted(name, any_name=texts) and os.path.isfile(inside):
                found.setdefault(inside, File(os.path.join(shown, name), inside))
        if len(found) == before:
            problems.warn(Mark(shown, 1, 1), "there is no job file in this directory", f"they end in {_ENDINGS}")
    return list(found.values())


def _is_wanted(name: str, *, any_name: bool) -> bool:
    if name.startswith(".") or name.endswith(("~", ".bak", ".swp", ".dpkg-dist", ".rpmsave")):
        return False
    return any_name or name.lower().endswith(SUFFIXES)


def content_of(file: File, problems: Problems) -> bytes | None:
    """Return a file's bytes, or None; then the problems say why."""
    mark = Mark(file.shown, 1, 1)
    if file.format is not None:
        return b""
    try:
        if not stat.S_ISREG(os.stat(file.path).st_mode):  # opening a pipe that nobody writes to would wait for ever
            problems.add(mark, "this is no regular file", "name a file or a directory of files")
            return None
        with open(file.path, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "`rota init` writes a starter" if isinstance(error, FileNotFoundError) else ""
        problems.add(mark, f"it cannot be read: {error.strerror}", hint)
        return None
    if len(content) > MAX_BYTES:
        problems.add(mark, f"the file is larger than {MAX_BYTES >> 20} MB", "split it into several files")
        return None
    return content


def read(
    files: Sequence[File],
    contents: Sequence[bytes | None],
    environment: Mapping[str, str],
    format_name: str | None,
    problems: Problems,
) -> Reading:
    """Read files, each in its format, and note whatever is wrong with them and between them."""
    jobsets = [
        _jobset(file, content, environment, format_name, problems) if content is not None else Jobset("")
        for file, content in zip(files, contents, strict=True)
    ]
    reading = Reading(list(files), jobsets, problems)
    _check_names(reading, problems)
    _check_pools(reading, problems)
    return reading


def _jobset(
    file: File, content: bytes, environment: Mapping[str, str], format_name: str | None, problems: Problems
) -> Jobset:
    if file.format is not None:
        source = Source(file.shown, "", None, file.path, dict(environment))
        return by_name(file.format).read(source, problems)
    text = _text(file, content, problems)
    if text is None:
        return Jobset("")
    directory = os.path.dirname(file.path)
    if format_name is None and not file.path.lower().endswith(SUFFIXES):
        format_name = text_format(file.path, text)
    if format_name and is_text(format_name):
        source = Source(file.shown, text, None, directory, dict(environment))
        return by_name(format_name).read(source, problems)
    node = read_yaml(text, file.shown, problems)
    if node is None:
        return Jobset("")
    found = by_name(format_name) if format_name else recognise(file.path, node)
    return found.read(Source(file.shown, text, node, directory, dict(environment)), problems)


def _text(file: File, content: bytes, problems: Problems) -> str | None:
    """Return a file's text; what is no UTF-8 is pointed at."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            problems.add(Mark(file.shown, 1, 1), "this is UTF-16", "save the file as UTF-8")
            return None
        start = content.rfind(b"\n", 0, error.start) + 1
        column = len(content[start : error.start].decode("utf-8", "replace")) + 1
        mark = Mark(file.shown, content.count(b"\n", 0, error.start) + 1, column)
        problems.add(mark, f"the byte 0x{content[error.start]:02x} is no UTF-8", "save the file as UTF-8")
        return None


def _check_names(reading: Reading, problems: Problems) -> None:
    first: dict[str, Mark] = {}
    for _, found in reading.jobs:
        known = first.setdefault(found.job.name, found.mark)
        if known is not found.mark:
            problems.add(found.mark, f"a job named {found.job.name!r} is there already", f"the first is at {known}")


def _check_pools(reading: Reading, problems: Problems) -> None:
    sizes: dict[str, tuple[int, str]] = {}
    for file, jobset in zip(reading.files, reading.jobsets, strict=True):
        for name, size in jobset.pools.items():
            known, where = sizes.setdefault(name, (size, file.shown))
            if known != size:
                text = f"pool {name!r} has {size} places here and {known} in {where}"
                problems.add(Mark(file.shown, 1, 1), text, "say it in one file only")
