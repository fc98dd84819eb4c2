"""`rota import` and `rota export`: move in, move out."""

from __future__ import annotations

import json
import os

import pytest

CONFIG = "tasks:\n  - {name: a, path: t, cron: '0 9 * * *', args: [5]}\n  - {name: b, path: t, cron: '0 25 * * *'}\n"
AUTOCRON = "tasks:\n  - {name: a, script: a.sh, schedule: 5m}\n  - {name: b, script: a.sh, schedule: 5x}\n"
JOB = "id: {0}\nname: A job\ncommand: 'true'\nschedule: '@daily'\n"
CRONTAB = "MAILTO=x\n# Greet.\n*/5 * * * * echo hi\n@600 /bin/x\n"


@pytest.fixture
def task(home):
    (home.folder / "t").mkdir()
    (home.folder / "t/run.sh").write_text("#!/bin/sh\necho $1\n")
    (home.folder / "t/run.sh").chmod(0o755)
    return home


def write(home, name: str, text: str) -> None:
    (home.folder / name).write_text(text, encoding="utf-8")


def fake_crontab(home, script: str) -> dict[str, str]:
    """Put a program called crontab in front of the others."""
    (home.folder / "bin").mkdir()
    program = home.folder / "bin/crontab"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{home.folder / 'bin'}:{os.environ['PATH']}"}


def test_a_file_is_printed_as_rota_s_own_and_warnings_are_told(task):
    write(task, "config.yaml", CONFIG)
    done = task.call("import", "config.yaml")
    assert 1 == done.returncode
    assert (
        "#   config.yaml:3:33: cron '0 25 * * *': hour must be 0 to 23, not 25; such as 5, 1-5, */5 or 1,3,5\n"
        in done.stdout.decode()
    )
    assert (
        f"    task: {task.folder / 't'}\n    args: ['5']\n    cron: '0 9 * * *'\n    timeout: 5m\n"
        in done.stdout.decode()
    )
    assert "rota: warning: config.yaml:3:33: cron '0 25 * * *': hour must be 0 to 23" in done.stderr.decode()


def test_what_was_written_can_be_applied_and_paths_in_it_are_relative(task):
    write(task, "config.yaml", CONFIG.replace("25", "23"))
    told = task.ok("import", "config.yaml", "-o", "rota.yaml")
    assert "Wrote 2 jobs into rota.yaml. See what would happen, then let it: rota diff -f rota.yaml\n" == told
    assert "    task: t\n" in (task.folder / "rota.yaml").read_text()
    task.ok("apply")
    assert ["a", "b"] == [job["name"] for job in task.json("list")]


def test_what_is_left_behind_is_told_stands_in_the_file_and_makes_the_code_1(home):
    write(home, "autocron.yaml", AUTOCRON)
    errors = home.fails(1, "import", "autocron.yaml", "-o", "rota.yaml")
    assert "autocron.yaml:3:40: schedule '5x': unknown unit 'x'" in errors
    assert "rota: 1 job carried over; 1 problem kept something behind, see the comments at the top" in errors
    text = (home.folder / "rota.yaml").read_text()
    assert (
        "# NOT CARRIED OVER, because of what is wrong at these places:\n#   autocron.yaml:3:40: schedule '5x'" in text
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: []\n", "nothing could be taken from autocron.yaml: there are no jobs in it"),
        ("tasks: 5\n", "nothing could be taken from autocron.yaml: what is wrong is above"),
        ("", "autocron.yaml:1:1: the file is empty"),
    ],
)
def test_a_file_without_a_job_makes_no_file(home, text, said):
    write(home, "autocron.yaml", text)
    assert said in home.fails(2, "import", "autocron.yaml", "-o", "rota.yaml")
    assert not (home.folder / "rota.yaml").exists()


def test_a_file_that_is_there_is_written_over_only_by_force(home):
    write(home, "autocron.yaml", "tasks: [{name: a, script: a.sh, schedule: 5m}]\n")
    write(home, "rota.yaml", "mine")
    assert "rota.yaml is there already; --force writes over it" in home.fails(
        4, "import", "autocron.yaml", "-o", "rota.yaml"
    )
    assert "mine" == (home.folder / "rota.yaml").read_text()
    home.ok("import", "autocron.yaml", "-o", "rota.yaml", "--force")
    assert "a.sh" in (home.folder / "rota.yaml").read_text()


