"""What is wanted of a listing, as the databases are asked for it."""

from __future__ import annotations


def containing(text: str) -> str:
    """Return the pattern of texts that contain this one: none of its characters means anything else."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"
