"""Notifications: to a real mail server, and to a real daemon on a virtual screen."""

from __future__ import annotations

import threading

import pytest

from crash.harness import wait_for
from rota.compat.autocron import AutoCron, SchedulingError
from rota.compat.autocron.errors import NotificationError
from rota.compat.autocron.interface import notifications as newer
from rota.compat.autocron.notifications import (
    PASSWORD,
    DesktopNotifier,
    EmailNotifier,
    NotificationManager,
    Notifier,
    get_notification_manager,
    reset_notification_manager,
)

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
LOGIN = ("me@example.com", "hunter2")


@pytest.fixture
def box(mail_server):
    return mail_server(login=LOGIN, auth_require_tls=False)


def account(port: int, **more) -> dict:
    return {
        "smtp_server": "127.0.0.1",
        "smtp_port": port,
        "from_email": LOGIN[0],
        "to_email": "you@example.com",
        "password": LOGIN[1],
        "use_tls": False,
    } | more


def text_of(letter) -> str:
    return letter.get_body(("plain",)).get_content().strip()


def fails_second(times=[0]):  # noqa: B006 -- counts its own calls
    times[0] += 1
    if times[0] % 2 == 0:
        raise ValueError("größer als erlaubt")


def test_a_task_tells_by_mail_how_it_went(scheduler, box, log):
    scheduler.add_task("Übertragung", fails_second, every="1h", notify="email", email_config=account(box.port))
    assert scheduler.run_task(name="Übertragung")
    assert not scheduler.run_task(name="Übertragung")
    good, bad = box.letters
    assert "AutoCron: Task 'Übertragung' Completed" == good["Subject"]
    assert "AutoCron: Task 'Übertragung' Failed" == bad["Subject"]
    assert ("you@example.com", "Task 'Übertragung' completed in 0.0s") == (good["To"], text_of(good))
    assert text_of(bad).startswith("Task 'Übertragung' failed after 1 attempt: ")
    assert text_of(bad).endswith("größer als erlaubt")
    assert LOGIN[1] not in log()


def test_a_password_may_come_from_the_environment_and_is_in_no_file(scheduler, box, script, monkeypatch, folder):
    said = account(box.port)
    del said["password"]
    with pytest.raises(SchedulingError, match=f"has no password; the password may be .* {PASSWORD}"):
        scheduler.add_task("task", script=script(), every="1h", notify="email", email_config=said)
    monkeypatch.setenv(PASSWORD, LOGIN[1])
    scheduler.add_task("task", script=script(), every="1h", notify="email", email_config=said | {"password": LOGIN[1]})
    path = scheduler.save_tasks("tasks.yaml")
    other = AutoCron(log_path=folder / "other.log")
    other.load_tasks(path)
    assert other.run_task(name="task")
    assert [LOGIN] == box.logins
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert files
    assert [] == [each.name for each in files if LOGIN[1] in each.read_text(errors="replace")]


def test_a_loaded_task_without_its_password_runs_and_the_log_says_what_is_missing(scheduler, box, script, log):
    scheduler.add_task("task", script=script(), every="1h", notify="email", email_config=account(box.port))
    path = scheduler.save_tasks("tasks.yaml")
    scheduler.load_tasks(path, replace=True)
    assert "'task': notify='email': the mail configuration has no password; " in log()
    assert scheduler.run_task(name="task")
    assert [] == box.letters


def test_mail_without_a_configuration_goes_where_the_environment_says(scheduler, box, monkeypatch, log):
    monkeypatch.delenv("ROTA_EMAIL", raising=False)
    scheduler.add_task("first", lambda: None, every="1h", notify="email")
    assert "'first': notify='email': there is no email_config, and notify='email': ROTA_EMAIL is not set" in log()
    where = f"mailto://{LOGIN[0].replace('@', '%40')}:{LOGIN[1]}@127.0.0.1:{box.port}/"
    monkeypatch.setenv("ROTA_EMAIL", f"{where}?from=rota@example.com&to=you@example.com&mode=insecure")
    scheduler.add_task("second", lambda: None, every="1h", notify="email")
    for name in ("first", "second"):
        assert scheduler.run_task(name=name)
    assert ["AutoCron: Task 'second' Completed"] == [letter["Subject"] for letter in box.letters]


@pytest.mark.parametrize("key", ["smtp_server", "smtp_port", "from_email", "to_email", "password"])
def test_what_is_missing_is_told_when_the_task_is_added(scheduler, key):
    said = {name: value for name, value in account(25).items() if name != key}
    with pytest.raises(SchedulingError, match=f"the mail configuration has no {key}"):
        scheduler.add_task("task", print, every="1h", notify="email", email_config=said)
    with pytest.raises(NotificationError, match=key):
        EmailNotifier(said)
    assert {} == scheduler.tasks


def test_an_empty_password_means_that_nobody_logs_in(mail_server):
    box = mail_server()
    EmailNotifier(**account(box.port, password="", to_email=["a@example.com", "b@example.com"])).notify("hello")
    assert ["a@example.com", "b@example.com"] == [letter["To"] for letter in box.letters]
    assert "AutoCron" == box.letters[0]["Subject"]


