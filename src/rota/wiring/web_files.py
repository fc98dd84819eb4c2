"""What the web process keeps in the home besides the store: the key of access tokens, and the owner's link.

Both are for the owner of the home alone (mode 0600), and neither is in the store, so a copy or a backup of the store
opens nothing.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from rota.errors import BadHome

_KEY, _LINK = "web.key", "web.link"
_KEY_BYTES = 32


class KeyFile:
    """The key that access tokens are signed with: made when it is first needed, and the same from then on."""

    def __init__(self, home: str) -> None:
        self._path = os.path.join(home, _KEY)
        self._lock = threading.Lock()
        self._key = b""

    def key(self) -> bytes:
        """Return the key."""
        with self._lock:  # a stranger may make many threads ask at once for the first time
            self._key = self._key or self._read() or self._make()
        return self._key

    def _read(self) -> bytes:
        try:
            with open(self._path, encoding="ascii") as file:
                key = bytes.fromhex(file.read())
        except FileNotFoundError:
            return b""
        except ValueError:
            key = b""
        if len(key) < _KEY_BYTES:
            raise BadHome(f"{self._path} is no key; remove it, and a new one is made (who has tokens signs in again)")
        return key

    def _make(self) -> bytes:
        """Write a new key aside and put it in its place, unless somebody else was faster."""
        aside = f"{self._path}.{os.getpid()}"
        write_private(aside, os.urandom(_KEY_BYTES).hex())
        try:
            with suppress(FileExistsError):
                os.link(aside, self._path)
        finally:
            os.unlink(aside)
        return self._read()


def write_link(home: str, link: str) -> str:
    """Leave the owner's link where only they can read it, and return where that is."""
    path = os.path.join(home, _LINK)
    remove_link(home)
    write_private(path, link + "\n")
    return path


def remove_link(home: str) -> None:
    """Take a link away that leads nowhere any more."""
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(home, _LINK))


def write_private(path: str, text: str) -> None:
    """Write a new file that its owner alone can read."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
