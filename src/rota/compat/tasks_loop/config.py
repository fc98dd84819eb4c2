"""The configuration of a scheduler, from a program or from `config/scheduler.yaml`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rota.sdk.files import fields_of

_KNOWN = (
    "jobs_dir",
    "poll_interval_seconds",
    "default_timeout_seconds",
    "max_concurrent_jobs",
    "log_level",
    "log_file",
)


@dataclass
class SchedulerConfig:
    """Where the jobs are, and how they are run; relative paths count from where the program runs."""

    jobs_dir: str | Path = Path("jobs")
    poll_interval_seconds: float = 60
    """The longest pause between two looks at the jobs; one that is due is started before that."""
    default_timeout_seconds: float = 300
    """For jobs that say nothing; 0 is no limit."""
    max_concurrent_jobs: int = 1
    log_level: str = "INFO"
    log_file: str | Path | None = None

    def __post_init__(self) -> None:
        """Make paths of texts, and refuse what would never start a job."""
        self.jobs_dir = Path(self.jobs_dir).expanduser()
        self.log_file = Path(self.log_file).expanduser() if self.log_file else None
        if self.max_concurrent_jobs < 1:
            raise ValueError(f"max_concurrent_jobs is {self.max_concurrent_jobs}; it must be 1 or more")

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> SchedulerConfig:
        """Read a configuration's file; raises ValueError with all that is wrong in it, and where."""
        usual = cls()
        with fields_of(path, "configuration", _KNOWN) as fields:
            poll, timeout = fields.amount("poll_interval_seconds"), fields.amount("default_timeout_seconds")
            places = fields.number("max_concurrent_jobs", usual.max_concurrent_jobs, least=1)
            words = {key: fields.text(key) for key in ("jobs_dir", "log_level", "log_file")}
        return cls(
            jobs_dir=words["jobs_dir"] or usual.jobs_dir,
            poll_interval_seconds=usual.poll_interval_seconds if poll is None else poll,
            default_timeout_seconds=usual.default_timeout_seconds if timeout is None else timeout,
            max_concurrent_jobs=places,
            log_level=words["log_level"] or usual.log_level,
            log_file=words["log_file"],
        )

    @classmethod
    def default(cls) -> SchedulerConfig:
        """Return what is taken where nothing is said."""
        return cls()
