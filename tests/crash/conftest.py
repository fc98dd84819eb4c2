"""A home for each test; what its engines and jobs leave running is ended after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import Home
from .served import Served


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A directory with job files, and engines that are ended after the test."""
    made = Served(tmp_path)
    try:
        yield made
    finally:
        made.close()
