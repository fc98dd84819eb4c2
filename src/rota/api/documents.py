"""Documents in the bodies of requests: JSON or YAML, in the words of a job file."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request

from rota.api.problems import BadRequest
from rota.api.schemas.base import Fault
from rota.config.given import Fault as Found
from rota.config.given import Given, job_schemas
from rota.model.job import Job

YAML = "application/yaml"
_REF = "#/components/schemas/{model}"
_NAMED = "NamedJobDocument"
A_JOB = {"name": "backup", "run": "pg_dump db > db.sql", "cron": "30 2 * * *", "timeout": "1h", "retries": 2}
A_FILE = {"jobs": {"backup": {"run": "pg_dump db > db.sql", "cron": "30 2 * * *"}}}


async def text_of_body(request: Request) -> str:
    """Return the body as text."""
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as error:
        what = f"the byte 0x{error.object[error.start]:02x} at {error.start} is no UTF-8"
        raise BadRequest(what, [Fault(place="", problem=what, hint="send UTF-8")]) from None


BodyText = Annotated[str, Depends(text_of_body)]


def the_job(given: Given) -> Job:
    """Return the one job of a document, or refuse it with everything that is wrong with it."""
    if given.faults:
        told = faults_of(given.faults)
        first = f"{told[0].place}: {told[0].problem}" if told[0].place else told[0].problem
        more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
        raise BadRequest(first + more, told, "bad-job")
    return given.jobs[0]


def faults_of(found: list[Found]) -> list[Fault]:
    """Return what is wrong as REST says it."""
    return [Fault(**msgspec.structs.asdict(fault)) for fault in found]


def schemas() -> dict[str, Any]:
    """Return the schemas of job documents, for the OpenAPI document."""
    made = job_schemas(_REF)
    document = made["JobDocument"]
    name = {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "What it is called.",
        "examples": ["backup"],
    }
    named = document | {
        "description": "A job with its name; the other words are those of a job file.",
        "properties": {"name": name, **document["properties"]},
        "required": ["name", *document.get("required", [])],
    }
    return made | {_NAMED: named}


def job_body(*, named: bool) -> dict[str, Any]:
    """Return what OpenAPI says of a body with a job."""
    example = A_JOB if named else {key: value for key, value in A_JOB.items() if key != "name"}
    schema = {"$ref": _REF.format(model=_NAMED if named else "JobDocument")}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema, "example": example},
                YAML: {"schema": schema, "example": example},
            },
        }
    }


def file_body() -> dict[str, Any]:
    """Return what OpenAPI says of a body with a whole document."""
    content = {"schema": {"type": "object"}, "example": A_FILE}
    return {"requestBody": {"required": True, "content": dict.fromkeys((YAML, "application/json"), content)}}
