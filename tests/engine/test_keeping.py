"""Keeping a helper alive: started, started again, let go, and never in a rush."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pytest

from rota.engine.keeping import Keeper

from .machine import ListLog


class End(NamedTuple):
    code: int | None
    lines: list[str]


class Helpers:
    """Helpers that only say that they ran, and end when a test says so."""

    def __init__(self):
        self.started, self.let_gone, self.end, self.said = [], 0, None, []

    def start(self, name, words):
        self.started.append((name, *words))

    def let_go(self, name):
        self.let_gone += 1

    def new_lines(self, name):
        said, self.said = self.said, []
        return said

    def take_end(self, name):
        end, self.end = self.end, None
        return end


class Kept:
    def __init__(self):
        self.log, self.helpers, self.now = ListLog(), Helpers(), 0.0
        self.keeper = Keeper("tell", self.helpers, self.log)

    def pass_(self, seconds):
        """Let time pass as the engine does, and return how often the helper was started in it."""
        before, end = len(self.helpers.started), self.now + seconds
        while self.now < end:
            rest = self.keeper.tick(self.now)
            assert rest > 0
            self.now = min(end, self.now + min(rest, 1.0))
        return len(self.helpers.started) - before


@pytest.fixture
def kept():
    return Kept()


def test_nothing_is_started_as_long_as_nothing_is_wanted(kept):
    assert 0 == kept.pass_(100)


def test_what_is_wanted_is_started_once_and_kept(kept):
    kept.keeper.want(["tell", "--log", "x"])
    assert (1, 0) == (kept.pass_(5), kept.pass_(500))
    assert [("tell", "tell", "--log", "x")] == kept.helpers.started


def test_one_that_ends_is_told_of_and_started_again(kept):
    kept.keeper.want(["tell"])
    kept.pass_(100)
    kept.helpers.end = End(1, ["rota: no room"])
    assert 1 == kept.pass_(3)
    told = "rota tell has ended (exit code 1); it is started again in 1s; it said: rota: no room"
    assert [told] == kept.log.texts("ERROR")


def test_one_that_does_not_last_is_started_later_and_later(kept):
    kept.keeper.want(["tell"])
    starts = []
    for _ in range(9):
        while not kept.pass_(1):
            pass
        starts.append(kept.now)
        kept.helpers.end = End(1, [])
    pauses = [round(later - earlier) for earlier, later in pairwise(starts)]
    assert sorted(pauses) == pauses
    assert pauses[0] <= 2 < 59 < pauses[-1] < 62


def test_other_words_let_the_old_one_end_before_the_new_one_begins(kept):
    kept.keeper.want(["tell", "a"])
    kept.pass_(5)
    kept.keeper.want(["tell", "b"])
    assert (0, True) == (kept.pass_(5), kept.helpers.let_gone > 0)
    kept.helpers.end = End(0, [])
    assert (1, ("tell", "tell", "b"), []) == (kept.pass_(3), kept.helpers.started[-1], kept.log.texts("ERROR"))


def test_what_is_not_wanted_any_more_is_let_go_and_not_started_again(kept):
    kept.keeper.want(["tell"])
    kept.pass_(5)
    kept.keeper.want([])
    kept.pass_(2)
    kept.helpers.end = End(0, [])
    assert (0, True, []) == (kept.pass_(100), kept.helpers.let_gone > 0, kept.log.texts("ERROR"))


def test_one_that_cannot_be_started_is_tried_again_and_said(kept):
    def refuse(name, words):
        raise OSError("no more processes")

    kept.keeper.want(["tell"])
    kept.helpers.start = refuse
    kept.pass_(0.5)
    assert ["rota tell cannot be started: no more processes; it is tried again in 1s"] == kept.log.texts("ERROR")
    del kept.helpers.start
    assert 1 == kept.pass_(5)


def test_what_it_says_while_it_runs_is_told_once_and_at_its_end_only_the_rest(kept):
    kept.keeper.want(["tell"])
    kept.pass_(5)
    kept.helpers.said = ["rota: cannot write x.log: Permission denied"]
    kept.pass_(5)
    assert ["rota tell says: cannot write x.log: Permission denied"] == kept.log.texts("WARNING")
    kept.helpers.end = End(1, ["rota: the rest"])
    kept.pass_(3)
    (ended,) = kept.log.texts("ERROR")
    assert ended.endswith("; it said: rota: the rest")


def test_one_that_says_a_lot_does_not_fill_the_log(kept):
    kept.keeper.want(["tell"])
    kept.pass_(5)
    kept.helpers.said = [str(number) for number in range(1000)]
    kept.pass_(1)
    assert [*(f"rota tell says: {n}" for n in range(5)), "rota tell says 995 lines more, which are left out"] == (
        kept.log.texts("WARNING")
    )
