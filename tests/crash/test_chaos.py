"""The kill-loop in small; `make chaos` performs it in full."""

from __future__ import annotations

import random

import pytest

from .chaos import perform
from .harness import LONG


@pytest.mark.timeout(900)
def test_killed_again_and_again_nothing_is_lost_and_nothing_is_doubled(tmp_path):
    seed = random.randrange(1_000_000)
    faults, summary = perform(200 if LONG else 20, seed, tmp_path, hurry=1.0 if LONG else 0.4)
    assert faults == [], summary
