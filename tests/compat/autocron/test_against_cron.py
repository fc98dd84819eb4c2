"""Tasks that are handed over to the real cron: created, run, removed.

cron runs in namespaces of its own with an empty spool, so that the machine's own crontabs are neither read nor changed,
and a minute passes for it in each second. What it starts lives in the usual time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crash.harness import require, wait_for
from examples.test_against_cron import faketime

INSIDE = """\
set -e
mount -t tmpfs -o mode=1730,gid=crontab none /var/spool/cron/crontabs
mount -t tmpfs none /etc/cron.d
mount -t tmpfs none /run
mount --bind /dev/null /etc/crontab
exec env TZ=UTC LD_PRELOAD="$1" FAKETIME="+0 x60" cron -f
"""
CREATE = """\
import sys
from rota.compat.autocron import AutoCron
from rota.compat.autocron.os_adapters import get_os_adapter
raw, script = sys.argv[1:]
made = AutoCron(log_path="autocron.log", use_os_scheduler=True)
made.add_task("50% 'off' #1", script=script, every="1m")
made.add_task("a", script=script, cron="* * * * *")
get_os_adapter().create_scheduled_task("raw %\\n#", raw, "* * * * *")
print(made.os_adapter.list_tasks())
"""
REMOVE = """\
from rota.compat.autocron.os_adapters import get_os_adapter
adapter = get_os_adapter()
assert not adapter.remove_task("50%")
assert adapter.remove_task("50% 'off' #1") and adapter.remove_task("raw %\\n#")
print(adapter.list_tasks())
"""


class Cron:
    """The real cron, in namespaces of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder = folder
        self._env = {**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8"}
        spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._process = subprocess.Popen(
            [*spaces, "sh", "-c", INSIDE, "sh", faketime()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            self._inside = wait_for(self._pid, "cron's start", seconds=30)
        except BaseException:
            self.stop()
            raise

    def _pid(self) -> str:
        """Return the process of cron itself, which comes after the mounts."""
        assert self._process.poll() is None, self._process.communicate()[0].decode()
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return next((pid for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == "cron"), "")

    def run(self, *argv: str) -> str:
        """Run a command where this cron is the system's."""
        enter = ["nsenter", "--target", self._inside, "--mount", "--pid", f"--wd={self._folder}", "--"]
        done = subprocess.run([*enter, *argv], env=self._env, input="", capture_output=True, text=True)
        assert 0 == done.returncode, done.stderr
        return done.stdout

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something that cron does.

        It notices a change by the second in which its spool was changed, which is enough where it looks once a minute.
        Here it looks once a second, so the spool is touched again and again.
        """

        def look() -> bool:
            self.run("touch", "/var/spool/cron/crontabs/root", "/var/spool/cron/crontabs")
            return condition()

        wait_for(look, what, seconds=90, pause=0.3)

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def odd(tmp_path) -> Path:
    """A directory whose name has all that a crontab does not take as it is."""
    made = tmp_path / '50% it\'s "odd"\n\\% dir'
    made.mkdir()
    return made


@pytest.fixture
def cron(odd) -> Iterator[Cron]:
    require("root", there=os.geteuid() == 0)
    for program in ("cron", "crontab", "unshare", "nsenter", "mount"):
        require(program, there=shutil.which(program) is not None)
    require("libfaketime", there=bool(faketime()))
    spaces = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
    require("namespaces", there=subprocess.run([*spaces, "true"], capture_output=True).returncode == 0)
    made = Cron(odd, odd)
    yield made
    made.stop()


def test_the_real_cron_runs_what_was_handed_over_until_it_is_removed(cron, odd):
    out = {name: odd / f"{name}.out" for name in ("raw", "script", "others")}
    scripts = {}
    for name in ("raw", "script"):
        scripts[name] = odd / f"{name}.py"
        scripts[name].write_text(f"open({str(out[name])!r}, 'a').write('ran\\n')\n")
    others = odd / "others.sh"
    others.write_text(f'#!/bin/sh\necho ran >> "$(dirname "$0")/{out["others"].name}"\n')
    others.chmod(0o755)
    link = odd.parent / "others.sh"
    link.write_text(f"#!/bin/sh\nexec {odd.parent}/*odd*/others.sh\n")
    link.chmod(0o755)
    mine = f"# mine\n* * * * * {link} # keep\n"
    (odd / "mine").write_text(mine)
    cron.run("crontab", "mine")

    listed = cron.run(sys.executable, "-c", CREATE, str(scripts["raw"]), str(scripts["script"]))
    assert ["50% 'off' #1", "a", "raw %\n#"] == eval(listed.splitlines()[-1])
    for name, path in out.items():
        cron.wait_for(lambda path=path: len(_lines(path)) >= 2, f"two minutes of {name}")

    listed = cron.run(sys.executable, "-c", REMOVE)
    assert ["a"] == eval(listed)
    table = cron.run("crontab", "-l")
    assert table.startswith(mine)
    assert 3 == len(table.splitlines())
    _pass_minutes(cron, out["others"], 4)  # what was started before the removal comes to its end
    ran = len(_lines(out["raw"]))
    _pass_minutes(cron, out["others"], 4)
    assert ran == len(_lines(out["raw"]))
    log = (odd / "autocron.log").read_text()
    assert log.count("Task 'a' completed successfully") >= 1


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _pass_minutes(cron: Cron, path: Path, minutes: int) -> None:
    before = len(_lines(path))
    cron.wait_for(lambda: len(_lines(path)) >= before + minutes, f"{minutes} minutes of cron")
