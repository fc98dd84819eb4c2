"""What people try who would like to do more than they may: by names and output of jobs, by links, by other sites."""

from __future__ import annotations

import http.client
import re

import httpx
import pytest

from rota.model.access import Kind
from rota.web.assets import digest

from .crawling import browser, csrf_token, walk
from .page_routes import FREE, paths_that_change
from .sites import PASSWORD, sign_in
from .towns import REVERSED, SECRET

MARKUP = re.compile(r"<script>document|<img src=x|<svg onload|<script>tag|<i>out|<b>'", re.IGNORECASE)


@pytest.fixture(scope="module")
def walked(town):
    """All pages, as an admin sees them."""
    with browser(town, "ann") as ann:
        return walk(ann)


def test_links_lead_to_pages_from_the_first_one_on(walked):
    assert {"/", "/account", "/people", "/people/ann", "/audit"} <= {each.path for each in walked}
    assert [] == [each.path for each in walked if each.answer.status_code != 200]


def test_names_tags_descriptions_and_output_are_text(walked):
    for each in walked:
        assert MARKUP.search(each.answer.text) is None, each.path
        assert "templated" not in each.answer.text, each.path
        for element in each.elements.found:
            for name in ("href", "src", "action", "formaction"):
                target = element.attributes.get(name, "/")
                assert re.match(r"/(?!/)|#|\?|data:image/", target) or target == "", (each.path, element)


def test_nothing_is_inline(walked):
    """The policy for content forbids it; a page that needs it would be broken, and one that allows it open."""
    for each in walked:
        assert [] == each.elements.inline, each.path
        assert [] == each.elements.of("style"), each.path
        scripts = each.elements.of("script")
        assert all(script["src"].startswith(f"/static/{digest()}/") for script in scripts), each.path
        attributes = {name for element in each.elements.found for name in element.attributes}
        assert set() == {name for name in attributes if name.startswith("on") or name == "style"}, each.path


def test_every_page_keeps_its_browser_from_doing_more_with_it_than_is_meant(walked):
    for each in walked:
        headers = each.answer.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert ("DENY", "nosniff") == (headers["x-frame-options"], headers["x-content-type-options"])
        assert "no-store" == headers["cache-control"], each.path


def test_what_never_changes_is_kept_for_ever_and_what_is_of_another_version_is_not(town):
    now = httpx.get(f"{town.url}/static/{digest()}/rota.css")
    before = httpx.get(f"{town.url}/static/000000000000/rota.css")
    assert "public, max-age=31536000, immutable" == now.headers["cache-control"]
    assert (200, "no-cache") == (before.status_code, before.headers["cache-control"])


def test_no_page_shows_a_secret_of_a_job_or_what_opens_a_door(town, walked):
    issued = town.client.accounts.issue("ann", Kind.TOKEN, "kept", lasts=None)
    everything = "".join(each.answer.text for each in walked)
    assert SECRET not in everything
    assert PASSWORD not in everything
    assert "$argon2" not in everything
    with browser(town, "ann") as ann:
        session = ann.cookies["rota_session"]
        page = ann.get("/account").text
        assert "kept" in page
        assert issued.secret not in page
        assert session not in page


def test_in_a_real_browser_none_of_it_does_anything(town, walked, chromium):
    context = chromium.new_context()
    sign_in(context, town)
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda said: "Content Security Policy" in said.text and refused.append(said.text))
    page.on("dialog", lambda dialog: refused.append(dialog.message))
    for each in walked:
        page.goto(town.url + each.path)
        assert "owned" != page.title(), each.path
        assert 0 == page.evaluate(ESCAPES, REVERSED), f"{each.path}: what turns the direction of writing goes on"
    assert [] == refused
    context.close()


ESCAPES = """(sign) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let escapes = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.includes(sign)) continue;
    const style = getComputedStyle(node.parentElement);
    if (style.display === "inline" && !/isolate|plaintext/.test(style.unicodeBidi)) escapes += 1;
  }
  return escapes;
}"""


# -- other sites ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in paths_that_change() if path not in FREE])
def test_a_session_changes_nothing_without_its_own_token(town, path):
    with browser(town, "ann") as ann, browser(town, "vera") as vera:
        others = csrf_token(vera.get("/account").text)
        own = csrf_token(ann.get("/account").text)
        for sent in ({}, {"csrf_token": ""}, {"csrf_token": others}, {"csrf_token": [others, own]}):
            answer = ann.post(path, data=sent)
            assert 403 == answer.status_code, sent
            assert "Nothing was done" in answer.text
        assert 200 == ann.get("/account").status_code


@pytest.mark.parametrize("path", paths_that_change())
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_page_of_another_site_changes_nothing(town, path, headers):
    with browser(town, "ann") as ann:
        sent = {"csrf_token": csrf_token(ann.get("/account").text)}
        assert 403 == ann.post(path, data=sent, headers=headers).status_code


