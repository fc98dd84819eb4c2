"""A job as text that makes the same job elsewhere: a file, and a request to REST."""

from __future__ import annotations

from shlex import quote

import msgspec

from rota.config.given import job_document, job_file
from rota.model.job import Job


def job_yaml(job: Job) -> str | None:
    """Return a job as a rota.yaml; None for a program's function, which no file can say."""
    return job_file(job)


def job_curl(job: Job, site: str) -> str | None:
    """Return a line of shell that makes the job at another site like this one; None as well for such a function.

    The token is a variable of that shell, so that none is ever shown or copied.
    """
    document = job_document(job)
    if document is None:
        return None
    body = msgspec.json.encode({"name": job.name, **document}).decode()
    return " \\\n  ".join(
        (
            f"curl --fail-with-body {quote(site.rstrip('/') + '/api/v1/jobs')}",
            '--header "Authorization: Bearer $ROTA_TOKEN"',
            "--header 'Content-Type: application/json'",
            f"--data-raw {quote(body)}",
        )
    )
