"""What a check-up sees of the machine under a home."""

from __future__ import annotations

import msgspec


class MachineFacts(msgspec.Struct, frozen=True):
    """Facts, not judgements; None where they cannot be known."""

    user: int
    home_owner: int | None
    home_mode: int | None
    store_owner: int | None
    store_mode: int | None
    disk_free: int | None
    disk_size: int | None
    files_free: int | None
    has_shell: bool
    open_files: tuple[int, int]
    """The soft and the hard limit; -1 is none."""
