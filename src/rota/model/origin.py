"""Where a job comes from, as the store keeps it.

`hand` and `python` are jobs that somebody, or a program, has made one by one. Those of `file:/path/rota.yaml` and of
`python:/directory:pkg.mod` are applied: they come, change and go with their source.
"""

from __future__ import annotations

_FILE = "file:"
_MODULE = "python:"


def of_file(path: str) -> str:
    """Return the origin of a job file's jobs, by its absolute path."""
    return _FILE + path


def of_module(directory: str, name: str) -> str:
    """Return the origin of the jobs that a module declares, which is looked for in a directory."""
    return f"{_MODULE}{directory}:{name}"


def is_applied(origin: str) -> bool:
    """Tell whether a job belongs to a file or a module, which it comes and goes with."""
    return origin.startswith((_FILE, _MODULE))


def is_file(origin: str) -> bool:
    """Tell whether a job belongs to a file."""
    return origin.startswith(_FILE)


def path_of(origin: str) -> str:
    """Return the path of the file that a job belongs to."""
    return origin.removeprefix(_FILE)


def module_of(origin: str) -> tuple[str, str]:
    """Return the directory and the name of the module that a job belongs to."""
    directory, _, name = origin.removeprefix(_MODULE).rpartition(":")
    return directory, name


def shown(origin: str) -> str:
    """Return a source in words: a path, or `python pkg.mod (in /directory)`."""
    if origin.startswith(_MODULE):
        directory, name = module_of(origin)
        return f"python {name} (in {directory})"
    return path_of(origin)
