"""Following a run: whatever moment it ends at, no byte is lost and none is seen twice.

The engine's side is the real spool and a second connection to the real store; it acts where the follower would wait,
or between its opening of the files and its second look.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rota.control.following import Dropped, Follower, Moved, News, Wrote
from rota.model.policy import Output
from rota.model.run import Run, State
from rota.process.live import SpoolReader
from rota.process.spool import Slot, Spool
from rota.store.sqlite import SqliteDatabase
from rota.store.store import TableStore

from .worlds import BOOT, HOST, SECOND, World

CAPS = Output(head=100, tail=100)
Step = Callable[[], None]


class EngineSide(World):
    """What an engine and its jobs do: claim, write, settle, and use the files again."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"{folder}/rota.db")
        self.spool = Spool(folder)
        self.slots: dict[str, Slot] = {}
        self.add("backup")
        self.run = self.verbs.trigger("backup")

    def start(self) -> None:
        slot = self.spool.take()
        with self.store.transaction():
            self.store.runs.wake(self.clock.at)
            (claimed,) = self.store.runs.claim_ready(HOST, BOOT, self.clock.at, [f"journal-1/{slot.name}"], None)
        self.slots[claimed.run_id] = slot

    def write(self, stream: str, content: bytes, run: str = "") -> None:
        path = self.spool.paths(self.slots[run or self.run])[("stdout", "stderr").index(stream)]
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.write(fd, content)
        os.close(fd)

    def settle(self, *, again: bool = False, run: str = "") -> None:
        run = run or self.run
        slot = self.slots.pop(run)
        found = self.store.runs.find(run)
        assert found is not None
        with self.store.transaction():
            self.store.runs.add_output(run, found.attempt, self.spool.read(slot, CAPS))
            self.end(run, State.FAILED, 1, "exit code 1", again=again)
        self.spool.release(slot)
        if again:
            self.clock.at += 10 * SECOND

    def start_another(self, content: bytes) -> str:
        """Let another run take the files that are free now, and write into them."""
        other = self.verbs.trigger("backup")
        self.start()
        self.write("stdout", content, other)
        return other

    def watch(self) -> None:
        self.spool.watch(next(iter(self.slots.values())), CAPS)


class Watching:
    """The client's side: a clock whose pauses let the engine's side act, step by step."""

    def __init__(self, engine: EngineSide, folder: str, steps: list[Step], at_opening: Step = lambda: None) -> None:
        self.engine = engine
        self.steps = iter(steps)
        self.at_opening = at_opening
        self.store = TableStore(SqliteDatabase(f"{folder}/rota.db", patience=5.0, checkpoints=False))
        self.reader = SpoolReader(folder)

    def now(self) -> Any:
        return self.engine.clock.now()

    def monotonic(self) -> float:
        return self.engine.clock.monotonic()

    def sleep(self, _seconds: float) -> None:
        next(self.steps)()

    def open(self, run: Run) -> Any:
        found = self.reader.open(run)
        self.at_opening()
        self.at_opening = lambda: None
        return found

    def news(self) -> Iterator[News]:
        yield from Follower(self.store, self, self, self.engine.run).follow()
        self.store.close()

    def seen(self) -> tuple[bytes, bytes]:
        """Return what was seen of the two streams, with the number of dropped bytes in brackets."""
        streams = {"stdout": b"", "stderr": b""}
        for news in self.news():
            if isinstance(news, Wrote):
                streams[news.stream] += news.content
            elif isinstance(news, Dropped):
                streams[news.stream] += b"[%d]" % news.count
        return streams["stdout"], streams["stderr"]


@pytest.fixture
def engine(tmp_path) -> Iterator[EngineSide]:
    made = EngineSide(str(tmp_path))
    yield made
    made.spool.close()
    made.close()


def follow(engine: EngineSide, tmp_path: Any, *steps: Step, at_opening: Step = lambda: None) -> tuple[bytes, bytes]:
    return Watching(engine, str(tmp_path), list(steps), at_opening).seen()


def test_what_a_run_writes_is_seen_as_it_writes_it_and_once(engine, tmp_path):
    seen = follow(
        engine,
        tmp_path,
        engine.start,
        lambda: engine.write("stdout", b"one "),
        lambda: engine.write("stderr", b"oops "),
        lambda: (engine.write("stdout", b"two "), engine.write("stdout", b"last words"), engine.settle()),
    )
    assert (b"one two last words", b"oops ") == seen


def test_an_attempt_that_came_and_went_between_two_looks_is_shown_from_the_store(engine, tmp_path):
    def all_at_once() -> None:
        engine.start()
        engine.write("stdout", b"quick")
        engine.settle()

    assert (b"quick", b"") == follow(engine, tmp_path, all_at_once)


def test_files_that_are_another_runs_by_now_are_let_go_unread(engine, tmp_path):
    def settled_and_used_again() -> None:
        engine.write("stdout", b"mine")
        engine.settle()
        engine.start_another(b"not mine")

    seen = follow(engine, tmp_path, engine.start, at_opening=settled_and_used_again)
    assert (b"mine", b"") == seen


def test_a_reader_that_holds_the_files_keeps_them_from_being_used_again(engine, tmp_path):
    others: list[str] = []

    def settled_and_another_starts() -> None:
        engine.write("stdout", b"b")
        engine.settle()
        others.append(engine.start_another(b"not mine"))

    seen = follow(engine, tmp_path, engine.start, lambda: engine.write("stdout", b"a"), settled_and_another_starts)
    assert (b"ab", b"") == seen


