"""AutoCron's module of this name: the system's own schedulers."""

from __future__ import annotations

from rota.compat.autocron.adapter import OSAdapter
from rota.compat.autocron.crontab import UnixAdapter
from rota.compat.autocron.errors import OSAdapterError
from rota.compat.autocron.task_scheduler import WindowsAdapter
from rota.compat.autocron.utils import get_platform_info, is_linux, is_macos, is_windows

__all__ = ["OSAdapter", "OSAdapterError", "UnixAdapter", "WindowsAdapter", "get_os_adapter"]


def get_os_adapter() -> OSAdapter:
    """Return the adapter for this system."""
    if is_windows():
        return WindowsAdapter()
    if is_linux() or is_macos():
        return UnixAdapter()
    raise OSAdapterError(f"there is no adapter for {get_platform_info()['system']}; only for Windows, Linux and macOS")
