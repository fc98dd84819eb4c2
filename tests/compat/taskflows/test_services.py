"""Schedules and services: their words mean what they mean in a file of Taskflows; what cannot be done is refused."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rota import State
from rota.compat.taskflows import (
    Calendar,
    DockerContainer,
    NotYet,
    Periodic,
    RestartPolicy,
    Schedule,
    Service,
    ServiceRegistry,
    TaskflowsError,
    ValidationError,
    Venv,
    Volume,
)
from rota.compat.taskflows.exceptions import SecurityError
from rota.sdk.times import now
from sdk.conftest import until


def job_of(engine, service):
    service.create()
    return engine.get(service.name).stored.job


# -- schedules --------------------------------------------------------------------------------------------------------


def test_a_period_is_said_in_either_form():
    assert 5400 == Periodic(hours=1, minutes=30).period
    made = Periodic("boot", 60 * 5, "finish")
    assert ("boot", 300, "finish", "1ms", None) == (
        made.start_on,
        made.period,
        made.relative_to,
        made.accuracy,
        made.randomized_delay,
    )
    assert Periodic(minutes=5) == Periodic(start_on="boot", period=300, relative_to="start")
    assert isinstance(made, Schedule)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Periodic, "period must be greater than 0 seconds"),
        (lambda: Periodic("boot", 0, "start"), "period must be greater than 0 seconds"),
        (lambda: Periodic("never", 60), "start_on is 'never'; it must be one of: boot, login, command"),
        (lambda: Periodic("boot", 60, "end"), "relative_to is 'end'; it must be one of: start, finish"),
        (lambda: Periodic(period=60, minutes=1), "both given; one is enough"),
        (lambda: Calendar("Mon..Fri 25:00"), "25"),
        (lambda: Calendar(5), "a calendar's schedule is a text"),
        (lambda: Calendar("daily", accuracy=""), "accuracy is ''"),
    ],
)
def test_a_schedule_that_means_nothing_is_refused_when_it_is_made(make, said):
    with pytest.raises(ValidationError, match=said) as refused:
        make()
    assert isinstance(refused.value, ValueError)


def test_next_runs_are_shown_by_the_clock_of_a_zone():
    found = Calendar("Mon-Fri 09:00").next_runs(10, "America/New_York")
    assert 10 == len(found) == len(set(found))
    assert {"Mon", "Tue", "Wed", "Thu", "Fri"} == {text.split()[0] for text in found}
    assert {("09:00:00", zone) for zone in ("EST", "EDT")} >= {tuple(text.split()[2:]) for text in found}
    assert 5 == len(Calendar("daily 03:00").next_runs())
    first, second = Periodic(minutes=30).next_runs(2, "UTC")
    gap = datetime.strptime(second[4:23], "%Y-%m-%d %H:%M:%S") - datetime.strptime(first[4:23], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 -- both in UTC
    assert timedelta(minutes=30) == gap


def test_a_calendar_may_be_one_instant():
    instant = datetime(2040, 1, 31, 10, 30, tzinfo=ZoneInfo("Europe/Rome"))
    assert ["Tue 2040-01-31 09:30:00 UTC"] == Calendar.from_datetime(instant).next_runs(5, "UTC")
    assert ["Tue 2040-01-31 09:30:00 UTC"] == Calendar.from_datetime(instant.astimezone(UTC)).next_runs(5, "UTC")
    wall = now().replace(tzinfo=None, microsecond=0) + timedelta(days=1)
    assert [f"{wall:%a %Y-%m-%d %H:%M:%S}"] == [text[:23] for text in Calendar.from_datetime(wall).next_runs(5)]


# -- services ---------------------------------------------------------------------------------------------------------


def test_a_service_s_words_are_a_job_s(engine, folder):
    (folder / "report.env").write_text("FROM_FILE=yes\n")
    service = Service(
        name="report",
        start_command="python3 report.py --format text",
        start_schedule=Calendar("Mon..Fri 09:00", randomized_delay=60),
        restart_policy=RestartPolicy("on-failure", delay=30, max_attempts=3),
        timeout=300,
        environment={"LEVEL": "debug", "ONE": 1},
        env={"LEVEL": "info"},
        env_file="report.env",
        working_directory="%h",
        description="The report of the day",
    )
    job = job_of(engine, service)
    assert ("python3", "report.py", "--format", "text") == job.action.argv
    assert ["calendar Mon..Fri 09:00"] == [spec.describe() for spec in job.schedules]
    retries = job.policy.retries
    assert (3, 30, 1) == (retries.count, retries.delay.total_seconds(), retries.backoff)
    assert (300, 60, 36_525) == (
        job.policy.timeout.total_seconds(),
        job.policy.jitter.total_seconds(),
        job.policy.grace.days,
    )
    assert {"LEVEL": "info", "ONE": "1"} == job.env
    assert ((str(folder / "report.env"),), str(folder)) == (job.env_files, job.cwd)
    assert (service.exec_start, service.schedule) == (service.start_command, service.start_schedule)


def test_several_schedules_are_all_taken(engine):
    schedules = ["daily 03:00", Calendar("Sun 17:00 America/New_York", persistent=False), Periodic(hours=1)]
    service = Service("often", exec_start=["echo", "often"], schedule=schedules)
    job = job_of(engine, service)
    assert ["calendar *-*-* 03:00", "calendar Sun 17:00 America/New_York", "every 1h"] == [
        spec.describe() for spec in job.schedules
    ]
    assert 4 == len(service.next_runs(4))


def test_what_is_missed_is_caught_up_only_where_a_calendar_is_persistent(engine):
    service = Service("exact", "true", schedule=Calendar("daily 03:00", persistent=False))
    assert "none" == job_of(engine, service).policy.catch_up
    assert job_of(engine, Service("free", "true", schedule=Periodic("boot", 60, "finish"))).schedules[0].from_end


def test_a_service_that_waits_for_a_command_has_no_schedule_and_says_so(engine, caplog):
    service = Service("by-hand", "true", schedule=Periodic("command", 60, "start"))
    assert () == job_of(engine, service).schedules
    assert "start() runs it once" in caplog.text
    assert 1 == len(job_of(engine, Service("on", "true", schedule=Periodic("command", 60), enabled=True)).schedules)


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ({"memory_limit": "1G"}, NotYet, "memory_limit: resource limits come with a later rota; remove memory_limit"),
        ({"cgroup_config": object()}, NotYet, "cgroup_config: resource limits come with a later rota"),
        ({"requires": "db"}, NotYet, "requires: dependencies between jobs come with a later rota"),
        ({"start_after": ["db"]}, NotYet, "start_after: dependencies between jobs come with a later rota"),
        ({"stop_schedule": "daily"}, NotYet, "stop_schedule: services that go on come with a later rota"),
        (
            {"environment": "conda"},
            NotYet,
            "environment: environments such as that of service 'x' .* come with a later",
        ),
        ({"type": "notify"}, NotYet, "type='notify': services that go on come with a later rota"),
        ({"restart_policy": "always"}, ValidationError, "'always' keeps a service going; those come with a later rota"),
        ({"restart_policy": "on-failur"}, ValidationError, r"'on-failur' is unknown; did you mean 'on-failure'\?"),
        ({"type": "simpel"}, ValidationError, r"type is 'simpel'; did you mean 'simple'\?"),
        ({"kill_signal": "SIGINT"}, ValidationError, "rota ends a job with SIGTERM, and then with SIGKILL"),
        ({"retires": 3}, ValidationError, "a service has no 'retires'"),
        ({"descripton": ""}, ValidationError, r"a service has no 'descripton'; did you mean 'description'\?"),
        ({"schedule": 5}, ValidationError, "5 is no schedule; give a Calendar or a Periodic"),
        ({"schedule": "daily", "start_schedule": "daily"}, ValidationError, "are both given; one is enough"),
        ({"exec_start": "-false"}, ValidationError, "its exit code is not looked at"),
        ({"exec_start": lambda: None}, ValidationError, "cannot be imported"),
        ({"exec_start": ""}, ValidationError, "start_command is required"),
        ({"name": ""}, ValidationError, "Service name is required"),
        ({"working_directory": "/srv/%i"}, ValidationError, "'%i' is a specifier that only systemd could put in"),
    ],
)
def test_a_word_that_rota_cannot_keep_is_refused_with_a_sentence(words, kind, said):
    with pytest.raises(kind, match=said) as refused:
        Service(**{"name": "x", "exec_start": "true"} | words)
    assert isinstance(refused.value, TaskflowsError)


def test_a_word_without_a_value_is_none():
    assert Service("x", "true", requires=None, cgroup_config=None).name == "x"


def test_everything_that_comes_later_says_so():
    for make in (lambda: DockerContainer(image="x"), lambda: Volume("/a", "/b"), lambda: Venv("science")):
        with pytest.raises(NotYet, match="come with a later rota"):
            make()
    for what in (Service("x", "true").show_files, Service("x", "true").render_unit_files):
        with pytest.raises(NotYet, match="files of systemd's units come with a later rota"):
            what()
    assert issubclass(SecurityError, TaskflowsError)


def test_a_function_of_a_module_is_called_by_whoever_serves_the_home(program, engine, folder):
    program.write("def report():\n    print('from the module')\n", "reports.py")
    sys.path.insert(0, str(folder))
    try:
        import reports

        service = Service("report", reports.report)
        assert State.SUCCEEDED is engine.handle(service.start()).wait(60).state
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("reports", None)
    assert "from the module" == service.logs()


def test_a_service_is_stopped_and_restarted(engine, folder):
    service = Service("slow", "sh -c 'echo $$ >> pids; exec sleep 1000'", schedule="daily 03:00")
    first = engine.handle(service.start())
    until((folder / "pids").exists, "it runs")
    assert "running" == service.status()["state"]
    second = engine.handle(service.restart())
    assert State.CANCELLED is first.wait(30).state
    service.stop(timers=True)
    assert State.CANCELLED is second.wait(30).state
    assert (False, "cancelled") == (service.status()["enabled"], service.status()["last_state"])


def test_without_an_engine_a_run_waits_for_one(folder):
    service = Service("later", "true", home=folder / "other")
    service.start()
    assert ("waiting", "queued") == tuple(service.status()[word] for word in ("state", "last_state"))
    service.stop()
    assert "cancelled" == service.status()["last_state"]


def test_what_the_home_does_not_have_is_an_error_of_taskflows():
    with pytest.raises(TaskflowsError, match="no job named 'x'"):
        Service("x", "true").remove()


def test_a_registry_does_with_all_what_a_service_does_with_itself(engine):
    registry = ServiceRegistry(Service("a", "true"))
    registry.add(Service("b", "true", schedule="daily"))
    registry["c"] = Service("c", "true")
    registry.create()
    registry.disable()
    assert ["a", "b", "c"] == registry.names == [service.name for service in registry]
    assert (True, False, 3) == ("a" in registry, "z" in registry, len(registry))
    assert [False] * 3 == [service.status()["enabled"] for service in registry.services]
    registry.enable()
    registry.start()
    registry.stop()
    registry.restart()
    registry.remove()
    assert not any(service.exists for service in registry)
