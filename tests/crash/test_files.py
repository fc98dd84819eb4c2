"""`rota serve -f` with real processes: changes that apply themselves, and what a kill in the middle leaves."""

from __future__ import annotations

import re
import signal
import time
from itertools import pairwise
from pathlib import Path

from rota.engine.settings import EngineSettings
from rota.model.run import State
from rota.model.settlement import RunFilter
from rota.wiring.client import Client

from .harness import alive, wait_for
from .served import NOTICED, SLACK, Served, jobs


def test_files_are_applied_before_the_engine_serves(served: Served):
    served.write(jobs(a="run: 'true', every: 1s"))
    served.serve()
    assert "Applied: 1 added." in served.log
    wait_for(lambda: State.SUCCEEDED in served.states("a"), "it runs")


def test_broken_files_at_the_start_are_all_told_and_nothing_starts(served: Served):
    served.write(jobs(a="run: x, retires: 3", b="run: x, cron: '61 * * * *'"))
    engine = served.serve()
    assert engine.wait(10) == 2
    assert engine.stderr is not None
    told = engine.stderr.read().decode()
    assert [
        "rota.yaml:2:15: unknown key 'retires'; did you mean 'retries'?",
        "rota.yaml:3:21: cron '61 * * * *': minute must be 0 to 59, not 61; such as 5, 1-5, */5 or 1,3,5",
        "rota: 2 problems in the job files; nothing was changed",
    ] == told.splitlines()


def test_a_change_is_applied_within_two_seconds(served: Served):
    served.write(jobs(a="run: echo old"))
    served.serve()
    begin = time.monotonic()
    served.write(jobs(a="run: echo new", b="run: 'true'"))
    wait_for(lambda: served.names() == ["a", "b"], "the change is applied", NOTICED + SLACK)
    assert time.monotonic() - begin < NOTICED + SLACK
    assert served.line("a") == "echo new"
    served.wait_for_log("Applied: 1 added, 1 changed.")


def test_a_link_that_is_swapped_is_a_change(served: Served):
    for number in (1, 2):
        served.write(jobs(a=f"run: echo {number}"), f"release-{number}.yaml")
    (served.folder / "rota.yaml").symlink_to("release-1.yaml")
    served.serve()
    (served.folder / "link").symlink_to("release-2.yaml")
    (served.folder / "link").rename(served.folder / "rota.yaml")
    wait_for(lambda: served.line("a") == "echo 2", "the other release is applied", NOTICED + SLACK)


def test_a_directory_is_watched_for_files_that_come_and_go(served: Served):
    (served.folder / "rota.d").mkdir()
    served.write(jobs(a="run: 'true'"), "rota.d/a.yaml")
    served.serve()
    served.write(jobs(b="run: 'true'"), "rota.d/b.yaml")
    wait_for(lambda: served.names() == ["a", "b"], "the new file is applied", NOTICED + SLACK)


def test_broken_files_change_nothing_and_the_next_sound_ones_do(served: Served):
    served.write(jobs(a="run: echo one"))
    served.serve()
    served.write(jobs(a="run: echo two, retires: 3"))
    served.wait_for_log("the job files were not applied; the jobs stay as they are")
    assert "unknown key 'retires'; did you mean 'retries'?" in served.log
    assert served.line("a") == "echo one"
    served.write(jobs(a="run: echo three"))
    wait_for(lambda: served.line("a") == "echo three", "the sound file is applied", NOTICED + SLACK)


def test_a_hangup_reads_the_files_at_once(served: Served):
    served.write(jobs(a="run: 'true'"))
    engine = served.serve()
    engine.send_signal(signal.SIGHUP)
    served.wait_for_log("reading the job files again")
    served.wait_for_log("Nothing to do: 1 job unchanged.")


