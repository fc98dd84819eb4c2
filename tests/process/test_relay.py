"""The relay: a reader between a job and its output files, that keeps the job's code and its daemons' pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import rota.process.relay

from .waiting import wait_for

RELAY = rota.process.relay.__file__


def relayed(line, **given):
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **given}
    return subprocess.Popen([sys.executable, "-I", "-S", RELAY, "/bin/sh", "-c", line], **given)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("kill -PIPE $$", 141),
    ],
)
def test_the_code_is_the_command_s_as_a_shell_tells_it(line, code):
    with relayed(line) as job:
        job.communicate(timeout=30)
    assert code == job.returncode


@pytest.mark.parametrize(("mode", "code"), [(None, 127), (0o644, 126)])
def test_a_program_that_cannot_be_started_has_a_shell_s_code(tmp_path, mode, code):
    path = tmp_path / "tool"
    if mode is not None:
        path.touch(mode)
    done = subprocess.run([sys.executable, RELAY, str(path)], capture_output=True, text=True, timeout=30)
    assert code == done.returncode
    assert f"rota: cannot start {path}: " in done.stderr


def test_both_streams_arrive_whole_and_apart():
    line = "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo out-$i; echo err-$i >&2; done"
    with relayed(line) as job:
        out, err = job.communicate(timeout=30)
    wanted = range(1, 2001)
    assert [f"out-{number}".encode() for number in wanted] == out.split()
    assert [f"err-{number}".encode() for number in wanted] == err.split()


def test_what_was_written_just_before_the_end_is_not_lost():
    with relayed("head -c 300000 /dev/zero; exit 3") as job:
        out, _ = job.communicate(timeout=30)
    assert (300_000, 3) == (len(out), job.returncode)


def test_a_daemon_keeps_its_pipe_when_the_command_has_ended(tmp_path):
    go, out = tmp_path / "go", tmp_path / "out"
    line = f"(while [ ! -e {go} ]; do sleep 0.02; done; echo late; echo more) & echo early; exit 5"
    with out.open("ab") as file, relayed(line, stdout=file, stderr=file) as job:
        assert 5 == job.wait(timeout=30), "it does not wait for the daemon"
    assert "early\n" == out.read_text()
    go.touch()
    assert wait_for(lambda: out.read_text() == "early\nlate\nmore\n")


def test_a_signal_to_the_whole_group_ends_the_job_and_not_its_reader():
    line = "trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.02; done"
    with relayed(line, start_new_session=True) as job:
        assert b"ready\n" == job.stdout.readline()
        os.killpg(job.pid, signal.SIGTERM)
        out, _ = job.communicate(timeout=30)
    assert (b"bye\n", 9) == (out, job.returncode)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this looks at the command through /proc")
def test_the_command_has_its_signals_and_no_descriptor_of_the_relay_s():
    with relayed("grep SigIgn /proc/self/status; ls /proc/self/fd", stdin=subprocess.DEVNULL) as job:
        out, _ = job.communicate(timeout=30)
    _, ignored, *descriptors = out.split()
    assert 0 == int(ignored, 16) & 0x7FFFFFFF, "the C library keeps two above these for itself"
    assert [b"0", b"1", b"2", b"3"] == descriptors, "the last is the listing's own"
