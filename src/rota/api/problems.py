"""What went wrong, as REST says it: `application/problem+json` (RFC 9457), in the words of rota's own errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from rota.api.schemas.base import Fault, words_at
from rota.errors import (
    BadSchedule,
    Conflict,
    EngineNotRunning,
    NotFound,
    Outdated,
    RotaError,
    StoreUnavailable,
    UsageError,
    did_you_mean,
    kind_of,
)

MEDIA_TYPE = "application/problem+json"
_STATUSES: tuple[tuple[type[RotaError], HTTPStatus], ...] = (
    (Outdated, HTTPStatus.PRECONDITION_FAILED),
    (UsageError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (EngineNotRunning, HTTPStatus.SERVICE_UNAVAILABLE),
    (StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)
_RETRY_AFTER = "1"
MOST_FAULTS = 20
"""So many are told at once: an answer is not much larger than its request, whoever sends it."""


class NotAllowed(RotaError):
    """Somebody may not do this; `status` says whether it is known who they are."""

    def __init__(self, status: HTTPStatus, why: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(why)
        self.status, self.headers = status, headers or {}


class BadRequest(UsageError):
    """A request that cannot mean anything, with everything that is wrong with it."""

    def __init__(self, why: str, faults: Sequence[Fault], kind: str = "bad-request") -> None:
        super().__init__(why)
        self.faults, self.kind = faults, kind


def problem(status: int, kind: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """Return a problem as a response."""
    body = {"type": f"urn:rota:problem:{kind}", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(body | more, status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error that leaves a route be a problem."""
    app.add_exception_handler(RotaError, _of_rota)
    app.add_exception_handler(RequestValidationError, _of_request)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_mistake)


def of_error(error: RotaError) -> Response:
    """Return an error of rota's as a problem."""
    if isinstance(error, NotAllowed):
        return problem(error.status, "not-allowed", str(error), error.headers)
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    if isinstance(error, BadRequest):
        return problem(status, error.kind, str(error), problems=[fault.model_dump() for fault in error.faults])
    if isinstance(error, BadSchedule):
        fault = Fault(place="schedule", column=error.column or None, problem=error.problem, hint=error.hint)
        return problem(status, kind_of(error), str(error), problems=[fault.model_dump()])
    headers = {"Retry-After": _RETRY_AFTER} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return problem(status, kind_of(error), str(error), headers)


async def _of_rota(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RotaError), "it is installed for those"
    return of_error(error)


def of_request(request: Request, error: RequestValidationError) -> Response:
    """Say what is wrong with a request, each with its place in it."""
    wrong = [_fault(request, each).model_dump() for each in error.errors()[:MOST_FAULTS]]
    first = f"{wrong[0]['place']}: {wrong[0]['problem']}" if wrong else "the request cannot be read"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad-request", first, problems=wrong)


def _fault(request: Request, found: dict[str, Any]) -> Fault:
    place, said, hint = found["loc"], found["msg"], ""
    if found["type"] == "extra_forbidden":
        said, hint = f"unknown key {place[-1]!r}", near(str(place[-1]), _words_of_body(request, place[1:-1]))
    return Fault(place=_plain(".".join(map(str, place))), problem=_plain(said), hint=_plain(hint))


def _words_of_body(request: Request, place: Sequence[str | int]) -> list[str]:
    """Return the words that the body of a request may have at a place."""
    bodies = request.scope["route"].dependant.body_params
    return words_at([body.field_info.annotation for body in bodies], place)


def near(word: str, known: Sequence[str]) -> str:
    """Return what somebody may have meant who wrote a word that is not known, or what there is."""
    hint = did_you_mean(word, known).removeprefix("; ")
    return hint or (f"known here: {', '.join(known)}" if known else "nothing can be asked for here")


def of_http(error: HTTPException) -> Response:
    """Return what the framework has to say as a problem."""
    kind = re.sub(r"\W+", "-", HTTPStatus(error.status_code).phrase.lower())
    return problem(error.status_code, kind, str(error.detail), dict(error.headers or {}))


async def _of_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "it is installed for those"
    return of_request(request, error)


async def _of_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "it is installed for those"
    return of_http(error)


async def _of_mistake(_request: Request, _error: Exception) -> Response:
    """Answer in the same form where something went wrong that nobody thought of; the server logs what it was."""
    text = "this is a mistake of rota's own; its log says more, and a report of it would be kind"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "mistake", text)


def _plain(text: str) -> str:
    """Return a text that can be sent: half of a pair of surrogates is no character."""
    return text.encode("utf-8", "replace").decode()
