"""`rota serve --python` with real processes: what a module declares is run, and its changes apply themselves."""

from __future__ import annotations

import os
import re
import signal
import textwrap

import pytest

from rota.model.run import State

from .harness import alive, wait_for
from .served import NOTICED, SLACK, Served, jobs

SOON = NOTICED + SLACK


def module(served: Served, text: str, name: str = "app/jobs.py") -> None:
    path = served.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent != served.folder:
        (path.parent / "__init__.py").touch()
    served.write(textwrap.dedent(text), name)


def declared(*functions: str, every: str = "1h", body: str = "return 1") -> str:
    made = [f"@rota.job(every={every!r})\ndef {name}():\n    {body}\n" for name in functions]
    return "import rota\n" + "\n".join(made)


def paused(served: Served, name: str) -> bool:
    return served.ask(lambda client: client.store.jobs.get(name).paused_at) is not None


def phase(served: Served, name: str) -> object:
    return served.ask(lambda client: client.store.jobs.get(name).job.schedules[0].anchor)


def test_a_declared_function_runs_with_what_lies_beside_its_module(served: Served):
    module(served, "WORD = 'from the helper'", "app/helper.py")
    module(
        served,
        """
        import rota
        from app.helper import WORD
        print("noise")

        @rota.job(every="1s", cwd="/")
        def sync():
            print(WORD)
        """,
    )
    served.serve("--python", "app.jobs")
    assert "noise" not in served.log
    wait_for(lambda: State.SUCCEEDED in served.states("sync"), "it runs")
    assert "from the helper\n" in served.call("logs", "sync", "--stdout").stdout
    assert served.call("show", "sync").stdout.count(f"python app.jobs (in {served.folder})") == 1


def test_an_edit_of_the_module_is_applied_and_what_is_unchanged_keeps_its_phase_and_its_pause(served: Served):
    module(served, declared("steady", "other", "still"))
    served.serve("--python", "app.jobs")
    assert served.call("pause", "still").returncode == 0
    began = phase(served, "steady")
    module(served, declared("steady", "fresh", "still"))
    wait_for(lambda: served.names() == ["fresh", "steady", "still"], "the change is applied", SOON)
    served.wait_for_log("Applied: 1 added, 1 removed, 2 unchanged.")
    assert phase(served, "steady") == began
    assert paused(served, "still")


def test_two_edits_within_a_second_that_keep_the_size_are_both_seen(served: Served):
    module(served, declared("job0"))
    served.serve("--python", "app.jobs")
    for number in range(1, 5):
        module(served, declared(f"job{number}"))
        now = os.stat(served.folder / "app/jobs.py").st_mtime_ns // 10**9 * 10**9
        os.utime(served.folder / "app/jobs.py", ns=(now + number, now + number))
        wait_for(lambda number=number: served.names() == [f"job{number}"], "it is applied", SOON)  # type: ignore[misc]
    assert not (served.folder / "app/__pycache__").exists()


