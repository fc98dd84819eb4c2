"""What pages of other sites, and names that were made to lead here, can do in somebody's browser: nothing."""

from __future__ import annotations

import pytest

RUN = "/api/v1/jobs/backup/run"
PAUSE = "/api/v1/jobs/backup/pause"
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7682", "127.0.0.1.evil.example", "localhost.", "127.0.0.1@evil.example", "["]
)
def test_a_name_that_was_made_to_lead_here_is_refused(alone, host):
    for method, path in (("GET", "/api/v1/jobs"), ("POST", RUN), ("GET", "/healthz")):
        answer = alone.ask(method, path, headers={"Host": host})
        assert 421 == answer.status_code
        assert "urn:rota:problem:foreign-host" == answer.json()["type"]


def test_a_name_that_is_allowed_leads_here(web):
    web.start("--allowed-host", "rota.example.org")
    assert 200 == web.ask(headers={"Host": "Rota.example.org:8443"}).status_code


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_changes_nothing(alone, headers):
    before = alone.runs()
    answer = alone.ask("POST", RUN, headers=headers)
    assert (403, "urn:rota:problem:cross-site") == (answer.status_code, answer.json()["type"])
    assert before == alone.runs()


def test_a_page_of_another_site_may_lead_here_and_load_nothing(alone):
    for site in ("cross-site", "same-site"):
        for mode, status in (("navigate", 200), ("no-cors", 403), ("cors", 403)):
            answer = alone.ask(path="/docs", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode})
            assert status == answer.status_code
    assert 200 == alone.ask(headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}).status_code


def test_a_program_says_nothing_of_where_it_comes_from_and_our_pages_say_that_they_are_ours(alone):
    for headers in ({}, {"Origin": alone.url, "Sec-Fetch-Site": "same-origin"}):
        assert 202 == alone.ask("POST", RUN, headers=headers).status_code


def test_a_session_shows_its_own_token_to_change_something(peopled):
    ann, vera = peopled.sign_in("ann"), peopled.sign_in("vera")
    assert 200 == ann.http.get("/api/v1/jobs").status_code
    for shown in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "é".encode()}, vera.csrf):
        assert 403 == ann.http.post(RUN, headers=shown).status_code
    assert 202 == ann.http.post(RUN, headers=ann.csrf).status_code


def test_a_form_shows_it_in_a_field(peopled):
    ann = peopled.sign_in("ann")
    assert 403 == ann.http.post(PAUSE, data={"csrf_token": "wrong"}).status_code
    assert 200 == ann.http.post(PAUSE, data={"csrf_token": ann.csrf["X-CSRF-Token"]}).status_code


def test_answers_keep_browsers_from_doing_more_with_them_than_is_meant(alone):
    for path in ("/api/v1/jobs", "/docs", "/nowhere", "/api/v1/jobs/none"):
        headers = alone.ask(path=path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert ("nosniff", "DENY") == (headers["x-content-type-options"], headers["x-frame-options"])
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/docs/../../etc/passwd",
        "/docs/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/docs/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/docs/%2fetc%2fpasswd",
        "/docs/start.js%00.css",
        "/static/../../rota.db",
        "/static/%2e%2e/%2e%2e/rota.db",
        "//etc/passwd",
        "/api/v1/jobs/..%2f..%2f..%2fetc%2fpasswd",
        "/docs/__init__.py",
    ],
)
def test_no_path_leads_to_a_file_that_is_not_served(alone, path):
    import http.client

    asked = http.client.HTTPConnection("127.0.0.1", alone.port, timeout=30)
    asked.request("GET", path)  # as it is: httpx would tidy it
    answer = asked.getresponse()
    assert 404 == answer.status
    assert b"root:" not in answer.read()
    asked.close()
