"""The audit: every change over REST and from the pages has a line: who, how, from where, what, and what came of it.

A route that changes something asks for it instead of `needs(…)`:

    @router.post("/{name}/pause")
    def pause(name: str, desk: AtDesk, change: Annotated[Change, audited("job.pause", Scope.RUN)]) -> View: ...

or, when it has nothing to add, `dependencies=[audited("job.pause", Scope.RUN)]`. That is all: the scope is checked, and
when the route has ended, before its answer goes out, the line is written. Its target is what the path names; a route
whose target is elsewhere says so (`change.target = body.name`), and one that does several things which
(`change.action`). Its outcome is `ok`, or the kind of the error that the
route raised; `bad-request` when the request could not be read. What a caller may not do is there as `refused`. A change
of many things has a line for each, `change.also(name, outcome)`, and none of its own. `change.who` is who asks.

Actions are `noun.verb` (`job.run`, `user.add`). A test compares the routes with this: one that changes something and is
not audited fails it.

The line is a write after the change, not one with it: a process that is killed in between leaves a change without a
line. The change itself is in the ledger or the table in any case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError

from rota.api.desks import AtDesk
from rota.api.problems import NotAllowed
from rota.api.who import LONGEST_TARGET, needs, target_of
from rota.errors import RotaError, kind_of
from rota.model.access import Scope, Who

OK, REFUSED, BAD, FAILED = "ok", "refused", "bad-request", "failed"


class Change(msgspec.Struct):
    """What the audit is to have of one request."""

    who: Who
    action: str
    target: str = ""
    parts: list[tuple[str, str]] = []

    def also(self, target: str, outcome: str = OK) -> None:
        """Give one of many things that are changed a line of its own."""
        self.parts.append((target, outcome))


def audited(action: str, scope: Scope) -> Any:
    """Return the dependency for a route that changes something; see above."""
    allowed = Depends(needs(scope))

    def write_down(request: Request, desk: AtDesk, who: Who = allowed) -> Iterator[Change]:
        change = Change(who, action, target_of(request))
        outcome = FAILED
        try:
            yield change
            outcome = OK
        except RequestValidationError:
            outcome = BAD
            raise
        except RotaError as error:
            outcome = outcome_of(error)
            raise
        finally:
            whole = [] if change.parts and outcome == OK else [(change.target, outcome)]
            desk.accounts.note_all(
                who, change.action, [(target[:LONGEST_TARGET], result) for target, result in change.parts + whole]
            )

    write_down.audits = action  # type: ignore[attr-defined]  # what the test of all routes looks for
    return Depends(write_down, scope="function")


def outcome_of(error: RotaError) -> str:
    """Return what the audit has of an error: its kind."""
    if isinstance(error, NotAllowed):
        return REFUSED
    return kind_of(error)
