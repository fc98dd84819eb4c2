"""The same as rota.compat.autocron.notifications, where newer programs import it from."""

from __future__ import annotations

from rota.compat.autocron.errors import NotificationError
from rota.compat.autocron.notifications import (
    DesktopNotifier,
    EmailNotifier,
    NotificationManager,
    Notifier,
    get_notification_manager,
    reset_notification_manager,
)

__all__ = [
    "DesktopNotifier",
    "EmailNotifier",
    "NotificationError",
    "NotificationManager",
    "Notifier",
    "get_notification_manager",
    "reset_notification_manager",
]
