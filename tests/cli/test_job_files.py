"""`rota apply`, `diff`, `validate`, `schema`, and where job files and their homes are."""

from __future__ import annotations

import json
import os
import re

import pytest

JOBS = """
jobs:
  backup: {run: echo done, cron: "30 2 * * *", timezone: UTC}
  poll: {run: [curl, -fsS, example.org], every: 5m, timeout: 1m}
"""


@pytest.fixture
def file(home):
    path = home.folder / "rota.yaml"
    path.write_text(JOBS)
    return path


def test_apply_makes_the_jobs_of_the_file_here(home, file):
    told = home.ok("apply")
    assert "+ backup  " in told
    assert told.endswith("Applied: 2 added.\n")
    assert ["backup", "poll"] == [job["name"] for job in home.json("list")]
    assert {f"file:{file}"} == {job["origin"] for job in home.json("list")}
    assert f"made   from {file}, " in home.ok("show", "poll")


def test_applying_again_reads_nothing_and_changes_nothing(home, file):
    home.ok("apply")
    assert "Nothing to do: 2 jobs unchanged.\n" == home.ok("apply")
    assert 2 == home.json("apply")["unchanged"]
    file.write_text(JOBS + "# a comment\n")
    assert "Nothing to do: 2 jobs unchanged.\n" == home.ok("apply")


def test_what_is_worth_a_warning_is_said_each_time(home):
    (home.folder / "rota.yaml").write_text("jobs: {a: {run: x, cwd: gone}}")
    for _ in range(2):
        done = home.call("apply")
        assert (0, True) == (done.returncode, b"gone is not there now; the job fails until it is" in done.stderr)


def test_an_empty_directory_is_said(home):
    (home.folder / "rota.d").mkdir()
    done = home.call("validate")
    assert b"rota.d:1:1: there is no job file in this directory; they end in .yaml, .yml, .json" in done.stderr
    assert b"0 files, 0 jobs: no problem.\n" == done.stdout


def test_a_file_that_has_become_an_empty_directory_is_an_error(home, file):
    home.ok("apply", "-f", "rota.yaml")
    file.unlink()
    file.mkdir()
    for verb in ("apply", "diff", "validate"):
        assert "rota.yaml:1:1: there is no job file in this directory" in home.fails(2, verb, "-f", "rota.yaml")
    assert ["backup", "poll"] == [job["name"] for job in home.json("list")]


def test_a_file_without_a_name_is_a_variable_that_is_not_set(home, file):
    for verb in ("apply", "diff", "validate", "serve"):
        told = home.fails(2, verb, "-f", "")
        assert 'rota: -f needs the name of a file or a directory, not ""; is a variable not set?\n' == told
    assert [] == home.json("list")


def test_a_pool_stays_when_it_is_taken_out_of_the_file(home):
    path = home.folder / "rota.yaml"
    path.write_text("pools: {db: 3}\njobs: {a: {run: x, pool: db}}")
    assert "pool db: new, 3" in home.ok("apply")
    path.write_text("jobs: {a: {run: x, pool: db}}")
    done = home.call("apply")
    assert b"Nothing to do: 1 job unchanged.\n" == done.stdout
    assert b"pool 'db' is in none of these files; unless it is there already, it will have 1 place" in done.stderr


def test_a_path_behind_a_link_is_the_file_that_cat_shows(home):
    (home.folder / "far" / "deep").mkdir(parents=True)
    (home.folder / "link").symlink_to("far/deep")
    for folder, name in ((home.folder / "far", "far"), (home.folder, "here")):
        (folder / "r.yaml").write_text(f"jobs: {{{name}: {{run: x}}}}")
    home.ok("apply", "--home", str(home.path), "-f", "link/../r.yaml")
    assert [("far", f"file:{home.folder}/link/../r.yaml")] == [
        (job["name"], job["origin"]) for job in home.json("list")
    ]


