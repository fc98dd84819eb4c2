"""Signing in with a browser, and people who guess."""

from __future__ import annotations

import concurrent.futures

import pytest

from rota.api.throttle import Throttle, name_key, party_key

from .webs import PASSWORD, Web

LOGIN = "/api/v1/auth/login"


def test_who_signs_in_has_a_session_until_they_sign_out(peopled):
    ann = peopled.sign_in("ann")
    me = ann.http.get("/api/v1/me").json()
    assert ("ann", "session", "admin") == (me["name"], me["how"], me["role"])
    assert ann.csrf["X-CSRF-Token"] == me["csrf_token"]
    cookies = dict(ann.http.cookies)
    assert 204 == ann.http.post("/api/v1/auth/logout", headers=ann.csrf).status_code
    assert 401 == peopled.ask(cookies=cookies).status_code


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(peopled):
    assert {"HttpOnly", "Path=/", "SameSite=lax"} == set(peopled.sign_in("ann").set_cookie.split("; ")[1:])


def test_behind_a_proxy_with_tls_the_cookie_is_this_host_s_alone(web):
    web.add_user("ann")
    web.start("--trusted-proxy", "127.0.0.1", "--allowed-host", "rota.example.org")
    passed_on = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Host": "rota.example.org"}
    answer = web.post(LOGIN, {"name": "ann", "password": PASSWORD}, headers=passed_on)
    first, *rest = answer.headers["set-cookie"].split("; ")
    name, _, value = first.partition("=")
    assert ("__Host-rota_session", {"HttpOnly", "Path=/", "SameSite=lax", "Secure"}) == (name, set(rest))
    assert 200 == web.ask(headers=passed_on | {"Cookie": f"{name}={value}"}).status_code
    assert 401 == web.ask(headers=passed_on | {"Cookie": f"rota_session={value}"}).status_code
    assert "203.0.113.9" == web.client.accounts.audit()[0].address


def test_to_sign_in_again_ends_the_session_before(peopled):
    ann = peopled.sign_in("ann")
    before = dict(ann.http.cookies)
    assert 200 == ann.http.post(LOGIN, json={"name": "ann", "password": PASSWORD}).status_code
    assert before != dict(ann.http.cookies)
    assert 401 == peopled.ask(cookies=before).status_code


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(web):
    web.add_user("ann")
    web.start()
    answers = [
        web.post(LOGIN, {"name": name, "password": "not this one at all"}) for name in ("ann", "nobody", "x" * 64)
    ]
    assert [401] * 3 == [answer.status_code for answer in answers]
    assert 1 == len({answer.text for answer in answers})
    told = web.audit()
    assert [("", "auth.login", "", "refused")] * 2 == told[:2]
    assert ("ann", "auth.login", "ann", "refused") == told[2]


def test_of_many_guesses_at_once_a_few_are_looked_at(web):
    web.add_user("ann")
    web.start()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: web.post(LOGIN, {"name": "ann", "password": f"guess number {n}"}), range(24)))
    codes = [answer.status_code for answer in found]
    assert {401, 429} == set(codes)
    assert codes.count(401) == len([line for line in web.audit() if line[3] == "refused"]) <= 10
    answer = next(answer for answer in found if answer.status_code == 429)
    assert "too many tries" == answer.json()["detail"][:14]
    assert 1 <= int(answer.headers["retry-after"]) <= 900


def test_an_address_that_a_stranger_claims_is_not_believed(web: Web):
    web.add_user("ann")
    web.start()
    codes = [
        web.post(
            LOGIN, {"name": f"n{n}", "password": "wrong all the time"}, headers={"X-Forwarded-For": f"203.0.113.{n}"}
        ).status_code
        for n in range(12)
    ]
    assert 429 in codes


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        [],
        {"name": "ann"},
        {"name": "", "password": ""},
        {"name": "ann", "password": "x" * 2000},
        {"name": "a" * 100, "password": "x"},
        {"name": "ann", "password": ["x"]},
        {"name": "ann", "password": "x", "role": "admin"},
    ],
)
def test_what_is_no_name_and_password_is_told_so(peopled, body):
    answer = peopled.post(LOGIN, body)
    assert (422, "urn:rota:problem:bad-request") == (answer.status_code, answer.json()["type"])
    assert "x" * 2000 not in answer.text


class Hours:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_pauses_double_up_to_a_bound_and_are_forgotten():
    clock = Hours()
    throttle = Throttle(monotonic=clock)
    name, address = name_key("ann"), party_key("203.0.113.9")
    pauses = []
    for _ in range(40):
        pause = throttle.enter([name, address])
        clock.at += pause
        pauses += [pause] if pause else []
    assert [1, 2, 4, 8] == pauses[:4]
    assert 900 == max(pauses) == pauses[-1]
    clock.at += 2 * 3600
    assert [0, 0] == [throttle.enter([name, address]) for _ in range(2)]


def test_a_name_is_paused_for_a_minute_at_most_and_free_once_its_owner_was_there():
    clock = Hours()
    throttle = Throttle(monotonic=clock)
    for number in range(40):
        clock.at += throttle.enter([name_key("ann"), party_key(f"198.51.100.{number}")])
    assert 0 < throttle.enter([name_key("ANN")]) <= 60
    throttle.forgive(name_key("ann"), [party_key("198.51.100.1")])
    assert 0 == throttle.enter([name_key("ann"), party_key("198.51.100.1")])


def test_an_account_of_one_s_own_is_no_way_around_the_pauses():
    throttle = Throttle(monotonic=Hours())
    mine, address = name_key("me"), party_key("203.0.113.9")
    for number in range(20):
        if throttle.enter([name_key(f"victim{number}"), address]) > 0:
            return
        if throttle.enter([mine, address]) > 0:
            return
        throttle.forgive(mine, [address])
    pytest.fail("there was never a pause")


def test_what_is_remembered_of_guesses_is_bounded():
    throttle = Throttle(100, Hours())
    for number in range(1000):
        throttle.enter([name_key("x" * number), party_key(f"2001:db8:{number:x}::/64")])
    assert len(throttle) <= 100
    assert len(name_key("x" * 100_000).text) < 100
