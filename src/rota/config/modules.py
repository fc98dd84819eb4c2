"""Modules whose functions are declared to be jobs, as they are named: `pkg.mod`, or `DIR:pkg.mod`."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from rota.config.absolute import absolute
from rota.config.formats.python_modules import is_there as is_module_there
from rota.errors import UsageError
from rota.model import origin


class Module(msgspec.Struct, frozen=True):
    """A module, and the directory that it is looked for in first, as `python -m` does."""

    name: str
    directory: str
    """Absolute; the module's jobs run there."""
    shown: str
    """The same as somebody has typed it, or nothing: then messages name its files as they are seen from here."""

    @property
    def word(self) -> str:
        """How it is named from anywhere."""
        return f"{self.directory}:{self.name}"

    @property
    def candidates(self) -> list[str]:
        """The files that the module may be in, whether or not they are there."""
        return candidates(self.directory, self.name)


def module_named(text: str, here: str) -> Module:
    """Return the module that a text names."""
    directory, colon, name = text.rpartition(":")
    where = absolute(here, directory or ".")
    if not name or not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(f"--python {text!r} names no module; write it as in an import, such as pkg.mod{_guess(name)}")
    if name.endswith(".py") and os.path.isfile(os.path.join(where, name)):
        raise UsageError(f"--python {text!r} names a file; the module in it is {directory + colon}{name[:-3]}")
    if not os.path.isdir(where):
        raise UsageError(f"--python {text!r}: there is no directory {where}")
    return Module(name, where, os.path.expanduser(directory))


def _guess(name: str) -> str:
    module = name.removesuffix(".py").strip("./").replace("/", ".")
    return f"; did you mean {module!r}?" if module and all(part.isidentifier() for part in module.split(".")) else ""


def candidates(directory: str, name: str) -> list[str]:
    """Return the files that a module and the packages that it is in may be in, seen from a directory."""
    paths, parts = [], name.split(".")
    for length in range(1, len(parts) + 1):
        path = os.path.join(directory, *parts[:length])
        paths += [f"{path}.py", os.path.join(path, "__init__.py")]
    return paths


def modules_named(texts: Sequence[str], here: str) -> list[Module]:
    """Return the modules that are meant, each once."""
    found = [module_named(text, here) for text in texts]
    return list({(module.directory, module.name): module for module in found}.values())


def is_there(source: str) -> bool:
    """Tell whether the source of applied jobs still exists: a file, or a module."""
    if origin.is_file(source):
        return os.path.exists(origin.path_of(source))
    return is_module_there(*origin.module_of(source))
