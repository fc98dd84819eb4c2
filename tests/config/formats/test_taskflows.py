"""Taskflows' services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rota.model.action import Command, Shell
from rota.model.policy import CatchUp, Retries
from rota.plan.timetables import timetable_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def one(files, words: str):
    return files.read("services.yaml", f"services:\n  - {{name: a, {words}}}\n")


def test_a_command_is_split_into_words_and_needs_no_shell(files):
    found = one(files, "exec_start: 'uvicorn app:app --host \"0.0.0.0\" --fmt %%d'")
    assert Command(("uvicorn", "app:app", "--host", "0.0.0.0", "--fmt", "%d")) == found.job.action
    assert Command(("python", "x.py")) == one(files, "start_command: [python, x.py]").job.action


def test_a_command_with_a_variable_is_run_by_the_shell_and_that_is_said(files):
    found = one(files, "start_command: 'echo ${HOME}'")
    assert Shell('exec echo "${HOME}"') == found.job.action
    assert "start_command: /bin/sh puts the variables in" in found.said
    assert "a bare $NAME is split at spaces" in one(files, "start_command: echo $HOME").said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "start_command: -false",
            "2:30: start_command: '-' before the program means that its exit code is not looked at",
        ),
        ("start_command: 'a %i'", "2:30: start_command: '%i' is a specifier that only systemd could put in; write"),
        ("start_command: a, working_directory: '%t/a'", "working_directory: '%t' is a specifier"),
        ("start_command: a, env_file: '/etc/%n'", "env_file: '%n' is a specifier"),
        ("start_command: a, env_file: '/etc/*.env'", "env_file: a pattern of several files; name one file"),
    ],
)
def test_what_only_systemd_can_do_is_refused_by_name_and_place(files, words, said):
    found = one(files, words)
    assert [] == found.jobset.jobs
    assert any(said in problem for problem in found.problems), found.problems


def test_specifiers_of_paths_are_put_in(files, monkeypatch):
    monkeypatch.setenv("HOME", str(files.folder))
    files.write("a.env", "A=1\n")
    found = one(files, "start_command: cat %h/a, working_directory: '%h/w', env_file: '%h/a.env'")
    home = str(files.folder)
    assert (Command(("cat", f"{home}/a")), f"{home}/w", (f"{home}/a.env",)) == (
        found.job.action, found.job.cwd, found.job.env_files
    )  # fmt: skip
    assert "" == found.said


def test_a_file_of_variables_that_may_be_missing_is_said_to_be_wanted(files):
    found = one(files, "start_command: a, env_file: -my.env")
    assert (str(files.folder / "my.env"),) == found.job.env_files
    assert "the '-' lets it be missing in Taskflows; here a run fails while it is" in found.said
    assert "my.env is not there now; the job fails until it is" in found.said
    assert 1 == len(found.jobset.notes)


def test_services_may_stand_by_name(files):
    found = files.read("services.yaml", "services:\n  a: {start_command: 'true'}\n  b: {start_command: 'true'}\n")
    assert ["a", "b"] == list(found.jobs)


def test_everything_around_a_command_is_carried_over(files):
    words = (
        "description: D, env: {A: 1, B: on}, env_file: my.env, working_directory: w, timeout: 5m, restart_policy: no"
    )
    job = one(files, f"start_command: 'true', {words}").job
    assert ("D", {"A": "1", "B": "on"}, timedelta(minutes=5), Retries()) == (
        job.description, job.env, job.policy.timeout, job.policy.retries
    )  # fmt: skip
    assert (str(files.folder / "w"), (str(files.folder / "my.env"),)) == (job.cwd, job.env_files)


@pytest.mark.parametrize(
    ("schedule", "slot"),
    [
        ("'Mon..Fri 09:00'", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
        ("'Mon-Fri 16:00'", datetime(2026, 11, 20, 16, 0, tzinfo=UTC)),
        ("'Mon,Wed 16:30:30'", datetime(2026, 11, 23, 16, 30, 30, tzinfo=UTC)),
        ("daily 03:00", datetime(2026, 11, 21, 3, 0, tzinfo=UTC)),
        ("weekly 03:00", datetime(2026, 11, 23, 3, 0, tzinfo=UTC)),
        ("monthly", datetime(2026, 12, 1, tzinfo=UTC)),
        ("'Sun 17:00 America/New_York'", datetime(2026, 11, 22, 22, 0, tzinfo=UTC)),
        ("{schedule: 'Mon..Fri 09:00', accuracy: 1ms}", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
        ("[{type: Calendar, schedule: daily 03:00}, 'Fri 22:00']", datetime(2026, 11, 20, 22, 0, tzinfo=UTC)),
    ],
)
def test_a_calendar_is_systemd_s_with_a_few_liberties(files, monkeypatch, schedule, slot):
    monkeypatch.setenv("TZ", "UTC")
    assert slot == timetable_of(one(files, f"start_command: 'true', schedule: {schedule}").job).next_after(NOW)


@pytest.mark.parametrize(
    ("schedule", "text", "from_end"),
    [
        ("{hours: 1}", "1h", False),
        ("{type: Periodic, minutes: 30}", "30m", False),
        ("{hours: 1, minutes: 30, seconds: 5}", "1h30m5s", False),
        ("{start_on: boot, period: 1h, relative_to: finish}", "1h", True),
        ("{period: 300, relative_to: start}", "5m", False),
    ],
)
def test_a_period_counts_from_the_start_or_from_the_end(files, schedule, text, from_end):
    (spec,) = one(files, f"start_command: 'true', start_schedule: {schedule}").job.schedules
    assert ("every", text, from_end) == (spec.kind, spec.text, spec.from_end)


def test_persistent_means_however_late_and_otherwise_what_was_missed_is_gone(files):
    job = one(files, "start_command: 'true', schedule: daily").job
    assert (CatchUp.LATEST, timedelta(days=36_525)) == (job.policy.catch_up, job.policy.grace)
    job = one(files, "start_command: 'true', schedule: {schedule: daily, persistent: false, randomized_delay: 60}").job
    assert (CatchUp.NONE, timedelta(minutes=1)) == (job.policy.catch_up, job.policy.jitter)


def test_restarting_after_a_failure_is_retrying(files):
    assert 5 == one(files, "start_command: 'true', restart_policy: on-failure").job.policy.retries.count
    policy = "{condition: on-failure, delay: 30, max_attempts: 3}"
    found = one(files, f"start_command: 'true', restart_policy: {policy}")
    retries = found.job.policy.retries
    assert (3, timedelta(seconds=30), 1.0) == (retries.count, retries.delay, retries.backoff)
    assert "" == found.said


@pytest.mark.parametrize(
    ("policy", "retries", "said"),
    [
        ("on-failure", Retries(5), ["is 5 retries here, 10 seconds after the failure"]),
        (
            "{condition: on-failure}",
            Retries(5),
            ["without max_attempts there are 5", "without a delay retries begin 10 s"],
        ),
        ("{condition: on-failure, max_attempts: 0, delay: 0}", Retries(5), ["without max_attempts", "without a delay"]),
        ("{condition: on-failure, max_attempts: 2}", Retries(2), ["without a delay"]),
        (
            "{condition: on-failure, delay: 1m, window: 600}",
            Retries(5, timedelta(minutes=1), 1.0),
            ["without max_attempts", "window: retries are counted for each run"],
        ),
    ],
)
def test_a_restart_without_a_limit_is_no_hot_loop_and_what_it_is_is_said(files, policy, retries, said):
    found = one(files, f"start_command: 'true', restart_policy: {policy}")
    assert retries == found.job.policy.retries
    assert [] == found.problems
    assert len(said) == len(found.warnings) == len(found.jobset.notes)
    assert all(each in found.said for each in said)


def test_a_period_that_begins_when_it_is_told_to_does_not_begin_by_itself(files):
    found = one(files, "start_command: 'true', schedule: [{hours: 1, start_on: command}, daily]")
    assert ["calendar daily"] == [spec.describe() for spec in found.job.schedules]
    assert "runs by hand (rota run NAME); write start_on: boot, and it is due every 1h" in found.said
    assert 1 == len(found.jobset.notes)
    enabled = one(files, "start_command: 'true', schedule: {hours: 1, start_on: command}, enabled: true")
    assert ["every 1h"] == [spec.describe() for spec in enabled.job.schedules]
    assert "start_on: command: it is enabled, so it is due one period after the first apply" in enabled.said


def test_a_start_at_login_is_said_to_need_none(files):
    found = one(files, "start_command: 'true', schedule: {hours: 1, start_on: login}")
    assert "rota runs whether or not somebody is logged in" in found.said


def test_a_period_may_have_a_fraction_and_a_fault_of_it_is_told_once(files):
    (spec,) = one(files, "start_command: 'true', schedule: {hours: 1.5}").job.schedules
    assert "1h30m" == spec.text
    (problem,) = one(files, "start_command: 'true', schedule: {hours: many}").problems
    assert "hours must be a number, not 'many'; such as 5 or 1.5" in problem


def test_what_taskflows_writes_for_a_plain_service_is_read(files):
    words = (
        "type: Service, start_command: 'true', kill_signal: SIGTERM, restart_policy: 'no', enabled: false, wants: []"
    )
    assert "" == one(files, words).said


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("cgroup_config: {memory_limit: 512MB}", "cgroup_config: resource limits come with a later rota"),
        ("memory_limit: 0", "memory_limit: resource limits come with a later rota"),
        ("cpu_quota: 0", "cpu_quota: resource limits"),
        ("oom_score_adj: 0", "oom_score_adj: resource limits"),
        ("limits: {memory: 1GB}", "limits: resource limits come with a later rota"),
        ("cpu_limit: 2", "cpu_limit: resource limits come with a later rota"),
        ("cgroup: {cpu_quota: 60%}", "cgroup: resource limits come with a later rota"),
        ("startup_requirements: [{amount: 1GB}]", "startup_requirements: resource limits"),
        ("environment: {image: python}", "environment: containers come with a later rota; variables go into env"),
        ("volumes: ['/a:/b']", "volumes: containers come with a later rota"),
        ("after: [b]", "after: dependencies between jobs come with a later rota; remove after"),
        ("requires: b", "requires: dependencies between jobs"),
        ("on_failure: b", "on_failure: dependencies between jobs"),
        ("stop_command: b", "stop_command: services that go on come with a later rota"),
        ("stop_schedule: daily", "stop_schedule: services that go on"),
        ("restart_policy: always", "restart_policy 'always' keeps a service going"),
        ("restart_policy: {condition: unless-stopped}", "restart_policy 'unless-stopped' keeps a service going"),
        ("restart_policy: on-abort", "looks at signals only"),
        ("type: notify", "type: a notify service goes on"),
        ("enabled: true", "enabled without a schedule is a service"),
        ("kill_signal: SIGINT", "kill_signal 'SIGINT'"),
        ("alerts: [x]", "alerts: notifications come with a later rota"),
    ],
)
def test_what_comes_later_is_named_in_an_error_and_never_ignored(files, words, what):
    found = one(files, f"start_command: 'true', {words}")
    assert [] == found.jobset.jobs
    assert any(what in problem and problem.startswith("services.yaml:2:") for problem in found.problems), found.problems


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("tiemout: 30s, start_command: x", "unknown key 'tiemout' in this service; did you mean 'timeout'?"),
        ("schedule: daily", "start_command is missing in this service"),
        ("exec_start: a, start_command: b", "exec_start and start_command are both given"),
        ("start_command: 'a \"b'", "2:30: start_command: the quote at character 3 is never closed"),
        (
            "start_command: a, colour: red",
            "unknown key 'colour' in this service; a service may have name, description, start_command, exec_",
        ),
        ("start_command: a, Timeout: 5", "did you mean 'timeout'?"),
        ("start_command: {type: callable}", "a pickled function cannot be started from a file"),
        ("start_command: a, schedule: Mon 25:00", "2:47: schedule 'Mon 25:00': hour must be 0 to 23"),
        ("start_command: a, schedule: {perod: 5m}", "unknown key 'perod' in this schedule; did you mean 'period'?"),
        ("start_command: a, schedule: {period: 0}", "no period, or one without length"),
        ("start_command: a, schedule: {type: Often}", "type 'Often' of a schedule is unknown"),
        ("start_command: a, schedule: {period: 1h, hours: 1}", "period and hours are both given"),
        ("start_command: a, schedule: [[1]]", "a schedule is a text or a mapping, not a list"),
        ("start_command: a, schedule: daily, start_schedule: daily", "both given"),
        ("start_command: a, schedule: [{period: 1h, relative_to: finish}, daily]", "must be the only one"),
        ("start_command: a, restart_policy: onfailure", "did you mean 'on-failure'?"),
        ("start_command: a, env: [A]", "env must be a mapping of names to texts, not a list"),
        ("start_command: a, env: {A: [1]}", "env.A must be text, not a list"),
        ("start_command: a, timeout: 30x", "timeout '30x': unknown unit 'x'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(files, words, said):
    found = one(files, words)
    assert [] == found.jobset.jobs
    assert any(said in problem for problem in found.problems), found.problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: 5\n", "services.yaml:1:11: services must be a list, or a mapping by name"),
        ("services: [5]\n", "a service must be a mapping of keys to values, not '5'"),
        (
            "services: []\nservice: 1\n",
            "services.yaml:2:1: unknown key 'service' in this file; did you mean 'services'?",
        ),
        ("services: [{start_command: a}]\n", "name is missing in this service"),
    ],
)
def test_a_file_that_is_wrong_says_where(files, text, said):
    assert said in files.read("services.yaml", text).said


def test_a_service_that_starts_with_the_machine_and_has_a_schedule_runs_by_its_schedule(files):
    found = one(files, "start_command: 'true', schedule: daily, enabled: true")
    ((_, note),) = found.jobset.notes
    assert note.startswith("enabled: rota starts it by its schedule")
    assert note in found.said
