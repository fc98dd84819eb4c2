"""A clock that follows another one: near it, never back by a little, and with it when it is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rota.clock import FollowingClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOMENT = timedelta(milliseconds=100)


class Both:
    """Our steps and the other clock, which a test sets apart; asking takes a while."""

    def __init__(self) -> None:
        self.steps, self.other, self.takes = 100.0, NOON, 0.0
        self.asked = 0

    def now(self) -> datetime:
        return NOON - timedelta(minutes=2) + timedelta(seconds=self.steps - 100.0)

    def monotonic(self) -> float:
        return self.steps

    def sleep(self, seconds: float) -> None:
        self.steps += seconds
        self.other += timedelta(seconds=seconds)

    def ask(self) -> datetime:
        self.asked += 1
        self.sleep(self.takes / 2)
        told = self.other
        self.sleep(self.takes / 2)
        return told


def test_it_shows_the_other_clocks_time_and_goes_on_by_our_own_steps():
    both = Both()
    clock = FollowingClock(both.ask, both)
    assert NOON == clock.now()
    both.sleep(60)
    assert both.other == clock.now()
    assert 1 == both.asked


def test_an_answer_that_took_long_does_not_replace_a_quick_one():
    both = Both()
    clock = FollowingClock(both.ask, both)
    clock.follow()
    both.takes = 2.0
    clock.follow()
    assert both.other == clock.now()
    both.takes, both.other = 0.0, both.other + timedelta(minutes=2)
    clock.follow()
    assert both.other == clock.now(), "but one that shows that it was set does"


def test_it_waits_rather_than_go_back_by_a_little_and_goes_back_by_a_lot():
    both = Both()
    clock = FollowingClock(both.ask, both)
    before = clock.now()
    both.other -= MOMENT
    clock.follow()
    assert before == clock.now()
    both.sleep(1)
    assert both.other == clock.now() > before
    both.other -= timedelta(hours=1)
    clock.follow()
    assert both.other == clock.now()


def test_it_asks_by_itself_when_what_it_knows_is_old():
    both = Both()
    clock = FollowingClock(both.ask, both, oldest=30.0)
    clock.now()
    both.sleep(29)
    clock.now()
    assert 1 == both.asked
    both.sleep(2)
    clock.now()
    assert 2 == both.asked


def test_what_the_machines_own_clock_showed_is_told_in_the_other_ones_time():
    both = Both()
    clock = FollowingClock(both.ask, both)
    both.sleep(10)
    assert NOON == clock.of_machine(NOON - timedelta(minutes=2))
