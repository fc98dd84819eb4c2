"""Crontabs in use: other users' lines stay theirs, and a line more leaves the others alone."""

from __future__ import annotations

import os

from crash.harness import require

SOMEBODY = "nobody"


def test_a_crontab_of_cron_s_spool_runs_as_the_user_whose_it_is(home):
    require("root", there=os.geteuid() == 0)
    spool = home.folder / "spool/cron/crontabs"
    spool.mkdir(parents=True)
    (spool / SOMEBODY).write_text("HOME=/\n@yearly echo $(id -un) $LOGNAME $SHELL\n")
    home.serve("-f", "spool/cron/crontabs")
    (job,) = home.json("list")
    assert job["name"].startswith(f"{SOMEBODY}.echo-")
    assert f"{SOMEBODY} {SOMEBODY} /bin/sh\n" == home.ok("run", job["name"], "--wait")


def test_a_line_more_leaves_the_others_as_they_are_and_what_is_paused_stays_paused(home):
    table = home.folder / "crontab"
    lines = ["0 1 * * * echo one", "0 2 * * * echo two"]
    table.write_text("\n".join([*lines, ""]))
    home.ok("apply", "-f", "crontab")
    one, two = sorted(home.json("list"), key=lambda job: str(job["schedules"]))
    home.ok("pause", one["name"])

    table.write_text("\n".join(["0 0 * * * echo zero", *lines, ""]))
    home.ok("apply", "-f", "crontab")
    jobs = {job["name"]: job["schedules"][0]["text"] for job in home.json("list")}
    assert ("0 1 * * *", "0 2 * * *", 3) == (jobs[one["name"]], jobs[two["name"]], len(jobs))
    assert "echo one" == home.json("show", one["name"])["action"]["line"]
    assert "Nothing to do" in home.ok("apply", "-f", "crontab")


def test_what_cron_would_take_is_applied_though_it_never_runs(home):
    (home.folder / "crontab").write_text("0 22-2 * * * /opt/never.sh\n0 0 31 2 * /opt/no.sh\n@daily /opt/a.sh\n")
    done = home.call("apply", "-f", "crontab")
    assert 0 == done.returncode
    assert 2 == done.stderr.decode().count("never fires, so the job runs by hand only")
    assert {"never": 0, "no": 0, "a": 1} == {job["name"]: len(job["schedules"]) for job in home.json("list")}
