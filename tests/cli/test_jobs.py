"""Listing jobs, putting them out of service, and asking about them."""

from __future__ import annotations

import json
import re

import pytest


def test_a_listing_tells_schedule_state_next_slot_and_last_run(served):
    served.ok("add", "hourly", "--cron", "0 * * * *", "--", "true")
    served.ok("add", "broken", "--shell", "exit 3")
    assert 3 == served.call("run", "broken", "--wait").returncode
    served.ok("add", "off", "--every", "1m", "--disabled", "--", "true")
    served.ok("add", "paused", "--every", "1m", "--", "true")
    served.ok("pause", "paused")
    head, *lines = served.ok("list").splitlines()
    assert ["JOB", "SCHEDULE", "STATE", "NEXT", "LAST", "RUN"] == head.split()
    rows = {line.split()[0]: line for line in lines}
    assert "at minute 0" in rows["hourly"] or "every hour" in rows["hourly"]
    assert "in " in rows["hourly"]
    assert "failed (3)" in rows["broken"]
    assert "by hand" in rows["broken"]
    assert "disabled" in rows["off"]
    assert "paused" in rows["paused"]


def test_an_empty_listing_names_its_home_and_the_other_engine(home, tmp_path):
    home.serve()
    other = str(tmp_path / "other")
    told = home.ok("list", "--home", other)
    assert f"No jobs in {other} (it is not made yet)." in told
    assert "rota add" in told
    assert f"Another engine of yours serves {home.path}" in told
    assert [] == home.json("list", "--home", other)
    assert not (tmp_path / "other").exists()


def test_a_listing_by_tag(home):
    home.ok("add", "a", "--tag", "night", "--", "true")
    home.ok("add", "b", "--", "true")
    assert ["a"] == [job["name"] for job in json.loads(home.ok("list", "--tag", "night", "--json"))]
    assert f"No job in {home.path} has the tag 'nihgt'." in home.ok("list", "--tag", "nihgt")


def test_a_job_has_the_json_that_scripts_rely_on(served):
    served.ok("add", "backup", "--cron", "0 2 * * *", "--shell", "exit 3")
    served.call("run", "backup", "--wait")
    (job,) = served.json("list")
    assert [
        "name",
        "origin",
        "action",
        "schedules",
        "enabled",
        "paused",
        "priority",
        "next_slot",
        "last_run",
        "tags",
    ] == (list(job))
    assert ["id", "state", "started_at", "ended_at", "exit_code"] == list(job["last_run"])
    assert ("failed", 3) == (job["last_run"]["state"], job["last_run"]["exit_code"])
    (run,) = served.json("runs")
    names = (
        "id job trigger slot state attempt host queued_at started_at ended_at duration exit_code signal reason lateness"
    )
    assert names.split() == list(run)
    assert run["ended_at"].endswith("Z")
    assert len("2026-01-31T10:00:00.000Z") == len(run["ended_at"])


def test_names_are_text_whatever_they_look_like(home):
    for name in ("<script>", "[red]x[/red]", "naïve 作业"):
        home.ok("add", name, "--", "true")
        assert name in home.ok("list")
        assert name in home.at_terminal("list").text
        assert name in home.ok("show", name)


def test_a_command_with_terminal_escapes_is_shown_as_text(home):
    home.ok("add", "evil", "--shell", "printf '\x1b[2J'\necho two")
    shown = home.ok("show", "evil")
    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown


def test_pausing_and_resuming_says_what_passed(home):
    home.ok("add", "tick", "--every", "1h", "--", "true")
    assert "Paused tick." in home.ok("pause", "tick")
    assert "tick was paused already." in home.ok("pause", "tick")
    assert [] == home.json("next", "tick")
    assert "paused since" in home.ok("next", "tick")
    assert "No slot passed in the pause. Next: " in home.ok("resume", "tick")
    assert "job 'tick' is not paused" in home.fails(4, "resume", "tick")