def test_every_attempt_of_a_run_is_shown_in_its_order(engine, tmp_path):
    def first_ends_and_second_runs() -> None:
        engine.write("stdout", b"first ends. ")
        engine.settle(again=True)
        engine.start()
        engine.write("stdout", b"second. ")

    def second_ends_and_third_comes_and_goes() -> None:
        engine.settle(again=True)
        engine.start()
        engine.write("stdout", b"third.")
        engine.settle()

    seen = follow(
        engine,
        tmp_path,
        engine.start,
        lambda: engine.write("stdout", b"first. "),
        first_ends_and_second_runs,
        second_ends_and_third_comes_and_goes,
    )
    assert (b"first. first ends. second. third.", b"") == seen


def test_a_claim_that_was_given_back_is_followed_to_its_next_start(engine, tmp_path):
    def given_back() -> None:
        engine.slots.clear()
        with engine.store.transaction():
            assert engine.store.runs.give_back_if_running(engine.run, 1, HOST, engine.clock.at, "never started")

    def started_again() -> None:
        engine.start()
        engine.write("stdout", b"now")
        engine.settle()

    assert (b"now", b"") == follow(engine, tmp_path, engine.start, given_back, started_again)


def test_what_a_process_that_was_left_behind_writes_is_not_the_runs(engine, tmp_path):
    def settled_but_written_on() -> None:
        path = engine.spool.paths(engine.slots[engine.run])[0]
        engine.settle()
        with open(path, "ab") as left_behind:
            left_behind.write(b"still here")

    seen = follow(engine, tmp_path, engine.start, lambda: engine.write("stdout", b"done"), settled_but_written_on)
    assert (b"done", b"") == seen


def test_a_hole_in_a_runaway_log_is_counted_and_the_rest_is_shown(engine, tmp_path):
    long = b"x" * (3 << 20)

    def run_away() -> None:
        engine.start()
        engine.write("stdout", long)
        engine.watch()
        engine.write("stdout", b"end")

    news = list(Watching(engine, str(tmp_path), [run_away, engine.settle]).news())
    dropped = sum(each.count for each in news if isinstance(each, Dropped))
    shown = b"".join(each.content for each in news if isinstance(each, Wrote))
    assert len(long) + 3 == dropped + len(shown)
    assert dropped > 1 << 20
    assert b"end" == shown.strip(b"x"), "no zero of the hole is shown"


def test_a_job_that_empties_its_own_file_is_followed_from_the_beginning(engine, tmp_path):
    def emptied() -> None:
        os.truncate(engine.spool.paths(engine.slots[engine.run])[0], 0)
        engine.write("stdout", b"new")

    seen = follow(engine, tmp_path, engine.start, lambda: engine.write("stdout", b"long gone"), emptied, engine.settle)
    assert (b"long gone[0]new", b"") == seen


def test_every_move_of_the_run_is_told(engine, tmp_path):
    steps = [engine.start, lambda: engine.settle(again=True), engine.start, engine.settle]
    moves = [news.run for news in Watching(engine, str(tmp_path), steps).news() if isinstance(news, Moved)]
    assert [
        (State.QUEUED, 0),
        (State.RUNNING, 1),
        (State.WAITING, 1),
        (State.RUNNING, 2),
        (State.FAILED, 2),
    ] == [(run.state, run.attempt) for run in moves]


def test_what_a_running_run_has_written_up_to_now_can_be_had_at_once(engine, tmp_path):
    engine.start()
    engine.write("stdout", b"so far")
    watching = Watching(engine, str(tmp_path), [])
    written = Follower(watching.store, watching, watching, engine.run).written()
    assert written is not None
    assert [Wrote("stdout", b"so far")] == list(written)
    engine.settle()
    assert Follower(watching.store, watching, watching, engine.run).written() is None
    watching.store.close()


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(["stdout", "stderr"])),
        st.tuples(st.just("next"), st.just("")),
        st.tuples(st.just("look"), st.just("")),
    ),
    max_size=25,
)


@given(acts=ACTS, at_opening=ACTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_interleaving_of_writing_settling_and_looking_loses_or_doubles_a_byte(tmp_path_factory, acts, at_opening):
    folder = str(tmp_path_factory.mktemp("spool"))
    engine = EngineSide(folder)
    engine.start()
    written = {"stdout": b"", "stderr": b""}
    number = iter(range(100))

    def act(kind: str, stream: str) -> None:
        if kind == "write":
            content = b"%02d " % next(number)
            engine.write(stream, content)
            written[stream] += content
        elif kind == "next":
            engine.settle(again=True)
            engine.start()

    def act_all(some: list[tuple[str, str]]) -> Step:
        return lambda: [act(*each) for each in some] and None

    groups: list[list[tuple[str, str]]] = [[]]
    for each in acts:
        groups.append([]) if each[0] == "look" else groups[-1].append(each)
    steps = [act_all(group) for group in groups]
    watching = Watching(engine, folder, [*steps, engine.settle], act_all(at_opening))
    assert watching.seen() == (written["stdout"], written["stderr"])
    engine.spool.close()
    engine.close()


def test_looking_is_idle_only_when_nothing_is_new(engine, tmp_path):
    idle: list[int] = []
    steps = [engine.start, lambda: engine.write("stdout", b"x"), engine.settle]
    watching = Watching(engine, str(tmp_path), steps)
    for _ in Follower(watching.store, watching, watching, engine.run, lambda: idle.append(1)).follow():
        pass
    assert len(steps) == len(idle)
    watching.store.close()
