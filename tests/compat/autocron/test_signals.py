"""A program that blocks: the first signal gives what runs its time, the second ends it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from process.waiting import wait_for

PROGRAM = """
from rota.compat.autocron import AutoCron
scheduler = AutoCron(shutdown_timeout=20)
scheduler.add_task(name="stubborn", script="stubborn.py", every="1h")
scheduler.start(blocking=True)
"""
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("pid.new", "w").write(str(os.getpid()))
os.rename("pid.new", "pid")
time.sleep(100)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_script_goes_on_alone_after_a_second_signal(program, number):
    program.write(STUBBORN, "stubborn.py")
    program.write(PROGRAM)
    running = program.start()
    pid = program.folder / "pid"
    wait_for(pid.exists)
    began = time.monotonic()
    running.send_signal(number)
    time.sleep(0.5)  # two signals at once would be one
    running.send_signal(number)
    running.communicate(timeout=15)
    assert time.monotonic() - began < 15
    assert not alive(int(pid.read_text()))
    assert os.path.exists(pid)
