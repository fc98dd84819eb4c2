"""A world for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .listening import Listening
from .test_following import EngineSide
from .worlds import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


@pytest.fixture
def engine(tmp_path) -> Iterator[EngineSide]:
    made = EngineSide(str(tmp_path))
    yield made
    made.spool.close()
    made.close()


@pytest.fixture
def listening(engine, tmp_path) -> Iterator[Listening]:
    made = Listening(engine, str(tmp_path))
    yield made
    made.close()
