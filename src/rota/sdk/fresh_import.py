"""Importing somebody's modules as they are now, and knowing which files were read for that.

Python takes a compiled module for the source's if time (in seconds) and size agree. An edit within the same second can
keep both, so what lies in the directories that are somebody's own is always read from its source. Nothing is written
there, either.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Mapping
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import find_spec
from typing import Any

from rota.config.declared import Looked
from rota.config.modules import candidates

_INSTALLED = {"site-packages", "dist-packages"}


class Sources:
    """The files of some directories, each as it was when it was first read."""

    def __init__(self, directory: str) -> None:
        self.seen: dict[str, Looked] = {}
        self._own = {directory}
        libraries = ("stdlib", "platstdlib", "purelib", "platlib")
        self._others = {os.path.realpath(sysconfig.get_path(name)) for name in libraries}

    def adopt(self, module: str) -> None:
        """Count the directory of a module's top package as somebody's own, wherever it was found."""
        try:
            spec = find_spec(module.partition(".")[0])
        except (ImportError, ValueError):
            return
        if spec is not None:
            places = [*(spec.submodule_search_locations or ()), spec.origin or ""]
            self._own.update(place for place in places if os.path.exists(place))

    def is_own(self, path: str) -> bool:
        """Tell whether a path is in these directories, and not of what was installed or came with Python."""
        if not any(path == each or path.startswith(each.rstrip(os.sep) + os.sep) for each in self._own):
            return False
        real = os.path.realpath(path)
        if _INSTALLED & set(real.split(os.sep)):
            return False
        return not any(real == each or real.startswith(each + os.sep) for each in self._others)

    def note(self, path: str) -> None:
        """Remember how a file looks now, unless it was looked at before."""
        if path not in self.seen and self.is_own(path):
            try:
                found = os.stat(path)
            except OSError:
                self.seen[path] = (path, 0, -1, 0, 0)
            else:
                self.seen[path] = (path, found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)

    def note_missing(self, directory: str, module: str) -> None:
        """Remember the files that a module would be in, which was not found: to make one of them is a change."""
        for path in candidates(directory, module):
            self.note(path)

    def note_loaded(self) -> None:
        """Remember what came by a loader of another's, as installers use for packages that are being worked on."""
        for module in list(sys.modules.values()):
            path = getattr(module, "__dict__", {}).get("__file__")
            if isinstance(path, str):
                self.note(path)

    def watch(self) -> None:
        """Read all sources of these directories by our own loader from now on."""
        sys.dont_write_bytecode = True
        sys.path_hooks.insert(0, self._finder)
        sys.path_importer_cache.clear()

    def _finder(self, path: str) -> FileFinder:
        if not self.is_own(path):
            raise ImportError(f"{path} is not ours to read")
        sources = (_loader(self.note), SOURCE_SUFFIXES)
        return FileFinder(
            path, (ExtensionFileLoader, EXTENSION_SUFFIXES), sources, (SourcelessFileLoader, BYTECODE_SUFFIXES)
        )


def _loader(note: Callable[[str], None]) -> type[SourceFileLoader]:
    """Return a loader that looks at each file before it reads it, and passes over what was compiled before."""

    class FreshLoader(SourceFileLoader):
        """Reads sources."""

        def path_stats(self, path: str) -> Mapping[str, Any]:
            """Refuse to tell what a compiled file would be compared with, so that there is none."""
            raise OSError(f"{path} is read anew")

        def get_data(self, path: str) -> bytes:
            """Return what is in a file."""
            note(path)
            return super().get_data(path)

    return FreshLoader
