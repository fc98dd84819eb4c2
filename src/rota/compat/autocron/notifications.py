"""AutoCron's module of this name: notifications on the desktop and by mail.

What sends is rota's: see `rota.Notifier`. A password comes from `email_config` or from the environment variable
AUTOCRON_EMAIL_PASSWORD; it is kept in memory, and stands in no log and no file.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rota import RotaError
from rota.compat.autocron.errors import NotificationError
from rota.compat.autocron.logger import get_logger

if TYPE_CHECKING:
    from rota.compat.autocron.task import Task
    from rota.sdk.notifying import Tells

PASSWORD = "AUTOCRON_EMAIL_PASSWORD"  # noqa: S105 -- the variable's name
_REQUIRED = ("smtp_server", "smtp_port", "from_email", "to_email", "password")
_COMPLETED, _FAILED = "AutoCron: Task '{name}' Completed", "AutoCron: Task '{name}' Failed"


class Notifier(ABC):
    """Sends notifications: subclass it, and implement `send`."""

    @abstractmethod
    def send(self, title: str, message: str, **kwargs: Any) -> bool:
        """Send a notification, and tell whether it arrived; or raise a NotificationError that says why not."""

    def notify(self, message: str, title: str = "AutoCron") -> None:
        """Send a notification, as a task's `notifier` is asked to."""
        if not self.send(title, message):
            raise NotificationError(f"{type(self).__name__} could not send it")


class DesktopNotifier(Notifier):
    """Shows notifications on the desktop of who runs the program."""

    def __init__(self) -> None:
        from rota.sdk.notifying import Desktop

        try:
            self._way = Desktop()
        except RotaError as error:
            raise NotificationError(str(error)) from error

    def send(self, title: str, message: str, **kwargs: Any) -> bool:  # noqa: ARG002 -- how long it is shown is the desktop's to say
        """Show a notification."""
        try:
            self._way.notify(message, title)
        except RotaError as error:
            raise NotificationError(f"the desktop was not notified: {error}") from error
        return True


