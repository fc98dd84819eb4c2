"""Notifiers by name: those of rota, any URL of apprise, and those that other packages bring along.

A package brings one with an entry point in the group `rota.notifiers`: a class or function that is called without
arguments, or a finished object (see rota/plugins.py). Nobody's packages are looked at before a name is asked for that
rota does not have.
"""

from __future__ import annotations

import os
from typing import Any, cast

from rota.errors import BadNotifier, BadPlugin, did_you_mean
from rota.observe.notifiers.desktop import Desktop
from rota.observe.notifiers.email import Email
from rota.observe.notifiers.log import Log
from rota.observe.notifiers.notifier import Notifier, Tells
from rota.observe.notifiers.url import Url
from rota.plugins import NOTIFIERS, load, names

MAIL = "ROTA_EMAIL"
"""The variable that says where mail goes: apprise's mailto:// or mailtos:// URL."""


def _mail_from_environment() -> Notifier:
    url = os.environ.get(MAIL, "")
    if not url.lower().startswith(("mailto://", "mailtos://")):
        problem = "is not set" if not url else "is no mailto:// or mailtos:// URL"
        raise BadNotifier(
            f"notify='email': {MAIL} {problem}; set it to mailtos://USER:PASSWORD@HOST/?from=…&to=…, "
            f"or give {Email.__name__}(server, to=…) instead of the name"
        )
    return Url(url)


_BUILT_IN = {"desktop": Desktop, "email": _mail_from_environment, "log": Log}


def notifier_named(name: str) -> Tells:
    """Return the notifier of a name or URL; BadNotifier says why there is none."""
    if "://" in name:
        return Url(name)
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    known = [*dict.fromkeys([*_BUILT_IN, *names(NOTIFIERS)])]
    if name not in known:
        near = did_you_mean(name, known)
        raise BadNotifier(
            f"there is no notifier {name!r}" + (near or f"; there are {', '.join(known)}, and URLs of apprise")
        )
    try:
        found = load(NOTIFIERS, name)
    except BadPlugin as error:
        raise BadNotifier(f"the notifier {error}") from error
    return _made(name, found)


def _made(name: str, found: Any) -> Tells:
    """Return a plug-in as a notifier: a finished one, or what a class or a function makes."""
    try:
        made = found() if isinstance(found, type) or not hasattr(found, "notify") else found
    except Exception as error:
        raise BadNotifier(f"the notifier {name!r} cannot be made: {type(error).__name__}: {error}") from error
    if not callable(getattr(made, "notify", None)):
        raise BadNotifier(f"the notifier {name!r} has no method notify(message)")
    return cast("Tells", made)