def test_what_is_rota_s_own_already_is_not_rewritten(home):
    write(home, "x.yaml", "jobs: {a: {run: 'true'}}\n")
    assert "x.yaml is in rota's own format already" in home.fails(2, "import", "x.yaml")


def test_a_format_may_be_named_and_an_unknown_one_is_told_with_the_nearest(home):
    write(home, "jobs.txt", "@daily root echo hi\n")
    assert "user: root" in home.ok("import", "jobs.txt", "--format", "system-crontab") or os.geteuid() == 0
    assert "did you mean 'crontab'?" in home.fails(2, "import", "jobs.txt", "--format", "crontb")


def test_a_missing_file_is_told(home):
    assert "nowhere.yaml:1:1: it cannot be read" in home.fails(2, "import", "nowhere.yaml")


def test_one_s_own_crontab_is_what_crontab_l_prints(home):
    env = fake_crontab(home, f"[ \"$1\" = -l ] && printf '%s' '{CRONTAB}'")
    done = home.call("import", "crontab", env=env)
    assert 1 == done.returncode
    assert (
        f"  echo-a182:\n    description: Greet.\n    run: echo hi\n    cwd: {home.folder}\n    cron: '*/5 * * * *'\n"
        in done.stdout.decode()
    )
    assert "#   crontab:4:1: @600 is FreeBSD's interval; in rota.yaml write every: 600s" in done.stdout.decode()
    assert "crontab:1:1: MAILTO: mail comes with notifications" in done.stdout.decode()


def test_a_line_for_the_start_of_the_machine_comes_in_and_goes_out_again(home):
    write(home, "crontab", "@reboot /bin/agent\n")
    home.ok("import", "./crontab", "-o", "rota.yaml")
    assert "    at: boot\n" in (home.folder / "rota.yaml").read_text()
    for file in ("crontab", "rota.yaml"):
        assert "@reboot /bin/agent" == home.ok("export", "crontab", "-f", file).splitlines()[-1]


def test_without_a_crontab_it_says_what_crontab_says(home):
    env = fake_crontab(home, "echo 'no crontab for you' >&2; exit 1")
    assert "rota: crontab -l: no crontab for you" in home.fails(2, "import", "crontab", env=env)


def test_without_the_program_it_says_so(home):
    (home.folder / "empty").mkdir()
    env = {"PATH": str(home.folder / "empty")}
    assert "there is no program `crontab` on this machine" in home.fails(2, "import", "crontab", env=env)


def test_a_file_of_that_name_is_pointed_out(home):
    write(home, "crontab", "@daily echo mine\n")
    env = fake_crontab(home, "echo '@daily echo yours'")
    done = home.call("import", "crontab", env=env)
    assert "run: echo yours" in done.stdout.decode()
    assert "for the file here write ./crontab" in done.stderr.decode()
    assert "run: echo mine" in home.ok("import", "./crontab")


# --- export


def test_the_jobs_of_a_home_are_printed_as_a_crontab(home):
    home.ok(
        *("add", "backup", "--cron", "30 2 * * *", "--cwd", "/srv", "--timeout", "5m", "--description", "All of it"),
        *("--", "date", "+%F"),
    )
    home.ok("add", "once", "--at", "2030-01-01", "--", "true")
    home.ok("add", "paused", "--cron", "@daily", "--", "true")
    home.ok("pause", "paused")
    done = home.call("export", "crontab")
    text, errors = done.stdout.decode(), done.stderr.decode()
    assert 1 == done.returncode
    assert "# backup: All of it\n#   not the same: cron has no timeout 5m\n30 2 * * * cd /srv && date +\\%F\n" in text
    assert "# NOT HERE: once: at 2030-01-01: cron has no single date" in text
    assert "rota: not in the crontab: once: at 2030-01-01" in errors
    assert "rota: warning: paused is paused, and not in the crontab" in errors
    assert "true" not in [line for line in text.splitlines() if line[:1] != "#"]


def test_only_the_jobs_that_are_named_are_printed(home):
    home.ok("add", "a", "--cron", "@daily", "--cwd", "/", "--", "true")
    home.ok("add", "b", "--cron", "@daily", "--cwd", "/", "--", "false")
    assert "false" not in home.ok("export", "crontab", "a")
    assert "no job named 'c'" in home.fails(3, "export", "crontab", "c")


