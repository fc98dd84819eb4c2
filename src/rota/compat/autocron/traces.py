"""Tracebacks of a task's function, without the frames that lead to it: they are rota's, and tell nobody anything."""

from __future__ import annotations

import os
import re
import sysconfig

import rota

_OURS = os.path.dirname(rota.__file__)
_LOOP = os.path.join(sysconfig.get_path("stdlib"), "asyncio")
_FRAME = rf'  File "(?:<frozen runpy>|(?:{re.escape(_OURS)}|{re.escape(_LOOP)})[/\\][^"]*)", line .*\n(?:    .*\n)*'
_LEADING = re.compile(rf"^(Traceback \(most recent call last\):\n)(?:{_FRAME})+", re.MULTILINE)


def without_our_frames(text: str) -> str:
    """Return what a function has left on standard error: its tracebacks begin with its own code.

    Only frames at the top go. Those below the function's own stay, whosever they are: it has called them.
    """
    return _LEADING.sub(r"\1", text)
