"""Jobs as a crontab: the same instants and the same command, or a reason why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.config.formats.registry import Source, by_name
from rota.config.problems import Problems
from rota.config.writers.crontab import Place, write_crontab
from rota.config.writers.crontab_schedules import cron_lines
from rota.model.action import Command, Python, Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Overlap, Policy, Retries
from rota.plan.timetables import timetable_of
from rota.schedule.parse import parse

PLACE = Place(home="/root", path="/usr/bin:/bin", zone="UTC")
DAILY = (ScheduleSpec("cron", "30 2 * * *"),)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def lines(*jobs: Job, place: Place = PLACE) -> list[str]:
    return [line for line in write_crontab(jobs, place).text.splitlines() if line and line[0] != "#"]


def back(text: str) -> list[Job]:
    problems = Problems()
    found = by_name("crontab").read(Source("crontab", text, None, "/", {}), problems)
    assert [] == list(problems)
    return [each.job for each in found.jobs]


@pytest.mark.parametrize(
    ("kind", "text", "fields"),
    [
        ("cron", "30 2 * * 1-5", "30 2 * * 1-5"),
        ("cron", "0 9 * jan-mar mon,fri-sun", "0 9 * 1-3 1,5-7"),
        ("cron", "5/15 * * * *", "5-59/15 * * * *"),
        ("cron", "*/10 * * * *", "*/10 * * * *"),
        ("cron", "@weekly", "0 0 * * 0"),
        ("cron", "0 30 2 * * *", "30 2 * * *"),
        ("calendar", "Mon..Fri 09:00", "0 9 * * 1-5"),
        ("calendar", "*-*-01,15 03:30", "30 3 1,15 * *"),
        ("calendar", "*:0/15", "*/15 * * * *"),
        ("calendar", "Sat,Sun *-06..08-* 10:00", "0 10 * 6-8 6,7"),
        ("calendar", "hourly", "0 * * * *"),
        ("every", "15m", "*/15 * * * *"),
        ("every", "1h", "0 * * * *"),
        ("every", "6h", "0 */6 * * *"),
        ("every", "1d", "0 0 * * *"),
        ("every", "1m", "* * * * *"),
        ("at", "boot", "@reboot"),
    ],
)
def test_a_schedule_is_written_as_every_cron_reads_it(kind, text, fields):
    assert (fields,) == cron_lines(ScheduleSpec(kind, text)).fields


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("cron", "30 0 9 * * *", "cron has no seconds"),
        ("cron", "0 9 L * *", "cron has no L, W or #"),
        ("cron", "0 9 15W * *", "cron has no L, W or #"),
        ("cron", "0 9 * * mon#1", "cron has no L, W or #"),
        ("calendar", "2027-01-01", "cron has no years"),
        ("calendar", "*-*~01 09:00", "cron has no days that count from the month's end"),
        ("calendar", "Mon *-*-01..07 09:00", "cron takes day of month or weekday, and this wants both"),
        ("calendar", "*:*:0/10", "cron has no seconds"),
        ("at", "2027-01-31 10:00", "cron has no single date"),
        ("every", "7m", "cron has no interval of 7m"),
        ("every", "90m", "cron has no interval of 1h30m"),
        ("every", "30s", "cron has no interval of 30s"),
        ("every", "5h", "cron has no interval of 5h"),
        ("every", "2d", "cron has no interval of 2d"),
    ],
)
def test_a_schedule_that_cron_does_not_have_is_refused_with_the_reason(kind, text, why):
    assert cron_lines(ScheduleSpec(kind, text)).refusal.startswith(why)


def test_an_interval_keeps_its_phase():
    spec = ScheduleSpec("every", "15m", datetime(2026, 1, 1, 10, 7, tzinfo=UTC))
    assert ("7-59/15 * * * *",) == cron_lines(spec).fields
    spec = ScheduleSpec("every", "6h", datetime(2026, 1, 1, 1, 30, 5, tzinfo=UTC))
    found = cron_lines(spec, timedelta(hours=2))
    assert (("30 3-23/6 * * *",), "it starts at the full minute; its phase moves where the clocks change") == found[:2]
    assert "count from the end" in cron_lines(ScheduleSpec("every", "1h", from_end=True)).refusal


CRONS = st.tuples(
    st.sampled_from(["0", "*/7", "5/20", "1-30/4", "1,2,59"]),
    st.sampled_from(["*", "3", "*/6", "22-23"]),
    st.sampled_from(["*", "1", "*/10", "1-7,31"]),
    st.sampled_from(["*", "feb", "1-6/2"]),
    st.sampled_from(["*", "mon", "fri-sun", "0", "7", "1/2", "*/3"]),
).map(" ".join)
CALENDARS = st.builds(
    "{}{} {}".format,
    st.sampled_from(["", "Mon..Fri ", "Sat,Sun ", "Wed "]),
    st.sampled_from(["*-*-*", "*-02-*", "*-1/3-*"]),
    st.sampled_from(["09:00", "*:00", "0/6:30", "08..18:0/20"]),
)


@given(CRONS.map(lambda text: ("cron", text)) | CALENDARS.map(lambda text: ("calendar", text)))
def test_what_is_written_fires_at_the_same_instants(schedule):
    found = cron_lines(ScheduleSpec(*schedule))
    assert not found.refusal
    before, after = (parse(*each, zone="UTC") for each in (schedule, ("cron", found.fields[0])))
    at = other = NOW
    for _ in range(10):
        at, other = before.next_after(at), after.next_after(other)
        assert at == other


# --- commands


def test_a_command_runs_in_its_directory_with_its_variables_and_a_percent_is_escaped():
    job = Job("a", Command(("date", "+%F %T")), DAILY, cwd="/srv/my dir", env={"A": "it's"}, umask=0o27)
    assert """30 2 * * * umask 027; export A='it'"'"'s'; cd '/srv/my dir' && date '+\\%F \\%T'""" == lines(job)[-1]


def test_variables_that_all_jobs_have_stand_at_the_top_and_others_in_the_line():
    jobs = [Job(name, Shell("x"), DAILY, cwd="/root", env={"A": "1", "PATH": "/bin", "B": name}) for name in "ab"]
    assert ["SHELL=/bin/sh", "PATH=/bin", "A=1", "30 2 * * * export B=a; x", "30 2 * * * export B=b; x"] == lines(*jobs)


def test_a_line_of_several_commands_does_not_run_elsewhere_when_the_directory_is_gone():
    assert "30 2 * * * cd /srv || exit; a; b" == lines(Job("a", Shell("a; b"), DAILY, cwd="/srv"))[-1]
    assert "30 2 * * * a; b" == lines(Job("a", Shell("a; b"), DAILY, cwd="/root"))[-1]


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10), max_size=3))
def test_a_command_that_went_out_and_in_again_gets_the_same_arguments(words):
    job = Job(
        "a", Command((sys.executable, "-c", "import json,sys;print(json.dumps(sys.argv[1:]))", *words)), DAILY, cwd="/"
    )
    written = write_crontab([job], PLACE)
    if written.left_out:
        assert any("\\%" in word for word in words)
        return
    (again,) = back(written.text)
    done = subprocess.run(["/bin/sh", "-c", again.action.line], capture_output=True, text=True, check=True)
    assert words == json.loads(done.stdout)


def test_a_crontab_that_came_in_goes_out_with_the_same_lines():
    text = (
        "SHELL=/bin/sh\nPATH=/usr/bin:/bin\n\n*/5 * * * 1-5 cat /x%hello%100\\% sure\n0 3 1 * * ./a.sh $(date +\\%u)\n"
    )
    jobs = back(text)
    home = os.path.expanduser("~")
    assert [line for line in text.splitlines() if line] == lines(*jobs, place=PLACE._replace(home=home))


def test_the_start_of_the_machine_goes_out_and_comes_in_again():
    boot = ScheduleSpec("at", "boot")
    job = Job("agent", Shell("/bin/agent"), (boot, *DAILY), cwd=os.path.expanduser("~"), timezone="UTC")
    written = write_crontab([job], PLACE._replace(home=os.path.expanduser("~")))
    assert ([], []) == (written.left_out, written.differs)
    assert ["@reboot /bin/agent", "30 2 * * * /bin/agent"] == written.text.splitlines()[-2:]
    assert [(boot,), DAILY] == [each.schedules for each in back(written.text)]


def test_the_start_of_the_machine_is_the_same_in_every_zone():
    job = Job("a", Shell("x"), (ScheduleSpec("at", "boot"),), cwd="/root", timezone="Asia/Tokyo")
    assert "@reboot x" == lines(job)[-1]
    assert [] == write_crontab([job], PLACE).differs


def test_a_python_function_is_called_as_the_engine_calls_it():
    job = Job("a", Python("json:dumps", ([1, "ä"],), {"indent": 2}), DAILY, cwd="/root")
    line = lines(job)[-1].removeprefix("30 2 * * * ")
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    assert "" == done.stdout + done.stderr
    assert "-m rota.call json:dumps" in line


def test_a_system_crontab_has_a_user_column():
    jobs = [Job("a", Shell("x"), DAILY, cwd="/root"), Job("b", Shell("y"), DAILY, cwd="/var/www", user="www-data")]
    assert ["30 2 * * * root x", "30 2 * * * www-data y"] == lines(*jobs, place=PLACE._replace(users=True))[2:]


def test_a_job_of_another_zone_says_so_before_and_after():
    written = write_crontab([Job("a", Shell("x"), DAILY, cwd="/root", timezone="Asia/Tokyo")], PLACE)
    assert ["CRON_TZ=Asia/Tokyo", "30 2 * * * x", "CRON_TZ=UTC"] == written.text.splitlines()[-3:]
    assert "Debian's does not" in written.differs[0].text
    same = Job("a", Shell("x"), (ScheduleSpec("every", "5m"),), cwd="/root", timezone="Asia/Tokyo")
    assert [] == write_crontab([same], PLACE).differs


def test_a_job_with_several_schedules_has_several_lines_and_a_disabled_one_is_a_comment():
    specs = (*DAILY, ScheduleSpec("calendar", "Mon 09:00"))
    assert ["30 2 * * * x", "0 9 * * 1 x"] == lines(Job("a", Shell("x"), specs, cwd="/root"))[2:]
    text = write_crontab([Job("a", Shell("x"), DAILY, cwd="/root", enabled=False)], PLACE).text
    assert "# disabled: 30 2 * * * x\n" in text


def test_policies_that_cron_does_not_have_are_named():
    policy = Policy(timeout=timedelta(minutes=5), retries=Retries(3), overlap=Overlap.QUEUE, pool="db")
    ((name, text),) = write_crontab([Job("a", Shell("x"), DAILY, policy, cwd="/root")], PLACE).differs
    assert ("a", "cron has no timeout 5m, retries 3, pool db, overlap queue") == (name, text)


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (Job("a", Shell("x")), "it has no schedule, and runs by hand only"),
        (Job("a", Shell("x"), (ScheduleSpec("at", "2027-01-01"),)), "at 2027-01-01: cron has no single date"),
        (Job("a", Shell("x"), DAILY, user="www-data"), "it runs as www-data, for which a system crontab is needed"),
        (Job("a", Shell("x"), DAILY, secrets={"T": "env:T"}), "it has secrets in its environment (T)"),
        (Job("a", Shell("x"), DAILY, env_files=("/e",)), "it has env_file, which cron cannot read"),
        (Job("a", Shell("x"), DAILY, Policy(not_after=NOW)), "it is due until a date"),
        (Job("a", Shell("x\ny"), DAILY), "its line of shell has several lines"),
        (Job("a", Shell("echo \\%"), DAILY), "it has a backslash before a '%' or another backslash"),
        (Job("a", Shell("echo 'a\\\\b'"), DAILY), "it has a backslash before a '%' or another backslash"),
        (Job("a", Shell("x"), DAILY, env={"A": "b\nc"}), "its variable A cannot be written in one line"),
        (Job("a", Shell("x" * 1000), DAILY), "its line is longer than 900 letters"),
    ],
)  # fmt: skip
def test_a_job_that_cron_cannot_express_is_left_out_and_named(job, why):
    written = write_crontab([job], PLACE)
    assert [] == lines(job)[2:]
    assert written.left_out[0].text.startswith(why)
    assert "# NOT HERE: a: " in written.text


def test_the_slots_of_what_is_written_are_those_of_the_job():
    job = Job("a", Shell("x"), (ScheduleSpec("every", "20m", datetime(2026, 1, 1, 0, 7, tzinfo=UTC)),), cwd="/root")
    (again,) = back(write_crontab([job], PLACE).text)
    assert timetable_of(job).next_after(NOW) == timetable_of(again).next_after(NOW)


# --- variables


def again(text: str, place: Place) -> str:
    """Return what is written of jobs that were read from what was written, without comments."""
    return "\n".join(lines(*back(text), place=place))


HERE = PLACE._replace(home=os.path.expanduser("~"))


@pytest.mark.parametrize(
    "text",
    [
        "HOME=/srv\n5 4 * * * a; b",
        "SHELL=/bin/bash\nA=1\n5 4 * * * a; b\n5 5 * * * [[ x ]] && y",
        "5 4 * * * cd /srv || exit; a; b",
        "SHELL=/bin/bash\n5 4 * * * cat%one%two",
        "5 4 * * * bash -c 'cat; true'%one",
        "5 4 * * * a\nSHELL=/bin/bash\n5 5 * * * b\n5 6 * * * c",
        "A=1\n5 4 * * * a\nB=2\n5 5 * * * b\n5 6 * * * c",
    ],
)
def test_a_crontab_stays_the_same_however_often_it_goes_out_and_comes_in(text):
    once = again(text + "\n", HERE)
    assert once == again(once + "\n", HERE)
    commands = [line for line in text.splitlines() if line[0].isdigit()]
    assert commands == [line for line in once.splitlines() if line[0].isdigit()]
    assert "export" not in once


def test_home_is_where_cron_starts_so_no_line_goes_there_and_others_go_from_there():
    jobs = [
        Job(name, Shell("x; y"), DAILY, cwd=cwd, env={"HOME": "/srv"}) for name, cwd in (("a", "/srv"), ("b", "/root"))
    ]
    assert ["HOME=/srv", "30 2 * * * x; y", "30 2 * * * cd /root || exit; x; y"] == lines(*jobs)[2:]


def test_the_home_that_cron_sets_anyway_is_not_said():
    assert "HOME" not in "".join(lines(Job("a", Shell("x"), DAILY, cwd="/root", env={"HOME": "/root"})))


@pytest.mark.parametrize("name", ["MAILTO", "MAILFROM", "CRON_TZ", "RANDOM_DELAY", "LOGNAME"])
def test_a_name_on_which_cron_acts_stays_in_its_line(name):
    jobs = [Job(each, Shell("x"), DAILY, cwd="/root", env={name: "5"}) for each in "ab"]
    assert [f"30 2 * * * export {name}=5; x"] * 2 == lines(*jobs)[2:]


def test_a_variable_that_a_later_job_does_not_have_is_set_for_none_of_them():
    jobs = [
        Job(name, Shell("x"), DAILY, cwd="/root", env=env)
        for name, env in (("a", {"A": "1"}), ("b", {"A": "1"}), ("c", {}))
    ]
    assert ["30 2 * * * export A=1; x"] * 2 + ["30 2 * * * x"] == lines(*jobs)[2:]


def test_settings_of_a_job_that_is_left_out_hold_for_the_next():
    bash = ("/bin/bash", "-c")
    jobs = [
        Job(line[0], Command((*bash, line)), DAILY, cwd="/root", env={"SHELL": "/bin/bash", "A": "1"})
        for line in ("x\ny", "z")
    ]
    assert ["SHELL=/bin/bash", "PATH=/usr/bin:/bin", "A=1", "30 2 * * * z"] == lines(*jobs)


def test_a_shell_that_could_not_change_the_directory_is_called_by_its_name():
    python = Job("a", Command(("/usr/bin/python3", "-c", "1")), DAILY, cwd="/srv", env={"SHELL": "/usr/bin/python3"})
    assert "30 2 * * * export SHELL=/usr/bin/python3; cd /srv && /usr/bin/python3 -c 1" == lines(python)[-1]
