"""Files as the verbs read them: from a directory, in whatever format, with an environment of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rota.config.problems import Problems
from rota.config.reading import Reading, content_of, files_of, read
from rota.model.job import Job

ENVIRONMENT = {"BUCKET": "b", "LONG": "x" * 60_000, "HOME": "/home/somebody"}


def read_files(
    folder: Path, *roots: str, environment: Mapping[str, str] = ENVIRONMENT, format_name: str | None = None
) -> Reading:
    """Read files of a folder; what is wrong is in the reading's problems."""
    problems = Problems()
    files = files_of(roots, str(folder), format_name, problems)
    contents = [content_of(file, problems) for file in files]
    return read(files, contents, environment, format_name, problems)


def read_text(folder: Path, text: str | bytes, name: str = "rota.yaml", **given: object) -> Reading:
    """Write a file and read it."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_files(folder, name, **given)


def jobs_of(folder: Path, text: str, **given: object) -> dict[str, Job]:
    """Write a sound file, and return its jobs by name."""
    reading = read_text(folder, text, **given)
    assert [] == list(map(str, reading.problems))
    return {found.job.name: found.job for _, found in reading.jobs}


def job_of(folder: Path, line: str) -> Job:
    """Return the job that a line of keys makes."""
    return jobs_of(folder, f"jobs:\n  a: {{{line}}}\n")["a"]
