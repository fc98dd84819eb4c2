"""People and credentials: who may sign in, what a credential may do, and when it stops being one."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from rota.control.accounts import SESSION_LASTS, Accounts
from rota.errors import BadAccount, NoSuchUser, UserExists
from rota.model.access import Kind, Role, Scope

from .worlds import HOUR, MINUTE

GOOD = "correct horse battery"


@pytest.fixture
def accounts(world):
    made = Accounts(world.store, world.clock)
    made.add_user("ann", Role.ADMIN, GOOD)
    return made


def test_a_password_opens_and_a_wrong_one_or_a_wrong_name_does_not(accounts):
    assert "ann" == accounts.check_password("ann", GOOD).name
    assert accounts.check_password("ann", GOOD + "!") is None
    assert accounts.check_password("bob", GOOD) is None


@pytest.mark.parametrize(
    ("name", "password", "why"),
    [
        ("ann", GOOD, "somebody is named 'ann' already"),
        ("a/b", GOOD, "cannot be somebody's name"),
        ("", GOOD, "cannot be somebody's name"),
        ("a" * 65, GOOD, "cannot be somebody's name"),
        ("bob", "short", "has 10 characters or more; this one has 5"),
        ("bob", "x" * 2000, "1024 characters at most"),
        ("bob", "aaaaaaaaaaaa", "too easy to guess"),
        ("bob.the.builder", "Bob.The.Builder", "too easy to guess"),
    ],
)
def test_bad_names_and_passwords_are_refused(accounts, name, password, why):
    with pytest.raises((BadAccount, UserExists), match=why):
        accounts.add_user(name, Role.VIEWER, password)


def test_a_secret_is_recognised_and_the_store_has_it_nowhere(accounts, world):
    issued = accounts.issue("ann", Kind.TOKEN, "deploy")
    who = accounts.recognise(Kind.TOKEN, issued.secret)
    assert ("ann", frozenset(Scope), "token") == (who.name, who.scopes, who.how)
    assert accounts.recognise(Kind.SESSION, issued.secret) is None
    assert accounts.recognise(Kind.TOKEN, issued.secret[:-1] + "x") is None
    kept = "\n".join(world.store._db._connection.iterdump())
    assert issued.secret not in kept
    assert GOOD not in kept


def test_a_credential_may_do_what_its_owner_may_now_and_never_more(accounts):
    accounts.add_user("bob", Role.OPERATOR, GOOD)
    with pytest.raises(BadAccount, match="bob is operator and may not write"):
        accounts.issue("bob", Kind.TOKEN, scopes=[Scope.WRITE])
    issued = accounts.issue("bob", Kind.TOKEN)
    accounts.set_role("bob", Role.VIEWER)
    assert frozenset({Scope.READ}) == accounts.recognise(Kind.TOKEN, issued.secret).scopes


def test_a_session_that_is_used_goes_on_and_one_that_is_not_ends(accounts, world):
    issued = accounts.issue("ann", Kind.SESSION, lasts=SESSION_LASTS)
    for _ in range(3):
        world.clock.at += SESSION_LASTS - MINUTE
        assert accounts.recognise(Kind.SESSION, issued.secret) is not None
    world.clock.at += SESSION_LASTS
    assert accounts.recognise(Kind.SESSION, issued.secret) is None


def test_a_token_ends_when_it_is_said_to(accounts, world):
    issued = accounts.issue("ann", Kind.TOKEN, lasts=HOUR)
    world.clock.at += HOUR
    assert accounts.recognise(Kind.TOKEN, issued.secret) is None


@pytest.mark.parametrize("change", ["password", "role", "removed"])
def test_whoever_is_changed_is_signed_out(accounts, change):
    accounts.add_user("bob", Role.ADMIN, GOOD)
    session = accounts.issue("bob", Kind.SESSION, lasts=SESSION_LASTS)
    if change == "password":
        accounts.set_password("bob", GOOD + " staple")
    elif change == "role":
        accounts.set_role("bob", Role.VIEWER)
    else:
        accounts.remove_user("bob")
    assert accounts.recognise(Kind.SESSION, session.secret) is None


def test_somebody_stays_admin_unless_it_is_meant(accounts):
    for change in (lambda: accounts.set_role("ann", Role.VIEWER), lambda: accounts.remove_user("ann")):
        with pytest.raises(BadAccount, match="somebody has to be admin"):
            change()
    assert Role.ADMIN is accounts.user("ann").role
    accounts.remove_user("ann", last=True)
    assert not accounts.has_users


def test_a_refresh_token_is_good_once_and_a_second_use_ends_all_that_came_of_it(accounts):
    first = accounts.issue("ann", Kind.REFRESH, lasts=timedelta(days=1))
    other = accounts.issue("ann", Kind.REFRESH, lasts=timedelta(days=1))
    second = accounts.exchange(accounts.refresh_token(first.secret))
    assert "access" == accounts.recognise_family("ann", second.credential.family).how
    assert accounts.exchange(accounts.refresh_token(first.secret)) is None
    assert accounts.refresh_token(second.secret) is None
    assert accounts.refresh_token(accounts.issue("ann", Kind.TOKEN).secret) is None
    assert accounts.recognise_family("ann", second.credential.family) is None
    assert accounts.exchange(accounts.refresh_token(other.secret)) is not None


def test_the_first_person_is_an_admin(world):
    nobody = Accounts(world.store, world.clock)
    with pytest.raises(BadAccount, match="somebody has to be admin"):
        nobody.add_user("bob", Role.OPERATOR, GOOD)
    assert not nobody.has_users


def test_a_wrong_name_is_checked_against_a_hash_as_costly_as_a_real_one(accounts, world):
    from rota.control.accounts import _nobodys

    real, nobodys = (
        found.split("$") for found in (world.store.access.user("ann").password, _nobodys(accounts._hasher))
    )
    assert (real[:4], [len(part) for part in real]) == (nobodys[:4], [len(part) for part in nobodys])


def test_a_name_that_nobody_has_is_told_with_the_nearest(accounts):
    with pytest.raises(NoSuchUser, match=r"nobody is named 'anna' here; did you mean 'ann'\?"):
        accounts.user("anna")


def test_the_audit_says_who_did_what(accounts):
    who = accounts.recognise(Kind.TOKEN, accounts.issue("ann", Kind.TOKEN).secret)
    accounts.note(msgspec.structs.replace(who, address="127.0.0.1"), "job.run", "backup")
    [line] = accounts.audit()
    assert ("ann", "token", "127.0.0.1") == (line.who, line.how, line.address)
    assert ("job.run", "backup", "ok") == (line.action, line.target, line.outcome)
