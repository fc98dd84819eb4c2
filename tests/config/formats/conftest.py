"""Files that are read as the command line reads them: written to a directory, recognised, and told about."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from rota.config.jobset import Jobset
from rota.config.problems import Problems
from rota.config.reading import content_of, files_of, read
from rota.model.job import Job


class Read(NamedTuple):
    """What came of reading."""

    jobset: Jobset
    problems: list[str]
    warnings: list[str]

    @property
    def jobs(self) -> dict[str, Job]:
        return {found.job.name: found.job for found in self.jobset.jobs}

    @property
    def job(self) -> Job:
        (found,) = self.jobset.jobs
        return found.job

    @property
    def said(self) -> str:
        return "\n".join([*self.problems, *self.warnings])


class Files:
    """A directory with files in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def task(self, name: str, script: str = "#!/bin/sh\n", mode: int = 0o755) -> None:
        self.write(f"{name}/run.sh", script).chmod(mode)

    def read(self, name: str, text: str | None = None, format_name: str | None = None) -> Read:
        """Read a file, or what is there; messages name it as it is called here."""
        if text is not None:
            self.write(name, text)
        problems = Problems()
        files = files_of([name], str(self.folder), format_name, problems)
        contents = [content_of(file, problems) for file in files]
        reading = read(files, contents, dict(os.environ), format_name, problems)
        (jobset,) = reading.jobsets
        return Read(jobset, [str(each) for each in problems], [str(each) for each in problems.warnings])


@pytest.fixture
def files(tmp_path) -> Files:
    return Files(tmp_path)
