"""Who is told of runs, and that nobody is held up by it."""

from __future__ import annotations

import logging
import threading
import time

import pytest

import rota
from rota.errors import BadNotifier
from rota.sdk.declared import add_declared
from rota.sdk.notifying import AT_ONCE, WAITING, Teller

from .conftest import until


class Heard(rota.Notifier):
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def notify(self, message: str, title: str = "") -> None:
        self.told.append((title, message))


class Hangs(rota.Notifier):
    """Comes to no end until it is freed."""

    def __init__(self) -> None:
        self.began, self.freed = threading.Semaphore(0), threading.Event()

    def notify(self, message: str, title: str = "") -> None:
        self.began.release()
        self.freed.wait(60)


@pytest.fixture
def hangs():
    made = Hangs()
    yield made
    made.freed.set()


def test_a_run_that_fails_is_told_once_after_its_retries(scheduler):
    heard = Heard()
    scheduler.add("exit 7", "backup", notify=heard, retries=rota.Retry(2, delay=0.01))
    run = scheduler.trigger("backup").wait()
    until(lambda: heard.told, "the notification")
    why = "exit code 7; all 3 attempts were used"
    assert [("rota: backup failed", f"Run {run.id} of backup failed: {why}")] == heard.told


def test_a_run_that_takes_too_long_is_told_and_one_that_was_cancelled_is_not(scheduler):
    heard = Heard()
    scheduler.add("sleep 60", "slow", notify=heard, timeout=0.3, kill_after=1)
    scheduler.add("sleep 60", "stopped", notify=heard)
    stopped = scheduler.trigger("stopped")
    stopped.cancel()
    stopped.wait()
    scheduler.trigger("slow").wait()
    until(lambda: heard.told, "the notification")
    assert ["rota: slow timed out"] == [title for title, _ in heard.told]


@pytest.mark.parametrize(
    ("on", "titles"),
    [
        ("failure", ["rota: bad failed"]),
        ("success", ["rota: good succeeded"]),
        ("always", ["rota: good succeeded", "rota: bad failed"]),
    ],
)
def test_who_is_told_of_what_can_be_chosen(scheduler, on, titles):
    heard, last = Heard(), Heard()
    for name, line in (("good", "true"), ("bad", "false")):
        scheduler.add(line, name, notify=heard, notify_on=on)
    scheduler.add("true", "last", notify=last, notify_on="always")
    for name in ("good", "bad", "last"):
        scheduler.trigger(name).wait()
    until(lambda: last.told and len(heard.told) == len(titles), "the notifications")
    assert sorted(titles) == sorted(title for title, _ in heard.told)


def test_several_are_told_each_what_it_takes(scheduler, caplog):
    class Plain:
        def __init__(self):
            self.messages = []

        def notify(self, message: str):
            self.messages.append(message)

    plain, heard = Plain(), Heard()
    scheduler.add("exit 7", "backup", notify=[plain, heard, "log"])
    run = scheduler.trigger("backup").wait()
    until(lambda: plain.messages and heard.told and "rota.notify" in caplog.text, "all of them")
    assert [f"Run {run.id} of backup failed: exit code 7"] == plain.messages


def test_a_notifier_that_fails_is_in_the_log_and_changes_nothing(scheduler, caplog):
    class Broken(rota.Notifier):
        def __repr__(self):
            return "Broken()"

        def notify(self, message, title=""):
            raise OSError("no network")

    scheduler.add("true", "job", notify=Broken(), notify_on="always")
    run = scheduler.trigger("job").wait()
    assert rota.State.SUCCEEDED is run.state
    until(lambda: "[job] the notifier Broken() failed: OSError: no network" in caplog.text, "the line in the log")


def test_a_notifier_that_hangs_delays_no_run_and_no_other_notifier(scheduler, hangs):
    heard = Heard()
    scheduler.add("true", "job", notify=[hangs, heard], notify_on="always")
    for _ in range(AT_ONCE + 4):
        assert rota.State.SUCCEEDED is scheduler.trigger("job").wait(20).state
    until(lambda: AT_ONCE + 4 == len(heard.told), "the one that does not hang")
    assert AT_ONCE == sum(hangs.began.acquire(blocking=False) for _ in range(AT_ONCE + 4))
    hangs.freed.set()


