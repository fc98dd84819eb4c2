"""Light or dark: for browsers without scripts; with them, a script leaves the same cookie."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from rota.web.forms import SentFields, path_on_this_site
from rota.web.tastes import THEME_COOKIE, THEMES

router = APIRouter()
_A_YEAR = 31_536_000


@router.post("/theme")
def choose_theme(fields: SentFields) -> RedirectResponse:
    """Remember it in the browser, and go back. It needs nobody to be known: it changes nothing here."""
    answer = RedirectResponse(path_on_this_site(fields.text("next")), HTTPStatus.SEE_OTHER)
    if fields.text("theme") in THEMES:
        answer.set_cookie(THEME_COOKIE, fields.text("theme"), max_age=_A_YEAR, path="/", samesite="lax")
    return answer
