"""What all tests stand on."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

# A suite in the background of a shell is made to ignore Ctrl-C, and so would be every program that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL that serves all tests."""
    from servers.postgres import running_server

    with running_server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server) -> Iterator[str]:
    """The URL of a store on PostgreSQL that nobody has made yet."""
    from servers.postgres import drop_schema, fresh_url

    url = fresh_url(postgres_server)
    yield url
    drop_schema(url)
