"""`python -m bench.run [NAME…]`: measure, print a table, keep it in bench/results/."""

from __future__ import annotations

import sys

from bench import asked, files, fleet, inside, measures, tables
from bench.measures import Row

ALL = (*measures.ALL, *asked.ALL, *files.ALL, *inside.ALL, *fleet.ALL)


def main(names: list[str]) -> int:
    known = [measure.__name__ for measure in ALL]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"there is no measure {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    chosen = [measure for measure in ALL if not names or measure.__name__ in names]
    rows: list[Row] = []
    for measure in chosen:
        print(f"measuring {measure.__name__} …", file=sys.stderr, flush=True)
        rows += measure()
    text = tables.page(rows)
    print(text)
    if not names:
        tables.keep(text, tables.commit()[:10])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
