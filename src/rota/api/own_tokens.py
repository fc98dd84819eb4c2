"""Making and revoking tokens: what REST and the pages share. One's own for everybody, anybody's for admins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from http import HTTPStatus

from rota.api.audit import Change
from rota.api.problems import NotAllowed
from rota.control.accounts import Accounts, Issued
from rota.errors import Conflict, NotFound
from rota.model.access import Kind, Scope, Who


def make_token(
    accounts: Accounts,
    change: Change,
    name: str,
    scopes: Iterable[Scope] | None = None,
    lasts: timedelta | None = None,
    owner: str = "",
) -> Issued:
    """Make a token, which may do what its maker may, or less. Its secret is shown this once."""
    who = change.who
    owner = owner or who.name
    change.target = f"{owner} {name}"
    _check_may_make(who, owner, accounts.has_users)
    # For somebody else it is bounded by what they may do, else by what was shown for this very request.
    wanted = frozenset(scopes or (who.scopes if owner == who.name else ()))
    if owner == who.name and not wanted <= who.scopes:
        raise NotAllowed(HTTPStatus.FORBIDDEN, f"you may {', '.join(sorted(who.scopes))} here, and no token may more")
    return accounts.issue(owner, Kind.TOKEN, name, wanted, lasts)


def revoke_token(accounts: Accounts, change: Change, token_id: str) -> str:
    """Let a token be good for nothing from now on, and return what it was called."""
    found, who = accounts.credential(token_id), change.who
    mine = found is not None and (found.user == who.name or who.may(Scope.ADMIN))
    if found is None or found.kind is not Kind.TOKEN or not mine:
        raise NotFound(f"you have no token with the id {token_id!r}")
    change.target = f"{found.user} {found.name}"
    if _is_a_programs(who) and not who.may(Scope.ADMIN) and found.id != who.credential:
        raise NotAllowed(HTTPStatus.FORBIDDEN, "a token revokes itself, and no others; sign in to revoke this one")
    accounts.revoke(token_id)
    return found.name


def _check_may_make(who: Who, owner: str, has_users: bool) -> None:
    """Refuse to make a token for somebody else, or one that would outlive the token that was shown for it."""
    if not has_users:
        raise Conflict("nobody can sign in yet, and a token is always somebody's; make a user first: POST users")
    if who.may(Scope.ADMIN):
        return
    if owner != who.name:
        raise NotAllowed(HTTPStatus.FORBIDDEN, "only an admin makes tokens for somebody else")
    if _is_a_programs(who):
        raise NotAllowed(HTTPStatus.FORBIDDEN, "a token makes no tokens, unless it is an admin's; sign in to make one")


def _is_a_programs(who: Who) -> bool:
    """Tell whether what was shown may be less than a person is: they did not sign in for this."""
    return who.how in (Kind.TOKEN, "signature")
