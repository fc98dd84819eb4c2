"""People and their credentials: who may sign in, what they carry, and how a secret is recognised.

Passwords are stretched (argon2) before they are kept. Tokens, sessions and refresh tokens are 256 random bits, which
nobody can guess, so a SHA-256 of them is enough. Nothing that opens a door is in the store, and a copy of the store
opens none.

A person's role may shrink after a credential was made: what a credential may do is always cut to what its owner may do
now. Whoever changes a password, a role or removes somebody ends that person's sessions in the same transaction.
"""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from rota.errors import BadAccount, NoSuchUser, UserExists, did_you_mean
from rota.ids import new_secret, short_id
from rota.model.access import Credential, Entry, Kind, Role, Scope, User, Who
from rota.ports import Clock, Store

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SESSION_LASTS = timedelta(hours=12)
"""After so long without a request a session is over."""
REFRESH_LASTS = timedelta(days=14)
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1024
_LONGEST_NAME = 64
_WITHOUT_USERS = ("local", "link")
"""How the owner of the home gets in, as long as nobody can sign in."""
_NAME = re.compile(r"[\w.@-]+")
_LINES_AT_ONCE = 500
_PREFIXES = {Kind.TOKEN: "rota_t_", Kind.SESSION: "rota_s_", Kind.REFRESH: "rota_r_"}
"""So that whoever finds one, in a repository for example, knows what it is."""


class Issued(msgspec.Struct, frozen=True):
    """A new credential with its secret, which is shown once and kept nowhere."""

    credential: Credential
    secret: str


