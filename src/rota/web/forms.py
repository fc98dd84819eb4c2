"""What forms of pages send."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from rota.api.cookies import read_form


class Fields:
    """The fields of a form: a text each, or several of one name."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def text(self, name: str, default: str = "") -> str:
        """Return a field without the spaces around it; a browser's line ends become those of everybody else."""
        return self._fields.get(name, [default])[0].replace("\r\n", "\n").strip()

    def exact(self, name: str) -> str:
        """Return a field as it was typed, spaces and all: a password."""
        return self._fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Return everything that was chosen under a name."""
        return self._fields.get(name, [])

    def has(self, name: str) -> bool:
        """Tell whether a box is ticked, or a button was the one."""
        return name in self._fields

    def one_each(self) -> dict[str, str]:
        """Return the first value of every field."""
        return {name: values[0] for name, values in self._fields.items()}


async def _fields(request: Request) -> Fields:
    return Fields(await read_form(request))


SentFields = Annotated[Fields, Depends(_fields)]


def path_on_this_site(text: str) -> str:
    """Return where to go on, if that is a page of ours; anything else would be a way to lead people astray."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return text if is_ours and text.isprintable() else "/"
