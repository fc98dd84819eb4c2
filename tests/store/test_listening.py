"""What is told at once to whoever listens, and that listening goes on after the connection was lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from process.waiting import wait_for
from rota.model.host import NewHost
from rota.store.address import parse_address
from rota.store.listening import Listener

from .worlds import NOW


@pytest.fixture
def listener(postgres, url) -> Iterator[Listener]:
    made = Listener(parse_address(url))
    wait_for(made.drain)  # it listens
    yield made
    made.close()


def test_a_run_that_becomes_ready_is_told_and_one_that_is_held_only_when_its_place_is_free(postgres, listener):
    stored = postgres.make()
    running = postgres.claim_one(stored)
    wait_for(listener.drain)
    postgres.queue(stored, held=True)
    postgres.end(running)
    wait_for(listener.drain)


def test_the_wish_that_a_run_ends_is_told(postgres, listener):
    running = postgres.claim_one(postgres.make())
    wait_for(listener.drain)
    postgres.runs.ask_to_cancel_if_running(running.run_id, NOW, "by hand")
    wait_for(listener.drain)


def test_that_a_host_is_drained_is_told(postgres, listener):
    postgres.hosts.register(NewHost("one", "box", False, {}, 1, "1.0"))
    postgres.hosts.set_drained("one", True, False)
    wait_for(listener.drain)


def test_a_lost_connection_is_made_again_and_what_was_said_meanwhile_is_looked_for(postgres, listener):
    postgres.database._connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"
    )
    wait_for(listener.drain)
    postgres.queue(postgres.make())
    wait_for(listener.drain)
