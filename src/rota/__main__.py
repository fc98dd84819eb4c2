"""`python -m rota`: the command line, or the engine that `rota serve` turns into."""

from __future__ import annotations

import os
import sys

from rota.errors import RotaError
from rota.process.beside import LEASH
from rota.process.priority import go_behind
from rota.wiring.serving import is_engine, serve_as_told


def _main() -> int:
    if not is_engine(os.environ):
        if os.environ.get(LEASH):
            go_behind()  # before anything is imported that takes long: a helper is no matter from its first moment on
        from rota.cli.main import main

        return main()
    try:
        return serve_as_told()
    except (RotaError, OSError) as error:  # anything else is a fault of ours, and keeps its traceback
        from rota.cli.main import tell

        return tell(error)


if __name__ == "__main__":
    sys.exit(_main())
