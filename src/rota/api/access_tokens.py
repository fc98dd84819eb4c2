"""Access tokens: what a program shows after it has signed in, for a quarter of an hour (JWT, HS256).

One says who and in which sign-in, but opens nothing by itself: the sign-in (its family of refresh tokens) must still be
there, and what it may do is what its owner may do now. So to sign out, or to be removed, ends it at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import jwt

from rota.ids import short_id
from rota.model.access import Credential

LASTS = timedelta(minutes=15)
_ALGORITHM = "HS256"
_ISSUER, _AUDIENCE = "rota", "rota-api"
_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]


def new_access_token(refresh: Credential, key: bytes, now: datetime) -> str:
    """Return an access token that goes with a refresh token."""
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": refresh.user,
        "sid": refresh.family,
        "jti": short_id(),
        "iat": now,
        "exp": now + LASTS,
    }
    return jwt.encode(claims, key, _ALGORITHM)


def looks_like_one(text: str) -> bool:
    """Tell whether a text has the form of an access token."""
    return text.count(".") == 2


def read_access_token(text: str, key: bytes) -> tuple[str, str] | None:
    """Return whose an access token is, and the family that it belongs to; None when it is no good one of ours."""
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            key,
            algorithms=[_ALGORITHM],  # whatever the token says of itself
            issuer=_ISSUER,
            audience=_AUDIENCE,
            options={"require": _CLAIMS},
        )
    except jwt.InvalidTokenError:
        return None
    who, family = claims["sub"], claims["sid"]
    return (who, family) if isinstance(who, str) and isinstance(family, str) else None
