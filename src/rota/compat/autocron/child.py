"""Whether this is the process of one function.

A function with a timeout is called in a process of its own. That imports the module of the function, and would run its
decorators, and perhaps its start of the scheduler, once more: there they do nothing.
"""

from __future__ import annotations

import sys


def is_one() -> bool:
    """Tell whether this process was started to call one function of a program."""
    return ["-m", "rota.call", "--value"] in [sys.orig_argv[at : at + 3] for at in range(len(sys.orig_argv))]
