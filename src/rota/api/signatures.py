"""Requests that are signed with a shared secret, as programs sign them that may not send it.

The signature, in `X-HMAC-Signature`, is the HMAC-SHA-256 in hex over six lines: timestamp, nonce, method, path, query
and body, as they are sent. `X-Timestamp` is in seconds of 1970 and at most five minutes away from our clock; `X-Nonce`
is good once. So nothing of a request can be changed, and none can be sent again.

A nonce is remembered, in the store, for as long as its request would be good, and only of requests that are signed
well: nobody else can make us remember anything.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from fastapi import Request

from rota.control.accounts import Accounts
from rota.model.access import Signing, Who

SIGNATURE_HEADER = "X-HMAC-Signature"
_TIMESTAMP_HEADER, _NONCE_HEADER = "X-Timestamp", "X-Nonce"
WINDOW = timedelta(seconds=300)
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[\x21-\x7e]{8,128}")


class BadSignature(Exception):
    """A signed request is not good; the text says why."""


def is_signed(request: Request) -> bool:
    """Tell whether a request says that it is signed."""
    return SIGNATURE_HEADER in request.headers


async def signed_lines(request: Request) -> bytes:
    """Return what the signature of a request is over."""
    path = request.scope.get("raw_path") or request.url.path.encode()
    head = [request.headers.get(_TIMESTAMP_HEADER, ""), request.headers.get(_NONCE_HEADER, ""), request.method]
    lines = [*(line.encode("latin-1") for line in head), path, request.scope["query_string"]]
    return b"\n".join([*lines, await request.body()])


def check_signature(signing: Signing, given: str, lines: bytes, accounts: Accounts, now: datetime) -> Who:
    """Return as whom a signed request acts; raises BadSignature.

    1. It is of now, and has a nonce.
    2. The signature is right.
    3. Whom it acts as is still there. 4. The nonce was not used before.
    """
    timestamp, nonce = (line.decode("latin-1") for line in lines.split(b"\n", 2)[:2])
    if not _TIMESTAMP.fullmatch(timestamp):
        raise BadSignature(f"{_TIMESTAMP_HEADER} is missing, or not in whole seconds of 1970")
    at = datetime.fromtimestamp(min(int(timestamp), _LAST_SECOND), UTC)
    if abs(now - at) > WINDOW:
        raise BadSignature(f"{_TIMESTAMP_HEADER} is more than {WINDOW.seconds} s away from the time here")
    if not _NONCE.fullmatch(nonce):
        raise BadSignature(f"{_NONCE_HEADER} is missing, or not of 8 to 128 plain characters")
    right = hmac.new(signing.secret, lines, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given.lower().encode(), right.encode()):
        raise BadSignature("the signature is not right for this request")
    who = accounts.recognise_user(signing.user, signing.scopes, "signature")
    if who is None:
        raise BadSignature("whom signed requests act as is no user here")
    if not accounts.use_nonce(nonce, at + WINDOW + WINDOW):
        raise BadSignature("this request was made before: its nonce has been used")
    return who


_LAST_SECOND = 253_402_300_799
"""Of the year 9999; what is later is as far away."""
