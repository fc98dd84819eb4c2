"""`rota logs`: all that was kept, of any attempt, safe on a terminal and as it is in a pipe."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def told(shared):
    """A job that writes to both streams, twice."""
    line = r"echo out $ROTA_ATTEMPT; echo err $ROTA_ATTEMPT >&2; exit $((2 - ROTA_ATTEMPT))"
    shared.ok("add", "job", "--retries", "1", "--retry-delay", "0s", "--shell", line)
    shared.ok("run", "job", "--wait")
    return shared


def test_both_streams_of_the_last_attempt_are_shown(told):
    assert "out 2\nerr 2\n" == told.ok("logs", "job")
    assert "out 2\n" == told.ok("logs", "job", "--stdout")
    assert "err 2\n" == told.ok("logs", "job", "--stderr")


def test_an_earlier_attempt_can_be_asked_for(told):
    assert "out 1\nerr 1\n" == told.ok("logs", "job", "--attempt", "1")
    assert "has had 2 attempts, so there is no attempt 3" in told.fails(3, "logs", "job", "--attempt", "3")


def test_a_run_is_found_by_the_beginning_of_its_id(told):
    run = told.json("runs", "job")[0]["id"]
    assert "out 2\n" == told.ok("logs", run[:12].lower(), "--stdout")
    assert "no run 0000" in told.fails(3, "logs", "0" * 26)


def test_following_an_ended_run_shows_it_and_ends(told):
    assert "out 2\nerr 2\n" == told.ok("logs", "-f", "job")


def test_a_running_run_shows_what_it_has_written_so_far(shared):
    shared.ok("add", "up", "--shell", "echo early; echo bad >&2; exec sleep 60")
    waiting = shared.start("run", "up", "--wait")
    assert waiting.stdout is not None
    assert waiting.stderr is not None
    assert (b"early\n", b"bad\n") == (waiting.stdout.readline(), waiting.stderr.readline())
    assert "early\nbad\n" == shared.ok("logs", "up")
    shared.ok("cancel", "up")
    waiting.communicate(timeout=30)


def test_following_a_run_without_an_engine_says_what_it_waits_for(home):
    home.ok("add", "job", "--shell", "echo done")
    home.call("run", "job")
    following = home.start("logs", "-f", "job")
    assert following.stderr is not None
    assert b"waiting for one to go on with this run" in following.stderr.readline()
    home.serve()
    assert (b"done\n", b"") == following.communicate(timeout=30)


def test_a_long_log_says_how_much_was_left_out(shared):
    shared.ok("add", "long", "--shell", "echo BEGIN; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo END")
    shared.ok("run", "long")
    done = shared.call("logs", "-f", "long")
    kept = shared.call("logs", "long")
    assert b"BEGIN\n" == kept.stdout[:6]
    assert b"\nEND\n" == kept.stdout[-5:]
    whole = 6 + 3_000_000 + 1 + 4
    assert f"{whole - len(kept.stdout):,} bytes of stdout were left out here".encode() in kept.stderr
    assert done.stdout[-5:] == kept.stdout[-5:]


def test_raw_bytes_go_into_a_pipe_and_visible_ones_onto_a_terminal(shared):
    shared.ok("add", "bytes", "--shell", r"printf 'a\033[2J\377\r\nb\007c'")
    shared.call("run", "bytes", "--wait")
    assert b"a\x1b[2J\xff\r\nb\x07c" == shared.call("logs", "bytes").stdout
    assert "a\\x1b[2J\\xff\nb\\x07c\n" == shared.at_terminal("logs", "bytes").text


def test_a_terminal_shows_which_stream_is_which(told):
    assert "out 2\n--- stderr ---\nerr 2\n" == told.at_terminal("logs", "job", env={"NO_COLOR": "1"}).text


def test_a_terminal_that_follows_shows_where_the_next_attempt_begins(home):
    home.serve()
    home.ok("add", "job", "--retries", "1", "--retry-delay", "0s", "--shell", 'echo "try $ROTA_ATTEMPT"; exit 1')
    run = home.call("run", "job", "--wait").stderr.decode()
    assert (
        "try 1\n--- attempt 2 ---\ntry 2\n"
        == home.at_terminal("logs", "-f", "job", "--attempt", "1", env={"NO_COLOR": "1"}).text
    ), run


def test_a_run_that_wrote_nothing_says_so_to_a_person(shared):
    shared.ok("add", "mute", "--", "true")
    assert "job 'mute' has not run yet; start it with: rota run mute" in shared.fails(3, "logs", "mute")
    shared.ok("run", "mute", "--wait")
    assert "" == shared.ok("logs", "mute")
    assert "has not written anything" in shared.at_terminal("logs", "mute").text