def test_what_finds_the_line_full_is_dropped_and_said(hangs):
    said = []
    teller = Teller(lambda text, job, run: said.append((text, job, run)))
    notes = [teller.tell(hangs, "message", f"title {number}", "job", str(number)) for number in range(AT_ONCE)]
    for _ in range(AT_ONCE):
        assert hangs.began.acquire(timeout=10)
    notes += [teller.tell(hangs, "message", f"title {number}") for number in range(WAITING)]
    dropped = teller.tell(hangs, "message", "one too many", "job", "run")
    assert dropped.is_set()
    [(text, *whose)] = said
    assert "was not told 'one too many': 4 others are on their way, and 100 wait" in text
    assert ["job", "run"] == whose
    assert AT_ONCE == sum(thread.name == "rota notifier" for thread in threading.enumerate())
    hangs.freed.set()
    assert all(note.wait(10) for note in notes)


def test_a_close_waits_for_none_that_hangs_and_says_what_was_not_told(hangs):
    said = []
    teller = Teller(lambda text, job, run: said.append(text))
    notes = [teller.tell(hangs, "message", f"title {number}") for number in range(AT_ONCE + 2)]
    before = time.monotonic()
    teller.close(0.1)
    assert time.monotonic() - before < 5
    assert 2 == sum("closed before its turn" in text for text in said)
    assert "is left alone" in said[-1]
    assert [True, True] == [note.is_set() for note in notes[-2:]]


def test_what_was_told_last_is_told_before_the_scheduler_is_closed():
    class Slow(Heard):
        def notify(self, message, title=""):
            time.sleep(0.3)
            super().notify(message, title)

    slow = Slow()
    with rota.Scheduler() as scheduler:
        scheduler.add("exit 1", "backup", notify=slow)
        scheduler.trigger("backup").wait()
    assert ["rota: backup failed"] == [title for title, _ in slow.told]


def test_a_declared_job_has_its_notifier(scheduler, monkeypatch):
    heard = Heard()
    monkeypatch.setattr("rota.sdk.declared.DECLARED", {})

    @rota.job(every="1h", notify=heard)
    def fails():
        raise ValueError("boom")

    assert ["fails"] == add_declared(scheduler)
    scheduler.trigger("fails").wait()
    until(lambda: heard.told, "the notification")
    assert heard.told[0][1].endswith("ValueError: boom")


def test_a_job_that_is_added_anew_is_told_as_it_says_then(scheduler):
    first, second = Heard(), Heard()
    scheduler.add("false", "job", notify=first)
    scheduler.add("false", "job", notify=second, replace=True)
    scheduler.trigger("job").wait()
    until(lambda: second.told, "the second one")
    scheduler.add("false", "job", replace=True)
    scheduler.add("false", "last", notify=first)
    scheduler.trigger("job").wait()
    scheduler.trigger("last").wait()
    until(lambda: first.told, "the last job's")
    assert (["rota: last failed"], 1) == ([title for title, _ in first.told], len(second.told))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"notify": "desktp"}, "job 'job': there is no notifier 'desktp'; did you mean 'desktop'"),
        ({"notify": object()}, "no method notify"),
        ({"notify": "log", "notify_on": "sucess"}, "did you mean 'success'"),
    ],
)
def test_what_cannot_be_told_is_refused_before_the_job_is_there(scheduler, said, message):
    with pytest.raises(BadNotifier, match=message):
        scheduler.add("true", "job", **said)
    assert [] == scheduler.jobs()


def test_who_is_notified_is_not_in_the_store(home):
    heard = Heard()
    with rota.Scheduler(home) as scheduler:
        scheduler.add("true", "job", notify=heard)
        before = scheduler.get("job").stored.revision
        scheduler.add("true", "job", notify="log", replace=True)
        assert before == scheduler.get("job").stored.revision


def test_a_client_of_another_engine_is_told_too(home, caplog):
    caplog.set_level(logging.INFO)
    heard = Heard()
    with rota.Scheduler(home), rota.Scheduler(home) as client:
        client.add("exit 3", "job", notify=heard)
        client.trigger("job").wait(20)
        until(lambda: heard.told, "the notification")
    assert ["rota: job failed"] == [title for title, _ in heard.told]
