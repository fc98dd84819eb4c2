"""The same as rota.compat.autocron.cli, where newer programs import it from."""

from __future__ import annotations

from rota.compat.autocron.cli import create_parser, main

__all__ = ["create_parser", "main"]
