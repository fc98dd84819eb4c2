"""Crontabs that were named one by one and have a line alike: cron's jobs have no names that somebody could change.

In a directory of crontabs the file's name stands in front of every job, so that little is shared. Elsewhere a name
stays as short as it is, and only those that two crontabs share get their files' names in front: of both, in whatever
order the files are named. Two directories may hold files of one name; these get their directories' names in front.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

import msgspec

from rota.config.formats.crontab_places import group_of
from rota.config.jobset import FoundJob, Jobset

_FORMATS = ("crontab", "system-crontab")


def set_apart(paths: Sequence[str], jobsets: Sequence[Jobset]) -> None:
    """Rename the jobs of crontabs whose names another crontab has, too."""
    crontabs = [(path, jobset) for path, jobset in zip(paths, jobsets, strict=True) if jobset.format in _FORMATS]
    times = Counter(found.job.name for _, jobset in crontabs for found in jobset.jobs)
    for path, jobset in crontabs:
        front = os.path.basename(os.path.dirname(path) if group_of(path) else path)
        jobset.jobs = [_renamed(found, front) if times[found.job.name] > 1 else found for found in jobset.jobs]


def _renamed(found: FoundJob, front: str) -> FoundJob:
    job = msgspec.structs.replace(found.job, name=f"{front}.{found.job.name}")
    return msgspec.structs.replace(found, job=job)