def test_a_job_that_was_removed_by_hand_comes_back(home, file):
    home.ok("apply")
    home.ok("remove", "poll")
    assert "Applied: 1 added, 1 unchanged.\n" in home.ok("apply")


def test_a_variable_that_changed_is_a_change_although_the_file_is_the_same(home):
    (home.folder / "rota.yaml").write_text("jobs: {a: {run: [echo, '${WHO:-nobody}']}}")
    home.ok("apply")
    assert "run: echo nobody → echo me" in home.ok("apply", env={"WHO": "me"})


def test_a_dry_run_and_a_diff_say_the_same_and_do_nothing(home, file):
    shown = home.ok("diff")
    assert "Would apply: 2 added. Revision 0.\n" in shown
    dry = home.ok("apply", "--dry-run")
    times = r"\d\d:\d\d:\d\d"  # an interval counts from now
    assert re.sub(times, "", shown) == re.sub(times, "", dry)
    assert [] == home.json("list")


def test_a_diff_makes_no_home(home, file):
    home.ok("diff", "--home", str(home.folder / "fresh"))
    assert not (home.folder / "fresh").exists()


def test_a_diff_shows_words_firings_and_running_runs(home, file):
    home.ok("apply")
    home.ok("pause", "backup")
    file.write_text(JOBS.replace("30 2", "45 3").replace("poll: {run: [curl, -fsS, example.org]", "pull: {run: x"))
    shown = home.ok("diff")
    for words in (
        "~ backup (paused)\n    schedules: cron 30 2 * * * → cron 45 3 * * *\n    fires before: ",
        "+ pull  ",
        "- poll  its history stays",
        "Would apply: 1 added, 1 changed, 1 removed.",
    ):
        assert words in shown
    found = home.json("diff")
    assert (["pull"], ["backup"], ["poll"]) == tuple(
        [job["name"] for job in found[kind]] for kind in ("added", "changed", "removed")
    )
    assert found["changed"][0]["next_before"][0].endswith("T02:30:00.000Z")
    assert found["changed"][0]["next_after"][0].endswith("T03:45:00.000Z")


def test_a_running_run_is_named_and_goes_on_under_its_definition(home):
    file = home.folder / "rota.yaml"
    file.write_text("jobs: {long: {run: 'while [ ! -e go ]; do sleep 0.05; done; echo old'}}")
    home.serve()
    with home.start("run", "long", "--wait") as run:
        while not home.json("runs", "--state", "running"):
            pass
        file.write_text("jobs: {long: {run: 'echo new'}}")
        assert "is running; it would go on under the definition that it was made with" in home.ok("diff")
        home.call("apply")
        (home.folder / "go").touch()
        assert b"old" in run.communicate(timeout=30)[0]
    assert "new" in home.ok("run", "long", "--wait")


def test_prune_removes_the_jobs_of_files_that_have_vanished(home):
    for name in ("a", "b"):
        (home.folder / f"{name}.yaml").write_text(f"jobs: {{{name}: {{run: x}}}}")
    home.ok("apply", "-f", "a.yaml", "-f", "b.yaml")
    (home.folder / "b.yaml").unlink()
    kept = home.ok("apply", "-f", "a.yaml")
    assert "stays, although" in home.ok("diff", "-f", "a.yaml")
    assert "Nothing to do" in kept
    assert "- b" in home.ok("apply", "-f", "a.yaml", "--prune")
    assert ["a"] == [job["name"] for job in home.json("list")]


def test_a_directory_is_its_files_without_what_editors_leave(home):
    (home.folder / "rota.d").mkdir()
    for name in ("a.yaml", "b.yml", "c.json", ".hidden.yaml", "d.yaml~", "e.yaml.bak", "notes.txt"):
        (home.folder / "rota.d" / name).write_text(json.dumps({"jobs": {name[0]: {"run": "x"}}}))
    home.ok("apply")
    assert ["a", "b", "c"] == [job["name"] for job in home.json("list")]


