"""Finds the pages that there are by following links, as a browser without scripts would; so new ones are found."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from .sites import PASSWORD, Site

OF_REST = ("/api/", "/docs", "/openapi.json", "/metrics", "/healthz", "/readyz", "/static/")
MOST_OF_A_KIND = 3
"""So many pages that differ by a name or a filter alone are enough."""


class Element(NamedTuple):
    """The start of an element."""

    tag: str
    attributes: dict[str, str]


class Elements(HTMLParser):
    """Everything that a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[Element] = []
        self.inline: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append(Element(tag, {name: value or "" for name, value in attrs}))
        self._within = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag):
        self._within = ""

    def handle_data(self, data):
        if self._within and data.strip():
            self.inline.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [each.attributes for each in self.found if each.tag == tag]


class Walked(NamedTuple):
    """A page that a link led to."""

    path: str
    answer: httpx.Response
    elements: Elements


@contextmanager
def browser(site: Site, user: str = "") -> Iterator[httpx.Client]:
    """Lend a browser without scripts, of somebody who has signed in; or of whoever owns the home."""
    with httpx.Client(base_url=site.url, headers={"Accept": "text/html"}, timeout=30, trust_env=False) as made:
        if user:
            answer = made.post("/sign-in", data={"name": user, "password": PASSWORD})
            assert 303 == answer.status_code, answer.text
        yield made


def walk(browser: httpx.Client) -> list[Walked]:
    """Return all pages that links lead to from the first one on; of each kind a few."""
    found, waiting, known, kinds = [], deque(["/", "/sign-in"]), {"/", "/sign-in"}, Counter[str]()
    while waiting:
        path = waiting.popleft()
        answer = browser.get(path)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        found.append(Walked(path, answer, Elements(answer.text)))
        for link in found[-1].elements.of("a"):
            target = urlsplit(urljoin(path, link.get("href", "")))
            where = target.path + (f"?{target.query}" if target.query else "")
            if target.netloc or target.scheme or where in known or where.startswith(OF_REST):
                continue
            known.add(where)
            kinds[kind_of(where)] += 1
            if kinds[kind_of(where)] <= MOST_OF_A_KIND:
                waiting.append(where)
    return found


def kind_of(path: str) -> str:
    """Return what pages have in common that differ by a name, an id or a value alone."""
    parts = urlsplit(path)
    room, _, rest = parts.path.strip("/").partition("/")
    deed = re.sub(r"^[^/]+", "*", rest)
    return f"{room}/{deed}?{'&'.join(sorted(name for name, _ in parse_qsl(parts.query)))}"


def csrf_token(page: str) -> str:
    """Return what the forms of a page show."""
    return next(each["value"] for each in Elements(page).of("input") if each.get("name") == "csrf_token")
