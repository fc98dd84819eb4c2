"""Which programs may work on one store together, by the schemas that they know. docs/decisions/0018 says why so.

A change of the schema names, in the first line of its script, the oldest program that may go on beside it:

    -- works with: 6

It is written into the store together with the change, so that an older program reads there whether it may go on, and
need know nothing of what the newer one did. A change without the line works with programs that know it, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from rota.errors import StoreInUse, StoreTooNew

_WORKS_WITH = re.compile(r"-- works with: (\d+)\b")


class Migration(msgspec.Struct, frozen=True):
    """One change of the schema."""

    number: int
    """The schema that it makes."""
    oldest: int
    """The oldest schema whose programs may go on beside it."""
    script: str


class Schema(msgspec.Struct, frozen=True):
    """The schema that a store has."""

    number: int
    oldest: int
    """What a program must know at least to work on it."""


def migration(number: int, script: str) -> Migration:
    """Read a script's first line."""
    told = _WORKS_WITH.match(script)
    return Migration(number, number if told is None else int(told[1]), script)


def oldest_after(pending: Sequence[Migration]) -> int:
    """Return what a program must know at least to go on beside some changes."""
    return max((each.oldest for each in pending), default=0)


def refuse_newer(shown: str, schema: Schema, knows: int) -> None:
    """Refuse a store that a newer program has changed in a way that this one cannot work beside."""
    if schema.oldest <= knows:
        return
    raise StoreTooNew(
        f"{shown} was written by a newer rota (schema {schema.number}; this one knows up to {knows}); "
        "upgrade rota here, or use the newer one"
    )


def refuse_in_part(shown: str, schema: Schema, knows: int) -> None:
    """Refuse to copy a store that has more in it than this program knows: that would be left out."""
    if schema.number > knows:
        raise StoreTooNew(
            f"{shown} has schema {schema.number}, and this rota knows up to {knows}: it would leave out what it does "
            "not know; copy with the newer one"
        )


def refuse_in_use(shown: str, have: int, pending: Sequence[Migration], by: Sequence[str]) -> None:
    """Refuse changes while somebody is at work who could not go on beside them."""
    if not by:
        return
    raise StoreInUse(
        f"{shown} has schema {have}, and this rota would change it to {pending[-1].number}, which programs that know "
        f"less than {oldest_after(pending)} cannot work with. At work on it: {', '.join(by)}. Stop those engines "
        "first, and start newer ones then: running jobs go on, and are adopted. One that was killed counts for "
        "another minute"
    )
