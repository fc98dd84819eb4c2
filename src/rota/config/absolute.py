"""Absolute paths of what people name, without following links: a path is also the name under which jobs are kept."""

from __future__ import annotations

import os


def absolute(directory: str, path: str) -> str:
    """Return the absolute path of a file as somebody in a directory names it; `~` is the user's own directory.

    `./x`, `a//x` and `a/../x` are `x`. But `..` behind a link leads to where the link's target is: such a path stays as
    it is, because without its `..` it would be another file. So does one behind something that is not there.
    """
    parts: list[str] = []
    for part in os.path.join(directory, os.path.expanduser(path)).split(os.sep):
        if part in ("", os.curdir):
            continue
        if part != os.pardir or (parts and not _is_real_directory(os.sep + os.sep.join(parts))):
            parts.append(part)
        else:
            del parts[-1:]  # above the root is the root
    return os.sep + os.sep.join(parts)


def _is_real_directory(path: str) -> bool:
    return os.path.basename(path) != os.pardir and os.path.isdir(path) and not os.path.islink(path)
