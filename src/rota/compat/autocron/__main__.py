"""`python -m rota.compat.autocron`: AutoCron's command line."""

from __future__ import annotations

from rota.compat.autocron.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
