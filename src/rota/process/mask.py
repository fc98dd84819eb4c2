"""Takes secrets out of a stream of bytes, also where one is cut in two by the way it was written.

It imports nothing of rota: the relay, which runs by itself, uses it.
"""

_SHOWN = b"***"


class Mask:
    """Passes bytes on without the secrets in them; the beginning of what may become one waits for the rest."""

    def __init__(self, secrets: list[bytes]) -> None:
        self._secrets = secrets
        self._waiting = b""

    def take(self, content: bytes) -> bytes:
        """Return what can be shown now."""
        content = self._without(self._waiting + content)
        wait = self._beginning(content)
        self._waiting = content[len(content) - wait :]
        return content[: len(content) - wait]

    def end(self) -> bytes:
        """Return what waited in vain."""
        left, self._waiting = self._waiting, b""
        return left

    def _without(self, content: bytes) -> bytes:
        for secret in self._secrets:
            content = content.replace(secret, _SHOWN)
        return content

    def _beginning(self, content: bytes) -> int:
        """Return how many of the last bytes could be the beginning of a secret."""
        longest = 0
        for secret in self._secrets:
            for length in range(min(len(secret) - 1, len(content)), longest, -1):
                if content.endswith(secret[:length]):
                    longest = length
                    break
        return longest
