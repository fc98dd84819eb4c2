"""What is not shown to somebody who may only look: secrets that an author wrote in clear.

A secret belongs elsewhere (`{from: …}`), where rota never sees it. One that was written down all the same is taken for
one by the name of its variable, or as the password in an address, and shown to those alone who may change the job.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from rota.model.job import Job, StoredJob

HIDDEN = "***"
_SECRET = re.compile(
    r"passw|passphrase|secret|token|credential|api_?key|(?:^|_)(?:pass|pwd|pw|key|auth)(?:_|$)", re.IGNORECASE
)
_PASSWORD_IN_ADDRESS = re.compile(r"(://[^\s:/@]*:)[^\s/@]+(?=@)")


def discreet(stored: StoredJob) -> StoredJob:
    """Return a job without the secrets that stand in it."""
    job: Job = msgspec.structs.replace(stored.job, env=without_secrets(stored.job.env))
    return msgspec.structs.replace(stored, job=job)


def without_secrets(values: Mapping[str, str]) -> dict[str, str]:
    """Return variables with what their names say is secret hidden."""
    return {
        name: HIDDEN if value and _SECRET.search(name) else _PASSWORD_IN_ADDRESS.sub(rf"\1{HIDDEN}", value)
        for name, value in values.items()
    }