def test_nothing_is_changed_by_a_link(town):
    """Every path that changes something when it is sent a form shows something, or is no page, when it is asked."""
    with browser(town, "ann") as ann:
        before = len(town.client.accounts.audit())
        for path in paths_that_change():
            assert ann.get(path).status_code in (200, 303, 404, 405), path
        assert 200 == ann.get("/account").status_code
        assert before == len(town.client.accounts.audit())


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "///evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "//[",
        "/\u202e//evil.example",
        "evil.example",
        " //evil.example",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(town, wanted):
    with browser(town) as somebody:
        form = somebody.get("/sign-in", params={"next": wanted})
        assert 'name="next" value="/"' in form.text
        sent = {"name": "ann", "password": PASSWORD, "next": wanted}
        assert "/" == somebody.post("/sign-in", data=sent).headers["location"]
        assert "/" == somebody.get("/sign-in", params={"next": wanted}).headers["location"]
        assert "/" == somebody.post("/theme", data={"theme": "dark", "next": wanted}).headers["location"]


def test_signing_in_leads_back_to_where_somebody_wanted_to_look(town):
    with browser(town) as somebody:
        first = somebody.get("/audit?who=a%26b")
        assert "/sign-in?next=%2Faudit%3Fwho%3Da%2526b" == first.headers["location"]
        assert 'value="/audit?who=a%26b"' in somebody.get(first.headers["location"]).text


def test_a_word_about_what_was_done_that_somebody_made_up_is_only_text(town):
    from starlette.responses import Response

    from rota.web.notices import _COOKIE, Notice, leave_notice

    made = Response()
    leave_notice(made, Notice("<img src=x onerror=alert(1)>", '"><script>alert(1)</script>'))
    value = made.headers["set-cookie"].partition("=")[2].partition(";")[0].strip('"')
    with browser(town, "ann") as ann:
        ann.cookies.set(_COOKIE, value)
        text = ann.get("/account").text
        assert "&lt;img src=x onerror=alert(1)&gt;" in text
        assert "<script>alert" not in text
        for nonsense in ("%%%", "e30=", "bnVsbA==", "x" * 3000):
            ann.cookies.set(_COOKIE, nonsense)
            assert 200 == ann.get("/account").status_code


# -- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/static/x/..%2f..%2f..%2fsite.py",
        "/static/x/%2e%2e/%2e%2e/site.py",
        "/static/x/../../site.py",
        "/static/x/..\\..\\site.py",
        "/static/x//etc/passwd",
        "/static/x/%2fetc%2fpasswd",
        "/static/../templates/base.html",
        "/static/x/rota.css%00.js",
        "/jobs/..%2f..%2fetc%2fpasswd%00",
        "/people/..%2f..%2fetc%2fpasswd",
        "/runs/..%2f..%2f..%2frota.db",
        "//etc/passwd",
        "/..%2f..%2f..%2f..%2fetc/passwd",
    ],
)
def test_no_path_leads_to_a_file_that_is_not_served(town, path):
    with browser(town, "ann") as ann:
        cookie = f"rota_session={ann.cookies['rota_session']}"
    asked = http.client.HTTPConnection("127.0.0.1", httpx.URL(town.url).port, timeout=30)
    asked.request("GET", path, headers={"Cookie": cookie, "Accept": "text/html"})  # as it is: httpx would tidy it
    answer = asked.getresponse()
    text = answer.read()
    asked.close()
    assert 404 == answer.status
    assert b"root:" not in text
    assert b"SQLite format" not in text
    assert b"from __future__" not in text


# -- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "more"), [("vera", ()), ("olga", ("/jobs/", "/runs/"))])
def test_what_somebody_may_not_do_is_not_offered(town, name, more):
    """A viewer changes their own colours, password and tokens, and signs out; an operator runs and pauses, too."""
    with browser(town, name) as somebody:
        for each in walk(somebody):
            sent = [form.get("action", "") for form in each.elements.of("form") if form.get("method") == "post"]
            mine = ("/theme", "/sign-out", "/account", "/sign-in", *more, *((("/jobs"),) if more else ()))
            assert [] == [action for action in sent if not action.startswith(mine)], each.path
            assert [] == [
                a
                for a in each.elements.of("a")
                if re.match(r"/(people|audit|jobs/new)|.*/(edit|remove)$", a.get("href", ""))
            ]


@pytest.mark.parametrize("name", ["vera", "olga"])
def test_pages_for_admins_are_refused_in_words(town, name):
    with browser(town, name) as somebody:
        token = {"csrf_token": csrf_token(somebody.get("/account").text)}
        for path in ("/people", "/people/ann", "/audit"):
            answer = somebody.get(path)
            assert 403 == answer.status_code
            assert "this needs admin" in answer.text
        for path in ("/people", "/people/ann/role", "/people/ann/password", "/people/ann/remove"):
            assert 403 == somebody.post(path, data=token).status_code
        entry = town.client.accounts.audit(name)[0]
        assert ("POST", "/people/ann/remove", "refused") == (entry.action, entry.target, entry.outcome)


def test_nobody_sees_anything_before_they_have_signed_in(town, walked):
    with browser(town) as stranger:
        for each in walked:
            answer = stranger.get(each.path)
            if each.path.startswith("/sign-in") or each.answer.status_code != 200:
                continue
            assert (303, "") == (answer.status_code, answer.text), each.path
            assert answer.headers["location"].startswith("/sign-in")