def test_jobs_made_by_hand_and_pauses_survive_a_change(served: Served):
    served.write(jobs(a="run: 'true', every: 1h", b="run: 'true'"))
    served.serve()
    assert served.call("add", "hand", "--every", "1h", "--", "true").returncode == 0
    assert served.call("pause", "a").returncode == 0
    served.write(jobs(a="run: 'true', every: 2h"))
    wait_for(lambda: served.names() == ["a", "hand"], "the change is applied", NOTICED + SLACK)
    assert served.ask(lambda client: client.store.jobs.get("a").paused_at) is not None


def test_a_run_goes_on_under_the_definition_that_it_started_with(served: Served):
    go = served.folder / "go"
    served.write(jobs(a=f"run: 'while [ ! -e {go} ]; do sleep 0.05; done; exit 3'"))
    served.serve()
    served.call("run", "a")
    wait_for(lambda: served.states("a") == [State.RUNNING], "it runs")
    served.write(jobs(a="run: 'exit 0'"))
    served.wait_for_log("Applied: 1 changed.")
    go.touch()
    wait_for(lambda: served.states("a") == [State.FAILED], "it ends with its own code")


def test_an_unchanged_job_keeps_its_phase_while_others_change(served: Served):
    served.write(jobs(steady="run: 'true', every: 1s", other="run: 'true'"))
    served.serve()
    wait_for(lambda: len(served.states("steady")) >= 2, "it has run twice")
    for number in range(3):
        served.write(jobs(steady="run: 'true', every: 1s", other=f"run: echo {number}"))
        wait_for(lambda number=number: served.line("other") == f"echo {number}", "applied", NOTICED + SLACK)  # type: ignore[misc]

    def slots(client: Client) -> list[object]:
        stored = client.store.jobs.get("steady")
        return [run.slot for run in client.store.runs.page(RunFilter(stored.id), None, 1000)]

    found = served.ask(slots)
    assert isinstance(found, list)
    gaps = {(later - earlier).total_seconds() for later, earlier in pairwise(found)}
    assert gaps == {1.0}


def test_a_file_that_grows_while_it_is_read_is_applied_whole_only(served: Served):
    served.write(jobs(**{f"job{n}": "run: 'true'" for n in range(50)}))
    served.serve()
    with (served.folder / "rota.yaml").open("w") as file:
        file.write("jobs:\n")
        for number in range(60):
            file.write(f"  job{number}: {{run: 'true'}}\n")
            file.flush()
            assert len(served.names()) == 50, "nothing of a half-written file is applied"
            time.sleep(0.05)
    wait_for(lambda: len(served.names()) == 60, "the whole file is applied", NOTICED + SLACK)


def test_a_killed_engine_s_next_one_applies_what_changed_meanwhile(served: Served):
    served.write(jobs(a="run: echo one, every: 1h"))
    engine = served.serve()
    engine.kill()
    engine.wait()
    served.write(jobs(a="run: echo two, every: 1h"))
    served.serve()
    assert served.line("a") == "echo two"


def test_an_engine_that_is_killed_while_a_helper_applies_leaves_all_or_nothing(served: Served):
    served.write(jobs(**{f"job{n}": "run: echo 0" for n in range(500)}))
    engine = served.serve()
    for number in range(1, 4):
        served.write(jobs(**{f"job{n}": f"run: echo {number}" for n in range(500)}))
        count = served.log.count("reading them")
        wait_for(lambda count=count: served.log.count("reading them") > count, "a helper runs", 5)  # type: ignore[misc]
        time.sleep(0.1 * number)
        engine.kill()
        engine.wait()
        wait_for(lambda: not applying(served), "the helper has ended")
        found = {served.line(f"job{n}") for n in range(0, 500, 7)}
        assert len(found) == 1
        engine = served.serve()
    assert served.line("job0") == "echo 3"


