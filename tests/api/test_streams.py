"""Streams: what is new comes to everybody who listens, each from their own place, and costs no thread for each."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from process.waiting import wait_for
from rota.api import streams as rooms
from rota.control.following import Place
from rota.errors import StoreBusy, StoreCorrupt
from rota.model.access import Scope, Who
from rota.model.run import OutputPart, State

DEADLINE = 20.0
OWNER = Who("somebody", frozenset(Scope), "local")


class Reader:
    """Reads one stream as a browser does."""

    def __init__(self, response: Any) -> None:
        self._stream = response._stream
        self._pieces: AsyncIterator[bytes] = response.body_iterator
        self._messages: deque[str] = deque()

    async def next(self) -> dict[str, Any]:
        """Return the next message; the signs of life between them are none."""
        while True:
            while not self._messages:
                piece = await asyncio.wait_for(anext(self._pieces), DEADLINE)
                self._messages += piece.decode().removesuffix("\n\n").split("\n\n")
            fields = dict(line.partition(": ")[::2] for line in self._messages.popleft().splitlines())
            if "data" in fields:
                return {"event": "", "id": None} | fields | {"data": json.loads(fields["data"])}

    async def until(self, is_it: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Return messages up to the first that is meant."""
        found = [await self.next()]
        while not is_it(found[-1]):
            found.append(await self.next())
        return found

    async def begin(self) -> None:
        """Let the stream take its place."""
        assert b"retry" in await asyncio.wait_for(anext(self._pieces), DEADLINE)

    async def ends(self) -> bool:
        """Tell whether it ends without another message."""
        try:
            await self.next()
        except StopAsyncIteration:
            return True
        return False

    def leave(self) -> None:
        self._stream.leave()


def reading(world, action):
    """Run what reads streams, with the deadline that all tests have."""
    return asyncio.run(asyncio.wait_for(action(world.api.state.streams), 2 * DEADLINE))


def test_facts_come_in_order_to_everybody_and_each_goes_on_from_their_own_place(world):
    world.add(overlap="allow")

    async def listen(streams):
        everybody = [Reader(streams.events(0, None, OWNER)) for _ in range(3)]
        run = world.run()
        for reader in everybody:
            seen = await reader.until(lambda message: message["data"]["kind"] == "run.succeeded")
            assert ["run.queued", "run.running", "run.succeeded"] == [each["data"]["kind"] for each in seen]
            assert {run} == {each["data"]["run"] for each in seen}
        behind = Reader(streams.events(int(seen[0]["id"]), None, OWNER))
        assert [each["id"] for each in seen[1:]] == [(await behind.next())["id"] for _ in range(2)]

    reading(world, listen)


def test_without_a_place_a_stream_begins_with_what_comes(world):
    world.add(overlap="allow")
    world.run()

    async def listen(streams):
        reader = Reader(streams.events(None, None, OWNER))
        await reader.begin()
        first = Reader(streams.events(0, None, OWNER))  # when it has been served, the other one has its place, too
        await first.next()
        run = world.run()
        assert run == (await reader.next())["data"]["run"]

    reading(world, listen)


def test_a_stream_of_one_job_has_its_facts_alone(world):
    world.add("one")
    world.add("two")

    async def listen(streams):
        reader = Reader(streams.events(0, "two", OWNER))
        world.run("one")
        world.run("two")
        seen = await reader.until(lambda message: message["data"]["kind"] == "run.succeeded")
        assert {"two"} == {message["data"]["job"] for message in seen}

    reading(world, listen)


def test_who_is_too_far_behind_is_told_what_they_missed_and_where_it_goes_on(world, monkeypatch):
    monkeypatch.setattr(rooms, "MOST_BEHIND", 4)
    for number in range(10):
        world.store.ledger.add_event("job.paused", world.client.clock.now(), note=str(number))

    async def listen(streams):
        reader = Reader(streams.events(2, None, OWNER))
        missed = await reader.next()
        assert ("missed", {"after": 2, "until": 6}) == (missed["event"], missed["data"])
        assert ["7", "8", "9", "10"] == [(await reader.next())["id"] for _ in range(4)]

    reading(world, listen)
    assert [3, 4, 5, 6] == [each["seq"] for each in world.get("/events/past?after=2&limit=4")["items"]]


def test_what_waits_for_a_slow_reader_is_bounded_and_nothing_is_lost(world, monkeypatch):
    monkeypatch.setattr(rooms, "_ROOM", 2_000)
    now = world.client.clock.now()
    with world.store.transaction():
        for number in range(600):
            world.store.ledger.add_event("job.paused", now, note="x" * 100, number=str(number))

    async def listen(streams):
        slow, quick = Reader(streams.events(0, None, OWNER)), Reader(streams.events(0, None, OWNER))
        await slow.begin()
        seen = await quick.until(lambda message: message["data"]["data"]["number"] == "599")
        assert 600 == len(seen)
        waiting = [sum(map(len, stream._ready)) for stream in streams._streams]
        assert max(waiting) < 2_400
        assert [str(number) for number in range(600)] == [
            (await slow.next())["data"]["data"]["number"] for _ in range(600)
        ]

    reading(world, listen)


