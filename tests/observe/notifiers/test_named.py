"""Notifiers by name: rota's own, URLs, and those that installed packages bring."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import rota
from rota.errors import BadNotifier, NotTold
from rota.observe.notifiers.named import notifier_named

MODULE = """\
import rota

class Pigeon(rota.Notifier):
    def notify(self, message, title=""):
        print(f"coo: {title}: {message}")

def loft():
    return Pigeon()

class Mute:
    pass

ready = Pigeon()
"""
ENTRIES = """\
[rota.notifiers]
pigeon = pigeons:Pigeon
loft = pigeons:loft
ready = pigeons:ready
mute = pigeons:Mute
absent = pigeons:Gone
lost = nowhere:Gone
log = pigeons:Mute
"""


@pytest.fixture
def installed(tmp_path):
    """A directory with an installed distribution, as pip leaves it."""
    (tmp_path / "pigeons.py").write_text(MODULE)
    info = tmp_path / "rota_pigeons-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rota-pigeons\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    return tmp_path


def in_child(folder, code: str) -> str:
    """Run Python where that distribution is installed."""
    env = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=folder)
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["pigeon", "loft", "ready"])
def test_an_installed_package_brings_a_notifier_by_name(installed, name):
    program = f"""
import rota, sys
assert "pigeons" not in sys.modules
with rota.Scheduler() as scheduler:
    scheduler.add("exit 7", "backup", notify={name!r})
    run = scheduler.trigger("backup").wait()
"""
    said = in_child(installed, program)
    assert said.startswith("coo: rota: backup failed: Run ")
    assert "exit code 7" in said


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pigoen", "there is no notifier 'pigoen'; did you mean 'pigeon'?"),
        ("mute", "the notifier 'mute' has no method notify(message)"),
        ("absent", "of rota-pigeons 1.2 cannot be imported: AttributeError"),
        ("lost", "of rota-pigeons 1.2 cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("desktp", "did you mean 'desktop'?"),
        ("xyzzy", "there are desktop, email, log, absent"),
    ],
)
def test_a_name_that_is_of_no_use_is_told_with_whose_it_is(installed, name, message):
    code = f"import rota\ntry: rota.Scheduler().add('true', 'a', notify={name!r})\nexcept rota.RotaError as e: print(e)"
    said = in_child(installed, code)
    assert message in said
    assert said.startswith("job 'a': ")


def test_what_is_rota_s_own_cannot_be_taken_by_a_package(installed):
    assert "Log()\n" == in_child(
        installed, "from rota.observe.notifiers.named import notifier_named as n; print(n('log'))"
    )


def test_two_packages_of_one_name_are_refused(installed):
    other = installed / "rota_other-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: rota-other\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[rota.notifiers]\npigeon = others:Pigeon\n")
    code = "import rota\ntry: rota.Scheduler().add('true', 'a', notify='pigeon')\nexcept rota.RotaError as e: print(e)"
    assert "the notifier 'pigeon' is in rota-other 1.0 and in rota-pigeons 1.2; uninstall" in in_child(installed, code)


def test_nothing_is_imported_for_a_program_that_notifies_nobody():
    code = """
import sys
import rota, rota.compat.autocron
loaded = {"rich", "apprise", "yaml", "smtplib", "fastapi", "pydantic"} & set(sys.modules)
rota.Scheduler
assert not loaded | ({"rich", "apprise", "yaml", "smtplib", "importlib.metadata"} & set(sys.modules)), loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_log_is_told_in_one_line(caplog):
    notifier_named("log").notify("it failed", "backup")
    assert [("rota.notify", logging.WARNING, "backup: it failed")] == caplog.record_tuples


@pytest.mark.parametrize(
    "make",
    [
        lambda: notifier_named("json://127.0.0.1"),
        lambda: rota.Email("127.0.0.1", to="a@example.com", sender="b@example.com"),
        lambda: notifier_named("desktop"),
    ],
    ids=["url", "mail", "desktop on Windows"],
)
def test_without_apprise_one_sentence_says_what_to_install(monkeypatch, make):
    for module in ("through_apprise", "desktop"):
        monkeypatch.setattr(f"rota.observe.notifiers.{module}.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(BadNotifier, match=r"pip install 'rota\[notify\]'"):
        make()


def test_an_apprise_that_verifies_no_certificate_is_refused(monkeypatch):
    monkeypatch.setattr("rota.observe.notifiers.through_apprise.version", lambda name: "1.13.1")
    with pytest.raises(BadNotifier, match=r"mail needs apprise 2.0 or newer, and 1.13.1 is installed; try: pip"):
        rota.Email("127.0.0.1", to="a@example.com", sender="b@example.com")


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(body.decode())
        self.send_response(200 if self.path == "/good" else 500)
        self.end_headers()

    def log_message(self, *_args):
        pass


@pytest.fixture
def hook():
    with HTTPServer(("127.0.0.1", 0), _Hook) as server:
        server.got = []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_url_of_apprise_is_told_and_its_token_is_not_shown(hook, caplog):
    port = hook.server_address[1]
    made = notifier_named(f"json://user:t0ken@127.0.0.1:{port}/good")
    made.notify("it failed", "backup")
    assert "it failed" in hook.got[0]
    assert "json://…" == repr(made)
    with pytest.raises(NotTold, match="500"):
        notifier_named(f"json://user:t0ken@127.0.0.1:{port}/bad").notify("it failed", "backup")
    assert "t0ken" not in caplog.text
    with pytest.raises(BadNotifier, match="makes nothing of this nonsense:// URL") as told:
        notifier_named("nonsense://t0ken")
    assert "t0ken" not in str(told.value)


def test_who_listens_to_apprise_s_log_hears_no_more_than_before(hook, caplog):
    made = notifier_named(f"json://127.0.0.1:{hook.server_address[1]}/good")
    with caplog.at_level(logging.INFO):
        made.notify("it failed", "backup")
    assert [] == [record.message for record in caplog.records if record.levelno < logging.INFO]
