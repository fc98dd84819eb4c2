"""The options of `rota add` that say how a job behaves, and the policy that they make."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rota.cli.options import Duration, pointed_at
from rota.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from rota.model.policy import Policy

_F = TypeVar("_F", bound=Callable[..., Any])
_OPTIONS = [
    click.option(
        "--overlap",
        type=click.Choice(["skip", "queue", "replace", "allow"]),
        help="When it is due while it still runs  [skip].",
    ),
    click.option("--max-instances", type=int, metavar="N", help="How many of its runs go at once  [1]."),
    click.option(
        "--catch-up", type=click.Choice(["latest", "all", "none"]), help="Which missed slots run later  [latest]."
    ),
    click.option("--grace", type=Duration(), metavar="TIME", help="How late a missed slot may still run  [1h]."),
    click.option("--retries", type=int, metavar="N", help="How often a failed run is tried again  [0]."),
    click.option("--retry-delay", type=Duration(), metavar="TIME", help="The pause before the first retry  [10s]."),
    click.option("--backoff", type=float, metavar="X", help="How much longer each pause is than the one before  [2]."),
    click.option("--max-delay", type=Duration(), metavar="TIME", help="The longest pause  [1h]."),
    click.option("--retry-on", metavar="CODES", help="Try again only on these exit codes, as in 1,75  [any]."),
    click.option("--timeout", type=Duration(), metavar="TIME", help="End a run that takes longer  [no limit]."),
    click.option("--kill-after", type=Duration(), metavar="TIME", help="From SIGTERM to SIGKILL  [10s]."),
    click.option("--start-by", type=Duration(), metavar="TIME", help="Cancel a run that waits longer for a place."),
    click.option("--priority", metavar="P", help="urgent, high, medium, low, or a number  [medium]."),
    click.option("--pool", metavar="NAME[=SIZE]", help="Share a limit with other jobs."),
    click.option("--jitter", type=Duration(), metavar="TIME", help="Start up to this much later, always the same."),
    click.option("--not-before", metavar="TIME", help="No slot before this."),
    click.option("--not-after", metavar="TIME", help="No slot after this."),
    click.option("--output-mode", type=click.Choice(["file", "pipe"]), help="How output is collected  [file]."),
]


def policy_options(function: _F) -> _F:
    """Accept all of them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def build_policy(given: dict[str, Any], zone: str | None, now: datetime) -> Policy:
    """Return the policy that the options make; those that were not given keep their defaults."""
    from rota.model.policy import CatchUp, Output, OutputMode, Overlap, Policy, Retries

    retries = {
        "count": given["retries"],
        "delay": given["retry_delay"],
        "backoff": given["backoff"],
        "max_delay": given["max_delay"],
        "only_on": _codes(given["retry_on"]),
    }
    if given["retries"] is None and any(value is not None for value in retries.values()):
        raise UsageError("how to try again is given, but not how often: add --retries N")
    if given["backoff"] is not None and not given["backoff"] >= 1:
        raise UsageError(
            f"--backoff: {given['backoff']:g} is less than 1, so pauses would get shorter; write 1 or more"
        )
    fields = {
        "overlap": given["overlap"] and Overlap(given["overlap"]),
        "max_instances": given["max_instances"],
        "catch_up": given["catch_up"] and CatchUp(given["catch_up"]),
        "grace": given["grace"],
        "retries": Retries(**_given(retries)),
        "timeout": given["timeout"],
        "kill_after": given["kill_after"],
        "start_by": given["start_by"],
        "priority": _priority(given["priority"]),
        "pool": given["pool"] and pool_of(given["pool"])[0],
        "jitter": given["jitter"],
        "not_before": _instant("--not-before", given["not_before"], zone, now),
        "not_after": _instant("--not-after", given["not_after"], zone, now),
        "output": given["output_mode"] and Output(mode=OutputMode(given["output_mode"])),
    }
    return Policy(**_given(fields))


def pool_of(text: str) -> tuple[str, int | None]:
    """Read NAME or NAME=SIZE."""
    name, equals, size = text.partition("=")
    if not name.strip() or (equals and not (size.isdigit() and int(size) > 0)):
        raise UsageError(f"--pool: {text!r} is not NAME or NAME=SIZE with a size of 1 or more, such as db=3")
    return name, int(size) if equals else None


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _codes(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    words = [word for word in text.replace(",", " ").split() if word]
    if not words or not all(word.isdigit() and int(word) < 256 for word in words):
        raise UsageError(f"--retry-on: {text!r} is not a list of exit codes from 1 to 255, such as 1,75")
    return tuple(int(word) for word in words)


def _priority(text: str | None) -> int | None:
    from rota.model.policy import PRIORITIES

    if text is None:
        return None
    if text in PRIORITIES:
        return PRIORITIES[text]
    if text.removeprefix("-").isdigit():
        return int(text)
    near = did_you_mean(text, PRIORITIES)
    raise UsageError(f"--priority: {text!r} is neither {', '.join(PRIORITIES)} nor a number{near}")


def _instant(option: str, text: str | None, zone: str | None, now: datetime) -> datetime | None:
    from rota.schedule.instant import parse_instant

    return None if text is None else pointed_at(option, parse_instant, text, zone, now)
