"""Who you are here, your password, and your tokens."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from rota.api.audit import Change, audited, outcome_of
from rota.api.names import TokenId
from rota.api.own_tokens import make_token, revoke_token
from rota.api.problems import NotAllowed
from rota.api.signing_in import begin_session, sign_in
from rota.control.accounts import SHORTEST_PASSWORD, Issued
from rota.errors import BadAccount, Conflict, RotaError
from rota.model.access import Scope
from rota.web.forms import Fields, SentFields
from rota.web.people_words import LIFETIMES, SCOPES, how_in_words
from rota.web.rendering import AtPage, Page

router = APIRouter()
_USUAL_LIFE = "90"
_LONGEST_NAME = 64


@router.get("/account")
@router.get("/account/password")
@router.get("/account/tokens")
def account(page: AtPage) -> HTMLResponse:
    """Show who asks; at the paths of its forms too, where their answers are loaded anew."""
    return _show(page)


@router.post("/account/password")
async def change_password(page: AtPage, fields: SentFields) -> Response:
    """Take another password. What was signed in with the old one is signed out, but for this browser."""
    if page.who.how in ("local", "link"):
        raise Conflict("nobody can sign in yet, so there is no password to change; make a user first")
    old, new, accounts = fields.exact("old"), fields.exact("new"), page.desk.accounts
    if new != fields.exact("again"):
        return await run_in_threadpool(
            _show, page, {"password": "the new password was typed differently the two times"}
        )
    try:
        user = await sign_in(page.request, page.who.name, old, "user.password")
        await run_in_threadpool(accounts.set_password, user.name, new)
    except NotAllowed as refusal:
        wrong = refusal.status == HTTPStatus.UNAUTHORIZED
        return await run_in_threadpool(
            _show, page, {"password": "the old password is wrong" if wrong else str(refusal)}
        )
    except BadAccount as bad:
        return await run_in_threadpool(_show, page, {"password": str(bad)})
    answer = page.go("/account", "You have another password now. Other browsers are signed out; your tokens stay.")
    await run_in_threadpool(begin_session, page.request, answer, user, accounts)
    return answer


@router.post("/account/tokens")
def add_token(
    page: AtPage, fields: SentFields, change: Annotated[Change, audited("token.add", Scope.READ)]
) -> HTMLResponse:
    """Make a token, and show its secret on this answer, and nowhere else."""
    name = fields.text("name")
    change.target = f"{change.who.name} {name}"
    try:
        scopes, lasts = _checked(page, fields, name)
        issued = make_token(page.desk.accounts, change, name, scopes, lasts)
    except RotaError as error:
        change.also(change.target, outcome_of(error))
        return _show(page, {"token": str(error)}, typed=fields)
    return _show(page, made=issued)


@router.post("/account/tokens/{token_id}/revoke")
def remove_token(
    page: AtPage, fields: SentFields, token_id: TokenId, change: Annotated[Change, audited("token.remove", Scope.READ)]
) -> RedirectResponse:
    """Revoke a token: one's own, or as an admin anybody's."""
    name = revoke_token(page.desk.accounts, change, token_id)
    return page.go("/people" if fields.has("to_people") else "/account", f"The token {name} is good for nothing now.")


def _checked(page: Page, fields: Fields, name: str) -> tuple[list[Scope], timedelta | None]:
    """Return what a token is to be, as far as the form alone can be wrong.

    A name that is there already is refused: a browser that loads the answer anew would make another one.
    """
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadAccount(f"a token has a name, of {_LONGEST_NAME} characters at most, so that you know it again")
    if any(token.name == name for token in page.desk.accounts.credentials(page.who.name)):
        raise Conflict(f"you have a token named {name!r} already; take another name, or revoke that one first")
    scopes = [scope for scope in Scope if scope.value in fields.all("scope")]
    if not scopes:
        raise BadAccount("choose what the token may do; a token that may do nothing is good for nothing")
    days = fields.text("days")
    if days not in LIFETIMES:
        raise BadAccount("choose for how long the token is good")
    return scopes, timedelta(days=int(days)) if days else None


def _show(
    page: Page, faults: dict[str, str] | None = None, *, typed: Fields | None = None, made: Issued | None = None
) -> HTMLResponse:
    """Show the account: with what was wrong in one of its forms, or with the token that was just made."""
    accounts, who = page.desk.accounts, page.who
    user = next((user for user in accounts.users() if user.name == who.name), None)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.CREATED if made else HTTPStatus.OK
    return page.show(
        "account.html",
        status,
        how=how_in_words(who.how),
        role=None if user is None else user.role,
        may=[(scope.value, SCOPES[scope]) for scope in Scope if who.may(scope)],
        can_have_tokens=user is not None,
        tokens=accounts.credentials(who.name) if user is not None else [],
        lifetimes=LIFETIMES,
        shortest=SHORTEST_PASSWORD,
        faults={"token": "", "password": ""} | (faults or {}),
        typed_name="" if typed is None else typed.text("name"),
        typed_scopes=[Scope.READ.value] if typed is None else typed.all("scope"),
        typed_days=_USUAL_LIFE if typed is None else typed.text("days"),
        made=made,
    )
