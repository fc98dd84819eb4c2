"""A world for each test; or one process for the tests of a file that change nothing which another one looks at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .webs import Web
from .worlds import World


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    """A home, and the application on it in this process."""
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Iterator[Web]:
    """A home where nobody can sign in."""
    made = Web(tmp_path_factory.mktemp("alone"))
    yield made.start()
    made.close()


@pytest.fixture(scope="module")
def peopled(tmp_path_factory) -> Iterator[Web]:
    """A home with an admin, an operator and a viewer."""
    made = Web(tmp_path_factory.mktemp("peopled"))
    for name, role in (("ann", "admin"), ("olga", "operator"), ("vera", "viewer")):
        made.add_user(name, role)
    yield made.start()
    made.close()


@pytest.fixture
def web(tmp_path) -> Iterator[Web]:
    """A home of a test's own; it starts the process."""
    made = Web(tmp_path)
    yield made
    made.close()
