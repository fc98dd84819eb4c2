"""Lines that cron takes and never runs: told, and no reason to refuse the lines beside them."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("0 22-2 * * *", "22-2 is reversed, and cron takes nothing of it; write two ranges with a comma"),
        ("10-5/2 * * * *", "10-5/2 is reversed"),
        ("0 0 * * fri-mon", "fri-mon is reversed"),
        ("0 0 * * 7-0", "7-0 is reversed"),
        ("0 0 * oct-mar *", "oct-mar is reversed"),
        ("0 0 31 2 *", "day 31 does not occur in month 2"),
        ("0 0 31 4,6 *", "day 31 does not occur in month 4,6"),
    ],
)
def test_a_line_that_never_runs_is_a_job_by_hand_and_a_warning(files, schedule, why):
    found = files.read("crontab", f"{schedule} /opt/a.sh\n@daily /opt/b.sh\n")
    assert ([], ["a", "b"]) == (found.problems, list(found.jobs))
    assert () == found.jobs["a"].schedules
    assert f"crontab:1:1: cron {schedule!r} never fires, so the job runs by hand only: {why}" in found.said
    assert 1 == len(found.jobset.notes)


@pytest.mark.parametrize(
    ("schedule", "left"),
    [
        ("0 22-2,5 * * *", "0 5 * * *"),
        ("0 0 31-1 * 1", "0 0 * * 1"),
        ("0 0 13 * fri-mon", "0 0 13 * *"),
    ],
)
def test_what_cron_takes_of_a_line_is_kept_and_the_rest_is_told(files, schedule, left):
    found = files.read("crontab", f"{schedule} /opt/a.sh\n")
    assert [left] == [spec.text for spec in found.job.schedules]
    assert "is reversed, and cron takes nothing of it" in found.said


def test_up_to_sunday_is_kept_and_told_to_be_empty_for_cron(files):
    found = files.read("crontab", "0 0 * * sat-sun /opt/a.sh\n")
    assert ["0 0 * * sat-sun"] == [spec.text for spec in found.job.schedules]
    assert "Debian's cron takes nothing of sat-sun, because its Sunday is 0; rota goes on to Sunday" in found.said
    assert [] == found.jobset.notes


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "0 5 * * *",
            "crontab:1:10: the line has a schedule, but lacks a command; write what to run; cron runs nothing",
        ),
        (
            "0 5 * * * %x",
            "crontab:1:11: there is no command before the '%'; write \\% for a plain %; cron runs nothing",
        ),
    ],
)
def test_a_line_without_a_command_is_left_out(files, line, said):
    found = files.read("crontab", f"{line}\n@daily pwd\n")
    assert ([], ["pwd"]) == (found.problems, list(found.jobs))
    assert found.said.startswith(said)


def test_in_a_system_crontab_it_is_an_error_as_for_cron(files):
    said = files.read("cron.d/x", "0 5 * * * root\n").problems
    assert ["cron.d/x:1:15: the line has a schedule, but lacks a command; write what to run"] == said
