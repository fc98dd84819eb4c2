"""Streams end when whoever listens may not any more, and there are not more of them than are good for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from rota.api import streams as rooms
from rota.control.accounts import Accounts
from rota.model.access import Credential, Kind, Role, Scope, Who

from .test_streams import DEADLINE, OWNER, Reader, reading
from .worlds import API, World

PASSWORD = "seven small green frogs"


@pytest.fixture(autouse=True)
def _looked_at_often(monkeypatch):
    monkeypatch.setattr(rooms, "_CHECK", 0.05)


def shown_by(world: World, kind: Kind, lasts: timedelta | None = None) -> tuple[Who, Credential]:
    """Return somebody who has shown a credential, and the credential."""
    accounts = world.client.accounts
    if not accounts.has_users:
        for name in ("ann", "vera"):
            accounts.add_user(name, Role.ADMIN, PASSWORD)
    made = accounts.issue("vera", kind, lasts=lasts or timedelta(hours=1))
    if kind is Kind.REFRESH:
        who = accounts.recognise_family("vera", made.credential.family)
    else:
        who = accounts.recognise(kind, made.secret)
    assert who is not None
    return who, made.credential


ENDS: dict[str, tuple[Kind, Callable[[Accounts, Credential], object]]] = {
    "a token is revoked": (Kind.TOKEN, lambda accounts, it: accounts.revoke(it.id)),
    "somebody signs out": (Kind.SESSION, lambda accounts, it: accounts.revoke(it.id)),
    "another password ends sessions": (Kind.SESSION, lambda accounts, it: accounts.set_password("vera", PASSWORD * 2)),
    "a sign-in for tokens is over": (Kind.REFRESH, lambda accounts, it: accounts.revoke_family(it.family)),
    "a user is removed": (Kind.TOKEN, lambda accounts, it: accounts.remove_user("vera")),
}


@pytest.mark.parametrize("what", ENDS)
def test_a_stream_ends_with_what_opened_it_and_those_of_others_go_on(world, what):
    kind, end = ENDS[what]
    who, credential = shown_by(world, kind)
    other = Who("ann", frozenset(Scope), "signature")
    world.add(overlap="allow")

    async def listen(streams):
        cut, goes_on = Reader(streams.events(None, None, who)), Reader(streams.events(0, None, other))
        await cut.begin()
        end(world.client.accounts, credential)
        assert await cut.ends()
        run = world.run()
        seen = await goes_on.until(lambda message: message["data"]["kind"] == "run.succeeded")
        assert run == seen[-1]["data"]["run"]

    reading(world, listen)


def test_a_stream_ends_when_what_opened_it_expires(world):
    who, _ = shown_by(world, Kind.TOKEN, timedelta(seconds=1))

    async def listen(streams):
        assert await Reader(streams.events(None, None, who)).ends()

    reading(world, listen)


def test_the_owners_streams_end_when_the_first_user_is_made(world):
    async def listen(streams):
        reader = Reader(streams.events(None, None, OWNER))
        await reader.begin()
        world.client.accounts.add_user("ann", Role.ADMIN, PASSWORD)
        assert await reader.ends()

    reading(world, listen)


def test_who_signs_requests_listens_as_long_as_whom_they_act_as_is_there(world):
    shown_by(world, Kind.TOKEN)

    async def listen(streams):
        reader = Reader(streams.events(None, None, Who("vera", frozenset(Scope), "signature")))
        await reader.begin()
        world.client.accounts.remove_user("vera")
        assert await reader.ends()

    reading(world, listen)


def test_what_was_ready_for_somebody_who_may_not_listen_any_more_is_not_sent(world):
    who, credential = shown_by(world, Kind.TOKEN)
    world.add(overlap="allow")
    world.run()

    async def listen(streams):
        reader = Reader(streams.events(0, None, who))
        await reader.begin()
        stream = reader._stream
        async with asyncio.timeout(DEADLINE):
            while not stream._ready:
                await asyncio.sleep(0)
        world.client.accounts.revoke(credential.id)
        async with asyncio.timeout(DEADLINE):
            while not stream.over:
                await asyncio.sleep(0)
        assert await reader.ends()

    reading(world, listen)


def test_listening_writes_nothing_and_keeps_no_session_alive(world):
    who, session = shown_by(world, Kind.SESSION)
    before = world.client.accounts.credential(session.id)
    for _ in range(3):
        assert world.client.accounts.still_knows(who, Scope.READ)
    assert before == world.client.accounts.credential(session.id)


def test_one_stream_too_many_is_told_to_come_back_and_served_when_another_has_gone(world, monkeypatch):
    monkeypatch.setattr(rooms, "MOST_STREAMS", 3)

    async def listen(streams):
        opened = [Reader(streams.events(None, None, OWNER)) for _ in range(3)]
        answer = await asyncio.to_thread(world.ask, "GET", f"{API}/events")
        assert (503, "5") == (answer.status_code, answer.headers["retry-after"])
        assert "urn:rota:problem:too-many-streams" == answer.json()["type"]
        assert 200 == (await asyncio.to_thread(world.ask, "GET", f"{API}/jobs")).status_code
        opened.pop().leave()
        await Reader(streams.events(None, None, OWNER)).begin()

    reading(world, listen)


def test_who_has_gone_before_the_first_byte_leaves_no_stream_behind(world):
    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(_message: object) -> None:
        raise OSError("nobody is there")

    async def listen(streams):
        response = streams.events(None, None, OWNER)
        with pytest.raises(Exception):  # noqa: B017, PT011 -- what the server makes of it is not ours
            await response({"type": "http", "asgi": {"spec_version": "2.4"}}, gone, send)
        assert set() == streams._streams

    reading(world, listen)
