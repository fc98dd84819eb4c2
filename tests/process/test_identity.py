"""Which boot this is, and since when."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from rota.process import identity

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, HOUR, YEAR = timedelta(seconds=1), timedelta(hours=1), timedelta(days=365)
NAMESPACE = ("unshare", "-p", "-f", "--mount-proc", "--kill-child")


def can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def ask_inside(code: str) -> str:
    """Ask in a pid namespace whose first process is not Python itself."""
    line = f"{sys.executable} -c '{code}'; true"
    return subprocess.run([*NAMESPACE, "sh", "-c", line], capture_output=True, text=True, check=True).stdout.strip()


def test_the_machine_started_as_long_ago_as_its_first_process_has_lived():
    started = identity.machine_started(NOW)
    assert abs((NOW - started).total_seconds() - identity.age_of(1)) < 1
    assert timedelta(0) <= NOW - started < 20 * YEAR


def test_the_start_moves_with_a_wall_clock_that_is_set():
    one, two = identity.machine_started(NOW), identity.machine_started(NOW + HOUR)
    assert abs(two - one - HOUR) < SECOND


def test_where_process_1_is_hidden_the_machine_s_own_start_has_to_do(monkeypatch):
    monkeypatch.setattr(identity, "_began", lambda _pid: None)
    monkeypatch.setattr(identity, "up_for", lambda: 3600.0)
    assert NOW - HOUR == identity.machine_started(NOW)
    monkeypatch.setattr(identity, "up_for", lambda: None)
    assert NOW == identity.machine_started(NOW)
    assert identity.boot_identity().endswith(".")


def test_a_start_in_the_future_is_now(monkeypatch):
    monkeypatch.setattr(identity, "age_of", lambda _pid: -5.0)
    assert NOW == identity.machine_started(NOW)


@pytest.mark.parametrize(
    ("answers", "boot", "started"),
    [
        (
            {"kern.bootsessionuuid": "6F1C", "kern.boottime": "{ sec = 1772359200, usec = 7 } Sun Mar  1 10:00:00"},
            "6F1C.0.",
            datetime(2026, 3, 1, 10, tzinfo=UTC),
        ),
        ({"kern.boottime": "{ sec = 1772359200, usec = 7 }"}, "1772359200.0.", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ({}, "unknown.0.", NOW),
    ],
    ids=["macOS", "without a session", "unknown"],
)
def test_without_proc_the_system_is_asked(monkeypatch, answers, boot, started):
    monkeypatch.setattr(identity, "_HAS_PROC", False)
    monkeypatch.setattr(identity, "_began", lambda _pid: None)
    monkeypatch.setattr(identity, "_pid_namespace", lambda: "0")
    monkeypatch.setattr(identity, "_sysctl", lambda name: answers.get(name, ""))
    assert (boot, started) == (identity.boot_identity(), identity.machine_started(NOW))


def test_what_cannot_be_asked_answers_nothing(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "" == identity._sysctl("kern.boottime")


@pytest.mark.skipif(not can_unshare(), reason="no pid namespace can be made here")
def test_a_container_that_is_started_anew_is_another_boot_even_if_its_namespace_gets_the_same_number():
    code = "from rota.process.identity import boot_identity; print(boot_identity())"
    boots = [ask_inside(code) for _ in range(3)] + [identity.boot_identity()]
    assert 4 == len(set(boots))
    assert 1 == len({boot.partition(".")[0] for boot in boots})


@pytest.mark.skipif(not can_unshare(), reason="no pid namespace can be made here")
def test_a_container_starts_when_its_first_process_does():
    code = (
        "from datetime import datetime, UTC; from rota.process.identity import machine_started; "
        "now = datetime.now(UTC); print((now - machine_started(now)).total_seconds())"
    )
    assert 0 <= float(ask_inside(code)) < 30