def test_the_jobs_of_files_are_printed_without_a_home(home):
    write(home, "c", "# Greet.\n*/5 * * * * echo hi\n")
    assert "# echo-a182: Greet.\n*/5 * * * * echo hi\n" in home.ok("export", "crontab", "-f", "c")
    assert "*/5 * * * * root echo hi\n" in home.ok("export", "crontab", "-f", "c", "--system") or os.geteuid() != 0


def test_only_crontabs_are_written_so_far(home):
    assert "'systemd' is not 'crontab'" in home.fails(2, "export", "systemd")


def test_a_task_that_an_edit_broke_stays_as_it_was(task):
    good = CONFIG.replace("25", "23")
    write(task, "config.yaml", good)
    task.ok("apply", "-f", "config.yaml")
    write(task, "config.yaml", good.replace("0 23 * * *", "0 25 * * *").replace("0 9", "0 10"))
    done = task.call("apply", "-f", "config.yaml")
    assert 0 == done.returncode
    assert "hour must be 0 to 23, not 25; this task is left out" in done.stderr.decode()
    jobs = {job["name"]: job["schedules"][0]["text"] for job in task.json("list")}
    assert {"a": "0 10 * * *", "b": "0 23 * * *"} == jobs


@pytest.fixture
def project(home):
    (home.folder / "myjobs").mkdir()
    (home.folder / "config").mkdir()
    write(home, "config/scheduler.yaml", "jobs_dir: myjobs\n")
    for name in ("one", "two"):
        write(home, f"myjobs/{name}.yaml", JOB.format(name))
    return home


@pytest.mark.parametrize(
    "content",
    [b"", JOB.format("two").encode() + b"# \xe9\n", JOB.format("two").replace("id:", "Id:").encode(), b"{id: two, "],
    ids=["empty", "latin-1", "a capital letter", "an open bracket"],
)
def test_a_job_whose_file_is_damaged_keeps_its_pause_and_its_queued_runs(project, content):
    project.ok("apply", "-f", ".")
    project.ok("pause", "two")
    project.ok("run", "two")
    write(project, "myjobs/one.yaml", JOB.format("one").replace("@daily", "@hourly"))
    (project.folder / "myjobs/two.yaml").write_bytes(content)
    done = project.call("apply", "-f", ".")
    assert (0, True) == (done.returncode, b"this file is left out, the others run" in done.stderr)
    jobs = {job["name"]: (job["paused"], job["schedules"][0]["text"]) for job in project.json("list")}
    assert {"one": (False, "@hourly"), "two": (True, "@daily")} == jobs
    assert [("two", "queued")] == [(run["job"], run["state"]) for run in project.json("runs")]


def test_two_files_with_workers_of_their_own_are_applied_together(home):
    for place, workers in (("a", 1), ("b", 2)):
        (home.folder / place).mkdir()
        text = f"scheduler: {{max_workers: {workers}}}\ntasks: [{{name: {place}, script: x.py, schedule: 5m}}]\n"
        write(home, f"{place}/autocron.yaml", text)
    home.ok("apply", "-f", "a/autocron.yaml", "-f", "b/autocron.yaml")
    assert f"autocron:{home.folder}/b/autocron.yaml" in home.ok("show", "b")
    assert "Nothing to do" in home.ok("apply", "-f", "a/autocron.yaml")
    text = home.ok("import", "b/autocron.yaml")
    assert "pools:\n  autocron-b: 2\n" in text
    assert "    pool: autocron-b\n" in text


def test_a_directory_of_crontabs_is_read_as_it_is(home):
    (home.folder / "cron.d").mkdir()
    write(home, "cron.d/one", "SHELL=/bin/sh\n@daily root echo one\n")
    write(home, "cron.d/two", "@daily root true\n")
    write(home, "cron.d/.placeholder", "not a job\n")
    assert "2 files, 2 jobs: no problem." in home.ok("validate", "-f", "cron.d")


def test_a_crontab_file_is_applied_and_validated_as_it_is(home):
    write(home, "crontab", CRONTAB)
    found = json.loads(home.call("validate", "-f", "crontab", "--json").stdout)
    assert [("error", 4), ("warning", 1)] == [(each["severity"], each["line"]) for each in found]
    write(home, "crontab", "*/5 * * * * echo hi\n")
    home.ok("apply", "-f", "crontab")
    assert ["echo-a182"] == [job["name"] for job in home.json("list")]
