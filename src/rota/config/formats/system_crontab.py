"""Crontabs with a user column, when somebody says so: `--format system-crontab`."""

from __future__ import annotations

from rota.config.formats.crontab import Crontab

FORMAT = Crontab("system-crontab", users=True)