def test_a_server_that_cannot_be_reached_fails_no_task(scheduler, closed_port, silent_port, log):
    for name, port in (("closed", closed_port), ("silent", silent_port)):
        scheduler.add_task(name, lambda: None, every="1h", notify="email", email_config=account(port, timeout=0.5))
        assert scheduler.run_task(name=name)
    assert "'closed': the notifier notify='email' failed: NotificationError: the mail was not sent" in log()
    assert "timed out" in log()


def test_a_mail_may_be_html(box):
    assert EmailNotifier(account(box.port)).send("title", "plain", html="<p>Größe <b>bold</b></p>")
    assert "<b>bold</b>" in box.letters[0].get_body(("html",)).get_content()
    with pytest.raises(NotificationError, match="535"):
        EmailNotifier(account(box.port, password="wrong")).send("title", "plain")


def test_a_task_tells_on_the_desktop_how_it_went(scheduler, screen):
    scheduler.add_task("sync", lambda: None, every="1h", notify="desktop")
    assert scheduler.run_task(name="sync")
    shown = wait_for(screen.shown, "the notification")
    assert [("AutoCron: Task 'sync' Completed", "Task 'sync' completed in 0.0s")] == shown
    assert DesktopNotifier().send("title", "message", timeout=5)
    wait_for(lambda: ("title", "message") in screen.shown(), "the second one")


def test_where_there_is_no_desktop_the_log_says_so_and_the_task_runs(scheduler, monkeypatch, tmp_path, log):
    monkeypatch.setattr("rota.observe.notifiers.desktop.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    scheduler.add_task("task", lambda: None, every="1h", notify="desktop")
    assert "'task': notify='desktop': nothing here can show a notification" in log()
    assert scheduler.run_task(name="task")
    assert NotificationManager().setup_desktop() is None


def test_a_notifier_that_hangs_holds_up_no_task_and_no_stop(scheduler, monkeypatch):
    monkeypatch.setattr("rota.compat.autocron.outcome._PATIENCE", 0.1)
    monkeypatch.setattr("rota.compat.autocron.runner._TELLING", 0.1)
    freed, heard = threading.Event(), []

    class Hangs:
        def notify(self, message):
            heard.append(message)
            freed.wait(60)

    scheduler.add_task("task", lambda: None, every="1h", notifier=Hangs())
    for _ in range(6):
        assert scheduler.run_task(name="task")
    assert 4 == len(heard), "two wait for their turn"
    scheduler.start(blocking=False)
    scheduler.stop()
    freed.set()


class Keeps(Notifier):
    def __init__(self) -> None:
        self.sent = []

    def send(self, title, message, **kwargs):
        self.sent.append((title, message))
        return True


class Breaks(Notifier):
    def send(self, title, message, **kwargs):
        raise OSError("no network")


def test_a_notifier_of_the_manager_s_is_told_of_tasks_by_its_name(scheduler):
    keeps = Keeps()
    scheduler.notification_manager.add_notifier("chat", keeps)
    scheduler.add_task("task", lambda: None, every="1h", notify=["chat"])
    scheduler.add_task("other", lambda: None, every="1h", notifier=keeps)
    assert scheduler.run_task(name="task")
    assert scheduler.run_task(name="other")
    assert ["AutoCron: Task 'task' Completed", "AutoCron: Task 'other' Completed"] == [title for title, _ in keeps.sent]


def test_the_manager_tells_all_or_some_and_of_each_how_it_went():
    made, keeps = NotificationManager(), Keeps()
    made.add_notifier("keeps", keeps)
    made.add_notifier("breaks", Breaks())
    assert {"keeps": True, "breaks": False} == made.notify("title", "message")
    assert {"keeps": True, "absent": False} == made.notify("title", "message", ["keeps", "absent"])
    made.notify_task_success("task", 1.5)
    made.notify_task_failure("task", "boom", 2, 3, channels=["keeps"])
    made.notify_scheduler_error("broken")
    assert [
        ("AutoCron: Task 'task' Completed", "Task 'task' completed in 1.5s"),
        ("AutoCron: Task 'task' Failed", "Task 'task' failed (attempt 2/3): boom"),
        ("AutoCron: Scheduler Error", "The scheduler reports: broken"),
    ] == keeps.sent[2:]
    assert made.remove_notifier("keeps")
    assert not made.remove_notifier("keeps")


def test_the_manager_refuses_what_cannot_be_told():
    made = NotificationManager()
    with pytest.raises(ValueError, match="cannot be empty"):
        made.add_notifier(" ", Keeps())
    with pytest.raises(TypeError, match="callable send"):
        made.add_notifier("name", object())
    with pytest.raises(NotificationError, match="smtp_server"):
        made.setup_email({})
    assert "mine" == made.setup_email(account(25), name="mine")
    assert LOGIN[0] == made.notifiers["mine"].from_email
    assert LOGIN[1] not in str(vars(made.notifiers["mine"]))


def test_there_is_one_manager_for_all_threads_until_it_is_forgotten():
    found = []
    threads = [threading.Thread(target=lambda: found.append(get_notification_manager())) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert 1 == len({id(each) for each in found})
    reset_notification_manager()
    assert get_notification_manager() is not found[0]


def test_newer_programs_find_the_names_where_they_look():
    assert newer.NotificationManager is NotificationManager
    assert [] == [name for name in newer.__all__ if not hasattr(newer, name)]
