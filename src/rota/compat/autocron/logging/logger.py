"""The same as rota.compat.autocron.logger, where newer programs import it from."""

from __future__ import annotations

from rota.compat.autocron.logger import AutoCronLogger, get_logger, reset_logger

__all__ = ["AutoCronLogger", "get_logger", "reset_logger"]
