"""Takes secrets out of a stream of bytes, also where one is cut in two by the way it was written.

What is shown is what would be shown if the stream came whole: of secrets that begin at the same place the longest is
masked, and of secrets that overlap the first. So where a secret is also the beginning of a longer one, it waits until
what follows tells which of them it is: masking the shorter at once would show the rest of the longer.

It imports nothing of rota: the relay, which runs by itself, uses it.
"""

import re

_SHOWN = b"***"


class Mask:
    """Passes bytes on without the secrets in them; the beginning of what may become one waits for the rest."""

    def __init__(self, secrets: list[bytes]) -> None:
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        # The first alternative that fits is taken, so the longest stands first; "(?!)" fits nowhere.
        self._any = re.compile(b"|".join(map(re.escape, self._secrets)) or b"(?!)")
        self._waiting = b""

    def take(self, content: bytes) -> bytes:
        """Return what can be shown now.

        1. Find where the last bytes may still become a secret, or a longer one: from there on, everything waits.
        2. Mask what begins before. A secret that reaches beyond that place has used it up, so it is looked for anew.
        """
        content = self._waiting + content
        shown, at, wait = [], 0, self._undecided(content, 0)
        while (found := self._any.search(content, at)) is not None and found.start() < wait:
            shown += [content[at : found.start()], _SHOWN]
            at = found.end()
            if at > wait:
                wait = self._undecided(content, at)
        self._waiting = content[wait:]
        return b"".join([*shown, content[at:wait]])

    def end(self) -> bytes:
        """Return what waited in vain."""
        left, self._waiting = self._waiting, b""
        return self._any.sub(_SHOWN, left)

    def _undecided(self, content: bytes, start: int) -> int:
        """Return the first place from which all that is left is the beginning of a secret and not yet the whole."""
        first = len(content)
        for secret in self._secrets:
            at = content.find(secret[:1], max(start, len(content) - len(secret) + 1), first)
            while at >= 0 and not secret.startswith(content[at:]):
                at = content.find(secret[:1], at + 1, first)
            if at >= 0:
                first = at
        return first
