"""What a job does. Each kind compiles to an argv (in process/); here they are only described."""

from __future__ import annotations

from typing import Any

import msgspec


class Command(
    msgspec.Struct, frozen=True, tag_field="kind", tag="command", omit_defaults=True, forbid_unknown_fields=True
):
    """A program and its arguments, started without a shell."""

    argv: tuple[str, ...]

    def describe(self) -> str:
        """Return one line for people."""
        from shlex import join

        return join(self.argv)


class Shell(msgspec.Struct, frozen=True, tag_field="kind", tag="shell", omit_defaults=True, forbid_unknown_fields=True):
    """A line for /bin/sh."""

    line: str

    def describe(self) -> str:
        """Return one line for people."""
        return self.line


class Python(
    msgspec.Struct, frozen=True, tag_field="kind", tag="python", omit_defaults=True, forbid_unknown_fields=True
):
    """A Python function, called in a process of its own: `pkg.mod:func`."""

    target: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    interpreter: str = ""

    def describe(self) -> str:
        """Return one line for people."""
        given = [repr(arg) for arg in self.args] + [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"{self.target}({', '.join(given)})"


class Function(
    msgspec.Struct, frozen=True, tag_field="kind", tag="function", omit_defaults=True, forbid_unknown_fields=True
):
    """A Python function of the program that the engine runs in; the program knows it by its name."""

    name: str
    target: str = ""
    """`pkg.mod:func`, where it can be imported: then an engine of another program can call it, too."""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    apart: bool = False
    """In a process of its own, so that a timeout really ends it and everything that it has started."""

    def describe(self) -> str:
        """Return one line for people."""
        return Python(self.target or self.name, self.args, self.kwargs).describe()


Action = Command | Shell | Python | Function
