"""Programs with a home: killed, started again, beside `rota serve`, and beside each other."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rota import Conflict, Scheduler, State

from .conftest import until

ROTA = str(Path(sys.executable).parent / "rota")
PROGRAM = """
    import sys, time
    from rota import Scheduler
    scheduler = Scheduler("home")
    @scheduler.job(every="0.5s")
    def tick():
        with open("ticks", "a") as file:
            file.write("x")
    scheduler.add("sleep 2; echo done > long", "long")
    scheduler.start()
    if "trigger" in sys.argv:
        print(scheduler.trigger("long").id, flush=True)
    sys.stdout.write("ready\\n"); sys.stdout.flush()
    time.sleep(60)
"""


def test_a_killed_program_s_schedule_goes_on_when_it_is_started_again(program):
    program.write(PROGRAM)
    first = program.start()
    assert "ready\n" == first.stdout.readline()
    until((program.folder / "ticks").exists, "it ticks")
    with closing(Scheduler(program.folder / "home")) as client:
        anchor = client.get("tick").stored.job.schedules[0].anchor
        client.pause("long")
    first.kill()
    first.wait()
    ticks = len((program.folder / "ticks").read_text())
    second = program.start()
    until(lambda: second.stdout.readline() == "ready\n", "it is ready")
    until(lambda: len((program.folder / "ticks").read_text()) > ticks, "it ticks again")
    with closing(Scheduler(program.folder / "home")) as client:
        assert anchor == client.get("tick").stored.job.schedules[0].anchor, "it keeps its phase"
        assert client.get("long").stored.paused_at is not None, "it stays paused"
        slots = [run.slot for run in client.history("tick")]
        assert len(set(slots)) == len(slots), "no slot ran twice"


def test_a_process_outlives_its_killed_program_and_is_taken_over(program):
    program.write(PROGRAM)
    first = program.start("program.py", "trigger")
    run = first.stdout.readline().strip()
    with closing(Scheduler(program.folder / "home")) as client:
        until(lambda: client.handle(run).state is State.RUNNING, "it runs")
    first.kill()
    first.wait()
    second = program.start()
    until(lambda: second.stdout.readline() == "ready\n", "it is ready")
    with closing(Scheduler(program.folder / "home")) as client:
        assert (State.SUCCEEDED, 1) == ((ended := client.handle(run).wait(20)).state, ended.attempt)
    assert "done\n" == (program.folder / "long").read_text()


def test_a_function_that_dies_with_its_program_is_lost_and_tried_again(program):
    program.write(
        """
        import sys, time
        from rota import Scheduler
        scheduler = Scheduler("home")
        def work():
            open("begun", "a").write("x")
            time.sleep(60 if len(open("begun").read()) == 1 else 0)
        scheduler.add(work, retries=1, retry_delay=0.1)
        scheduler.start()
        if "trigger" in sys.argv:
            print(scheduler.trigger("work").id, flush=True)
        time.sleep(60)
        """
    )
    first = program.start("program.py", "trigger")
    run = first.stdout.readline().strip()
    begun = program.folder / "begun"
    until(lambda: begun.exists() and begun.read_text() == "x", "it runs")
    first.kill()
    first.wait()
    program.start()
    with closing(Scheduler(program.folder / "home")) as client:
        handle = client.handle(run)
        ended = handle.wait(20)
        assert (State.SUCCEEDED, 2) == (ended.state, ended.attempt), (ended.reason, handle.output("stderr"))
        assert [State.LOST, State.SUCCEEDED] == [attempt.state for attempt in handle.attempts()]


def test_of_two_programs_on_one_home_one_has_the_engine_and_both_can_ask(program):
    program.write(PROGRAM)
    first = program.start()
    assert "ready\n" == first.stdout.readline()
    with Scheduler(program.folder / "home") as second:
        assert not second.is_running
        second.add("echo $ROTA_JOB", "mine")
        handle = second.trigger("mine")
        assert State.SUCCEEDED == handle.wait(20).state
        assert "mine\n" == handle.output()


def test_a_program_is_a_client_of_rota_serve_and_what_can_be_imported_runs_there(program, tmp_path):
    (tmp_path / "work.py").write_text("import os\ndef pid(): return os.getpid()\n")
    home = tmp_path / "home"
    engine = subprocess.Popen(
        [ROTA, "--home", str(home), "serve"], cwd=tmp_path, env=program.env, stderr=subprocess.PIPE, text=True
    )
    try:
        assert "serving" in engine.stderr.readline()
        program.write(
            """
            import os, work
            from rota import Scheduler
            with Scheduler("home") as scheduler:
                scheduler.add(work.pid)
                scheduler.add(lambda: 1, "closure")
                print(scheduler.is_running, scheduler.trigger("pid").result(20) != os.getpid())
                print(scheduler.trigger("closure").wait(20).reason)
            """
        )
        said = program.run()
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait(30)
        engine.stderr.close()
    assert "False True\n" in said
    assert "the function closure lives in the program that made the job" in said


def test_jobs_of_hand_are_not_a_program_s(program, home):
    subprocess.run([ROTA, "--home", str(home), "add", "tick", "--", "true"], check=True, capture_output=True)
    scheduler = Scheduler(home)
    with pytest.raises(Conflict, match="job 'tick' was made by hand and is kept apart from programs"):
        scheduler.add("echo", "tick")
    scheduler.close()


def test_the_command_line_sees_what_a_program_does(program):
    program.write(PROGRAM)
    running = program.start()
    assert "ready\n" == running.stdout.readline()
    until((program.folder / "ticks").exists, "it ticks")
    home = str(program.folder / "home")
    done = subprocess.run([ROTA, "--home", home, "list", "--json"], capture_output=True, text=True, check=True)
    jobs = {job["name"]: job for job in json.loads(done.stdout)}
    assert {"tick", "long"} == set(jobs)
    assert "python" == jobs["tick"]["origin"]
    told = subprocess.run([ROTA, "--home", home, "why", "tick"], capture_output=True, text=True, check=True).stdout
    assert "tick" in told


def test_when_the_program_that_has_the_engine_is_killed_another_one_on_its_home_goes_on(program):
    program.write(PROGRAM)
    first = program.start("program.py", "trigger")
    run = first.stdout.readline().strip()
    assert "ready\n" == first.stdout.readline()
    ended = []
    with Scheduler(program.folder / "home") as second:
        assert not second.is_running
        second.on_success(ended.append, "long")
        second.add(lambda: 7, "mine")
        until(lambda: second.handle(run).state is State.RUNNING, "it runs")
        first.kill()
        first.wait()
        until(lambda: second.is_running, "it takes over")
        assert (State.SUCCEEDED, 1) == ((end := second.handle(run).wait(20)).state, end.attempt)
        assert 7 == second.trigger("mine").result(20), "and calls its own functions"
        until(lambda: ended, "what listened before hears after")


def test_a_program_does_not_take_the_place_of_rota_serve_and_says_that_it_is_gone(program, caplog, home):
    engine = subprocess.Popen(
        [ROTA, "--home", str(home), "serve"], cwd=program.folder, env=program.env, stderr=subprocess.PIPE, text=True
    )
    try:
        assert "serving" in engine.stderr.readline()
        with Scheduler(home) as client:
            engine.kill()
            engine.wait()
            until(lambda: "its jobs wait until `rota serve` is started again" in caplog.text, "it is said")
            assert not client.is_running
    finally:
        engine.kill()
        engine.wait()
        engine.stderr.close()


def test_a_client_that_stops_takes_nobody_s_place(program, home):
    with Scheduler(home) as first:
        second = Scheduler(home).start()
        second.stop()
        first.stop()
        assert not second.is_running
        second.start()
        assert second.is_running
        second.close()
