"""Nothing that opens a door is in the store, in a log or in an answer that is not the one that it was made for."""

from __future__ import annotations

import time

from rota.model.access import Kind

from .test_signed import SECRET, signed
from .webs import PASSWORD

OTHER = "quite other grey herons"


def test_after_a_day_s_work_no_secret_is_anywhere_in_the_home(web):
    web.add_user("ann")
    web.start(ROTA_HMAC_SECRET=SECRET, ROTA_HMAC_USER="ann")
    ann = web.sign_in("ann")
    secrets = [PASSWORD, OTHER, SECRET, ann.http.cookies["rota_session"], ann.csrf["X-CSRF-Token"]]
    pair = web.post("/api/v1/auth/token", {"name": "ann", "password": PASSWORD}).json()
    secrets += [pair["access_token"], pair["refresh_token"]]
    again = web.post("/api/v1/auth/refresh", {"refresh_token": pair["refresh_token"]}).json()
    secrets += [again["access_token"], again["refresh_token"]]
    made = ann.http.post("/api/v1/tokens", json={"name": "deploy"}, headers=ann.csrf).json()
    secrets.append(made["secret"])
    secrets.append(web.client.accounts.issue("ann", Kind.TOKEN, "other").secret)
    web.ask("POST", "/api/v1/jobs/backup/run", headers=signed())
    web.post("/api/v1/auth/login", {"name": "ann", "password": OTHER})
    web.post("/api/v1/auth/login", {"name": OTHER, "password": "x" * 20})
    web.with_token(made["secret"][:-1])
    answers = "".join(
        ann.http.get(path).text
        for path in ("/api/v1/users", "/api/v1/tokens", "/api/v1/audit", "/api/v1/jobs", "/metrics", "/openapi.json")
    )
    ann.http.put("/api/v1/me/password", json={"old": PASSWORD, "new": OTHER + " now"}, headers=ann.csrf)
    web.stop()
    everywhere = b"".join(
        path.read_bytes() for path in web.home.rglob("*") if path.is_file() and path.name != "web.key"
    )
    assert len(everywhere) > 100_000
    found = [secret for secret in secrets if secret.encode() in everywhere or secret in answers or secret in web.said]
    assert [] == found
    assert "$argon2" not in answers


def test_an_error_tells_nothing_of_what_was_shown(peopled):
    for secret in ("rota_t_" + "s" * 43, "aa.bb.cc"):
        assert secret not in peopled.with_token(secret).text
    answer = peopled.post("/api/v1/auth/login", {"name": "ann", "password": ["pass-" + str(time.time())]})
    assert "pass-" not in answer.text


def test_jobs_get_none_of_rota_s_own_settings(web):
    """The engine's environment has the secret; a job's has not (see process/argv.py)."""
    from rota.process.argv import _OWN

    assert "ROTA_HMAC_SECRET".startswith(_OWN)


def test_who_may_not_change_a_job_sees_no_secret_that_its_author_wrote_in_clear(peopled):
    env = {"DB_PASSWORD": "hunter2", "PGDATABASE": "db", "URL": "postgresql://me:hunter2@db/x", "MONKEY": "grey"}
    job = {"name": "clear", "run": "true", "env": env}
    assert 201 == peopled.with_token(peopled.token("ann"), "POST", "/api/v1/jobs", json=job).status_code
    params = {"params": {"API_KEY": "hunter2", "DAY": "today"}}
    asked = peopled.with_token(peopled.token("olga"), "POST", "/api/v1/jobs/clear/run", json=params).json()["id"]
    paths = ["/api/v1/jobs/clear", "/api/v1/jobs/clear/document", f"/api/v1/runs/{asked}"]
    for name, sees in (("ann", True), ("olga", False), ("vera", False)):
        shown = [peopled.with_token(peopled.token(name), path=path) for path in paths]
        assert [sees] * 3 == ["hunter2" in answer.text for answer in shown]
    hidden = {"DB_PASSWORD": "***", "PGDATABASE": "db", "URL": "postgresql://me:***@db/x", "MONKEY": "grey"}
    assert (hidden, hidden) == (shown[0].json()["env"], shown[0].json()["document"]["env"])
    assert {"API_KEY": "***", "DAY": "today"} == shown[2].json()["params"]