def test_a_run_is_streamed_with_its_states_and_its_output_until_its_end(world):
    world.add()
    run = world.client.verbs.trigger("backup")

    async def listen(streams):
        reader = Reader(streams.output(run, Place(), OWNER))
        assert "queued" == (await reader.next())["data"]["run"]["state"]
        world.begin()
        seen = await reader.until(lambda message: message["event"] == "attempt")
        text = "zwölf\n"
        world.store.runs.add_output(run, 1, [OutputPart("stdout", text.encode(), b"", len(text.encode()))])
        world.end(run, State.FAILED, 3, "it failed")
        seen = await reader.until(lambda message: message["event"] == "end")
        assert [text] == [each["data"]["text"] for each in seen if each["event"] == "output"]
        assert 3 == seen[-1]["data"]["run"]["exit_code"]
        assert "2:0:0" == seen[-1]["id"]
        assert await reader.ends()

    reading(world, listen)


def test_a_stream_of_output_goes_on_within_it_and_says_what_is_missing(world):
    world.add()
    run = world.run()
    world.store.runs.add_output(run, 1, [OutputPart("stdout", b"0123456789", b"end", 1_000)])

    async def listen(streams):
        reader = Reader(streams.output(run, Place(0, True, "", (4, 0)), OWNER))
        seen = await reader.until(lambda message: message["event"] == "end")
        told = [message["data"] for message in seen if message["event"] in ("output", "dropped")]
        assert ["456789", 987, "end"] == [each.get("text", each.get("bytes")) for each in told]

    reading(world, listen)


def test_a_character_that_has_not_come_whole_is_held_back(world):
    world.add()
    run = world.run()
    content = "a☃".encode()
    world.store.runs.add_output(run, 1, [OutputPart("stdout", content[:2], content[2:], len(content))])

    async def listen(streams):
        reader = Reader(streams.output(run, Place(), OWNER))
        seen = await reader.until(lambda message: message["event"] == "end")
        told = [message for message in seen if message["event"] == "output"]
        assert [("a", "1:1:0"), ("☃", "1:4:0")] == [(each["data"]["text"], each["id"]) for each in told]

    reading(world, listen)


@pytest.mark.parametrize("place", ["x", "1", "1:2", "-1:0:0", "1:0:0:0", "9999999999:0:0", "1:1:\u0661"])
def test_a_place_in_output_that_was_made_up_is_refused(world, place):
    world.add()
    run = world.run()
    world.get(f"/runs/{run}/output/live", 422, headers={"Last-Event-ID": place.encode()})


def test_who_has_seen_the_end_of_a_run_is_told_not_to_come_back(world):
    world.add()
    run = world.run()
    answer = world.ask("GET", f"/api/v1/runs/{run}/output/live", headers={"Last-Event-ID": "2:0:0"})
    assert 204 == answer.status_code
    assert 204 == world.ask("GET", f"/api/v1/runs/{run}/output/live?after=2:0:0").status_code


def test_five_hundred_streams_are_one_thread_and_none_when_they_have_gone(world):
    world.add(overlap="allow")
    before = threading.active_count()

    async def listen(streams):
        readers = [Reader(streams.events(0, None, OWNER)) for _ in range(250)]
        run = world.client.verbs.trigger("backup")
        readers += [Reader(streams.output(run, Place(), OWNER)) for _ in range(250)]
        world.begin()
        seen = [await reader.next() for reader in readers]
        assert 500 == len(seen)
        assert threading.active_count() <= before + 1
        world.end(run)
        for reader in readers[250:]:
            await reader.until(lambda message: message["event"] == "end")
        for reader in readers:
            reader.leave()
        assert set() == streams._streams
        await asyncio.to_thread(wait_for, lambda: "streams" not in [each.name for each in threading.enumerate()])

    reading(world, listen)


def test_what_is_committed_while_a_queue_is_full_comes_when_there_is_room(world, monkeypatch):
    monkeypatch.setattr(rooms, "_ROOM", 200)
    world.add(overlap="allow")
    for _ in range(3):
        world.run()

    async def listen(streams):
        slow, quick = Reader(streams.events(0, None, OWNER)), Reader(streams.events(0, None, OWNER))
        await slow.begin()
        last = world.run()
        await quick.until(lambda message: message["data"]["run"] == last and message["id"] == "12")
        assert [str(number) for number in range(1, 13)] == [(await slow.next())["id"] for _ in range(12)]

    reading(world, listen)


def test_a_store_that_is_busy_for_a_moment_makes_streams_wait_and_lose_nothing(world, monkeypatch):
    world.add(overlap="allow")
    real, tries = rooms.Stream.fill, []

    def busy_first(stream, turn):
        tries.append(turn)
        if len(tries) < 3:
            raise StoreBusy("locked")
        real(stream, turn)

    async def listen(streams):
        monkeypatch.setattr(rooms.Stream, "fill", busy_first)
        reader = Reader(streams.events(0, None, OWNER))
        run = world.run()
        seen = await reader.until(lambda message: message["data"]["kind"] == "run.succeeded")
        assert {run} == {message["data"]["run"] for message in seen}

    reading(world, listen)


def test_all_streams_end_when_the_store_cannot_be_had_at_all(world, monkeypatch):
    world.add()

    def damaged(_stream, _turn):
        raise StoreCorrupt("rota.db is damaged")

    async def listen(streams):
        with monkeypatch.context() as patch:
            patch.setattr(rooms.Stream, "fill", damaged)
            assert await Reader(streams.events(0, None, OWNER)).ends()
        reader = Reader(streams.events(0, None, OWNER))
        run = world.run()
        assert run == (await reader.next())["data"]["run"]

    reading(world, listen)


def test_all_streams_end_when_the_process_does(world):
    world.add()

    async def listen(streams):
        readers = [Reader(streams.events(0, None, OWNER)) for _ in range(3)]
        streams.close()
        assert all([await reader.ends() for reader in readers])
        assert await Reader(streams.events(0, None, OWNER)).ends()

    reading(world, listen)
