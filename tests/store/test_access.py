"""People and credentials in the store: names are one person's, digests one credential's, numbers are used once."""

from __future__ import annotations

import pytest

from rota.model.access import Credential, Kind, Role, Scope, Who

from .worlds import DAY, HOUR, MINUTE, NOW, REFUSED, SECOND

HASH = "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA"
READ = frozenset({Scope.READ})


def credential(name="one", user="ann", kind=Kind.TOKEN, expires=None):
    return Credential(name, user, kind, "", READ, NOW, expires, None)


@pytest.fixture
def access(store):
    store.access.add_user("ann", Role.ADMIN, HASH, NOW)
    return store.access


def test_a_name_is_one_persons(access):
    assert not access.add_user("ann", Role.VIEWER, HASH, NOW)
    assert [("ann", Role.ADMIN)] == [(user.name, user.role) for user in access.users()]


def test_what_nobody_has_cannot_be_changed(access):
    assert not access.set_role("bob", Role.VIEWER, NOW)
    assert not access.set_password("bob", HASH, NOW)
    assert not access.remove_user("bob")


def test_a_password_is_a_hash_or_it_is_not_kept(access):
    with pytest.raises(Exception, match=REFUSED):
        access.set_password("ann", "secret", NOW)


def test_a_credential_is_found_by_its_kind_and_digest_as_long_as_it_is_good(access):
    access.add_credential(credential(expires=NOW + HOUR), "a" * 64)
    assert "one" == access.credential(Kind.TOKEN, "a" * 64, NOW).id
    assert access.credential(Kind.SESSION, "a" * 64, NOW) is None
    assert access.credential(Kind.TOKEN, "b" * 64, NOW) is None
    assert access.credential(Kind.TOKEN, "a" * 64, NOW + HOUR) is None
    access.extend("one", NOW + DAY)
    assert access.credential(Kind.TOKEN, "a" * 64, NOW + HOUR) is not None


def test_a_credential_goes_with_its_owner(access):
    access.add_credential(credential(), "a" * 64)
    assert access.remove_user("ann")
    assert access.credential(Kind.TOKEN, "a" * 64, NOW) is None


def test_only_a_token_may_be_good_for_ever(access):
    with pytest.raises(Exception, match=REFUSED):
        access.add_credential(credential(kind=Kind.SESSION), "a" * 64)


def test_use_is_noted_to_the_minute(access):
    access.add_credential(credential(), "a" * 64)
    for at in (NOW, NOW + SECOND, NOW + 2 * MINUTE):
        access.note_use("one", at)
    assert NOW + 2 * MINUTE == access.credentials("ann", Kind.TOKEN, NOW)[0].used_at


def test_revoking_ends_one_or_all_of_a_kind(access):
    for number, kind in enumerate((Kind.TOKEN, Kind.SESSION, Kind.SESSION)):
        access.add_credential(credential(str(number), kind=kind, expires=NOW + DAY), str(number) * 64)
    assert access.revoke("1")
    assert not access.revoke("1")
    assert 1 == access.revoke_all("ann", Kind.SESSION)
    assert ["0"] == [each.id for each in access.credentials("", Kind.TOKEN, NOW)]


def test_a_number_is_used_once(access):
    assert access.use_nonce("n", NOW + MINUTE)
    assert not access.use_nonce("n", NOW + MINUTE)


def test_what_has_expired_goes(access):
    access.add_credential(credential(expires=NOW + HOUR), "a" * 64)
    access.add_credential(credential("two"), "b" * 64)
    access.use_nonce("n", NOW + MINUTE)
    assert 1 == access.drop_expired(NOW + MINUTE, 10)
    assert 1 == access.drop_expired(NOW + HOUR, 10)
    assert 0 == access.drop_expired(NOW + DAY, 10)
    assert access.use_nonce("n", NOW + DAY)


def test_the_audit_is_read_newest_first_and_page_by_page(access):
    ann, bob = Who("ann", READ, "token"), Who("bob", READ, "session")
    for number, who in enumerate((ann, bob, ann)):
        access.add_audit(NOW + number * SECOND, who, "job.run", f"job {number}", "ok", "127.0.0.1")
    newest = access.audit("", None, 2)
    assert ["job 2", "job 1"] == [line.target for line in newest]
    assert ["job 0"] == [line.target for line in access.audit("", newest[-1].id, 2)]
    assert ["bob"] == [line.who for line in access.audit("bob", None, 9)]
    assert 1 == access.drop_audit_before(NOW + SECOND, 10)