BROKEN = {
    "syntax": ("import rota\ndef f(:\n    pass\n", "app/jobs.py:2:7: SyntaxError: invalid syntax"),
    "exception": ("import rota\n\n1 / 0\n", "app/jobs.py:3:1: ZeroDivisionError: division by zero"),
    "exit": ("import sys\nsys.exit(3)\n", "app/jobs.py:2:1: it ends the program when it is imported (exit code 3)"),
    "crash": ("import os\nos._exit(3)\n", "jobs.py:1:1: the process that imported app.jobs has ended without a word"),
    "option": (
        "import rota\n@rota.job(retires=3)\ndef f(): ...\n",
        "app/jobs.py:2:1: job 'f': there is no option 'retires'; did you mean 'retries'?",
    ),
    "schedule": (
        "import rota\n@rota.job(cron='61 * * * *')\ndef f(): ...\n",
        "app/jobs.py:2:1: job 'f': '61 * * * *': minute must be 0 to 59, not 61; such as 5, 1-5, */5 or 1,3,5",
    ),
    "words": ("raise ValueError('one; two\\nthree')\n", "app/jobs.py:1:1: ValueError: one; two\n"),
    "type": (
        "import rota\n@rota.job(every='1h', tags=5)\ndef f(): ...\n",
        "app/jobs.py:2:1: job 'f': tags is 5; give a list of texts",
    ),
    "serve": ("import rota\nrota.serve()\n", "app/jobs.py:2:1: rota.serve() would run while"),
    "closure": (
        "import rota\ndef make():\n    @rota.job(every='1h')\n    def f(): ...\nmake()\n",
        "app/jobs.py:3:1: job 'f': make.<locals>.f is made inside of a function",
    ),
    "lambda": (
        "import rota\nrota.job('f', every='1h')(lambda: 1)\n",
        "app/jobs.py:2:1: job 'f': a lambda cannot be imported by the process that runs it; write a function with def",
    ),
    "nameless": (
        "import rota, functools\nrota.job('f', every='1h')(functools.partial(print, 1))\n",
        "app/jobs.py:2:1: job 'f': partial has no name that it could be imported by; write a function around it",
    ),
    "parameters": (
        "import rota\n@rota.job(every='1h')\ndef f(a, b=1, *c, **d): ...\n",
        "app/jobs.py:2:1: job 'f': f(a, b, c, d) cannot be called so: missing a required argument: 'a'; give its",
    ),
    "twice": (
        "import rota\n@rota.job('x')\ndef f(): ...\n@rota.job('x')\ndef g(): ...\n",
        "app/jobs.py:4:1: a job named 'x' is declared twice: at ",
    ),
    "hidden": (
        "import rota\n@rota.job('x')\ndef f(): ...\n@rota.job('y')\ndef f(): ...\n",
        "app/jobs.py:2:1: job 'x': app.jobs:f is something else by now",
    ),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_with_a_module_is_told_at_its_place_and_changes_nothing(served: Served, text: str, words: str):
    module(served, text)
    done = served.call("apply", "--python", "app.jobs")
    assert (2, "") == (done.returncode, done.stdout)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "rota: 1 problem in the job files; nothing was changed\n" in done.stderr


def test_a_module_may_fork_leave_threads_and_print_without_end(served: Served):
    disturbing = """
import os, sys, threading
if not os.fork():
    os.chdir("/")
threading.Thread(target=threading.Event().wait).start()
print("x" * 1_000_000)
sys.path.clear()
"""
    module(served, disturbing + declared("a"))
    assert served.call("validate", "--python", "app.jobs").stdout == "1 module, 1 job: no problem.\n"


def test_a_module_with_a_name_that_is_taken_is_refused(served: Served):
    module(served, declared("a"), "types.py")
    done = served.call("validate", "--python", "types")
    assert done.returncode == 2
    assert "types.py:1:1: the name 'types' is taken by another module (" in done.stderr


def test_a_module_that_hangs_is_ended_and_the_place_is_told(served: Served):
    module(served, "import threading\n\nthreading.Event().wait()\n")
    served.env["ROTA_IMPORT_TIMEOUT"] = "2"
    done = served.call("validate", "--python", "app.jobs")
    assert done.returncode == 2
    assert "app/jobs.py:3:1: the import of app.jobs takes longer than 2s; see here, or" in done.stderr


def test_a_module_that_hangs_ends_with_the_engine_that_has_it_read(served: Served):
    module(served, declared("a"))
    engine = served.serve("--python", "app.jobs")
    pid = served.folder / "pid"
    module(served, f"import os, threading\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\nthreading.Event().wait()\n")
    wait_for(lambda: pid.exists() and pid.read_text(), "it is imported")
    engine.kill()
    engine.wait()
    wait_for(lambda: not alive(int(pid.read_text())), "nobody waits for it, so it ends")
    assert served.names() == ["a"]


def test_a_broken_edit_changes_nothing_and_the_next_sound_one_does(served: Served):
    module(served, declared("a"))
    served.serve("--python", "app.jobs")
    module(served, declared("a", "b") + "def broken(:")
    served.wait_for_log("the job files were not applied; the jobs stay as they are")
    assert re.search(r"/app/jobs.py:\d+:12: SyntaxError: invalid syntax", served.log)
    assert served.names() == ["a"]
    module(served, declared("a", "b"))
    wait_for(lambda: served.names() == ["a", "b"], "the sound one is applied", SOON)


def test_a_fault_in_a_module_that_was_never_read_before_is_mended_there(served: Served):
    module(served, declared("a"))
    served.serve("--python", "app.jobs")
    module(served, "def broken(:", "app/fresh.py")
    module(served, "import app.fresh\n" + declared("a", "b"))
    served.wait_for_log("app/fresh.py:1:12: SyntaxError")
    module(served, "", "app/fresh.py")
    wait_for(lambda: served.names() == ["a", "b"], "the mended one is applied", SOON)
    module(served, "import app.missing\n" + declared("a"))
    served.wait_for_log("app/jobs.py:1:1: there is no module named 'app.missing'")
    module(served, "", "app/missing.py")
    wait_for(lambda: served.names() == ["a"], "the missing one is there", SOON)


def test_a_change_of_what_the_module_imports_is_a_change(served: Served):
    module(served, "EVERY = '1h'", "app/settings.py")
    module(served, "import rota\nfrom app.settings import EVERY\n@rota.job(every=EVERY)\ndef a(): ...\n")
    served.serve("--python", "app.jobs")
    module(served, "EVERY = '2h'", "app/settings.py")
    served.wait_for_log("schedules: every 1h → every 2h")


def test_a_module_that_goes_keeps_its_jobs_until_it_is_there_again_as_a_package(served: Served):
    module(served, declared("a", "b"))
    engine = served.serve("--python", "app.jobs")
    (served.folder / "app/jobs.py").unlink()
    served.wait_for_log("there is no module named 'app.jobs'; it is looked for in")
    assert served.names() == ["a", "b"]
    module(served, declared("b"), "app/jobs/work.py")
    served.write("from app.jobs import work\n", "app/jobs/__init__.py")
    wait_for(lambda: served.names() == ["b"], "the package is applied", SOON)
    engine.send_signal(signal.SIGHUP)
    served.wait_for_log("reading the job files again")
    served.wait_for_log("Nothing to do: 1 job unchanged.")


def test_a_module_and_a_file_are_served_together_and_cannot_share_a_name(served: Served):
    module(served, declared("a"))
    served.write(jobs(b="run: 'true'"))
    served.serve("--python", "app.jobs", "-f", "rota.yaml")
    assert served.names() == ["a", "b"]
    served.write(jobs(a="run: 'true'"))
    served.wait_for_log("a job named 'a' is there already; the first is at")
    assert served.names() == ["a", "b"]
    served.write(jobs(c="run: 'true'"))
    wait_for(lambda: served.names() == ["a", "c"], "the file is applied", SOON)


def test_jobs_of_a_module_are_left_alone_by_others_and_pruned_when_it_has_vanished(served: Served):
    module(served, declared("a"))
    module(served, declared("b"), "other.py")
    assert "Applied: 1 added." in served.call("apply", "--python", "app.jobs").stdout
    assert "Applied: 1 added." in served.call("apply", "--python", "other").stdout
    module(served, declared("a"), "other.py")
    refused = served.call("apply", "--python", "other")
    assert refused.returncode == 4
    assert f"other.py:2:1: job 'a' belongs to python app.jobs (in {served.folder});" in refused.stderr
    module(served, declared("b"), "other.py")
    (served.folder / "app/jobs.py").unlink()
    kept = served.call("apply", "--python", "other").stdout
    assert f"a  stays, although python app.jobs (in {served.folder}) has vanished; --prune removes it" in kept
    assert "1 removed" in served.call("apply", "--python", "other", "--prune").stdout


def test_what_two_modules_bring_in_belongs_to_the_module_it_is_in_or_to_the_first(served: Served):
    module(served, declared("shared"), "common.py")
    module(served, "import common\n" + declared("a"), "one.py")
    module(served, "import common, one\n" + declared("b"), "two.py")
    assert "3 added" in served.call("apply", "--python", "two", "--python", "one").stdout
    found = served.ask(lambda client: {name: client.store.jobs.get(name).origin for name in "ab"})
    assert found == {"a": f"python:{served.folder}:one", "b": f"python:{served.folder}:two"}


def test_a_killed_engine_s_next_one_goes_on_with_what_the_module_says_by_then(served: Served):
    module(served, declared("tick", every="1s"))
    engine = served.serve("--python", "app.jobs")
    wait_for(lambda: State.SUCCEEDED in served.states("tick"), "it runs")
    engine.kill()
    engine.wait()
    count, began = len(served.states("tick")), phase(served, "tick")
    module(served, declared("tick", every="1s") + declared("new"))
    served.serve("--python", "app.jobs")
    assert served.names() == ["new", "tick"]
    wait_for(lambda: len(served.states("tick")) > count + 1, "it goes on")
    assert phase(served, "tick") == began


def test_a_module_is_found_in_the_directory_that_is_named_with_it(served: Served):
    module(served, declared("a"), "src/work.py")
    done = served.call("validate", "--python", "src:work")
    assert done.stdout == "1 module, 1 job: no problem.\n"
    module(served, "def broken(:", "src/work.py")
    assert "src/work.py:1:12: SyntaxError" in served.call("validate", "--python", "src:work").stderr
    named = served.call("validate", "--python", "src/work.py")
    assert "names no module; write it as in an import, such as pkg.mod; did you mean 'src.work'?" in named.stderr