class Accounts:
    """The verbs on people and credentials."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._access = store.access
        self._clock = clock

    # -- people -------------------------------------------------------------------------------------------------------

    @property
    def has_users(self) -> bool:
        """Tell whether anybody can sign in; where nobody can, only the owner of the home gets in."""
        return bool(self._access.users())

    def users(self) -> list[User]:
        """Return everybody, by name."""
        return self._access.users()

    def user(self, name: str) -> User:
        """Return one person."""
        found = self._access.user(name)
        if found is None:
            known = [user.name for user in self.users()]
            raise NoSuchUser(f"nobody is named {name!r} here{did_you_mean(name, known)}")
        return found

    def add_user(self, name: str, role: Role, password: str) -> User:
        """Let somebody in from now on."""
        _check_name(name)
        _check_password(password, name)
        hashed = self._hasher.hash(password)
        with self._store.transaction():
            if not self._access.add_user(name, role, hashed, self._clock.now()):
                raise UserExists(f"somebody is named {name!r} already; choose another name, or change that one")
            self._keep_an_admin()
        return self.user(name)

    def set_password(self, name: str, password: str) -> None:
        """Give somebody another password; what was signed in with the old one is signed out."""
        self.change_user(name, password=password)

    def set_role(self, name: str, role: Role) -> None:
        """Give somebody another role; they sign in again to use it."""
        self.change_user(name, role)

    def change_user(self, name: str, role: Role | None = None, password: str | None = None) -> User:
        """Give somebody another role, another password or both; somebody stays admin."""
        if password is not None:
            _check_password(password, name)
        hashed = None if password is None else self._hasher.hash(password)  # it takes a while: not in the transaction
        with self._store.transaction():
            self.user(name)
            if role is not None:
                self._access.set_role(name, role, self._clock.now())
                self._keep_an_admin()
            if hashed is not None:
                self._access.set_password(name, hashed, self._clock.now())
            if role is not None or hashed is not None:
                self._sign_out(name)
        return self.user(name)

    def remove_user(self, name: str, *, last: bool = False) -> None:
        """Let somebody go, with all of their credentials; the last admin only when that is meant."""
        with self._store.transaction():
            self.user(name)
            self._access.remove_user(name)
            if not last:
                self._keep_an_admin()

    def _keep_an_admin(self) -> None:
        users = self.users()
        if all(user.role is not Role.ADMIN for user in users):
            raise BadAccount("somebody has to be admin: make somebody one first")

    def _sign_out(self, name: str) -> None:
        for kind in (Kind.SESSION, Kind.REFRESH):
            self._access.revoke_all(name, kind)

    def check_password(self, name: str, password: str) -> User | None:
        """Return who signs in; None when the name or the password is wrong, after the same time for either."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        found = self._access.user(name)
        known = _nobodys(self._hasher) if found is None else found.password
        try:
            self._hasher.verify(known, password[:LONGEST_PASSWORD])
        except (Argon2Error, InvalidHashError):
            return None
        if found is not None and self._hasher.check_needs_rehash(known):
            self._access.set_password(name, self._hasher.hash(password), self._clock.now())
        return found

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher

        return PasswordHasher()

    # -- credentials --------------------------------------------------------------------------------------------------

    def issue(
        self,
        user: str,
        kind: Kind,
        name: str = "",
        scopes: Iterable[Scope] = (),
        lasts: timedelta | None = None,
        family: str = "",
    ) -> Issued:
        """Make a credential for somebody, of all that they may do, or of some of it."""
        owner = self.user(user)
        wanted = frozenset(scopes) or owner.role.scopes
        if not wanted <= owner.role.scopes:
            more = ", ".join(sorted(wanted - owner.role.scopes))
            raise BadAccount(f"{user} is {owner.role} and may not {more}; so no token of theirs may")
        now, secret = self._clock.now(), _PREFIXES[kind] + new_secret()
        made = Credential(
            id=short_id(),
            user=user,
            kind=kind,
            name=name,
            scopes=wanted,
            created_at=now,
            expires_at=None if lasts is None else now + lasts,
            used_at=None,
            family=(family or short_id()) if kind is Kind.REFRESH else "",
        )
        with self._store.transaction():
            self._access.add_credential(made, digest_of(secret))
        return Issued(made, secret)

    def recognise(self, kind: Kind, secret: str) -> Who | None:
        """Return whose credential this is; None when it is nobody's, or not good any more."""
        if not secret.startswith(_PREFIXES[kind]):
            return None
        now = self._clock.now()
        found = self._access.credential(kind, digest_of(secret), now)
        owner = None if found is None else self._access.user(found.user)
        if found is None or owner is None or found.spent_at is not None:
            return None
        if found.used_at is None or now - found.used_at > timedelta(minutes=1):
            with self._store.transaction():
                self._access.note_use(found.id, now)
                if kind is Kind.SESSION:
                    self._access.extend(found.id, now + SESSION_LASTS)
        return Who(owner.name, found.scopes & owner.role.scopes, kind.value, found.id)

    def recognise_user(self, name: str, most: frozenset[Scope], how: str) -> Who | None:
        """Return somebody who is known otherwise, with what they may do now; None when they are gone."""
        owner = self._access.user(name)
        return None if owner is None else Who(owner.name, most & owner.role.scopes, how)

    def recognise_family(self, name: str, family: str) -> Who | None:
        """Return who signed in when a family of refresh tokens began; None once it was revoked."""
        head = self._access.head_of_family(family, self._clock.now())
        owner = None if head is None or head.user != name else self._access.user(name)
        if head is None or owner is None:
            return None
        return Who(owner.name, head.scopes & owner.role.scopes, "access", family)

    def still_knows(self, who: Who, scope: Scope) -> bool:
        """Tell whether somebody who was let in would be let in with the same now, to do such things.

        It is no use of what they have shown: nothing is written, and nothing lasts longer for it.
        """
        now = self._clock.now()
        if who.how in _WITHOUT_USERS:
            return not self.has_users
        owner = self._access.user(who.name)
        if owner is None or scope not in owner.role.scopes:
            return False
        match who.how:
            case Kind.TOKEN | Kind.SESSION:
                return self._access.credential_with_id(who.credential, now) is not None
            case "access":
                return self._access.head_of_family(who.credential, now) is not None
        return True

    def refresh_token(self, secret: str) -> Credential | None:
        """Return a refresh token that was issued here and has not ended, be it spent or not; nothing is written."""
        if not secret.startswith(_PREFIXES[Kind.REFRESH]):
            return None
        return self._access.credential(Kind.REFRESH, digest_of(secret), self._clock.now())

    def exchange(self, found: Credential) -> Issued | None:
        """Take a refresh token, which is good once, and return the next one; None when it is good for nothing.

        One that comes a second time has been copied by somebody. Which of the two is the thief cannot be told, so the
        whole family is revoked, and its owner signs in again.
        """
        with self._store.transaction():
            if not self._access.spend(found.id, self._clock.now()):
                self._access.revoke_family(found.family)
                return None
            scopes = found.scopes & self.user(found.user).role.scopes
            if not scopes:
                return None
            return self.issue(found.user, Kind.REFRESH, scopes=scopes, lasts=REFRESH_LASTS, family=found.family)

    def revoke_family(self, family: str) -> None:
        """End what began with a sign-in for tokens: its refresh tokens, and its access tokens with them."""
        self._access.revoke_family(family)

    def credential(self, credential_id: str) -> Credential | None:
        """Return a credential by its id, if it is still good."""
        return self._access.credential_with_id(credential_id, self._clock.now())

    def credentials(self, user: str = "", kind: Kind = Kind.TOKEN) -> list[Credential]:
        """Return the credentials of a kind that are still good: one person's, or everybody's."""
        return self._access.credentials(user, kind, self._clock.now())

    def revoke(self, credential_id: str) -> bool:
        """Let a credential be good for nothing; False when there is none of this id."""
        return self._access.revoke(credential_id)

    def use_nonce(self, nonce: str, expires_at: datetime) -> bool:
        """Use a number of a signed request; False when it was used before."""
        return self._access.use_nonce(nonce, expires_at)

    # -- audit --------------------------------------------------------------------------------------------------------

    def note(self, who: Who, action: str, target: str = "", outcome: str = "ok") -> None:
        """Write down who did what."""
        self.note_all(who, action, [(target, outcome)])

    def note_all(self, who: Who, action: str, parts: Sequence[tuple[str, str]]) -> None:
        """Write down who did something to many things, and what came of it for each; never long in one transaction."""
        now = self._clock.now()
        for start in range(0, len(parts), _LINES_AT_ONCE):
            with self._store.transaction():
                for target, outcome in parts[start : start + _LINES_AT_ONCE]:
                    self._access.add_audit(now, who, action, target, outcome, who.address)

    def audit(self, who: str = "", before: int | None = None, most: int = 100) -> list[Entry]:
        """Return what was done, newest first."""
        return self._access.audit(who, before, most)


def digest_of(secret: str) -> str:
    """Return what the store keeps of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _nobodys(hasher: PasswordHasher) -> str:
    """Return a hash that no password has, so that a wrong name takes as long as a wrong password."""
    from argon2.low_level import Type

    kind = {Type.D: "argon2d", Type.I: "argon2i", Type.ID: "argon2id"}[hasher.type]
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, tag = (b64encode(os.urandom(size)).decode().rstrip("=") for size in (hasher.salt_len, hasher.hash_len))
    return f"${kind}$v=19${costs}${salt}${tag}"


def _check_name(name: str) -> None:
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadAccount(f"{name!r} cannot be somebody's name; use letters, digits, '.', '-', '_' and '@', 64 at most")


def _check_password(password: str, name: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise BadAccount(f"a password has {SHORTEST_PASSWORD} characters or more; this one has {len(password)}")
    if len(password) > LONGEST_PASSWORD:
        raise BadAccount(f"a password has {LONGEST_PASSWORD} characters at most")
    if password.casefold() == name.casefold() or len(set(password)) < 4:
        raise BadAccount("this password is too easy to guess; a few words in a row make a good one")
