"""What AutoCron's names raise.

AutoCronError
├── SchedulingError        a task cannot be scheduled, saved or loaded as it was asked; a ValueError, too
├── TimeParseError         a text is no interval and no cron expression; a ValueError, too
├── NotificationError      nobody can be notified as it was asked, or a notification did not arrive
├── OSAdapterError         the system's own scheduler cannot be used, or cannot express a schedule
└── TaskExecutionError     a task ran and failed
"""

from __future__ import annotations


class AutoCronError(Exception):
    """The root."""


class SchedulingError(AutoCronError, ValueError):
    """A task cannot be scheduled, saved or loaded as it was asked."""


class TimeParseError(AutoCronError, ValueError):
    """A text is no interval and no cron expression."""


class NotificationError(AutoCronError):
    """Nobody can be notified as it was asked, or a notification did not arrive."""


class OSAdapterError(AutoCronError):
    """The system's own scheduler cannot be used, or cannot express a schedule."""


class TaskExecutionError(AutoCronError):
    """A task ran and failed; the text is the reason."""


ScheduleError = SchedulingError
