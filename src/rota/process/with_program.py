"""A process that ends with the program that it works for: `python -m rota.process.with_program PID rota.call's words…`.

An engine in memory has nobody who would take its runs over, and a program that is killed cannot end them itself. So a
function's process looks whether the program is there (it need not be its own parent: between them may be what reads its
output, or makes it another user's). When it is not, the process ends, with everything that it has started.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading

from rota.call import main as call
from rota.process import tree
from rota.process.identity import innermost

_LOOK = 0.5


def main(words: list[str]) -> int:
    """Call a function as long as the program is there."""
    threading.Thread(target=_watch, args=(int(words[0]), innermost(os.environ)), daemon=True).start()
    return call(words[1:])


def _watch(program: int, mark: str) -> None:
    try:
        if hasattr(os, "pidfd_open"):
            select.select([os.pidfd_open(program)], [], [])
        else:
            while True:
                with contextlib.suppress(PermissionError):  # it is another user's, and there
                    os.kill(program, 0)
                threading.Event().wait(_LOOK)
    except ProcessLookupError:
        pass  # it has gone already
    end_tree(mark)


def end_tree(mark: str) -> None:
    """End everything that carries a mark, and this process last."""
    tree.kill_tree(mark, os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