def applying(served: Served) -> bool:
    """Tell whether a helper of this home is alive."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"apply" in words and str(served.home).encode() in words and alive(int(entry.name)):
                return True
    return False


def test_a_secret_is_in_no_file_of_the_home(served: Served):
    (served.folder / "token").write_text("s3cr3t-t0k3n")
    served.write(jobs(a="run: 'echo got $TOKEN; echo $TOKEN >&2', env: {TOKEN: {from: 'file:token'}}, every: 1s"))
    served.serve()
    wait_for(lambda: State.SUCCEEDED in served.states("a"), "it has run")
    assert served.call("logs", "a", "--stdout").stdout == "got ***\n"
    for path in served.home.rglob("*"):
        if path.is_file():
            assert b"s3cr3t" not in path.read_bytes(), path


def test_the_engine_s_memory_does_not_grow_with_what_it_has_applied(served: Served):
    served.write(jobs(a="run: 'true'"))
    engine = served.serve()

    def resident() -> int:
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{engine.pid}/status").read_text())[1])  # type: ignore[index]

    before = resident()
    served.write(jobs(**{f"job{n}": "run: 'true', cron: '0 9 1 1 *'" for n in range(3000)}))
    wait_for(lambda: "3,000 added" in served.log, "three thousand jobs are applied", 15)
    time.sleep(1.5)
    assert resident() - before < 3_000


def test_what_files_say_of_the_engine_is_taken_up_without_a_restart(served: Served):
    said = jobs(a="run: 'true', every: 1h")
    served.write("engine: {capacity: 3}\n" + said)
    served.serve()
    assert "3 at once)" in served.log
    served.write("engine: {capacity: 5}\n" + said)
    served.wait_for_log("from now on 5 at once")
    served.write(said)
    served.wait_for_log(f"from now on {EngineSettings().capacity} at once")


def test_a_flag_goes_before_what_files_say_of_the_engine(served: Served):
    served.write("engine: {capacity: 3}\n" + jobs(a="run: x"))
    served.serve("--capacity", "7")
    served.write("engine: {capacity: 4}\n" + jobs(a="run: y"))
    served.wait_for_log("1 changed")
    assert ("7 at once)" in served.log, "from now on" in served.log) == (True, False)


def test_files_that_are_unchanged_since_the_last_start_are_not_read_again(served: Served):
    served.write(jobs(a="run: 'true', every: 1h") + "engine: {capacity: 3}\n")
    for _ in range(2):
        engine = served.serve()
        engine.terminate()
        engine.wait()
    assert "The job files are unchanged: 1 job." in served.log
    assert served.log.count("3 at once)") == 2, "what they say of the engine still counts"


def test_a_task_that_becomes_executable_is_noticed(served: Served):
    task = served.folder / "task"
    task.mkdir()
    (task / "run.sh").write_text("#!/bin/sh\n")
    served.write("tasks: [{name: t, path: task, cron: '* * * * *'}]\n", "config.yaml")
    served.serve("-f", "config.yaml")
    assert served.names() == []
    (task / "run.sh").chmod(0o755)
    wait_for(lambda: served.names() == ["t"], "the task is a job", NOTICED + SLACK)


def test_a_job_that_writes_in_its_directory_holds_up_no_change(served: Served):
    (served.folder / "jobs").mkdir()
    line = "while :; do date >> jobs/out.log; sleep 0.05; done"
    served.write(f"id: busy\nname: Busy\ncommand: '{line}'\nschedule: '0 0 1 1 *'\n", "jobs/busy.yaml")
    served.serve("-f", ".")
    assert served.call("run", "busy").returncode == 0
    wait_for((served.folder / "jobs" / "out.log").exists, "it writes")
    served.write("id: new\nname: New\ncommand: 'true'\nschedule: '0 0 1 1 *'\n", "jobs/new.yaml")
    wait_for(lambda: served.names() == ["busy", "new"], "the new file is applied", NOTICED + SLACK)
    assert served.log.count("reading them") == 1
    assert served.call("cancel", "busy").returncode == 0
    wait_for(lambda: served.states("busy") == [State.CANCELLED], "it has ended")
