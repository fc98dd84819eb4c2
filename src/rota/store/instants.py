"""Instants and durations as the stores hold them: whole microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970 in UTC."""
    return (instant - _EPOCH) // _MICROSECOND


def maybe_us(instant: datetime | None) -> int | None:
    """Return the same, or None for None."""
    return None if instant is None else (instant - _EPOCH) // _MICROSECOND


def from_us(number: int) -> datetime:
    """Return the instant."""
    return _EPOCH + timedelta(microseconds=number)


def maybe_from_us(number: int | None) -> datetime | None:
    """Return the same, or None for None."""
    return None if number is None else _EPOCH + timedelta(microseconds=number)


def span_us(span: timedelta) -> int:
    """Return a duration in microseconds."""
    return span // _MICROSECOND
