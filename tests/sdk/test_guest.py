"""A scheduler is a guest in its program: it changes nothing that is the program's own, and a fork has no part in it."""

from __future__ import annotations

import os
import resource
import signal

import pytest

from rota import Scheduler, State

from .conftest import until


def test_descriptors_that_the_program_means_to_pass_on_stay_so():
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    try:
        with Scheduler() as scheduler:
            scheduler.add("true")
            assert State.SUCCEEDED == scheduler.trigger("true").wait(10).state
        assert os.get_inheritable(reader)
    finally:
        os.close(reader)
        os.close(writer)


def test_the_programs_limit_of_open_files_and_its_commands_are_as_they_were(home):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, before[1]))
    try:
        for place in (None, home):
            with Scheduler(place) as scheduler:
                scheduler.add("ulimit -n", "limit")
                handle = scheduler.trigger("limit")
                assert State.SUCCEEDED == handle.wait(10).state
                assert ("500\n", 500) == (handle.output(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_signals_and_the_time_zone_are_the_programs():
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)}
    zone = os.environ.get("TZ")
    with Scheduler() as scheduler:
        scheduler.add("true")
        scheduler.trigger("true").wait(10)
        assert handlers == {number: signal.getsignal(number) for number in handlers}
    assert zone == os.environ.get("TZ")


def test_children_of_the_program_are_the_programs_to_wait_for():
    with Scheduler() as scheduler:
        child = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 7"], os.environ)
        scheduler.add("true")
        scheduler.trigger("true").wait(10)
        assert 7 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_program_that_ends_without_a_word_leaves_nothing_behind(program):
    program.write(
        """
        import time, rota
        scheduler = rota.Scheduler().start()
        scheduler.add(lambda: time.sleep(60), "long")
        scheduler.add(["sleep", "60"])
        for name in ("long", "sleep"):
            handle = scheduler.trigger(name)
            while handle.state == "queued":
                time.sleep(0.01)
        print(scheduler._household.home)
        """
    )
    program.env["TMPDIR"] = str(program.folder)
    home = program.run().strip()
    assert home.startswith(str(program.folder))
    assert not os.path.exists(home)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_has_no_part_in_its_parents_scheduler(program):
    program.write(
        """
        import os, sys, time
        from rota import RotaError, Scheduler
        scheduler = Scheduler(sys.argv[1] if len(sys.argv) > 1 else None)
        with scheduler:
            scheduler.add("true")
            child = os.fork()
            if not child:
                try:
                    scheduler.trigger("true")
                except RotaError as error:
                    print(error, flush=True)
                sys.exit(0)  # and closes the scheduler on its way, as any program would
            assert 0 == os.waitpid(child, 0)[1]
            print(scheduler.trigger("true").wait(10).state, flush=True)
        """
    )
    for words in ([], ["home"]):
        said = program.run("program.py", *words).splitlines()
        assert "this scheduler belongs to the program that this one was forked from" in said[0]
        assert "succeeded" == said[1]


def test_a_fork_that_outlives_its_program_does_not_keep_the_home(program):
    program.write(
        """
        import os, time
        from rota import Scheduler
        with Scheduler("home") as scheduler:
            child = os.fork()
            if not child:
                time.sleep(60)
                os._exit(0)
            print(child, flush=True)
            time.sleep(60)
        """
    )
    first = program.start()
    child = int(first.stdout.readline())
    first.kill()
    first.wait()
    try:
        with Scheduler(program.folder / "home") as second:
            until(lambda: second.is_running, "it has the home")
    finally:
        os.kill(child, signal.SIGKILL)
