"""A word about what was just done, for the page that a browser is sent on to.

It travels in a cookie that the next page takes away; so a link cannot put words into our mouth.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from fastapi import Request
from starlette.responses import Response

_COOKIE = "rota_notice"
_LASTS = 60
_LONGEST = 600


class Notice(msgspec.Struct, frozen=True):
    """A sentence, and whether it is good, or bad."""

    text: str
    tone: str = "good"


def leave_notice(response: Response, notice: Notice | None) -> None:
    """Leave a word for the next page; None takes it away."""
    if notice is None:
        response.delete_cookie(_COOKIE, path="/", httponly=True, samesite="strict")
        return
    short = msgspec.structs.replace(notice, text=notice.text[:_LONGEST])
    value = urlsafe_b64encode(msgspec.json.encode(short)).decode()
    response.set_cookie(_COOKIE, value, max_age=_LASTS, path="/", httponly=True, samesite="strict")


def take_notice(request: Request) -> Notice | None:
    """Return what the page before has left."""
    try:
        return msgspec.json.decode(urlsafe_b64decode(request.cookies.get(_COOKIE, "")), type=Notice)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
