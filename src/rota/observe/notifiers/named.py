"""Notifiers by name: those of rota, any URL of apprise, and those that other packages bring along.

A package brings one with an entry point in the group `rota.notifiers`: a class or function that is called without
arguments, or a finished object. Nobody's packages are looked at before a name is asked for that rota does not have.
"""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from rota.errors import BadNotifier, did_you_mean
from rota.observe.notifiers.desktop import Desktop
from rota.observe.notifiers.email import Email
from rota.observe.notifiers.log import Log
from rota.observe.notifiers.notifier import Notifier, Tells
from rota.observe.notifiers.url import Url

GROUP = "rota.notifiers"
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
    offered = list(entry_points(group=GROUP))
    found = [each for each in offered if each.name == name]
    if not found:
        known = [*_BUILT_IN, *(each.name for each in offered)]
        near = did_you_mean(name, known) or f"; there are {', '.join(known)}, and URLs of apprise"
        raise BadNotifier(f"there is no notifier {name!r}{near}")
    if len({each.value for each in found}) > 1:
        raise BadNotifier(f"several packages bring a notifier {name!r}: {', '.join(map(_package, found))}; remove one")
    return _load(found[0])


def _load(entry: EntryPoint) -> Tells:
    try:
        made = entry.load()
        if isinstance(made, type) or not hasattr(made, "notify"):
            made = made()
    except Exception as error:
        raise BadNotifier(
            f"the notifier {entry.name!r} of {_package(entry)} cannot be used: {type(error).__name__}: {error}"
        ) from error
    if not callable(getattr(made, "notify", None)):
        raise BadNotifier(f"the notifier {entry.name!r} of {_package(entry)} has no method notify(message)")
    return cast("Tells", made)


def _package(entry: EntryPoint) -> str:
    return "an unknown package" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
