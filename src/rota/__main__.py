"""`python -m rota`: the command line, or the engine that `rota serve` turns into."""

from __future__ import annotations

import os
import sys

from rota.wiring import is_engine, serve_as_told


def _main() -> int:
    if is_engine(os.environ):
        return serve_as_told()
    from rota.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(_main())
