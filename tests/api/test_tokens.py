"""What programs show: tokens, access tokens, and what they are worth when something has happened to them or to whom
they belong.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from rota.model.access import Kind, Role, Scope

from .webs import PASSWORD, Web

TOKENS, RUN = "/api/v1/tokens", "/api/v1/jobs/backup/run"


def signed_in(web: Web, name: str = "ann") -> dict[str, str]:
    answer = web.post("/api/v1/auth/token", {"name": name, "password": PASSWORD})
    assert 200 == answer.status_code, answer.text
    return answer.json()


def refresh(web: Web, token: str):
    return web.post("/api/v1/auth/refresh", {"refresh_token": token})


def test_a_token_may_do_what_it_was_made_for(peopled):
    token = peopled.token("ann", scopes=[Scope.READ, Scope.RUN])
    me = peopled.with_token(token).json()
    assert ("ann", "token", ["read", "run"]) == (me["name"], me["how"], me["scopes"])
    assert 202 == peopled.with_token(token, "POST", RUN).status_code
    assert 403 == peopled.with_token(token, path="/api/v1/users").status_code


@pytest.mark.parametrize(
    ("name", "codes"), [("vera", (200, 403, 403)), ("olga", (200, 202, 403)), ("ann", (200, 202, 200))]
)
def test_roles_see_run_and_manage(peopled, name, codes):
    token = peopled.token(name)
    found = (
        peopled.with_token(token, path="/api/v1/jobs").status_code,
        peopled.with_token(token, "POST", RUN).status_code,
        peopled.with_token(token, path="/api/v1/audit").status_code,
    )
    assert codes == found


@pytest.mark.parametrize(
    "shown",
    [
        "Bearer",
        "Bearer x",
        "Bearer rota_t_" + "x" * 43,
        "Basic YW5uOng=",
        "Bearer a.b.c",
        "Bearer ..",
        "x",
        "Bearer é",
    ],
)
def test_what_is_no_token_is_refused_and_nothing_else_is_tried(peopled, alone, shown):
    ann = peopled.sign_in("ann")
    for answer in (
        ann.http.get("/api/v1/me", headers={"Authorization": shown.encode()}),
        alone.ask(headers={"Authorization": shown.encode()}),
    ):
        assert 401 == answer.status_code
        assert 'Bearer realm="rota"' == answer.headers["www-authenticate"]


def test_a_session_s_secret_is_no_token_and_a_token_is_no_session(peopled):
    cookie = peopled.sign_in("ann").http.cookies["rota_session"]
    assert 401 == peopled.with_token(cookie).status_code
    assert 401 == peopled.ask(cookies={"rota_session": peopled.token("ann")}).status_code


def test_a_token_ends_when_it_is_revoked_has_expired_or_its_owner_is_gone(peopled):
    peopled.add_user("bob")
    issued = peopled.client.accounts.issue("bob", Kind.TOKEN, "deploy")
    expired, left = peopled.token("bob", lasts=timedelta(0)), peopled.token("bob")
    assert 401 == peopled.with_token(expired).status_code
    assert 200 == peopled.with_token(issued.secret).status_code
    assert 204 == peopled.with_token(left, "DELETE", f"{TOKENS}/{issued.credential.id}").status_code
    assert 401 == peopled.with_token(issued.secret).status_code
    peopled.client.accounts.remove_user("bob")
    assert 401 == peopled.with_token(left).status_code


def test_a_role_that_shrinks_shrinks_what_was_made_before(peopled):
    peopled.add_user("carl")
    token, pair = peopled.token("carl"), signed_in(peopled, "carl")
    peopled.client.accounts.set_role("carl", Role.VIEWER)
    assert ["read"] == peopled.with_token(token).json()["scopes"]
    assert 403 == peopled.with_token(token, "POST", RUN).status_code
    assert 401 == peopled.with_token(pair["access_token"]).status_code
    assert 401 == refresh(peopled, pair["refresh_token"]).status_code


def test_a_token_is_made_over_rest_shown_once_and_never_again(peopled):
    vera = peopled.sign_in("vera")
    made = vera.http.post(TOKENS, json={"name": "screen", "lasts": 3600}, headers=vera.csrf)
    assert 201 == made.status_code
    secret, token_id = made.json()["secret"], made.json()["id"]
    assert ["read"] == made.json()["scopes"]
    assert "vera" == peopled.with_token(secret).json()["name"]
    listed = vera.http.get(TOKENS)
    assert secret not in listed.text
    assert {"vera"} == {token["user"] for token in listed.json()["items"]}
    assert 404 == peopled.with_token(peopled.token("olga"), "DELETE", f"{TOKENS}/{token_id}").status_code
    assert 204 == peopled.with_token(peopled.token("ann"), "DELETE", f"{TOKENS}/{token_id}").status_code


def test_nobody_makes_a_token_that_may_more_or_lasts_longer_than_what_they_show(peopled):
    vera = peopled.sign_in("vera")
    for body, code in (
        ({"name": "x", "scopes": ["run"]}, 403),
        ({"name": "x", "user": "ann"}, 403),
        ({"name": "x", "scopes": []}, 422),
        ({"name": "x", "scopes": ["everything"]}, 422),
    ):
        assert code == vera.http.post(TOKENS, json=body, headers=vera.csrf).status_code
    assert 403 == peopled.with_token(peopled.token("olga"), "POST", TOKENS, json={"name": "x"}).status_code
    weak = peopled.token("ann", scopes=[Scope.READ, Scope.ADMIN])
    made = peopled.with_token(weak, "POST", TOKENS, json={"name": "x"})
    assert ["admin", "read"] == made.json()["scopes"]
    assert 403 == peopled.with_token(weak, "POST", TOKENS, json={"name": "x", "scopes": ["write"]}).status_code


def test_a_program_signs_in_and_gets_the_next_token_with_the_one_before(peopled):
    first = signed_in(peopled)
    assert (900, "bearer") == (first["expires_in"], first["token_type"])
    assert ("ann", "access") == tuple(peopled.with_token(first["access_token"]).json()[key] for key in ("name", "how"))
    second = refresh(peopled, first["refresh_token"]).json()
    assert first["refresh_token"] != second["refresh_token"]
    assert 200 == peopled.with_token(second["access_token"]).status_code


def test_a_refresh_token_that_comes_twice_ends_everything_that_came_of_it(peopled):
    first, other = signed_in(peopled), signed_in(peopled)
    second = refresh(peopled, first["refresh_token"]).json()
    assert 401 == refresh(peopled, first["refresh_token"]).status_code
    assert 401 == refresh(peopled, second["refresh_token"]).status_code
    assert [401, 401, 200] == [peopled.with_token(pair["access_token"]).status_code for pair in (first, second, other)]


def test_to_sign_out_ends_the_access_token_at_once(peopled):
    pair = signed_in(peopled)
    assert 204 == peopled.with_token(pair["access_token"], "POST", "/api/v1/auth/logout").status_code
    assert 401 == peopled.with_token(pair["access_token"]).status_code
    assert 401 == refresh(peopled, pair["refresh_token"]).status_code


def test_what_is_no_refresh_token_leaves_nothing_in_the_audit(peopled):
    before = peopled.audit()
    for made_up in ("", "x" * 43, "rota_r_" + "x" * 43, peopled.token("ann")):
        assert 401 == refresh(peopled, made_up).status_code
    assert before == peopled.audit()


def test_a_token_revokes_itself_and_no_others_unless_it_is_an_admin_s(peopled):
    accounts = peopled.client.accounts
    weak, other = (accounts.issue("ann", Kind.TOKEN, "test", [Scope.READ]) for _ in range(2))
    assert 403 == peopled.with_token(weak.secret, "DELETE", f"{TOKENS}/{other.credential.id}").status_code
    assert 204 == peopled.with_token(weak.secret, "DELETE", f"{TOKENS}/{weak.credential.id}").status_code
    assert 401 == peopled.with_token(weak.secret).status_code
    assert 204 == peopled.with_token(peopled.token("ann"), "DELETE", f"{TOKENS}/{other.credential.id}").status_code


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_an_access_token_that_was_changed_or_signed_otherwise_is_none(peopled):
    token = signed_in(peopled)["access_token"]
    head, body, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False})
    key = bytes.fromhex((peopled.home / "web.key").read_text())
    assert 0o600 == (peopled.home / "web.key").stat().st_mode & 0o777
    assert 200 == peopled.with_token(jwt.encode(claims, key, "HS256")).status_code
    past, soon = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    forged = {
        "no algorithm": f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "none, spelled otherwise": f"{part({'alg': 'nOnE'})}.{body}.",
        "another body": f"{head}.{part(claims | {'sub': 'vera'})}.{signature}",
        "no signature": f"{head}.{body}.",
        "another key": jwt.encode(claims, b"x" * 32, "HS256"),
        "another algorithm": jwt.encode(claims, key * 2, "HS512"),
        "expired": jwt.encode(claims | {"exp": past}, key, "HS256"),
        "not yet": jwt.encode(claims | {"iat": soon, "exp": soon}, key, "HS256"),
        "for somebody else": jwt.encode(claims | {"aud": "other"}, key, "HS256"),
        "from somebody else": jwt.encode(claims | {"iss": "other"}, key, "HS256"),
        "another's sign-in": jwt.encode(claims | {"sub": "vera"}, key, "HS256"),
        "no sign-in": jwt.encode(claims | {"sid": ""}, key, "HS256"),
        "no end": jwt.encode({name: claims[name] for name in claims if name != "exp"}, key, "HS256"),
    }
    assert dict.fromkeys(forged, 401) == {name: peopled.with_token(each).status_code for name, each in forged.items()}


def test_one_s_own_password_is_changed_with_the_old_one_and_signs_everything_out(web):
    web.add_user("ann")
    web.start()
    ann, pair, token = web.sign_in("ann"), signed_in(web), web.token("ann")
    path, new = "/api/v1/me/password", "some other words in a row"
    wrong = ann.http.put(path, json={"old": "not the old one", "new": new}, headers=ann.csrf)
    assert 401 == wrong.status_code
    assert 422 == ann.http.put(path, json={"old": PASSWORD, "new": "short"}, headers=ann.csrf).status_code
    assert 204 == ann.http.put(path, json={"old": PASSWORD, "new": new}, headers=ann.csrf).status_code
    assert 401 == ann.http.get("/api/v1/me").status_code
    assert 401 == web.with_token(pair["access_token"]).status_code
    assert 200 == web.with_token(token).status_code
    assert 200 == web.post("/api/v1/auth/login", {"name": "ann", "password": new}).status_code


def test_people_are_managed_over_rest_and_somebody_stays_admin(peopled):
    ann = {"Authorization": f"Bearer {peopled.token('ann')}"}
    given = {"name": "dora", "role": "admin", "password": PASSWORD}
    assert 201 == peopled.post("/api/v1/users", given, headers=ann).status_code
    assert 409 == peopled.post("/api/v1/users", given, headers=ann).status_code
    assert 404 == peopled.ask(path="/api/v1/users/dorra", headers=ann).status_code
    changed = peopled.ask("PATCH", "/api/v1/users/dora", json={"role": "viewer"}, headers=ann)
    assert "viewer" == changed.json()["role"]
    for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
        answer = peopled.ask(method, "/api/v1/users/ann", json=body, headers=ann)
        assert (422, "somebody has to be admin") == (answer.status_code, answer.json()["detail"][:24])
    assert 204 == peopled.ask("DELETE", "/api/v1/users/dora", headers=ann).status_code
    listed = peopled.ask(path="/api/v1/users", headers=ann)
    assert "argon2" not in listed.text
