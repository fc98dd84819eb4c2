"""Requests that are signed with a shared secret: good once, now, as they are, and for what they say."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator

import httpx
import pytest

from rota.model.access import Role

from .webs import Web

SECRET = "0123456789abcdef0123456789abcdef"
RUN = "/api/v1/jobs/backup/run"


@pytest.fixture(scope="module")
def signing(tmp_path_factory) -> Iterator[Web]:
    made = Web(tmp_path_factory.mktemp("signing"))
    made.add_user("ann")
    made.add_user("robot", "operator")
    yield made.start(ROTA_HMAC_SECRET=SECRET, ROTA_HMAC_USER="robot")
    made.close()


def signature(*lines: str, body: bytes = b"", secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), "\n".join([*lines, ""]).encode() + body, hashlib.sha256).hexdigest()


def signed(method: str = "POST", path: str = RUN, query: str = "", body: bytes = b"", **other: str) -> dict[str, str]:
    """Return the headers of a signed request."""
    at, nonce = other.get("at", str(int(time.time()))), other.get("nonce", secrets.token_hex(16))
    shown = signature(at, nonce, method, path, query, body=body, secret=other.get("secret", SECRET))
    return {"X-HMAC-Signature": shown, "X-Timestamp": at, "X-Nonce": nonce}


def test_a_signed_request_acts_as_the_user_who_was_named(signing):
    answer = signing.ask("POST", RUN, headers=signed())
    assert 202 == answer.status_code, answer.text
    line = signing.client.accounts.audit()[0]
    assert ("robot", "signature", "job.run", "127.0.0.1") == (line.who, line.how, line.action, line.address)


def test_the_query_and_the_path_are_signed_as_they_are_sent(signing):
    headers = signed("GET", "/api/v1/jobs/a%20b/ledger", "limit=5&after=%2F")
    assert 404 == signing.ask(path="/api/v1/jobs/a%20b/ledger?limit=5&after=%2F", headers=headers).status_code
    assert 401 == signing.ask(path="/api/v1/jobs/a%20b/ledger?after=%2F&limit=5", headers=headers).status_code


def test_the_body_is_signed(signing):
    body = b'{"name": "by-robot"}'
    headers = signed("POST", "/api/v1/tokens", body=body) | {"Content-Type": "application/json"}
    refused = signing.ask("POST", "/api/v1/tokens", content=body.replace(b"by", b"no"), headers=headers)
    assert (401, "the signature is not right") == (refused.status_code, refused.json()["detail"][:26])
    assert 403 == signing.ask("POST", "/api/v1/tokens", content=body, headers=headers).status_code


def test_a_request_that_was_made_before_is_refused(signing):
    headers = signed()
    before = signing.runs()
    codes = [signing.ask("POST", RUN, headers=headers).status_code for _ in range(3)]
    assert [202, 401, 401] == codes
    assert before + 1 == signing.runs()


@pytest.mark.parametrize(
    ("why", "headers"),
    [
        ("more than 300 s away", lambda: signed(at=str(int(time.time()) - 310))),
        ("more than 300 s away", lambda: signed(at=str(int(time.time()) + 330))),
        ("more than 300 s away", lambda: signed(at="999999999999")),
        ("missing, or not in whole seconds", lambda: signed(at="now")),
        ("missing, or not in whole seconds", lambda: signed(at="")),
        ("missing, or not of 8 to 128", lambda: signed(nonce="short")),
        ("missing, or not of 8 to 128", lambda: signed(nonce="x" * 200)),
        ("the signature is not right", lambda: signed(path="/api/v1/jobs/other/run")),
        ("the signature is not right", lambda: signed(method="GET")),
        ("the signature is not right", lambda: signed(query="force=1")),
        ("the signature is not right", lambda: signed(body=b"x")),
        ("the signature is not right", lambda: signed(secret="x" * 32)),
        ("the signature is not right", lambda: signed() | {"X-Nonce": secrets.token_hex(16)}),
        ("the signature is not right", lambda: signed() | {"X-HMAC-Signature": ""}),
        ("the signature is not right", lambda: signed() | {"X-HMAC-Signature": b"\xe9" * 64}),
    ],
)
def test_what_is_signed_otherwise_is_refused(signing, why, headers):
    before = signing.runs()
    answer = signing.ask("POST", RUN, headers=headers())
    assert (401, True) == (answer.status_code, why in answer.json()["detail"]), answer.text
    assert before == signing.runs()


def test_the_signature_goes_before_everything_else_that_is_shown(signing):
    shown = signed(at="1") | {"Authorization": f"Bearer {signing.token('ann')}"}
    assert 401 == signing.ask("POST", RUN, headers=shown).status_code


def test_signed_requests_may_what_their_user_may_now(signing):
    accounts = signing.client.accounts
    accounts.set_role("robot", Role.VIEWER)
    assert 403 == signing.ask("POST", RUN, headers=signed()).status_code
    accounts.remove_user("robot")
    assert 401 == signing.ask("POST", RUN, headers=signed()).status_code
    signing.add_user("robot", "operator")


def test_scopes_can_be_cut(web):
    web.add_user("ann")
    web.start(ROTA_HMAC_SECRET=SECRET, ROTA_HMAC_USER="ann", ROTA_HMAC_SCOPES="read, run")
    assert ["read", "run"] == web.ask(headers=signed("GET", "/api/v1/me")).json()["scopes"]


def test_the_secret_may_be_in_a_file_and_must_be_a_good_one_with_a_user(web):
    web.add_user("ann")
    file = web.folder / "secret"
    file.write_text(SECRET + "\n")
    web.start(ROTA_HMAC_SECRET_FILE=str(file), ROTA_HMAC_USER="ann")
    assert 202 == web.ask("POST", RUN, headers=signed()).status_code


def test_the_example_in_the_docs_works(signing):
    import re
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "how-to" / "web-access.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(# signed\.py.*?)```", text, re.DOTALL)
    assert found
    assert len(found[1].splitlines()) <= 14
    given: dict[str, object] = {}
    exec(compile(found[1], "signed.py", "exec"), given)
    headers = given["signed"](SECRET, "POST", RUN, "", b"")  # type: ignore[operator]
    assert 202 == httpx.post(signing.url + RUN, headers=headers).status_code
