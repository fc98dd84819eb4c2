"""Signing in, one's account, people, and who did what."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest
from playwright.sync_api import expect

from rota.model.access import Kind, Scope

from .crawling import Elements, browser, csrf_token
from .sites import PASSWORD, sign_in

OTHER = "quite other grey herons"


@pytest.fixture
def peopled(site):
    """A site with an admin, an operator and a viewer."""
    for name, role in (("ann", "admin"), ("olga", "operator"), ("vera", "viewer")):
        site.user(name, role)
    return site.start()


def send(client: httpx.Client, path: str, page: str = "/account", **fields) -> httpx.Response:
    """Send a form of a page."""
    return client.post(path, data={"csrf_token": csrf_token(client.get(page).text)} | fields)


def told(answer: httpx.Response) -> str:
    """Return the words that a browser finds on the page that it is sent on to, or what was wrong in a form."""
    found = re.findall(r'class="(?:notice \w+|fault)"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    return unescape(" ".join(" ".join(found).split()))


# -- signing in -------------------------------------------------------------------------------------------------------


def test_who_signs_in_gets_where_they_wanted_to_go_and_is_out_again_after_signing_out(peopled, page):
    page.goto(f"{peopled.url}/people/olga")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="olga", level=1)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{peopled.url}/account")
    expect(page).to_have_url(f"{peopled.url}/sign-in?next=%2Faccount")


def test_a_wrong_name_and_a_wrong_password_are_told_alike_and_the_name_stays(peopled):
    with browser(peopled) as somebody:
        for name in ("ann", "nobody"):
            answer = somebody.post("/sign-in", data={"name": name, "password": "not this one at all"})
            assert (401, "The name or the password is wrong.") == (answer.status_code, told(answer))
            assert f'value="{name}"' in answer.text
            assert "not this one" not in answer.text


def test_who_guesses_is_told_for_how_long_to_wait(peopled):
    with browser(peopled) as somebody:
        guess = {"name": "ann", "password": "not this one at all"}
        answer = next(answer for _ in range(12) if (answer := somebody.post("/sign-in", data=guess)).status_code != 401)
        assert 429 == answer.status_code
        assert f"Too many tries to sign in; the next one in {answer.headers['retry-after']} s." == told(answer)
        assert 'name="password"' in answer.text


def test_as_long_as_there_are_no_users_the_owner_is_told_that_they_are_in_and_how_to_make_one(site):
    site.start()
    text = site.get("/sign-in")
    assert "Nobody has to sign in yet" in text
    assert "rota user add NAME" in text
    assert "the system says" in site.get("/account").lower()


def test_who_is_not_the_owner_is_told_that_nobody_can_sign_in_yet_and_who_can_change_that(site):
    site.start()
    passed_on = {"Accept": "text/html", "X-Forwarded-For": "203.0.113.9"}
    for path in ("/sign-in", "/", "/people"):
        answer = httpx.get(site.url + path, headers=passed_on)
        assert 403 == answer.status_code
        assert "nobody can sign in yet" in answer.text.lower()
        assert "rota user add" in answer.text
    tried = httpx.post(f"{site.url}/sign-in", headers=passed_on, data={"name": "ann", "password": PASSWORD})
    assert 403 == tried.status_code


def test_a_form_of_a_session_that_has_ended_is_not_done_and_that_is_told(peopled):
    with browser(peopled, "ann") as ann:
        token = csrf_token(ann.get("/account").text)
        for session in peopled.client.accounts.credentials("ann", Kind.SESSION):
            peopled.client.accounts.revoke(session.id)
        answer = ann.post("/people/vera/remove", data={"csrf_token": token})
        assert (303, "/sign-in") == (answer.status_code, answer.headers["location"])
        assert "Your session has ended, so what you sent was not done. Sign in and do it again." == told(
            ann.get("/sign-in")
        )
        assert "ended" not in ann.get("/sign-in").text
    assert "vera" == peopled.client.accounts.user("vera").name


# -- the account ------------------------------------------------------------------------------------------------------


def test_everybody_sees_who_they_are_and_what_they_may(peopled):
    with browser(peopled, "vera") as vera:
        text = vera.get("/account").text
        assert "<h1>You are vera</h1>" in text
        assert "<dd>viewer</dd>" in text
        assert "You have signed in with this browser." in text
        assert "make, change and remove jobs" not in text


def test_a_changed_password_signs_everybody_else_out(peopled):
    with browser(peopled, "ann") as here, browser(peopled, "ann") as there:
        sent = {"old": PASSWORD, "new": OTHER, "again": OTHER}
        wrong = send(here, "/account/password", **sent | {"old": "x" * 12})
        assert (422, "The old password is wrong.") == (wrong.status_code, told(wrong))
        assert "The new password was typed differently the two times." == told(
            send(here, "/account/password", **sent | {"again": PASSWORD})
        )
        assert "A password has 10 characters or more; this one has 3." == told(
            send(here, "/account/password", old=PASSWORD, new="abc", again="abc")
        )
        assert 303 == send(here, "/account/password", **sent).status_code
        assert "You have another password now" in told(here.get("/account"))
        assert 303 == there.get("/account").status_code
    assert peopled.client.accounts.check_password("ann", OTHER) is not None
    assert ("ann", "user.password", "ok") in {
        (line.who, line.action, line.outcome) for line in peopled.client.accounts.audit()
    }


def test_the_secret_of_a_new_token_is_on_the_answer_and_nowhere_else(peopled):
    with browser(peopled, "olga") as olga:
        fields = {"name": "deploy", "scope": ["read", "run"], "days": "30"}
        made = send(olga, "/account/tokens", **fields)
        assert 201 == made.status_code
        assert "no-store" == made.headers["cache-control"]
        secret = next(each["value"] for each in Elements(made.text).of("input") if each.get("id") == "secret")
        assert secret not in str(made.headers) + str(made.url) + olga.get("/account").text
        bearer = {"Authorization": f"Bearer {secret}"}
        assert ["read", "run"] == httpx.get(f"{peopled.url}/api/v1/me", headers=bearer).json()["scopes"]
        again = send(olga, "/account/tokens", **fields)
        assert "You have a token named 'deploy' already; take another name, or revoke that one first." == told(again)
        [token] = peopled.client.accounts.credentials("olga")
        assert 30 == (token.expires_at - token.created_at).days
        assert 303 == send(olga, f"/account/tokens/{token.id}/revoke").status_code
        assert "The token deploy is good for nothing now." == told(olga.get("/account"))
        assert 401 == httpx.get(f"{peopled.url}/api/v1/me", headers=bearer).status_code
    done = [(line.action, line.target, line.outcome) for line in peopled.client.accounts.audit("olga")]
    assert [
        ("token.remove", "olga deploy", "ok"),
        ("token.add", "olga deploy", "conflict"),
        ("token.add", "olga deploy", "ok"),
    ] == done[:3]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "", "scope": "read", "days": "7"}, "A token has a name"),
        ({"name": "x" * 65, "scope": "read", "days": "7"}, "A token has a name"),
        ({"name": "a\x07", "scope": "read", "days": "7"}, "A token has a name"),
        ({"name": "deploy", "days": "7"}, "Choose what the token may do"),
        ({"name": "deploy", "scope": "read", "days": "99999999999"}, "Choose for how long"),
        ({"name": "deploy", "scope": ["read", "write"], "days": ""}, "You may read, run here, and no token may more."),
    ],
)
def test_a_token_that_cannot_be_is_told_in_words_with_what_was_typed(peopled, fields, words):
    with browser(peopled, "olga") as olga:
        answer = send(olga, "/account/tokens", **fields)
        assert 422 == answer.status_code
        assert told(answer).startswith(words)
        assert [] == peopled.client.accounts.credentials("olga")


def test_nobody_revokes_a_token_of_somebody_else_but_an_admin(peopled):
    issued = peopled.client.accounts.issue("olga", Kind.TOKEN, "deploy", [Scope.READ])
    with browser(peopled, "vera") as vera:
        assert 404 == send(vera, f"/account/tokens/{issued.credential.id}/revoke").status_code
    with browser(peopled, "ann") as ann:
        assert 303 == send(ann, f"/account/tokens/{issued.credential.id}/revoke", to_people="1").status_code
    assert [] == peopled.client.accounts.credentials("olga")


# -- people -----------------------------------------------------------------------------------------------------------


def test_the_first_user_is_made_on_a_page_and_signs_in(site, page):
    site.start()
    page.goto(f"{site.url}/people")
    expect(page.get_by_text("from then on everybody signs in, you too")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("ann")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Make the first user").click()
    expect(page.locator(".notice")).to_contain_text("ann may sign in. From now on everybody signs in, you too.")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#pulse")).to_be_visible()
    assert "user.add" in {line.action for line in site.client.accounts.audit()}


def test_an_admin_lets_people_in_changes_them_and_lets_them_go(peopled):
    with browser(peopled, "ann") as ann, browser(peopled, "vera") as vera:
        sent = {"name": "eve", "role": "operator", "password": OTHER, "again": OTHER}
        assert 303 == send(ann, "/people", **sent).status_code
        assert "eve may sign in." == told(ann.get("/people"))
        assert "Somebody is named 'eve' already" in told(send(ann, "/people", **sent))
        assert "operator" == peopled.client.accounts.user("eve").role
        assert 303 == send(ann, "/people/vera/role", role="operator").status_code
        assert "vera is operator now, and signs in again." == told(ann.get("/people/vera"))
        assert 303 == vera.get("/account").status_code
        assert 303 == send(ann, "/people/vera/password", password=OTHER, again=OTHER).status_code
        assert peopled.client.accounts.check_password("vera", OTHER) is not None
        assert 303 == send(ann, "/people/eve/remove").status_code
        assert 404 == ann.get("/people/eve").status_code
    assert ["user.remove", "user.change", "user.change", "user.add", "user.add"] == [
        line.action for line in peopled.client.accounts.audit("ann") if line.action.startswith("user")
    ]


def test_somebody_stays_admin(peopled):
    with browser(peopled, "ann") as ann:
        assert "ann is the only admin, and stays one" in ann.get("/people/ann").text
        refused = send(ann, "/people/ann/remove")
        assert 422 == refused.status_code
        role = send(ann, "/people/ann/role", role="viewer")
        assert 422 == role.status_code
    outcomes = {line.outcome for line in peopled.client.accounts.audit("ann") if line.action.startswith("user")}
    assert {"bad-account"} == outcomes
    assert "admin" == peopled.client.accounts.user("ann").role


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "e v e"}, "'e v e' cannot be somebody's name"),
        ({"role": "king"}, "Choose a role: viewer, operator, admin."),
        ({"password": "short", "again": "short"}, "A password has 10 characters or more"),
        ({"again": "other"}, "The password was typed differently the two times."),
    ],
)
def test_somebody_who_cannot_be_is_told_in_words_with_what_was_typed(peopled, fields, words):
    sent = {"name": "eve", "role": "operator", "password": OTHER, "again": OTHER} | fields
    with browser(peopled, "ann") as ann:
        answer = send(ann, "/people", **sent)
    assert 422 == answer.status_code
    assert told(answer).startswith(words)
    assert f'value="{sent["name"]}"' in answer.text
    assert OTHER not in answer.text


# -- the audit --------------------------------------------------------------------------------------------------------


def test_the_audit_is_read_in_words_page_by_page_and_by_person(peopled):
    accounts = peopled.client.accounts
    with browser(peopled, "ann") as ann:
        send(ann, "/people/nobody/remove")
        vera = accounts.recognise(Kind.TOKEN, accounts.issue("vera", Kind.TOKEN, "t").secret)
        for number in range(120):
            accounts.note(vera, "job.run", f"job-{number}", "refused" if number % 2 else "ok")
        seen, path = [], "/audit?who=vera"
        while path and len(seen) < 200:
            text = ann.get(path).text
            seen += re.findall(r'class="target">job-(\d+)<', text)
            older = re.search(r'href="(/audit\?before=[^"]*)" rel="next"', text)
            path = older[1].replace("&amp;", "&") if older else ""
        assert [str(number) for number in reversed(range(120))] == seen
        first = ann.get("/audit").text
        assert "run the job" in first
        assert "refused" in first
        assert "remove somebody" in ann.get("/audit?who=ann").text
        assert "no such user" in ann.get("/audit?who=ann").text
        assert "Nothing by eve." in ann.get("/audit?who=eve").text
        assert 422 == ann.get("/audit?before=nonsense").status_code


def test_people_are_found_and_changed_on_a_phone(peopled, phone):
    sign_in(phone.context, peopled)
    phone.goto(f"{peopled.url}/people")
    phone.get_by_role("link", name="vera").click()
    phone.get_by_label("operator", exact=True).check()
    phone.get_by_role("button", name="Change the role").click()
    expect(phone.locator(".notice")).to_have_text("vera is operator now, and signs in again.")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
