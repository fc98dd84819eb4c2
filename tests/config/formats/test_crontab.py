"""Crontabs: a user's own, and those with a user column."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from datetime import timedelta

import pytest

from rota.config.formats.crontab_lines import split_command
from rota.model.action import Command, Shell
from rota.model.job import ScheduleSpec

ME = pwd.getpwuid(os.geteuid()).pw_name
TABLE = """\
# Edit this file to introduce tasks to be run by cron.
#
# m h  dom mon dow   command
SHELL=/bin/sh
MAILTO = "ops@example.org"
PATH=/usr/local/bin:/usr/bin:/bin

# Dump the database,
# and keep a week of dumps.
30 2 * * 1-5   cd /srv/db && ./dump.sh --day=$(date +\\%u)
#*/5 * * * * /opt/old.sh
@hourly /usr/bin/python3 /opt/tools/report.py --all

LEVEL='a b'
CRON_TZ=Europe/Berlin
0 9 * * mon  mail -s hello ops%Dear all,%it is Monday.%
"""


def test_a_line_is_a_job_with_the_comment_above_it_and_a_name_from_its_command(files):
    found = files.read("crontab", TABLE)
    dump, report, mail = found.jobs.values()
    assert ["dump", "report", "mail"] == [re.sub("-[0-9a-f]{4}$", "", name) for name in found.jobs]
    assert Shell("cd /srv/db && ./dump.sh --day=$(date +%u)") == dump.action
    assert "Dump the database, and keep a week of dumps." == dump.description
    assert ["30 2 * * 1-5"] == [spec.text for spec in dump.schedules]
    assert os.path.expanduser("~") == dump.cwd
    assert ["", ""] == [report.description, mail.description]
    assert [] == found.problems


def test_settings_are_for_the_lines_below_them(files):
    dump, report, mail = files.read("crontab", TABLE).jobs.values()
    home = os.path.expanduser("~")
    assert {"SHELL": "/bin/sh", "HOME": home, "PATH": "/usr/local/bin:/usr/bin:/bin"} == dump.env
    assert "a b" == mail.env["LEVEL"]
    assert (None, "Europe/Berlin") == (report.timezone, mail.timezone)


def test_mail_is_said_to_come_later(files):
    found = files.read("crontab", TABLE)
    assert "crontab:5:1: MAILTO is not carried over: mail comes with notifications" in found.said
    assert 1 == len(found.jobset.notes)
    assert "" == files.read("crontab", 'MAILTO=""\n@daily true\n').said


def test_what_follows_a_percent_is_the_input_of_the_command(files, tmp_path):
    line = files.read("crontab", "@daily cat; echo 100\\%%one%two\\%\n").job.action.line
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    assert "one\ntwo%\n100%\n" == done.stdout


@pytest.mark.parametrize(
    ("text", "command", "given"),
    [
        ("a b", "a b", None),
        ("a\\%b", "a%b", None),
        ("a%b%c", "a", "b\nc"),
        ("a%b\\%c", "a", "b%c"),
        ("a%", "a", ""),
        ("a\\\\%b", "a\\", "b"),
        ("a\\\\b", "a\\b", None),
        ("a\\\\\\%b", "a\\%b", None),
        ("a\\nb", "a\\nb", None),
        ("a%b\\\\c", "a", "b\\\\c"),
    ],
)
def test_percent_signs_are_split_as_cron_splits_them(text, command, given):
    assert (command, given) == split_command(text)


def test_an_empty_input_and_one_that_holds_the_mark_are_kept(files):
    for text, expected in (("cat%", ""), ("cat%INPUT%x", "INPUT\nx\n")):
        line = files.read("crontab", f"@daily {text}\n").job.action.line
        assert expected == subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True).stdout


def test_another_shell_runs_the_line_when_shell_says_so(files):
    job = files.read("crontab", "SHELL=/bin/bash\n@daily echo hi\n").job
    assert Command(("/bin/bash", "-c", "echo hi")) == job.action


def test_home_is_where_a_job_runs(files):
    assert "/srv" == files.read("crontab", "HOME=/srv\n@daily true\n").job.cwd


def test_a_random_delay_is_a_jitter(files):
    assert timedelta(minutes=45) == files.read("crontab", "RANDOM_DELAY=45\n@daily true\n").job.policy.jitter


SYSTEM = "SHELL=/bin/sh\n17 * * * *\troot\tcd / && run-parts --report /etc/cron.hourly\n25 6 * * * nobody /bin/true\n"


@pytest.mark.parametrize("name", ["etc/crontab", "cron.d/anacron", "mine", "crontab"])
def test_a_user_column_is_recognised_by_the_place_or_by_the_users_in_it(files, name):
    run_parts, true = files.read(name, SYSTEM).jobs.values()
    assert ("nobody", None if ME == "root" else "root") == (true.user, run_parts.user)
    assert ("run-parts" in run_parts.name, "true" in true.name) == (True, True)


def test_a_program_that_is_called_like_a_user_is_a_program(files):
    assert [None, None] == [
        job.user for job in files.read("crontab", "@daily sync\n@daily mail -s x root\n").jobs.values()
    ]


def test_the_user_column_may_be_asked_for(files):
    assert "backup" == files.read("x", "@daily backup tar -c /\n", "system-crontab").job.user


def test_a_file_of_any_name_is_recognised_by_its_lines(files):
    assert "crontab" == files.read("jobs.txt", "# mine\nA=b\n0 5 * * * echo hi\n").jobset.format


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@dialy x\n", "crontab:1:1: cron '@dialy': unknown name '@dialy'; did you mean '@daily'?"),
        ("@600 x\n", "crontab:1:1: @600 is FreeBSD's interval; in rota.yaml write every: 600s"),
        ("0 25 * * * x\n", "crontab:1:3: cron '0 25 * * *': hour must be 0 to 23, not 25"),
        ("0   5  *  * 8  x\n", "crontab:1:13: cron '0 5 * * 8': day-of-week must be 0 to 7, not 8"),
        ("0~30 5 * * * x\n", "crontab:1:2: '0~30 5 * * *' has a random range '~', which cannot be kept"),
        ("0 5 *\n", "crontab:1:1: the line ends after 3 of the five fields"),
        ("hello world\n", "crontab:1:1: 'hello' is no part of a schedule; a line is a schedule and a command"),
        ("CRON_TZ=Mars\n@daily x\n", "crontab:1:1: CRON_TZ: no time zone is named 'Mars'"),
        ("# nothing\n", "crontab:1:1: there are no jobs in this crontab"),
        ("0 22-2 32 * * x\n", "crontab:1:8: cron '0 22-2 32 * *': day-of-month must be 1 to 31, not 32"),
        ("22-2 99-1 * * * x\n", "crontab:1:6: cron '22-2 99-1 * * *': hour must be 0 to 23, not 99"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(files, text, said):
    found = files.read("crontab", text)
    assert [] == found.jobset.jobs
    assert any(problem.startswith(said) for problem in found.problems), found.problems


@pytest.mark.parametrize("word", ["@reboot", "@Reboot"])
def test_a_line_for_the_start_of_the_machine_is_at_boot(files, word):
    job = files.read("crontab", f"# Start it.\n{word} /usr/local/bin/agent --now\n").job
    assert (ScheduleSpec("at", "boot"),) == job.schedules
    assert ("Start it.", Shell("/usr/local/bin/agent --now")) == (job.description, job.action)


@pytest.mark.parametrize("name", ["etc/crontab", "cron.d/agent"])
def test_in_a_system_crontab_it_has_a_user_as_every_line(files, name):
    job = files.read(name, "@reboot\tnobody\t/bin/true\n").job
    assert ((ScheduleSpec("at", "boot"),), "nobody") == (job.schedules, job.user)


def test_a_random_delay_that_is_no_number_is_an_error(files):
    said = files.read("crontab", "RANDOM_DELAY=x\n@daily x\n").said
    assert said.startswith("crontab:1:1: RANDOM_DELAY must be a number of minutes, not 'x'")


def test_all_lines_that_are_wrong_are_told_at_once(files):
    found = files.read("crontab", "0 25 * * * a\n@daily good\n@600 b\nnonsense\n")
    assert ["1", "3", "4"] == [problem.split(":")[1] for problem in found.problems]
    assert ["good"] == list(found.jobs)


def test_windows_line_ends_and_a_missing_last_one_are_no_part_of_a_command(files):
    (files.folder / "crontab").write_bytes(b"A=b\r\n@daily echo hi\r\n@hourly ls")
    jobs = files.read("crontab").jobs
    assert [Shell("echo hi"), Shell("ls")] == [job.action for job in jobs.values()]
    assert "b" == jobs["ls"].env["A"]


def test_settings_of_anacron_are_said_to_mean_nothing_and_logname_is_not_ours_to_set(files):
    found = files.read("crontab", "LOGNAME=x\nSTART_HOURS_RANGE=3-22\n@daily true\n")
    assert "START_HOURS_RANGE is not carried over: it is anacron's" in found.said
    assert "LOGNAME" not in found.job.env


def test_a_yaml_file_is_no_crontab_whatever_is_in_it(files):
    assert "crontab" != files.read("crontab.yaml", "@daily: x\n").jobset.format