class EmailNotifier(Notifier):
    """Sends mail: smtp_server, smtp_port, from_email, to_email (one or a list), password, and perhaps username
    [from_email], use_tls [True], use_ssl [False], verify [True] and timeout [10 seconds].

    An empty password, which is not the same as none, means that nobody logs in.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, **more: Any) -> None:
        from rota.sdk.notifying import Email

        said = {**(config or {}), **more}
        password = said.get("password")
        if password is None:
            said["password"] = password = os.environ.get(PASSWORD)
        missing = [key for key in _REQUIRED if said.get(key) in (None, "", []) and (key, password) != ("password", "")]
        if missing:
            hint = f"; the password may be in the environment variable {PASSWORD}" if "password" in missing else ""
            raise NotificationError(f"the mail configuration has no {', '.join(missing)}{hint}")
        self.smtp_server, self.smtp_port = str(said["smtp_server"]), int(said["smtp_port"])
        self.from_email, self.to_email = said["from_email"], said["to_email"]
        self.username = said.get("username") or self.from_email
        self.use_ssl = bool(said.get("use_ssl", False))
        self.use_tls = bool(said.get("use_tls", True)) and not self.use_ssl
        try:
            self._way = Email(
                self.smtp_server,
                port=self.smtp_port,
                sender=self.from_email,
                to=self.to_email,
                user=self.username if password else None,
                password=password or None,
                security="ssl" if self.use_ssl else "starttls" if self.use_tls else "none",
                verify=bool(said.get("verify", True)),
                timeout=float(said.get("timeout", 10)),
            )
        except RotaError as error:
            raise NotificationError(str(error)) from error

    def send(self, title: str, message: str, **kwargs: Any) -> bool:
        """Send a mail; one that is given `html`, as HTML."""
        try:
            if kwargs.get("html"):
                self._way.notify_html(kwargs["html"], title)
            else:
                self._way.notify(message, title)
        except RotaError as error:
            raise NotificationError(f"the mail was not sent: {error}") from error
        return True


class NotificationManager:
    """Notifiers by name, and words for what happens to tasks."""

    def __init__(self) -> None:
        self.notifiers: dict[str, Any] = {}

    def add_notifier(self, name: str, notifier: Any) -> None:
        """Add a notifier: an object with `send(title, message)`, under a name of its own."""
        if not name or not name.strip():
            raise ValueError("the name of a notifier cannot be empty")
        if not callable(getattr(notifier, "send", None)):
            raise TypeError(f"the notifier {name!r} needs a callable send(title, message), and {notifier!r} has none")
        self.notifiers[name] = notifier

    def remove_notifier(self, name: str) -> bool:
        """Take a notifier away, and tell whether it was there."""
        return self.notifiers.pop(name, None) is not None

    def setup_desktop(self, name: str = "desktop") -> str | None:
        """Add the desktop, and return its name; None, with the reason in the log, where there is none."""
        try:
            self.add_notifier(name, DesktopNotifier())
        except NotificationError as error:
            get_logger().warning("no notifications on the desktop: %s", error)
            return None
        return name

    def setup_email(self, config: Mapping[str, Any], name: str = "email") -> str:
        """Add a mail account, and return its name."""
        self.add_notifier(name, EmailNotifier(config))
        return name

    def notify(self, title: str, message: str, channels: Iterable[str] | None = None, **kwargs: Any) -> dict[str, bool]:
        """Send to some notifiers, or to all, and tell of each whether that went well; the log says why not."""
        there = dict(self.notifiers)
        wanted = list(there) if channels is None else [channels] if isinstance(channels, str) else list(channels)
        return {name: self._send(name, there.get(name), title, message, kwargs) for name in wanted}

    def _send(self, name: str, notifier: Any, title: str, message: str, more: dict[str, Any]) -> bool:
        if notifier is None:
            get_logger().error("there is no notifier %r", name)
            return False
        try:
            return bool(notifier.send(title, message, **more))
        except Exception as error:  # noqa: BLE001 -- one that fails must not keep the message from the others
            get_logger().error("notify=%r failed: %s: %s", name, type(error).__name__, error)
            return False

    def notify_task_success(
        self, task_name: str, duration: float, channels: Iterable[str] | None = None
    ) -> dict[str, bool]:
        """Tell that a task did what it should."""
        return self.notify(*success_text(task_name, duration), channels)

    def notify_task_failure(
        self, task_name: str, error: str, attempt: int, max_retries: int, channels: Iterable[str] | None = None
    ) -> dict[str, bool]:
        """Tell that a task failed."""
        title, _ = failure_text(task_name, attempt, error)
        message = f"Task '{task_name}' failed (attempt {attempt}/{max_retries}): {error}"
        return self.notify(title, message, channels)

    def notify_scheduler_error(self, error: str, channels: Iterable[str] | None = None) -> dict[str, bool]:
        """Tell that something is wrong with the scheduler itself."""
        return self.notify("AutoCron: Scheduler Error", f"The scheduler reports: {error}", channels)


def success_text(name: str, duration: float) -> tuple[str, str]:
    """Return title and message about a task that did what it should."""
    return _COMPLETED.format(name=name), f"Task '{name}' completed in {duration:.1f}s"


def failure_text(name: str, attempts: int, error: object) -> tuple[str, str]:
    """Return title and message about a task that failed."""
    plural = "" if attempts == 1 else "s"
    return _FAILED.format(name=name), f"Task '{name}' failed after {attempts} attempt{plural}: {error}"


_LOCK = threading.Lock()
_MANAGERS: list[NotificationManager] = []


def get_notification_manager() -> NotificationManager:
    """Return the manager of the whole program."""
    with _LOCK:
        if not _MANAGERS:
            _MANAGERS.append(NotificationManager())
        return _MANAGERS[0]


def reset_notification_manager() -> None:
    """Forget the manager of the whole program."""
    with _LOCK:
        _MANAGERS.clear()


class _Sends:
    """A notifier of the manager's, which has `send` and perhaps nothing else."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"notify={self._name!r}"

    def notify(self, message: str, title: str = "AutoCron") -> None:
        """Send through whatever has the name now."""
        found = get_notification_manager().notifiers.get(self._name)
        if found is None or not found.send(title, message):
            raise NotificationError("it is not there any more" if found is None else "it could not send")


class _Channel:
    """A notifier that is shown as what the task calls it."""

    def __init__(self, name: str, way: Notifier) -> None:
        self._name, self._way = name, way

    def __repr__(self) -> str:
        return f"notify={self._name!r}"

    def notify(self, message: str, title: str = "AutoCron") -> None:
        """Pass it on."""
        self._way.notify(message, title)


def _desktop(_task: Task) -> Notifier:
    return DesktopNotifier()


def _email(task: Task) -> Notifier:
    return EmailNotifier(task.email_config)


CHANNELS: dict[str, Callable[[Task], Notifier]] = {"desktop": _desktop, "email": _email}
"""What `notify="desktop"` and `notify="email"` stand for."""


def channels_of(task: Task) -> list[str]:
    """Return the names in a task's `notify`."""
    return [task.notify] if isinstance(task.notify, str) else list(task.notify or ())


def channel_of(task: Task, name: str) -> Tells:
    """Return who is told of a task by this name: the manager's, AutoCron's own two, or whatever rota knows by it."""
    from rota.sdk.notifying import notifier_named

    if name in get_notification_manager().notifiers:
        return _Sends(name)
    if name in CHANNELS and not (name == "email" and task.email_config is None):
        return _Channel(name, CHANNELS[name](task))
    try:
        return notifier_named(name)
    except RotaError as error:
        hint = "there is no email_config, and " if name == "email" else ""
        raise NotificationError(f"{hint}{error}") from error
