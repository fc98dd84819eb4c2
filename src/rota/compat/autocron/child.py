"""Whether this is the process of one function.

A function with a timeout is called in a process of its own. That imports the module of the function, and would run its
decorators, and perhaps its start of the scheduler, once more: there they do nothing.
"""

from __future__ import annotations

import sys

_CALLERS = ("rota.call", "rota.process.with_program", "rota.process.answering")
"""What a function's own process runs."""


def is_one() -> bool:
    """Tell whether this process was started to call one function of a program."""
    words = sys.orig_argv
    return any(words[at] == "-m" and words[at + 1] in _CALLERS for at in range(len(words) - 1))
