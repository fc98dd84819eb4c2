"""Where the modules of functions are, told without importing anybody's code."""

from __future__ import annotations

import os
from importlib.util import find_spec

_SOURCE = "src"
_ENDINGS = (".py", ".pyc", ".so", ".pyd")


def source_of(directory: str, module: str) -> str | None:
    """Return the directory beside a file, or its `src/`, in which a module is, or at least its top package is."""
    places = (directory, os.path.join(directory, _SOURCE))
    for name in (module, module.partition(".")[0]):
        for place in places:
            if _has(place, name):
                return place
    return None


def is_there(directory: str, module: str) -> bool:
    """Tell whether a module can be found now.

    1. Beside the file its whole path is looked for. A directory there that is no package hides no installed one.
    2. Of what is installed only the top package is looked for: to look into it is to import it.
    """
    top = module.partition(".")[0]
    place = source_of(directory, module)
    if place is not None:
        if _has(place, module):
            return True
        if _has(place, f"{top}.__init__") or not os.path.isdir(os.path.join(place, top)):
            return False
    try:
        return find_spec(top) is not None
    except (ImportError, ValueError):  # what is broken, and what was not imported from a file, such as __main__
        return False


def _has(directory: str, module: str) -> bool:
    """Tell whether a module's file is below a directory, or a directory in its place."""
    *above, last = module.split(".")
    directory = os.path.join(directory, *above)
    if os.path.isdir(os.path.join(directory, last)):
        return True
    try:
        names = os.listdir(directory)
    except OSError:
        return False
    return any(name.partition(".")[0] == last and name.endswith(_ENDINGS) for name in names)
