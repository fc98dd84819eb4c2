"""The file that `rota init` writes: one job that runs, and comments on what else there is."""

from __future__ import annotations

STARTER = """\
# yaml-language-server: $schema={schema}
# Jobs for rota. `rota validate` checks this file, `rota diff` shows what a change of it means, and `rota serve` runs
# the jobs and applies every change by itself. All keys: docs/reference/files.md

# timezone: Europe/Berlin          # for all schedules; without it, this machine's

# defaults:                        # what all jobs say, unless they say otherwise
#   retries: {{count: 2, delay: 1m}}
#   timeout: 1h

# pools:                           # limits that jobs share
#   database: 2

# env:                             # variables for all jobs
#   STAGE: ${{STAGE:-test}}          # from the environment of `rota apply`, or a default
#   TOKEN: {{from: "file:token"}}    # a secret: read when a job starts, never stored, masked in output

jobs:
  hello:
    run: echo "hello from rota"    # a text is a line of shell; a list is a program: [pg_dump, -f, db.sql]
    every: 1m

  # backup:
  #   description: The database, every night
  #   run: [pg_dump, --file, /backup/db.sql, shop]
  #   cron: "30 2 * * *"           # also: at, calendar (as in systemd), every: {{every: 5m, from: end}}, or several
  #   timeout: 30m
  #   retries: 3
  #   overlap: skip                # or queue, replace, allow
  #   pool: database

  # report:
  #   python: reports.daily:main   # a function, in a process of its own
  #   kwargs: {{days: 7}}
  #   calendar: Mon..Fri 09:00

  # sync:
  #   task: tasks/sync             # a directory with an executable run.sh
  #   args: [--days, 30]
  #   cron: ["0 * * * *", "30 12 * * 1-5"]
"""


def starter(schema: str) -> str:
    """Return the text of the file; `schema` is where editors find what may be in it."""
    return STARTER.format(schema=schema)
