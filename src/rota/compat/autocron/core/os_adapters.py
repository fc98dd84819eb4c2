"""The same as rota.compat.autocron.os_adapters, where newer programs import it from."""

from __future__ import annotations

from rota.compat.autocron.os_adapters import OSAdapter, OSAdapterError, UnixAdapter, WindowsAdapter, get_os_adapter

__all__ = ["OSAdapter", "OSAdapterError", "UnixAdapter", "WindowsAdapter", "get_os_adapter"]
