"""Plug-ins of an installed distribution at every door: job files, the command line, the engine, and programs."""

from __future__ import annotations

import json
import signal

import pytest

from process.waiting import wait_for

JOBS = """
jobs:
  evening: {run: "true", custom: sunset Berlin}
  both: {run: "true", schedules: [{custom: sunset Rome}, {every: 1h}]}
  page: {uses: fetch, with: {url: "http://x", times: 3}}
  word: {uses: say, with: {words: hello}}
"""


def file(site, text=JOBS):
    (site.folder / "rota.yaml").write_text(text)


def states(site, job):
    return {run["state"] for run in json.loads(site.ok("runs", job, "--json"))}


def log(site):
    return (site.folder / ".rota/rota.log").read_text()


def test_schedules_and_actions_of_a_plug_in_run_from_a_file(site):
    site.install()
    file(site)
    assert site.ok("validate") == "1 file, 4 jobs: no problem.\n"
    site.serve()
    wait_for(lambda: "succeeded" in states(site, "evening"))
    assert site.ok("run", "page", "--wait") == "fetching http://x 3\n"
    assert site.ok("run", "word", "--wait") == "said hello\n"
    assert "at sunset in Berlin  (custom sunset Berlin)" in site.ok("show", "evening")
    assert len(site.ok("next", "evening", "-n", "3").splitlines()) == 4
    (plugs,) = [line for line in site.ok("doctor").splitlines() if "plug-ins" in line]
    assert plugs.endswith("schedules: sunset; actions: fetch, none, odd, say")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("{run: x, custom: sunst Berlin}", "28: custom 'sunst Berlin': no plug-in named 'sunst' is installed; did"),
        ("{run: x, custom: sunset Mars}", "28: custom 'sunset Mars': Sunset('Mars') raised ValueError: nobody knows"),
        ("{uses: fetc}", "18: no plug-in named 'fetc' is installed; did you mean 'fetch'?"),
        ("{uses: fetch}", "18: the action 'fetch' needs 'url'; write with: {url: …}"),
        ("{uses: fetch, with: {url: 3}}", "32: the action 'fetch': Expected `str`, got `int`"),
        ("{uses: fetch, with: {urk: 3}}", "32: the action 'fetch' takes no 'urk'; did you mean 'url'?"),
        ("{uses: fetch, with: {url: x, times: -1}}", "18: the action 'fetch' cannot say what to start: ValueError: "),
        ("{uses: odd}", "18: 'odd' of suns 1.0 cannot be imported: AttributeError: "),
        ("{uses: none}", "18: 'none' stands for <built-in function getcwd>; it must be a subclass of rota.Action"),
        ("{run: x, with: {a: 1}}", "20: `with` is for `uses`; leave it out"),
        ("{run: x, uses: fetch, with: {url: x}}", "20: a job does one thing, and run and uses are given; choose one"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_plug_in_is_told_at_its_place(site, job, said):
    site.install()
    file(site, f"jobs: {{a: {job}}}")
    done = site.call("validate")
    assert done.returncode == 2
    assert f"rota.yaml:1:{said}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plug_in_that_goes_while_the_engine_is_away_stops_only_its_job_until_it_is_back(site):
    site.install()
    file(site, 'jobs: {evening: {run: "true", custom: sunset Berlin}, other: {run: "true", every: 1s}}')
    assert "2 added" in site.ok("apply")
    site.uninstall()
    (site.folder / "rota.yaml").unlink()
    engine = site.serve()
    wait_for(lambda: "succeeded" in states(site, "other"))
    reason = "schedule 'sunset Berlin': column 1: no plug-in named 'sunset' is installed"
    assert log(site).count(f"it is not planned any more, because its schedule cannot be read: {reason}") == 1
    assert "not planned" in site.ok("list")
    assert reason in site.ok("show", "evening")
    assert f"It is not planned, because its schedule cannot be read: {reason}" in site.ok("why", "evening")
    doctor = site.call("doctor")
    assert (1, True) == (doctor.returncode, f"1 job is not planned: evening: {reason}"[:60] in doctor.stdout)
    (told,) = [job for job in json.loads(site.ok("list", "--json")) if "broken" in job]
    assert told["name"] == "evening"
    assert told["broken"].startswith(reason)
    engine.send_signal(signal.SIGTERM)
    engine.wait(30)
    site.install()
    site.serve()
    wait_for(lambda: "succeeded" in states(site, "evening"))
    assert "its schedule can be read again, so it is planned again" in log(site)


def test_a_schedule_of_a_plug_in_can_be_added_by_hand(site):
    site.install()
    assert "when  at sunset in Rome  (custom sunset Rome)" in site.ok(
        "add", "a", "--custom", "sunset Rome", "--", "true"
    )
    refused = site.call("add", "b", "--custom", "sunst Rome", "--", "true")
    assert refused.returncode == 2
    assert "did you mean 'sunset'?" in refused.stderr


def test_a_plug_in_that_is_mended_is_a_change_of_the_file_that_uses_it(site):
    site.install()
    file(site, "jobs: {page: {uses: fetch, with: {url: x}}}")
    site.ok("apply")
    code = (site.path / "suns.py").read_text()
    (site.path / "suns.py").write_text(code.replace('"fetching"', '"getting"'))
    assert "run: echo fetching x 1 → echo getting x 1" in site.ok("apply")


def test_a_program_uses_its_own_and_installed_plug_ins(site):
    site.install()
    said = site.run(
        """
        from datetime import UTC, datetime, timedelta

        import rota


        class Often(rota.Schedule):
            name = "often"

            def next_after(self, instant):
                return instant.replace(microsecond=0) + timedelta(seconds=1)


        class Touch(rota.Action):
            def __init__(self, path):
                self.path = path

            def argv(self):
                return ["touch", self.path]


        assert isinstance(rota.Cron("0 9 * * *"), rota.Schedule)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        assert rota.Every("1h", anchor=now).next_after(now) == now + timedelta(hours=1)
        with rota.Scheduler() as s:
            s.add(Touch("made"), schedule=Often())
            s.add("true", name="evening", custom="sunset Berlin")
            while not (s.history("Touch", state="succeeded") and s.history("evening", state="succeeded")):
                pass
            print([type(each).__name__ for each in s.get("Touch").stored.job.schedules])
            try:
                s.add("true", name="bad", custom="sunst Berlin")
            except rota.RotaError as error:
                print(error)
        """
    )
    assert (site.folder / "made").exists()
    assert "did you mean 'sunset'?" in said


def test_a_module_that_is_served_can_use_installed_schedules_and_is_refused_its_own(site):
    site.install()
    code = """
import rota
from suns import Sunset

@rota.job(schedule=Sunset("Rome"))
def evening(): ...
"""
    (site.folder / "work.py").write_text(code)
    assert "+ evening" in site.ok("apply", "--python", "work")
    (site.folder / "work.py").write_text(
        code.replace(
            "from suns import Sunset",
            "import suns\nclass Sunset(rota.Schedule):\n    name = 'own'\n    "
            "def __init__(self, text): self.text = text\n    def next_after(self, instant): return None",
        )
    )
    refused = site.call("apply", "--python", "work")
    assert refused.returncode == 2
    assert "work.py:9:1: job 'evening': its schedule 'own Rome' is known in this module only" in refused.stderr
