"""A job's definition in words: what its author said beyond what to run and when."""

from __future__ import annotations

from rota.control.times import with_zone
from rota.model.policy import Output, Policy, Retries, priority_name, size_words
from rota.schedule.duration import format_duration

_WORDS = ("overlap", "max_instances", "catch_up", "grace", "timeout", "kill_after", "start_by", "pool", "jitter")
_SIZES = ("head", "tail")


def bounds_of(policy: Policy) -> str:
    """Say between which instants a job may be due; nothing if at any time."""
    ends = [f"not before {with_zone(policy.not_before)}"] if policy.not_before else []
    ends += [f"not after {with_zone(policy.not_after)}"] if policy.not_after else []
    return ", ".join(ends)


def policies_of(policy: Policy) -> list[tuple[str, str]]:
    """Return the policies that are not the default, as their options are written."""
    found = []
    default = Policy()
    for name in _WORDS:
        value = getattr(policy, name)
        if value != getattr(default, name):
            text = format_duration(value) if hasattr(value, "total_seconds") else str(value)
            found.append((name.replace("_", "-"), text))
    if policy.priority != default.priority:
        found.append(("priority", priority_name(policy.priority)))
    return found + _output(policy.output) + _retries(policy.retries)


def _output(output: Output) -> list[tuple[str, str]]:
    default = Output()
    mode = [] if output.mode is None else [("output-mode", output.mode.value)]
    return mode + [
        (f"output.{part}", size_words(getattr(output, part)))
        for part in _SIZES
        if getattr(output, part) != getattr(default, part)
    ]


def _retries(retries: Retries) -> list[tuple[str, str]]:
    if retries == Retries():
        return []
    text = f"{retries.count}, after {format_duration(retries.delay)}"
    text += f", each pause {retries.backoff:g} times longer" if retries.backoff != 1 else ""
    text += f", at most {format_duration(retries.max_delay)}"
    text += f", spread by {retries.jitter:.0%}" if retries.jitter != Retries().jitter else ""
    text += f", only on exit codes {', '.join(map(str, retries.only_on))}" if retries.only_on else ""
    return [("retries", text)]
