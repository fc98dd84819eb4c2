"""People, their credentials, and the audit."""

from __future__ import annotations

from datetime import datetime

from rota.model.access import Credential, Entry, Kind, Role, Scope, User, Who
from rota.store.database import Database
from rota.store.instants import from_us, maybe_from_us, maybe_us, to_us
from rota.store.rows import AnyRow

_LAST = 1 << 62


class AccessTable:
    """The moves on people and credentials; see ports.AccessStore."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def users(self) -> list[User]:
        """Return everybody, by name; within a transaction nobody else asks so until the end."""
        self._db.lock("lock_users")
        return [_user(row) for row in self._db.all("all_users")]

    def user(self, name: str) -> User | None:
        """Return one person."""
        row = self._db.one("user_by_name", name=name)
        return None if row is None else _user(row)

    def add_user(self, name: str, role: Role, password: str, now: datetime) -> bool:
        """Add somebody, with the hash of a password; False when somebody has that name."""
        return self._db.run("add_user", name=name, role=role.value, password=password, now=to_us(now)) > 0

    def set_password(self, name: str, password: str, now: datetime) -> bool:
        """Give somebody another password's hash; False when there is nobody of that name."""
        return self._db.run("set_user_password", name=name, password=password, now=to_us(now)) > 0

    def set_role(self, name: str, role: Role, now: datetime) -> bool:
        """Give somebody another role; False when there is nobody of that name."""
        return self._db.run("set_user_role", name=name, role=role.value, now=to_us(now)) > 0

    def remove_user(self, name: str) -> bool:
        """Let somebody go, with all of their credentials; False when there is nobody of that name."""
        return self._db.run("drop_user", name=name) > 0

    def add_credential(self, credential: Credential, digest: str) -> None:
        """Keep a credential by the digest of its secret."""
        self._db.run(
            "add_credential",
            id=credential.id,
            user=credential.user,
            kind=credential.kind.value,
            name=credential.name,
            scopes=" ".join(sorted(credential.scopes)),
            digest=digest,
            now=to_us(credential.created_at),
            expires_at=maybe_us(credential.expires_at),
            family=credential.family,
        )

    def credential(self, kind: Kind, digest: str, now: datetime) -> Credential | None:
        """Return what a digest belongs to, if it is still good."""
        row = self._db.one("credential_by_digest", kind=kind.value, digest=digest, now=to_us(now))
        return None if row is None else _credential(row)

    def credential_with_id(self, credential_id: str, now: datetime) -> Credential | None:
        """Return a credential by its id, if it is still good."""
        row = self._db.one("credential_by_id", id=credential_id, now=to_us(now))
        return None if row is None else _credential(row)

    def spend(self, credential_id: str, now: datetime) -> bool:
        """Use up a refresh token; False when it was used up before."""
        return self._db.run("spend_credential", id=credential_id, now=to_us(now)) > 0

    def head_of_family(self, family: str, now: datetime) -> Credential | None:
        """Return the refresh token of a family that is not used up; None when the family was revoked."""
        row = self._db.one("head_of_family", family=family, now=to_us(now))
        return None if row is None else _credential(row)

    def revoke_family(self, family: str) -> int:
        """Revoke all refresh tokens of a family."""
        return self._db.run("drop_family", family=family)

    def credentials(self, user: str, kind: Kind, now: datetime) -> list[Credential]:
        """Return somebody's credentials of a kind that are still good; those of all for no name."""
        return [
            _credential(row) for row in self._db.all("credentials_of_user", user=user, kind=kind.value, now=to_us(now))
        ]

    def note_use(self, credential_id: str, now: datetime) -> None:
        """Remember when a credential was used, to the minute."""
        self._db.run("note_use", id=credential_id, now=to_us(now))

    def extend(self, credential_id: str, expires_at: datetime) -> None:
        """Let a credential be good until later."""
        self._db.run("extend_credential", id=credential_id, expires_at=to_us(expires_at))

    def revoke(self, credential_id: str) -> bool:
        """Let a credential be good for nothing; False when it was not there."""
        return self._db.run("drop_credential", id=credential_id) > 0

    def revoke_all(self, user: str, kind: Kind) -> int:
        """Revoke all credentials of a kind that somebody has."""
        return self._db.run("drop_credentials_of_user", user=user, kind=kind.value)

    def use_nonce(self, nonce: str, expires_at: datetime) -> bool:
        """Use a number once; False when it was used before."""
        return self._db.run("use_nonce", nonce=nonce, expires_at=to_us(expires_at)) > 0

    def add_audit(self, now: datetime, who: Who, action: str, target: str, outcome: str, address: str) -> None:
        """Write down who did what."""
        self._db.run(
            "add_audit",
            now=to_us(now),
            who=who.name,
            how=who.how,
            action=action,
            target=target,
            outcome=outcome,
            address=address,
        )

    def audit(self, who: str, before: int | None, limit: int) -> list[Entry]:
        """Return lines of the audit, newest first, of one person or of all."""
        found = self._db.all("audit_page", who=who, before=before or _LAST, limit=limit)
        return [
            Entry(
                id=row["id"],
                at=from_us(row["at"]),
                who=row["who"],
                how=row["how"],
                action=row["action"],
                target=row["target"],
                outcome=row["outcome"],
                address=row["address"],
            )
            for row in found
        ]

    def drop_expired(self, now: datetime, limit: int) -> int:
        """Drop some credentials and nonces that are good for nothing any more."""
        return self._db.run("drop_expired_credentials", now=to_us(now), limit=limit) + self._db.run(
            "drop_expired_nonces", now=to_us(now), limit=limit
        )

    def drop_audit_before(self, instant: datetime, limit: int) -> int:
        """Drop some lines of the audit older than an instant."""
        return self._db.run("drop_old_audit", before=to_us(instant), limit=limit)


def _user(row: AnyRow) -> User:
    return User(row["name"], Role(row["role"]), row["password"], from_us(row["created_at"]), from_us(row["changed_at"]))


def _credential(row: AnyRow) -> Credential:
    return Credential(
        id=row["id"],
        user=row["user"],
        kind=Kind(row["kind"]),
        name=row["name"],
        scopes=frozenset(map(Scope, row["scopes"].split())),
        created_at=from_us(row["created_at"]),
        expires_at=maybe_from_us(row["expires_at"]),
        used_at=maybe_from_us(row["used_at"]),
        family=row["family"],
        spent_at=maybe_from_us(row["spent_at"]),
    )
