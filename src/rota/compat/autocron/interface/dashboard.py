"""The same as rota.compat.autocron.dashboard, where newer programs import it from."""

from __future__ import annotations

from rota.compat.autocron.dashboard import (
    Dashboard,
    TaskAnalytics,
    live_dashboard,
    live_monitor,
    show_dashboard,
    show_task,
)

__all__ = ["Dashboard", "TaskAnalytics", "live_dashboard", "live_monitor", "show_dashboard", "show_task"]