def test_a_verb_on_several_jobs_does_all_or_nothing(home):
    home.ok("add", "a", "--every", "1h", "--", "true")
    home.fails(3, "remove", "a", "bb")
    assert ["a"] == [job["name"] for job in home.json("list")]
    home.ok("add", "b", "--", "true")
    assert "Removed a.\nRemoved b.\n" == home.ok("remove", "a", "b", "a")
    assert [] == home.json("list")


def test_removing_a_job_names_the_run_that_goes_on(served):
    served.ok("add", "long", "--", "sleep", "60")
    waiting = served.start("run", "long", "--wait")
    served.ok("add", "marker", "--", "true")
    run = served.ok("run", "long").strip()
    told = served.ok("remove", "long")
    first = next(each["id"] for each in served.json("runs", "long") if each["id"] != run)
    assert f"run {first} goes on; end it with: rota cancel {first}" in told
    served.ok("cancel", first)
    assert 1 == waiting.wait(30)
    waiting.communicate()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo"])
def test_coming_slots_are_shown_in_any_zone(home, zone):
    home.ok("add", "noon", "--cron", "0 12 * * *", "--tz", zone, "--", "true")
    lines = home.ok("next", "-n", "3", "--tz", zone).splitlines()
    assert 4 == len(lines)
    assert all(" 12:00:00 " in line and "noon" in line for line in lines[1:])
    assert 3 == len(home.json("next", "noon", "-n", "3"))


def test_coming_slots_from_an_instant(home):
    home.ok("add", "noon", "--cron", "0 12 * * *", "--tz", "UTC", "--", "true")
    (slot,) = json.loads(home.ok("next", "-n", "1", "--from", "2027-01-31 13:00", "--json"))
    assert {"job": "noon", "slot": "2027-02-01T12:00:00.000Z"} == slot
    assert "it has no schedule" in (home.ok("add", "hand", "--", "true"), home.ok("next", "hand"))[1]


def test_showing_a_job_tells_its_next_slots_and_last_runs(served):
    served.ok("add", "backup", "--every", "1h", "--timeout", "5m", "--shell", "exit 3")
    served.call("run", "backup", "--wait")
    shown = served.ok("show", "backup")
    assert 5 == shown.split("Next\n")[1].split("\n\n")[0].count("UTC")
    assert "timeout  5m" in shown
    assert "exit code 3" in shown
    details = served.json("show", "backup")
    assert (5, 1) == (len(details["next_slots"]), len(details["runs"]))


def test_a_job_for_the_start_of_the_machine_is_shown_as_such_everywhere(home):
    told = home.ok("add", "agent", "--at", " Boot", "--", "true")
    assert "once when the machine starts  (at boot)" in told
    assert "Next: when the machine has started, and an engine with it." in told
    (line,) = [line for line in home.ok("list").splitlines() if "agent" in line]
    assert ["once when the machine starts", "idle", "at boot", "-"] == re.split(r"\s{2,}", line.strip())[1:]
    assert "when   once when the machine starts  (at boot)" in home.ok("show", "agent")
    assert "No slot of agent is known. It runs once each time the machine starts" in home.ok("next", "agent")
    assert "It runs once each time the machine starts, as soon as the engine does." in home.ok("why", "agent")
    (job,) = home.json("list")
    assert [{"kind": "at", "text": "boot", "timezone": None}] == job["schedules"]
    assert None is job["next_slot"]
    assert [] == home.json("next", "agent")
    assert [] == home.json("show", "agent")["next_slots"]


def test_a_job_for_the_start_and_for_the_clock_shows_the_clock_s_slot(home):
    home.ok("add", "agent", "--at", "boot", "--every", "1h", "--", "true")
    (line,) = [line for line in home.ok("list").splitlines() if "agent" in line]
    assert "every hour; once when the machine starts" in line
    assert 2 == len(home.ok("next", "agent", "-n", "2").strip().splitlines()[1:3])
    assert "It also runs once each time the machine starts." in home.ok("why", "agent")
