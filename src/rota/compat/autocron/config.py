"""AutoCron's module of this name, which is empty there: here it reads what an autocron.yaml says.

A whole scheduler is made of such a file by `AutoCron.from_config`.
"""

from __future__ import annotations

from rota.compat.autocron.files import read_config

__all__ = ["read_config"]
