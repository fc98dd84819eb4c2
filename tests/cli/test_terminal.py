"""What a person at a terminal sees: colours, tables, cards on a narrow one, and hints."""

from __future__ import annotations

import re

import pytest


@pytest.fixture(scope="module")
def lively(shared):
    shared.ok("add", "a-job-with-a-rather-long-name", "--cron", "30 2 * * mon-fri", "--shell", "exit 3")
    shared.call("run", "a-job-with-a-rather-long-name", "--wait")
    return shared


def test_a_terminal_gets_colours_and_a_pipe_does_not(lively):
    assert "\x1b[31mfailed" in lively.at_terminal("list").text
    assert "\x1b" not in lively.ok("list")


@pytest.mark.parametrize("verb", ["list", "runs", "show", "stats", "why", "doctor"])
def test_nobody_gets_colours_who_minds(lively, verb):
    words = [verb] if verb in ("list", "runs", "stats", "doctor") else [verb, "a-job-with-a-rather-long-name"]
    assert "\x1b" not in lively.at_terminal(*words, env={"NO_COLOR": "1"}).text, "neither bold nor dim either"


@pytest.mark.parametrize("verb", ["list", "runs", "stats", "next"])
def test_forty_columns_are_enough(lively, verb):
    shown = lively.at_terminal(verb, columns=40, env={"NO_COLOR": "1"})
    assert 0 == shown.code
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.text)
    assert [] == [line for line in plain.splitlines() if len(line) > 40]


def test_a_narrow_listing_keeps_every_fact(lively):
    shown = lively.at_terminal("list", columns=40).text
    for words in ("a-job-with-a-rather-long-name", "schedule", "02:30", "failed (3)"):
        assert words in shown


def test_somebody_at_a_terminal_is_told_that_no_engine_runs(home):
    home.ok("add", "backup", "--every", "1h", "--", "true")
    assert "no engine is running" in home.at_terminal("list").text
    assert b"" == home.call("list").stderr


def test_an_unknown_colour_in_a_name_is_a_name(home):
    home.ok("add", "[red]x[/red]", "--", "true")
    assert "[red]x[/red]" in home.at_terminal("list").text
    assert "[red]x[/red]" in home.at_terminal("list", columns=40).text
