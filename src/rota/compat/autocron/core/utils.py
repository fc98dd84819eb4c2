"""The same as rota.compat.autocron.utils, where newer programs import it from."""

from __future__ import annotations

from rota.compat.autocron.errors import TimeParseError
from rota.compat.autocron.utils import (
    CronExpression,
    calculate_retry_delay,
    format_timedelta,
    get_autocron_home,
    get_next_run_time,
    get_platform_info,
    is_linux,
    is_macos,
    is_windows,
    parse_cron,
    parse_interval,
    resolve_timezone,
    sanitize_task_name,
    timezone_name,
    validate_cron_expression,
)

__all__ = [
    "CronExpression",
    "TimeParseError",
    "calculate_retry_delay",
    "format_timedelta",
    "get_autocron_home",
    "get_next_run_time",
    "get_platform_info",
    "is_linux",
    "is_macos",
    "is_windows",
    "parse_cron",
    "parse_interval",
    "resolve_timezone",
    "sanitize_task_name",
    "timezone_name",
    "validate_cron_expression",
]
