"""How somebody likes their pages: light or dark, and on which wall clock. Both are cookies of their browser.

A script of the pages says the browser's zone; so times are right from the first page on that has scripts, and without
them they are the machine's, which every page names.
"""

from __future__ import annotations

from urllib.parse import unquote

import msgspec
from fastapi import Request

from rota.errors import BadSchedule
from rota.schedule.zones import local_zone_name
from rota.schedule.zones import zone as find_zone

THEME_COOKIE = "rota_theme"
ZONE_COOKIE = "rota_zone"
THEMES = ("auto", "light", "dark")


class Tastes(msgspec.Struct, frozen=True):
    """What somebody likes."""

    theme: str
    zone: str


def tastes_of(request: Request) -> Tastes:
    """Return what a browser says of it, as far as it makes sense."""
    theme = request.cookies.get(THEME_COOKIE, "")
    return Tastes(theme if theme in THEMES else THEMES[0], _zone_of(request))


def _zone_of(request: Request) -> str:
    name = unquote(request.cookies.get(ZONE_COOKIE, ""))
    try:
        find_zone(name)
    except BadSchedule:
        return local_zone_name()
    return name
