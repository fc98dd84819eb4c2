"""One suite over every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from servers.postgres import drop_schema, fresh_url

from .worlds import SQLITE, World, emptied, open_postgres


@pytest.fixture(params=[*SQLITE, "postgres"])
def store(request, tmp_path) -> Iterator[World]:
    if request.param == "postgres":
        yield request.getfixturevalue("postgres")
        return
    world = World(SQLITE[request.param](str(tmp_path)))
    yield world
    world.close()


@pytest.fixture
def memory(tmp_path) -> Iterator[World]:
    world = World(SQLITE["sqlite memory"](str(tmp_path)))
    yield world
    world.close()


@pytest.fixture(scope="session")
def shared_url(postgres_server) -> Iterator[str]:
    """A store that tests use one after the other: one is made for all of them."""
    url = fresh_url(postgres_server) + "&prepare=2"
    yield url
    drop_schema(url)


@pytest.fixture
def postgres(shared_url) -> Iterator[World]:
    world = emptied(open_postgres(shared_url))
    yield world
    world.close()


@pytest.fixture
def url(postgres, shared_url) -> str:
    """The URL of the store that this test has, for one more connection to it."""
    return shared_url


@pytest.fixture
def another(postgres, url) -> Iterator[Callable[..., World]]:
    """What opens one more connection to the store of this test."""
    with ExitStack() as stack:

        def opened(more: str = "", *, patience: float = 5.0) -> World:
            world = open_postgres(url + more, patience=patience)
            stack.callback(world.close)
            return world

        yield opened
