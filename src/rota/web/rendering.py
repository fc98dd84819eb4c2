"""From facts to a page: the templates, and what every page knows.

Autoescaping is always on and a name that a template does not get is an error. Nothing here marks text of a job as
markup; what is markup is written in templates alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import cache, cached_property
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

import jinja2
import msgspec
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from rota import __version__
from rota.api.desks import AtDesk
from rota.api.names import in_path
from rota.api.who import Reader, csrf_token_of, known_of
from rota.clock import SystemClock
from rota.control.desk import Desk
from rota.control.duty import Duty, duty_of, pulse_of
from rota.control.health import size_of
from rota.control.times import brief, relative, rough, short, with_zone
from rota.model.access import Kind, Scope, Who
from rota.schedule.zones import local_zone_name
from rota.schedule.zones import zone as find_zone
from rota.web.assets import asset
from rota.web.notices import Notice, leave_notice, take_notice
from rota.web.tastes import Tastes, tastes_of


class Me(msgspec.Struct, frozen=True):
    """Whoever looks at a page, and what they may do here."""

    name: str
    can_run: bool
    can_write: bool
    can_admin: bool
    signed_in: bool
    csrf_token: str


class Page:
    """What a route needs to answer with a page: who asks, a desk, and the way to a template."""

    def __init__(self, request: Request, who: Who, desk: Desk) -> None:
        self.request, self.who, self.desk = request, who, desk
        self.now = desk.clock.now()
        self.tastes: Tastes = tastes_of(request)

    @cached_property
    def duty(self) -> Duty:
        """Return who does what is due."""
        return duty_of(self.desk, self.now)

    @property
    def zone(self) -> tzinfo:
        """Return the wall clock of whoever looks at it."""
        return find_zone(self.tastes.zone)

    def show(self, template: str, status: int = HTTPStatus.OK, **facts: Any) -> HTMLResponse:
        """Return a page."""
        notice = take_notice(self.request)
        text = render(
            template,
            self.request,
            tastes=self.tastes,
            now=self.now,
            me=_me(self.request, self.who),
            pulse=pulse_of(self.duty),
            notice=notice,
            **facts,
        )
        answer = HTMLResponse(text, status)
        if notice is not None:
            leave_notice(answer, None)
        return answer

    def go(self, path: str, notice: str = "", tone: str = "good") -> RedirectResponse:
        """Send a browser on after something was done, with a word about it."""
        answer = RedirectResponse(path, HTTPStatus.SEE_OTHER)
        if notice:
            leave_notice(answer, Notice(notice, tone))
        return answer


def _page(request: Request, who: Reader, desk: AtDesk) -> Page:
    return Page(request, who, desk)


AtPage = Annotated[Page, Depends(_page, scope="function")]


def show_to_anybody(request: Request, template: str, status: int = HTTPStatus.OK, **facts: Any) -> HTMLResponse:
    """Return a page that says nothing of what is here; who is known already has the ways to the others on it."""
    notice = take_notice(request)
    who = known_of(request)
    me = None if who is None else _me(request, who)
    text = render(template, request, tastes=tastes_of(request), now=SystemClock().now(), me=me, notice=notice, **facts)
    answer = HTMLResponse(text, status)
    if notice is not None:
        leave_notice(answer, None)
    return answer


def render(template: str, request: Request, *, tastes: Tastes, now: datetime, **facts: Any) -> str:
    """Return the text of a page."""
    zone = find_zone(tastes.zone)
    clock: dict[str, Callable[..., str]] = {
        "relative": lambda instant: relative(instant, now),
        "short": lambda instant: short(instant, now, zone),
        "long": lambda instant: with_zone(instant, zone),
    }
    whole = {"me": None, "pulse": None, "notice": None} | facts
    return (
        _templates()
        .get_template(template)
        .render(path=request.url.path, here=address_of(request), tastes=tastes, now=now, clock=clock, **whole)
    )


def address_of(request: Request) -> str:
    """Return where a page is on this site, as its browser asked for it."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return path.decode("ascii", "replace") + (f"?{request.url.query}" if request.url.query else "")


def as_sentence(text: str) -> str:
    """Return the words of an error as a sentence: they begin small because they often follow others.

    One that begins with an address keeps it as it is written.
    """
    first = text if "://" in text.partition(" ")[0] else text[:1].upper() + text[1:]
    return first + ("" if text.endswith((".", "?", "!")) else ".")


def _me(request: Request, who: Who) -> Me:
    return Me(
        who.name,
        can_run=who.may(Scope.RUN),
        can_write=who.may(Scope.WRITE),
        can_admin=who.may(Scope.ADMIN),
        signed_in=who.how == Kind.SESSION,
        csrf_token=csrf_token_of(request, who) or "",
    )


@cache
def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("rota.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"asset": asset, "version": __version__, "machine_zone": local_zone_name}
    made.filters |= {
        "as_sentence": as_sentence,
        "brief": brief,
        "rough": rough,
        "size": size_of,
        "in_path": in_path,
        "in_query": lambda text: quote(text, safe=""),
        "state": lambda state: str(state).replace("_", " "),
    }
    return made
