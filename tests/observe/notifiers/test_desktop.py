"""Notifications on a desktop: a real daemon on a virtual screen."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from crash.harness import require, wait_for
from rota.errors import BadNotifier, NotTold
from rota.observe.notifiers.desktop import Desktop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="dunst and Xvfb are Linux's")
CODE = """\
import sys
if sys.argv[1] == "program":
    sys.modules["dbus"] = None
from rota.observe.notifiers.desktop import Desktop
made = Desktop()
assert (made._channel is None) == (sys.argv[1] == "program")
made.notify("Größe < 5 & <b>more</b>\\n-- second line", "--rota: 'backup' fehlgeschlagen 🚀")
"""


@pytest.mark.parametrize("way", ["program", "apprise"])
def test_a_notification_is_shown_with_its_title_and_every_letter(screen, way):
    """A process of its own for each: D-Bus's library and apprise look once what the machine can do."""
    require("dbus-python", there=way == "program" or find_spec("dbus") is not None)
    done = subprocess.run([sys.executable, "-c", CODE, way], env=screen.environment, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)
    shown = wait_for(screen.shown, "the notification")
    assert [
        ("--rota: 'backup' fehlgeschlagen 🚀", "Größe &lt; 5 &amp; &lt;b&gt;more&lt;/b&gt;\n-- second line")
    ] == shown


@pytest.fixture
def without_apprise(monkeypatch):
    monkeypatch.setattr("rota.observe.notifiers.desktop.find_spec", lambda name: None)


def test_where_nobody_sits_the_reason_is_told(without_apprise, monkeypatch, tmp_path):
    require("notify-send", there=subprocess.run(["which", "notify-send"], capture_output=True).returncode == 0)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")
    with pytest.raises(NotTold, match="notify-send: "):
        Desktop().notify("hello", "title")


def test_where_nothing_can_show_it_the_advice_is_told(without_apprise, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        BadNotifier, match=r"nothing here can show .* install notify-send .* pip install 'rota\[notify\]'"
    ):
        Desktop()
