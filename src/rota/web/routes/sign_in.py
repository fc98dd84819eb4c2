"""Signing in and out with a browser.

Neither shows a token of a session: there may be none yet. That the form comes from a page of ours, the gate sees to.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from rota.api.desks import AtDesk
from rota.api.problems import NotAllowed
from rota.api.signing_in import TooManyTries, begin_session, end_session, sign_in
from rota.api.who import Known, identify
from rota.control.desk import Desk
from rota.model.access import Kind
from rota.web.forms import SentFields, path_on_this_site
from rota.web.rendering import show_to_anybody

router = APIRouter()
_LONGEST_PATH = 4_000
Next = Annotated[str, Query(alias="next", max_length=_LONGEST_PATH)]


@router.get("/sign-in")
async def ask(request: Request, desk: AtDesk, wanted: Next = "/") -> Response:
    """Ask for a name and a password; whoever is in already is sent on, or told that nobody has to."""
    path = path_on_this_site(wanted)
    if await run_in_threadpool(_nobody_can, desk):
        return await _say_that_nobody_can(request)
    try:
        who = await identify(request)
    except NotAllowed:
        return _form(request, path)
    return RedirectResponse(path, HTTPStatus.SEE_OTHER) if who.how == Kind.SESSION else _form(request, path)


@router.post("/sign-in")
async def enter(request: Request, desk: AtDesk, fields: SentFields) -> Response:
    """Begin a session, and go where they wanted to go; or say what was wrong."""
    name, path = fields.text("name"), path_on_this_site(fields.text("next"))
    if await run_in_threadpool(_nobody_can, desk):
        return await _say_that_nobody_can(request)
    try:
        user = await sign_in(request, name, fields.exact("password"))
    except TooManyTries as refusal:
        return _form(request, path, refusal, name=name, headers=refusal.headers)
    except NotAllowed as refusal:
        return _form(request, path, refusal, name=name)
    answer = RedirectResponse(path, HTTPStatus.SEE_OTHER)
    await run_in_threadpool(begin_session, request, answer, user, desk.accounts)
    return answer


@router.post("/sign-out")
def leave(request: Request, who: Known, desk: AtDesk) -> RedirectResponse:
    """End the session."""
    answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    end_session(request, answer, who, desk.accounts)
    return answer


def _nobody_can(desk: Desk) -> bool:
    return not desk.accounts.has_users


def _form(
    request: Request,
    path: str,
    refusal: NotAllowed | None = None,
    *,
    name: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    status, fault = (HTTPStatus.OK, "") if refusal is None else (refusal.status, str(refusal))
    answer = show_to_anybody(request, "sign_in.html", status, closed=None, name=name, next=path, fault=fault)
    answer.headers.update(headers or {})
    return answer


async def _say_that_nobody_can(request: Request) -> Response:
    """Say how to get in as long as there are no users: to the owner that they are in, to others who can help."""
    try:
        owner, why = (await identify(request)).name, ""
    except NotAllowed as refusal:
        owner, why = "", str(refusal)
    status = HTTPStatus.OK if owner else HTTPStatus.FORBIDDEN
    return show_to_anybody(request, "sign_in.html", status, closed={"owner": owner, "why": why})
