"""Which files are meant, and what all of them say together."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rota.config.absolute import absolute
from rota.config.formats.crontab_apart import set_apart
from rota.config.formats.crontab_places import cron_reads, holds_crontabs
from rota.config.formats.registry import Source, by_name, directory_format, is_text, recognise, text_format
from rota.config.jobset import FoundJob, Jobset
from rota.config.log_place import check_logs
from rota.config.modules import Module
from rota.config.problems import Mark, Problems
from rota.config.served import Served
from rota.config.syntax.yaml_reader import MAX_BYTES, read_yaml
from rota.errors import did_you_mean
from rota.model import origin

SUFFIXES = (".yaml", ".yml", ".json")
_ENDINGS = ", ".join(SUFFIXES)
_MAY_BE_EMPTY = "rota.d"
_MOST_FILES = 10_000


class File(msgspec.Struct, frozen=True):
    """A file that is to be read: as it was said, and its absolute path."""

    shown: str
    path: str
    format: str | None = None
    """The format of a directory that is read as a whole; its files are the format's own inputs."""
    module: Module | None = None
    """The module that stands for a file: its jobs are what it declares."""

    @property
    def origin(self) -> str:
        """What its jobs are kept under."""
        if self.module is not None:
            return origin.of_module(self.module.directory, self.module.name)
        return origin.of_file(self.path)


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
    def served(self) -> Served:
        """What an engine must know that serves these files."""
        settings = {key: value for key, value in self.settings.items() if value is not None}
        inputs = tuple(dict.fromkeys(path for jobset in self.jobsets for path in jobset.inputs))
        read_as = {path: seen for jobset in self.jobsets for path, seen in jobset.read_as.items()}
        return Served(inputs, read_as, **settings)

    @property
    def jobs(self) -> list[tuple[File, FoundJob]]:
        """All jobs with their files."""
        return [(file, found) for file, jobset in zip(self.files, self.jobsets, strict=True) for found in jobset.jobs]


def watched_paths(paths: Sequence[str], format_name: str | None) -> list[str]:
    """Return what to watch of files and directories that were named; see engine/reloading.py for the endings."""
    return [
        path if not os.path.isdir(path) else os.path.join(path, "*" if _any_name(path, format_name) else "")
        for path in paths
    ]


def _any_name(directory: str, format_name: str | None) -> bool:
    """Tell whether files of any name in a directory are meant, as crontabs are."""
    return holds_crontabs(directory) or (format_name is not None and is_text(format_name))


def files_of(roots: Sequence[str], directory: str, format_name: str | None, problems: Problems) -> list[File]:
    """Return the files to read; those of a directory by name, hidden ones and editors' leftovers left out."""
    found: dict[str, File] = {}
    for root in roots:
        shown = os.path.expanduser(root)
        path = absolute(directory, root)
        if not os.path.isdir(path):
            found.setdefault(path, File(shown, path))
        elif (whole := directory_format(path, format_name)) is not None:
            found.setdefault(path, File(shown, path, whole))
        else:
            for file in _inside(shown, path, format_name, problems):
                found.setdefault(file.path, file)
    return list(found.values())


def _inside(shown: str, path: str, format_name: str | None, problems: Problems) -> list[File]:
    """Return the files of a directory that is not read as a whole.

    One without any is refused: it may stand where a file with jobs was, and an apply would seem to do nothing. Only a
    directory that is known to be for files that come and go may be empty.
    """
    mark, texts = Mark(shown, 1, 1), _any_name(path, format_name)
    try:
        names = sorted(name for name in os.listdir(path) if _is_wanted(path, name, any_name=texts))
    except OSError as error:
        problems.add(mark, f"the directory cannot be read: {error.strerror}")
        return []
    if len(names) > _MOST_FILES:
        text = f"there are {len(names):,} job files in this directory, and at most {_MOST_FILES:,} are read"
        problems.add(mark, text, "write several jobs into a file")
        return []
    files = [File(os.path.join(shown, name), os.path.join(path, name)) for name in names]
    files = [file for file in files if os.path.isfile(file.path)]
    if not files:
        may_be_empty = os.path.basename(path) == _MAY_BE_EMPTY or holds_crontabs(path)
        note = problems.warn if may_be_empty else problems.add
        note(mark, "there is no job file in this directory", "" if texts else f"they end in {_ENDINGS}")
    return files


def _is_wanted(directory: str, name: str, *, any_name: bool) -> bool:
    if holds_crontabs(directory) and not cron_reads(directory, name):
        return False
    if name.startswith(".") or name.endswith(("~", ".bak", ".swp", ".dpkg-dist", ".rpmsave")):
        return False
    return any_name or name.lower().endswith(SUFFIXES)


def content_of(file: File, problems: Problems) -> bytes | None:
    """Return a file's bytes, or None; then the problems say why."""
    mark = Mark(file.shown, 1, 1)
    if file.format is not None or file.module is not None:
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
        if file.module is None
    ]
    jobsets += _declared(files, environment, problems)
    set_apart([file.path for file in files], jobsets)
    reading = Reading(list(files), jobsets, problems)
    _check_names(reading, problems)
    _check_pools(reading, problems)
    check_logs([(file.shown, file.path) for file in files], jobsets, SUFFIXES, problems)
    return reading


def files_of_modules(modules: Sequence[Module]) -> list[File]:
    """Return what stands for modules among files; they come behind all others."""
    return [File(module.name, module.candidates[-2], None, module) for module in modules]


def _declared(files: Sequence[File], environment: Mapping[str, str], problems: Problems) -> list[Jobset]:
    modules = [file.module for file in files if file.module is not None]
    if not modules:
        return []
    from rota.config.declared import read_modules

    return read_modules(modules, environment, problems)


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
    if not problems:  # a pool that is wrong where it is defined would seem to be nowhere
        _warn_of_unknown_pools(reading, problems)


def _warn_of_unknown_pools(reading: Reading, problems: Problems) -> None:
    """Warn once of each pool that no file defines: another file or somebody by hand may have, or it is a slip."""
    known = reading.pools
    told = {"", *known}
    for _, found in reading.jobs:
        pool = found.job.policy.pool
        if pool not in told:
            told.add(pool)
            near = did_you_mean(pool, known).removeprefix("; ")
            hint = f"{near} unless it is there already, it will have 1 place".lstrip()
            problems.warn(found.mark, f"pool {pool!r} is in none of these files", hint)
