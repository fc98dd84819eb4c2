"""`rota user`, `rota token` and `rota audit`: who may, from the command line."""

from __future__ import annotations

import os
import stat

import pytest

GOOD = "seven small green frogs"


def add_user(home, name: str, *words: str, password: str = GOOD) -> str:
    return home.ok("user", "add", name, "--password-file", "-", *words, input=password.encode())


@pytest.fixture
def ann(home):
    add_user(home, "ann")
    return home


def test_the_first_user_is_an_admin_and_the_next_a_viewer(home):
    assert "Nobody can sign in: you alone get in" in home.ok("user", "list")
    said = add_user(home, "ann")
    assert said.startswith("ann may sign in as admin.\nFrom now on everybody signs in")
    assert "bob may sign in as viewer.\n" == add_user(home, "bob")
    assert [("ann", "admin"), ("bob", "viewer")] == [(user["name"], user["role"]) for user in home.json("user", "list")]
    assert "ann" in home.ok("user", "list")


def test_a_password_comes_from_a_file_or_a_terminal_and_never_from_the_command_line(home):
    (home.folder / "password").write_text(GOOD + "\n")
    home.ok("user", "add", "ann", "--password-file", "password")
    assert "there is no terminal to ask for a password" in home.fails(2, "user", "add", "bob", stdin=-3)
    assert "no such option" in home.fails(2, "user", "add", "bob", "--password", GOOD)
    typed = []

    def answer(master: int, shown: bytes) -> bool:
        prompt = (b"Password for bob: ", b"Repeat for confirmation: ")[len(typed)]
        if prompt in shown:
            typed.append(os.write(master, GOOD.encode() + b"\n"))
        return len(typed) == 2

    shown = home.at_terminal("user", "add", "bob", act=answer)
    assert 0 == shown.code, shown.text
    assert "bob may sign in as viewer" in shown.text
    assert GOOD not in shown.text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add", "ann"], 4, "somebody is named 'ann' already"),
        (["add", "a b"], 2, "cannot be somebody's name"),
        (["password", "anna"], 3, "nobody is named 'anna' here; did you mean 'ann'?"),
        (["role", "ann", "viewer"], 2, "somebody has to be admin"),
        (["remove", "ann"], 2, "somebody has to be admin"),
        (["remove", "bob"], 3, "nobody is named 'bob' here"),
    ],
)
def test_what_cannot_be_is_told(ann, words, code, said):
    given = ["--password-file", "-"] if words[0] in ("add", "password") else []
    assert said in ann.fails(code, "user", *words, *given, input=GOOD.encode())


def test_a_password_that_is_easy_to_guess_is_refused(home):
    said = home.fails(2, "user", "add", "ann", "--password-file", "-", input=b"short")
    assert "a password has 10 characters or more" in said


def test_people_are_changed_and_let_go(ann):
    add_user(ann, "bob", "--role", "operator")
    ann.ok("user", "role", "bob", "admin")
    ann.ok("user", "password", "bob", "--password-file", "-", input=b"seven small grey frogs")
    ann.ok("user", "remove", "ann")
    ann.ok("user", "remove", "bob", "--last")
    assert [] == ann.json("user", "list")


def test_a_token_is_shown_once_listed_without_its_secret_and_revoked(ann):
    done = ann.call("token", "add", "ann", "deploy", "--scope", "read", "--lasts", "90d")
    secret = done.stdout.decode().strip()
    assert secret.startswith("rota_t_")
    assert b"this is the only time" in done.stderr
    [token] = ann.json("token", "list")
    assert ("ann", "deploy", ["read"]) == (token["user"], token["name"], token["scopes"])
    assert secret not in ann.ok("token", "list")
    ann.ok("token", "remove", token["id"])
    assert "no token has the id" in ann.fails(3, "token", "remove", token["id"])
    assert "No tokens." in ann.ok("token", "list")


def test_a_token_may_not_more_than_its_owner(ann):
    add_user(ann, "vera")
    said = ann.fails(2, "token", "add", "vera", "x", "--scope", "write")
    assert "vera is viewer and may not write" in said
    assert "nobody is named 'nobody' here" in ann.fails(3, "token", "add", "nobody", "x")
    assert "nobody is named 'nobody' here" in ann.fails(3, "token", "list", "nobody")


def test_the_audit_has_what_was_done_here(home):
    assert "Nobody has done anything yet." in home.ok("audit")
    add_user(home, "ann")
    home.ok("token", "add", "ann", "deploy")
    lines = home.json("audit")
    assert [("token.add", "ann deploy"), ("user.add", "ann")] == [(line["action"], line["target"]) for line in lines]
    assert {("cli", "ok", "")} == {(line["how"], line["outcome"], line["address"]) for line in lines}
    assert "user.add" in home.ok("audit", "--limit", "5")
    assert [] == home.json("audit", "--user", "nobody")


def test_what_is_kept_is_for_its_owner_alone(ann):
    assert 0 == stat.S_IMODE((ann.path / "rota.db").stat().st_mode) & 0o077
    assert GOOD.encode() not in b"".join(path.read_bytes() for path in ann.path.iterdir() if path.is_file())
