"""What a file says, whatever its format: jobs, pools, settings, and what could not be carried over."""

from __future__ import annotations

from typing import Any

import msgspec

from rota.config.problems import Mark, Problem
from rota.model.job import Job


class FoundJob(msgspec.Struct, frozen=True):
    """A job, and the place by which messages call it."""

    job: Job
    mark: Mark
    begin: Mark | None = None
    """Where its definition begins, if the format tells it apart from the place of its name."""


class Jobset(msgspec.Struct):
    """Everything in one file."""

    format: str
    jobs: list[FoundJob] = []
    pools: dict[str, int] = {}
    settings: dict[str, Any] = {}
    """What the file says about the engine: capacity, max_running, log_file."""
    notes: list[tuple[Mark, str]] = []
    """What could not be carried over; `rota import` writes these as comments, above the job that they are in."""
    general: list[tuple[Mark, str]] = []
    """The same of the file as a whole: it stands at the top, wherever its place is."""
    skipped: list[str] = []
    """Names of jobs that are wrong, in formats that skip such jobs: jobs of these names stay as they were."""
    nameless: bool = False
    """One of them has not even a name that can be believed, so it might be any job of the file: none of them goes."""
    left_out: list[Problem] = []
    """What is wrong with those; `rota import` writes these as comments, too."""
    inputs: list[str] = []
    """Other files and directories that were read: a change of one of them is a change of this one."""
    read_as: dict[str, tuple[str, int, int, int, int]] = {}
    """How some of them looked when they were read: path, time, size, inode and mode."""
    variables: dict[str, str | None] = {}
    """The variables of the environment that were looked at, and what they were."""
