"""One suite over every backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .worlds import BACKENDS, World


@pytest.fixture(params=BACKENDS)
def store(request, tmp_path) -> Iterator[World]:
    world = World(BACKENDS[request.param](str(tmp_path)))
    yield world
    world.close()


@pytest.fixture
def memory(tmp_path) -> Iterator[World]:
    world = World(BACKENDS["sqlite memory"](str(tmp_path)))
    yield world
    world.close()