def test_every_problem_of_all_files_comes_at_once_and_nothing_is_changed(home, file):
    home.ok("apply")
    (home.folder / "more.yaml").write_text("jobs:\n  a: {rn: x}\n")
    file.write_text(JOBS + "  bad: {run: x, cron: '61 * * * *', retires: 3}\n")
    told = home.fails(2, "apply", "-f", "rota.yaml", "-f", "more.yaml")
    assert [
        "more.yaml:2:7: unknown key 'rn'; did you mean 'run'?",
        "rota.yaml:5:23: cron '61 * * * *': minute must be 0 to 59, not 61; such as 5, 1-5, */5 or 1,3,5",
        "rota.yaml:5:37: unknown key 'retires'; did you mean 'retries'?",
        "rota: 3 problems in the job files; nothing was changed",
    ] == told.splitlines()
    assert told == home.fails(2, "diff", "-f", "rota.yaml", "-f", "more.yaml")
    assert 2 == len(home.json("list"))


def test_validate_tells_problems_to_people_and_to_editors(home, file):
    assert "1 file, 2 jobs: no problem.\n" == home.ok("validate")
    assert [] == home.json("validate")
    file.write_text("jobs:\n  a: {run: x, retires: 3, cwd: gone}\n")
    done = home.call("validate", "--json")
    assert 2 == done.returncode
    error, warning = json.loads(done.stdout)
    assert error == {
        "file": "rota.yaml",
        "line": 2,
        "column": 15,
        "severity": "error",
        "message": "unknown key 'retires'",
        "hint": "did you mean 'retries'?",
    }
    assert ("warning", 2) == (warning["severity"], warning["line"])
    told = home.fails(2, "validate")
    assert told.splitlines()[-1] == "rota: 1 problem in 1 file"


def test_validate_touches_no_store(home, file):
    home.ok("validate", "--home", str(home.folder / "fresh"))
    assert not (home.folder / "fresh").exists()


def test_names_that_belong_to_somebody_else_are_conflicts(home, file):
    home.ok("add", "backup", "--", "true")
    told = home.fails(4, "apply")
    assert told.startswith("rota.yaml:3:3: job 'backup' was made by hand and is kept apart from files; remove it first")
    assert ["hand"] == [job["origin"] for job in home.json("list")]


def test_a_revision_that_has_passed_is_refused(home, file):
    revision = home.json("diff")["revision"]
    home.ok("add", "somebody", "--", "true")
    told = home.fails(4, "apply", "--revision", str(revision))
    assert f"the jobs are at revision {revision + 1}, not {revision}" in told
    home.ok("apply", "--revision", str(revision + 1))


def test_two_appliers_at_once_never_mix(home):
    for number in range(6):
        jobs = "".join(f"  job-{n}: {{run: 'echo {number}'}}\n" for n in range(300))
        (home.folder / f"{number}").mkdir()
        (home.folder / f"{number}" / "rota.yaml").write_text(f"jobs:\n{jobs}")
    (home.folder / "rota.yaml").write_text("jobs: {}")
    running = []
    for number in range(6):
        link = home.folder / f"link{number}"
        link.symlink_to(home.folder / str(number) / "rota.yaml")
        os.replace(link, home.folder / "rota.yaml")
        running.append(home.start("apply"))
    codes = {process.wait(30) for process in running}
    for process in running:
        process.communicate()
    assert codes <= {0, 4}
    jobs = home.json("list")
    assert (300, 1) == (len(jobs), len({json.dumps(job["action"]) for job in jobs}))


def test_a_missing_file_and_no_file_at_all_are_told(home):
    assert "there is no rota.yaml, rota.yml or rota.d in" in home.fails(2, "apply")
    assert "gone.yaml:1:1: it cannot be read: No such file" in home.fails(2, "apply", "-f", "gone.yaml")


def test_an_unknown_format_is_told_with_the_known_ones(home, file):
    assert "there is no format 'cronttab'; did you mean 'crontab'?" in home.fails(2, "apply", "--format", "cronttab")


