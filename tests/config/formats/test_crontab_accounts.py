"""As whom the lines of a crontab run: never as root because nobody knew."""

from __future__ import annotations

import os
import pwd
from typing import NamedTuple

import pytest

from rota.model.action import Shell

ME = pwd.getpwuid(os.geteuid()).pw_name
SPOOLS = ["var/spool/cron/crontabs", "var/spool/cron", "var/spool/cron/tabs", "var/cron/tabs", "crontabs"]


class Entry(NamedTuple):
    """What is known of a user."""

    pw_name: str
    pw_dir: str


@pytest.fixture
def users(monkeypatch, tmp_path):
    """Make rota root's, on a machine with root, ann who has a home, and www-data who has none."""
    (tmp_path / "ann").mkdir()
    known = {
        "root": Entry("root", "/"),
        "ann": Entry("ann", str(tmp_path / "ann")),
        "www-data": Entry("www-data", str(tmp_path / "gone")),
    }
    monkeypatch.setattr(pwd, "getpwnam", lambda name: known[name])
    monkeypatch.setattr(pwd, "getpwuid", lambda _: known["root"])
    monkeypatch.setattr(pwd, "getpwall", lambda: list(known.values()))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return known


@pytest.mark.parametrize("spool", SPOOLS)
def test_in_cron_s_spool_a_file_is_named_after_the_user_of_its_lines(files, users, spool):
    job = files.read(f"{spool}/ann", "@daily id\n").job
    assert ("ann", users["ann"].pw_dir, Shell("id")) == (job.user, job.cwd, job.action)
    assert {"SHELL": "/bin/sh"} == job.env
    assert None is files.read(f"{spool}/root", "@daily id\n").job.user


def test_a_whole_spool_runs_each_line_as_its_user(files, users):
    for name in users:
        files.write(f"spool/cron/crontabs/{name}", "@daily pwd\n")
    found = {name: files.read(f"spool/cron/crontabs/{name}") for name in users}
    assert {"root.pwd": None, "ann.pwd": "ann", "www-data.pwd": "www-data"} == {
        name: job.user for each in found.values() for name, job in each.jobs.items()
    }


@pytest.mark.parametrize("form", [None, "crontab", "system-crontab"])
def test_there_no_word_in_a_line_makes_it_another_user_s(files, users, form):
    job = files.read("spool/cron/ann", "@daily root id\n", form).job
    assert ("ann", Shell("root id")) == (job.user, job.action)


def test_a_link_to_the_spool_is_the_spool(files, users):
    files.write("spool/cron/crontabs/ann", "@daily id\n")
    (files.folder / "link").symlink_to("spool/cron/crontabs/ann")
    (files.folder / "all").symlink_to("spool/cron/crontabs")
    assert ["ann", "ann"] == [files.read(name).job.user for name in ("link", "all/ann")]


def test_a_file_of_the_spool_that_is_no_user_s_is_an_error(files, users):
    found = files.read("spool/cron/crontabs/ghost", "@daily id\n")
    assert {} == found.jobs
    assert "crontabs/ghost:1:1: a file in cron's spool is called as its user, and there is no user named" in found.said


def test_a_yaml_in_the_text_of_the_spool_is_no_job_file(files, users):
    found = files.read("spool/cron/crontabs/ann", "jobs: {a: {run: id}}\n")
    assert ({}, "crontab") == (found.jobs, found.jobset.format)
    assert "'jobs:' is no part of a schedule" in found.said


def test_who_is_not_root_cannot_run_another_user_s_crontab(files, users, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: users["ann"])
    found = files.read("spool/cron/crontabs/www-data", "@daily id\n")
    assert {} == found.jobs
    assert "this is the crontab of www-data, and ann cannot run jobs as another user; run rota as root" in found.said
    assert None is files.read("spool/cron/crontabs/ann", "@daily id\n").job.user


def test_a_user_that_nobody_knows_is_told_at_its_column(files, users):
    found = files.read("cron.d/x", "@daily  anne id\n@daily root id\n")
    assert ["cron.d/x:1:9: there is no user named 'anne' on this machine; did you mean 'ann'?"] == found.problems
    assert 1 == len(found.jobs)


def test_a_home_that_is_missing_is_told_once_and_the_job_runs_in_the_root_directory(files, users):
    found = files.read("cron.d/x", "@daily www-data id\n@hourly www-data id\n@daily ann id\n")
    assert ["/", "/", users["ann"].pw_dir] == [job.cwd for job in found.jobs.values()]
    (warning,) = found.warnings
    assert warning.startswith(f"cron.d/x:1:1: {users['www-data'].pw_dir}, which is the home of www-data here, is not")
    job = files.read("crontab", "HOME=/no/such\n@daily id\n").job
    assert ("/", "/no/such") == (job.cwd, job.env["HOME"])


def test_the_shell_is_cron_s_and_the_home_its_own_whatever_the_engine_s_are(files):
    env = files.read("x", "@daily echo $SHELL\n").job.env
    assert {"SHELL": "/bin/sh", "HOME": os.path.expanduser("~")} == env
    assert "/bin/bash" == files.read("x", "SHELL=/bin/bash\n@daily echo\n").job.env["SHELL"]
