"""The Resilient Task Scheduler's jobs.yaml."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta

import pytest

from rota.model.action import Command, Python
from rota.model.policy import CatchUp
from rota.plan.timetables import timetable_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CRON = "trigger: {type: cron, hour: 2}"


def one(files, words: str):
    return files.read("jobs.yaml", f"- {{id: a, {words}}}\n")


@pytest.mark.parametrize("func", ["pkg.mod.function", "pkg.mod:function"])
def test_a_function_may_be_named_with_a_dot_or_a_colon(files, func):
    job = one(files, f"func: '{func}', {CRON}, args: [1, two, null], kwargs: {{a: {{b: [true]}}}}").job
    assert Python("pkg.mod:function", (1, "two", None), {"a": {"b": [True]}}) == job.action


@pytest.mark.parametrize(
    ("func", "argv"),
    [
        ("/opt/backup.sh", ["/opt/backup.sh", "--days", "30"]),
        ("backup.sh", ["./backup.sh", "--days", "30"]),
        ("scripts/report.py", ["PYTHON", "scripts/report.py", "--days", "30"]),
        ("pg_dump", ["pg_dump", "--days", "30"]),
        ("tar -cf 'a b.tar' .", ["tar", "-cf", "a b.tar", ".", "--days", "30"]),
        ("scripts/report.py --full", ["PYTHON", "scripts/report.py", "--full", "--days", "30"]),
        ("here.sh -x", ["./here.sh", "-x", "--days", "30"]),
        ("here -x", ["./here", "-x", "--days", "30"]),
        ("grep '|' a", ["grep", "|", "a", "--days", "30"]),
        ("a & b.sh", ["./a & b.sh", "--days", "30"]),
    ],
)
def test_a_script_or_a_command_gets_its_arguments_as_text(files, func, argv):
    for name in ("here", "a & b.sh"):
        files.write(name, "")
    job = one(files, f'func: "{func}", {CRON}, args: [--days, 30]').job
    python = os.path.join(sys.prefix, "bin", "python3")
    expected = [python if word == "PYTHON" else word for word in argv]
    assert Command(tuple(expected)) == job.action


def test_a_function_is_found_in_src_beside_the_file(files):
    files.write("src/mine/jobs.py", "")
    assert {"PYTHONPATH": str(files.folder / "src")} == one(files, f"func: mine.jobs.go, {CRON}").job.env
    files.write("mine.py", "")
    assert {} == one(files, f"func: mine.go, {CRON}").job.env
    assert {"PYTHONPATH": str(files.folder / "src")} == one(files, f"func: mine.jobs.go, {CRON}").job.env
    files.write("src/other.py", "")
    files.write("other.csv", "")
    assert {"PYTHONPATH": str(files.folder / "src")} == one(files, f"func: other.go, {CRON}").job.env


def test_policies_have_apscheduler_s_names_and_this_program_s_defaults(files):
    plain = one(files, f"func: x.y, {CRON}").job
    assert (1, CatchUp.LATEST, timedelta(hours=1), True) == (
        plain.policy.max_instances, plain.policy.catch_up, plain.policy.grace, plain.enabled
    )  # fmt: skip
    words = "max_instances: 3, coalesce: false, misfire_grace_time: 60, is_enabled: false, replace_existing: true"
    job = one(files, f"func: x.y, {CRON}, {words}").job
    assert (3, CatchUp.ALL, timedelta(seconds=60), False) == (
        job.policy.max_instances, job.policy.catch_up, job.policy.grace, job.enabled
    )  # fmt: skip


def test_a_grace_of_null_is_no_limit_as_in_apscheduler(files):
    assert timedelta(days=36_525) == one(files, f"func: x.y, {CRON}, misfire_grace_time: null").job.policy.grace


def test_an_interval_adds_its_units(files):
    job = one(files, "func: x.y, trigger: {type: interval, weeks: 1, days: 1, hours: 1, minutes: 1, seconds: 1}").job
    assert ["8d1h1m1s"] == [spec.text for spec in job.schedules]


def test_an_interval_with_a_start_is_due_at_the_start_itself(files):
    trigger = (
        "{type: interval, hours: 5, start_date: '2026-11-20 13:30:00', end_date: '2026-11-20 20:00', timezone: UTC}"
    )
    job = one(files, f"func: x.y, trigger: {trigger}").job
    table = timetable_of(job)
    first = table.next_after(NOW)
    second = table.next_after(first)
    assert (datetime(2026, 11, 20, 13, 30, tzinfo=UTC), datetime(2026, 11, 20, 18, 30, tzinfo=UTC)) == (first, second)
    assert table.next_after(second) is None


def test_a_date_is_once_in_its_zone(files):
    job = one(files, "func: x.y, trigger: {type: date, run_date: '2027-01-31 10:00:00'}, timezone: Asia/Tokyo").job
    assert datetime(2027, 1, 31, 1, 0, tzinfo=UTC) == timetable_of(job).next_after(NOW)


def test_a_zone_of_the_trigger_goes_before_the_job_s(files):
    job = one(files, "func: x.y, trigger: {type: cron, hour: 2, timezone: Asia/Tokyo}, timezone: Europe/Berlin").job
    assert "Asia/Tokyo" == job.timezone


def test_cron_fields_may_be_numbers_texts_or_lists(files):
    job = one(files, "func: x.y, trigger: {type: cron, day_of_week: [mon, fri], hour: '8', minute: 05}").job
    assert ["5 8 * * mon,fri"] == [spec.text for spec in job.schedules]


def test_a_weekday_number_is_said_with_its_day(files):
    found = one(files, "func: x.y, trigger: {type: cron, day_of_week: 0}")
    assert "jobs.yaml:1:57: 0 means mon here" in found.said
    assert ["0 0 * * mon"] == [spec.text for spec in found.job.schedules]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f"{CRON}", "jobs.yaml:1:3: func is missing in this job"),
        ("func: x.y", "jobs.yaml:1:3: trigger is missing in this job; such as: trigger: {type: cron, hour: 2}"),
        ("func: x.y, trigger: 5", "jobs.yaml:1:31: trigger must be a mapping, not '5'"),
        ("func: x.y, trigger: {hour: 2}", "type is missing in this trigger"),
        ("func: x.y, trigger: {type: corn, hour: 2}", "type is 'corn', which is unknown; did you mean 'cron'?"),
        ("func: x.y, trigger: {type: cron, huor: 2}", "unknown key 'huor' in this trigger; did you mean 'hour'?"),
        ("func: x.y, trigger: {type: cron}", "would fire every second"),
        ("func: x.y, trigger: {type: cron, hour: 25}", "jobs.yaml:1:50: hour must be 0 to 23, not 25"),
        (
            "func: x.y, trigger: {type: cron, week: 3}",
            "jobs.yaml:1:50: weeks of the year are in neither cron nor OnCalendar; write the days themselves, such as",
        ),
        ("func: x.y, trigger: {type: cron, hour: {a: 1}}", "hour must be a number or text, not a mapping"),
        ("func: x.y, trigger: {type: interval}", "this interval has no length"),
        ("func: x.y, trigger: {type: interval, minutes: five}", "minutes must be a number, not 'five'"),
        ("func: x.y, trigger: {type: date}", "run_date is missing in this trigger"),
        ("func: x.y, trigger: {type: date, run_date: soon}", "run_date 'soon': it is no date and time"),
        (f"func: x.y, {CRON}, timezone: Europe/Berln", "did you mean 'Europe/Berlin'?"),
        (f"func: x.y, {CRON}, max_instances: 0", "max_instances must be 1 to 1,000,000, not '0'"),
        (f"func: x.y, {CRON}, is_enabeld: true", "unknown key 'is_enabeld' in this job; did you mean 'is_enabled'?"),
        (f"func: a.sh, {CRON}, kwargs: {{a: 1}}", "kwargs are for Python functions, and func is a script"),
        (f"func: x.y, {CRON}, args: 5", "args must be a list, not '5'"),
        (
            f"func: x.y, {CRON}, misfire_grace_time: 0",
            "misfire_grace_time must be more than 0, as in APScheduler; write 1",
        ),
        (
            "func: x.y, trigger: {type: cron, year: 2030, month: 2, day: 29}",
            "jobs.yaml:1:71: trigger '2030-02-29 00:00': it never fires: no such day exists; write a day",
        ),
        (
            "func: x.y, trigger: {type: cron, month: 2, day: 30}",
            "does not occur in month 2; write a day that the month",
        ),
        ("func: x.y, trigger: {type: interval, weeks: 9999999}", "weeks must be 0 to 1,000,000, not '9999999'"),
        (
            f"func: pg_dump db > /x.sql, {CRON}",
            "func: '>' needs a shell, and func is started without one; write func: sh, and args: [-c, 'pg_dump db > /x",
        ),
        (f"func: a.sh && b.sh, {CRON}", "func: '&&' needs a shell"),
        (f"func: 'a; b', {CRON}", "func: ';' needs a shell"),
        (f"func: a.sh|b.sh, {CRON}", "func: '|' needs a shell"),
        (f"func: $HOME/a.sh, {CRON}", "func: '$HOME' needs a shell"),
        (f'func: "x \'y", {CRON}', "cannot be split into words: No closing quotation"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(files, words, said):
    found = one(files, words)
    assert [] == found.jobset.jobs
    assert any(said in problem for problem in found.problems), found.problems


def test_of_two_jobs_with_one_id_both_places_are_told(files):
    found = files.read("jobs.yaml", f"- {{id: a, func: x.y, {CRON}}}\n- {{id: a, func: x.y, {CRON}}}\n")
    assert [
        "jobs.yaml:2:8: id 'a' is given twice; it was first given at jobs.yaml:1:8; rename one of them"
    ] == found.problems


def test_a_file_that_is_no_list_is_refused(files):
    assert "a jobs.yaml is a list of jobs, and this is a mapping" in files.read("jobs.yaml", "a: 1", "resilient").said


def test_keys_of_apscheduler_without_a_meaning_here_are_said(files):
    found = one(files, f"func: x.y, {CRON}, jobstore: default")
    assert "jobstore is not carried over: jobs are kept in rota's store" in found.said
    assert 1 == len(found.jobset.notes)


def test_a_start_at_the_beginning_of_time_is_refused(files):
    trigger = "{type: interval, weeks: 9, start_date: '0001-01-05'}"
    assert "start_date is out of range" in one(files, f"func: x.y, trigger: {trigger}").said


def test_a_script_with_arguments_that_would_fail_at_night_is_told_by_day(files):
    assert (
        "nowhere.py is not there now; the job will fail until it is" in one(files, f"func: nowhere.py -x, {CRON}").said
    )


@pytest.mark.parametrize(
    ("func", "is_there"),
    [
        ("nowhere.function", False),
        ("mine.jobs.go", True),
        ("mine.jobs:go", True),
        ("mine.nothing.go", False),
        ("one.go", True),
        ("beside.go", True),
        ("os.path.exists", True),
        ("pytest.main", True),
        ("sys.exit", True),
        ("json.dumps", True),
        ("__main__.go", False),
    ],
)
def test_a_module_that_is_not_there_is_told_and_none_is_imported(files, func, is_there):
    for name in ("src/mine/__init__.py", "src/mine/jobs.py", "src/one.py", "beside.py", "json/data.txt"):
        files.write(name, "raise SystemExit\n")
    found = one(files, f"func: '{func}', {CRON}")
    assert 1 == len(found.jobs)
    assert is_there == ("" == found.said)
    assert is_there or "is not there now, neither in" in found.said


def test_every_week_of_the_year_is_every_week(files):
    job = one(files, "func: x.y, trigger: {type: cron, week: '1-53', day_of_week: mon}").job
    assert ["0 0 * * mon"] == [spec.text for spec in job.schedules]


def test_an_interval_may_have_a_fraction(files):
    job = one(files, "func: x.y, trigger: {type: interval, hours: 1.5}").job
    assert ["1h30m"] == [spec.text for spec in job.schedules]
