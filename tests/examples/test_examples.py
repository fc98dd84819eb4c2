"""Every example is served as it is, each of its jobs runs, and what `rota import` makes of it runs as well."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cli.conftest import Home

EXAMPLES = Path(__file__).parents[2] / "examples"
FORMATS = {
    "simple-task-manager": "config.yaml",
    "autocron": "autocron.yaml",
    "tasks-loop": ".",
    "resilient": "jobs.yaml",
    "taskflows": "services.yaml",
    "crontab": "./crontab",
}
OUTPUT = {
    "hello": "hello from hello\n",
    "calendar-sync": "Fetching events for 30 days...\nSync complete: Created: 3\n",
    "off": "hello from hello\n",
    "data_sync": "synchronised 3 files\n",
    "saved_sync": "synchronised 3 files\n",
    "daily_backup": None,
    "example-daily": "Health check complete\n",
    "example-weekly": "cleaned cache\ncleaned logs\n",
    "api_health_check": "checked http://127.0.0.1:8000/\n",
    "patch_day": "backed up with \n",
    "report": "report --format text info north\n",
    "heartbeat": "alive\n",
    "nightly": "report --format full  \n",
    "echo-a307": "hello, world\n",
    "cat-a366": "Dear all,\nit is a new day.\n",
}


class Place(Home):
    """A home whose files may have something to say before the engine serves."""

    def serve(self, *words: str) -> subprocess.Popen[bytes]:
        engine = self.start("serve", "--on-stop", "kill", *words, stdout=subprocess.DEVNULL)
        self.engines.append(engine)
        assert engine.stderr is not None
        assert any(b"serving" in line for line in engine.stderr)
        return engine


@pytest.fixture
def home(tmp_path):
    made = Place(tmp_path)
    yield made
    made.stop()


def copied(home: Home, name: str) -> None:
    shutil.copytree(EXAMPLES / name, home.folder, dirs_exist_ok=True)
    home.path.mkdir(mode=0o700)


def run_all(home: Home) -> list[str]:
    """Run every job once, and return their names."""
    names = [job["name"] for job in home.json("list")]
    for name in names:
        done = home.call("run", name, "--wait")
        assert 0 == done.returncode, (name, done.stderr.decode())
        expected = OUTPUT.get(name)
        if expected is not None:
            assert expected == done.stdout.decode(), name
    return names


def schedules(home: Home) -> dict[str, list[tuple[str, str]]]:
    """Return the schedules by job; an interval without an anchor of its own counts from when it was applied."""
    return {job["name"]: [(each["kind"], each["text"]) for each in job["schedules"]] for job in home.json("list")}


@pytest.mark.parametrize(("name", "file"), [*FORMATS.items(), ("autocron", "tasks.json")])
def test_an_example_is_served_as_it_is_and_all_its_jobs_run(home, name, file):
    copied(home, name)
    assert "no problem" in home.ok("validate", "-f", file)
    home.serve("-f", file)
    assert run_all(home)


@pytest.mark.parametrize(("name", "file"), FORMATS.items())
def test_what_import_makes_of_an_example_means_the_same_jobs(home, name, file):
    copied(home, name)
    (home.folder / "made").mkdir()
    home.ok("import", file, "-o", "made/rota.yaml")
    home.ok("apply", "-f", file)
    before = schedules(home)
    home.ok("remove", *before)
    home.ok("apply", "-f", "made/rota.yaml")
    assert before == schedules(home)
    home.serve("-f", "made/rota.yaml")
    assert sorted(before) == sorted(run_all(home))


@pytest.mark.parametrize("name", FORMATS)
def test_an_example_has_a_page_of_its_own_with_commands_that_name_its_files(name):
    page = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert f"rota serve -f {FORMATS[name].removeprefix('./')}" in page
    assert "docs/how-to/move-from-" in page


def test_every_example_is_tested():
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    assert set() == folders - set(FORMATS) - {"demo", "rota"}
