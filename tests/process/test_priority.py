"""Going behind others: by a process's own weight, and by that of its session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAY = "from rota.process.priority import go_behind; go_behind(); import os; print(os.nice(0)); "
AUTOGROUP = Path("/proc/self/autogroup")


def said_by(code: str, *, leads: bool, nice: int = 0) -> list[str]:
    """Run Python in a process that leads a session, or does not, and return what it prints."""
    words = ["nice", "-n", str(nice), sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, start_new_session=leads)
    return done.stdout.splitlines()


@pytest.mark.parametrize("given", [0, 5, 15])
def test_a_process_goes_behind_where_it_was_by_ten_as_far_as_that_goes(given):
    before = min(19, os.nice(0) + given)
    assert [str(min(19, max(0, before) + 10))] == said_by(SAY, leads=False, nice=given)


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="sessions have no weight here")
def test_a_session_goes_behind_with_who_leads_it_and_no_other_session_does():
    before = AUTOGROUP.read_text()
    nice, group = said_by(SAY + "print(open('/proc/self/autogroup').read())", leads=True)[:2]
    assert group.endswith(f" nice {nice}") or not group
    own = said_by(SAY + "print(open('/proc/self/autogroup').read())", leads=False)[1]
    assert before.strip() == own.strip()