def test_the_schema_is_json(home):
    assert "JobDocument" in json.loads(home.ok("schema"))["$defs"]


def test_a_home_is_beside_the_job_file_in_use(home):
    deep = home.folder / "project" / "deep"
    deep.mkdir(parents=True)
    home.path.rename(home.folder / "elsewhere")
    (home.folder / "project" / "rota.yaml").write_text(JOBS)
    home.ok("apply", cwd=home.folder / "project")
    assert (home.folder / "project" / ".rota" / "rota.db").exists()
    assert "backup" in home.ok("list", cwd=deep), "the nearest home above"
    home.ok("apply", "-f", "project/rota.yaml")
    assert not (home.folder / ".local").exists()


def test_the_user_s_own_job_file_is_used_where_there_is_none_here(home):
    config = home.folder / ".config" / "rota"
    config.mkdir(parents=True)
    (config / "rota.yaml").write_text(JOBS)
    (home.folder / "somewhere").mkdir()
    home.ok("apply", cwd=home.folder / "somewhere")
    assert {f"file:{config}/rota.yaml"} == {job["origin"] for job in home.json("list")}


def test_a_list_without_jobs_points_at_the_file_that_is_here(home, file):
    assert "Those of rota.yaml come with: rota serve, or rota apply" in home.ok("list")


def test_secrets_are_shown_as_places(home):
    (home.folder / "token").write_text("s3cret")
    (home.folder / "rota.yaml").write_text("jobs: {a: {run: x, env: {TOKEN: {from: 'file:token'}}, env_file: token}}")
    home.ok("apply")
    assert {"TOKEN": f"file:{home.folder}/token"} == home.json("show", "a")["secrets"]
    shown = home.ok("show", "a")
    assert f"TOKEN from file:{home.folder}/token" in shown
    assert b"s3cret" not in (home.path / "rota.db").read_bytes()


def test_ten_thousand_jobs_are_applied(home):
    jobs = "".join(f"  job-{n:05}:\n    run: echo {n}\n    cron: '{n % 60} {n % 24} * * *'\n" for n in range(10_000))
    (home.folder / "rota.yaml").write_text(f"jobs:\n{jobs}")
    told = home.ok("apply")
    assert "(10,000 of a kind; the first 20 are shown, --json has all)" in told
    assert "Applied: 10,000 added.\n" in told
    assert "Nothing to do: 10,000 jobs unchanged.\n" == home.ok("apply")


def test_a_file_may_set_up_the_engine_and_flags_go_first(home):
    (home.folder / "rota.yaml").write_text("engine: {capacity: 3, log_file: logs/copy.log}\njobs: {a: {run: x}}\n")
    home.serve()
    assert ", 3 at once)" in (home.path / "rota.log").read_text()
    home.stop()
    home.serve("--capacity", "5")
    assert ", 5 at once)" in (home.path / "rota.log").read_text()


def test_an_engine_shows_the_files_that_it_cannot_read_and_does_not_start(home):
    assert "gone.yaml:1:1: it cannot be read" in home.fails(2, "serve", "-f", "gone.yaml")
    assert not (home.path / "rota.log").exists()


def test_a_diff_says_when_a_job_for_the_start_of_the_machine_fires(home):
    path = home.folder / "rota.yaml"
    path.write_text("jobs:\n  a: {run: x, at: BOOT}\n  b: {run: x, at: boot, cron: '0 9 * * *', timezone: UTC}\n")
    told = home.ok("diff")
    assert "+ a  when the machine starts\n" in told
    assert re.search(r"\+ b  .*09:00, .*09:00, .*09:00, when the machine starts\n", told)
    home.ok("apply")
    path.write_text("jobs:\n  a: {run: x, at: boot}\n  b: {run: x, at: boot}\n")
    told = home.ok("diff")
    assert "fires after:  when the machine starts\n" in told
    assert "Would apply: 1 changed" in told, "however the word is written, it is the same"
