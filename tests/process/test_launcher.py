"""The launcher and its shim, with real processes: what a job finds, and what it leaves."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
import time
from datetime import UTC, datetime

import pytest

from rota.errors import CannotStart
from rota.model.action import Command, Python, Shell
from rota.model.job import Job
from rota.model.policy import Output, OutputMode, Policy
from rota.model.run import Run, State, Trigger
from rota.model.settlement import Claimed
from rota.process import journal
from rota.process.launcher import ProcessLauncher
from rota.process.watch import new_watcher

from .waiting import wait_for

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOME_ID = os.urandom(8).hex()


class Hands:
    """A launcher, and a short way to run one job to its end."""

    def __init__(self, home):
        self.home = str(home)
        self.number = 0
        self.boot()

    def boot(self):
        environment = {"PATH": os.environ["PATH"], "ROTA_SECRET": "x", "LANG": "C"}
        self.launcher = ProcessLauncher(self.home, HOME_ID, new_watcher(), environment)

    def start(self, action, **job):
        self.number += 1
        (place,) = self.launcher.reserve(1)
        claimed = Claimed(f"RUN{self.number}", 1, "job", 1, Trigger.MANUAL, None, {}, place, NOW)
        made = Job("job", Shell(action) if isinstance(action, str) else action, **job)
        self.launcher.launch(claimed, made)
        return claimed

    def exit(self, claimed, seconds=20.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for found in self.launcher.take_exits():
                assert claimed.run_id == found.run_id
                return found.exit_code
            self.launcher.wait(0.2)
        raise AssertionError("it did not end")

    def run(self, action, **job):
        """Return the exit code and the output of a job."""
        claimed = self.start(action, **job)
        code = self.exit(claimed)
        left = self.launcher.harvest(claimed.run_id)
        self.launcher.release(claimed.run_id)
        return code, {part.stream: part.head.decode() for part in left.parts}, left


@pytest.fixture
def hands(tmp_path):
    made = Hands(tmp_path)
    yield made
    for run_id in list(made.launcher._charges):
        made.launcher.kill(run_id)
        made.launcher.kill_shim(run_id)
    made.launcher.close()


def running(claimed, boot, attempt=1):
    """The run as the store has it while it runs."""
    return Run(
        claimed.run_id, "job", 1, 1, Trigger.MANUAL, None, State.RUNNING, attempt, "h", boot, claimed.spool, NOW,
        None, None, NOW, None, None, "", None, "", {}, None, None,
    )  # fmt: skip


@pytest.mark.parametrize("code", [0, 1, 7, 126, 255])
def test_the_exit_code_is_the_job_s(hands, code):
    assert (code, {}) == hands.run(f"exit {code}")[:2]


@pytest.mark.parametrize(("name", "code"), [("TERM", 143), ("KILL", 137), ("SEGV", 139)])
def test_a_job_that_is_ended_by_a_signal_has_its_code_and_no_complaint_of_the_shim(hands, name, code):
    assert (code, {}) == hands.run(f"kill -{name} $$")[:2]


def test_the_streams_are_kept_apart(hands):
    assert (3, {"stdout": "out\n", "stderr": "err\n"}) == hands.run("echo out; echo err >&2; exit 3")[:2]


def test_a_job_inherits_no_setting_of_rotas_and_knows_who_it_is(hands):
    _, output, _ = hands.run("echo $ROTA_JOB $ROTA_ATTEMPT $LANG ${ROTA_SECRET-none}")
    assert "job 1 C none\n" == output["stdout"]


def test_a_job_has_no_descriptor_but_its_three_and_an_empty_input(hands):
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this looks at the job through /proc")
    _, output, _ = hands.run("ls /proc/self/fd; wc -c")
    assert ["0", "1", "2", "3", "0"] == output["stdout"].split(), "the fourth is the listing's own"


def test_a_job_has_its_signals_back(hands):
    code = "import signal; print([s.name for s in signal.Signals if signal.getsignal(s) is signal.SIG_IGN and s < 32])"
    done = hands.run(Command((sys.executable, "-I", "-S", "-c", f"import sys; {code}")))
    assert "['SIGPIPE', 'SIGXFSZ']\n" == done[1]["stdout"], "these two Python ignores by itself"


def test_a_job_starts_in_its_directory_with_its_umask(hands, tmp_path):
    code, output, _ = hands.run("pwd; umask", cwd=str(tmp_path / "spool"), umask=0o27)
    assert (0, [str(tmp_path / "spool"), "0027"]) == (code, output["stdout"].split())


def test_a_directory_that_is_not_there_is_126_and_told(hands):
    code, output, _ = hands.run("true", cwd="/no/such/place")
    assert (126, "rota: cannot change to the directory /no/such/place\n") == (code, output["stderr"])


def test_a_program_that_is_not_there_is_refused_and_leaves_nothing_behind(hands):
    with pytest.raises(CannotStart) as refused:
        hands.start(Command(("no-such-program-here",)))
    assert 127 == refused.value.code
    assert [] == hands.launcher.harvest("RUN1").parts
    hands.launcher.release("RUN1")
    assert (0, {"stdout": "next\n"}) == hands.run("echo next")[:2]


def test_an_environment_that_the_system_refuses_is_refused(hands):
    with pytest.raises(CannotStart, match="the system refused to start it"):
        hands.start("true", env={"BIG": "x" * (8 << 20)})


def test_whatever_keeps_a_program_from_its_start_is_a_refusal_and_no_end_of_the_engine(hands):
    for fields in ({"env": {"A": "nul\0"}}, {"cwd": "nul\0"}, {"env": {"SURROGATE": "\ud800"}}):
        with pytest.raises(CannotStart) as refused:
            hands.start(Command(("true",)), **fields)
        assert 126 == refused.value.code
    assert (0, {}) == hands.run("true")[:2]


def test_an_engine_whose_own_directory_is_gone_starts_jobs(hands, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert (0, {"stdout": "/\n"}) == hands.run("pwd", cwd="/")[:2]


def test_a_shim_that_cannot_be_watched_by_a_descriptor_is_watched_without_one(hands, monkeypatch):
    if not hasattr(os, "pidfd_open"):
        pytest.skip("the other watcher needs no descriptors")
    kept = os.pidfd_open

    def refuse(pid, flags=0):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    claimed = hands.start("exit 7")
    monkeypatch.setattr(os, "pidfd_open", kept)
    assert 7 == hands.exit(claimed)


@pytest.mark.parametrize("directory", ["emptied", "deleted"])
def test_spool_files_that_somebody_has_deleted_are_made_again(hands, tmp_path, directory):
    assert (0, {"stdout": "one\n"}) == hands.run("echo one")[:2]
    hands.launcher.reserve(3)
    shutil.rmtree(tmp_path / "spool")
    if directory == "emptied":
        (tmp_path / "spool").mkdir()
    for word in ("two", "three", "four", "five"):
        assert (0, {"stdout": f"{word}\n"}) == hands.run(f"echo {word}")[:2]
    (place,) = hands.launcher.reserve(1)
    assert (tmp_path / "spool" / place.split("/")[0]).exists(), "the journal is made again as well"


def test_a_full_journal_is_followed_by_the_next_before_more_is_claimed(hands, monkeypatch):
    monkeypatch.setattr(journal, "SEGMENT_SIZE", 256)
    segments = set()
    for _ in range(20):
        claimed = hands.start("true")
        hands.exit(claimed)
        hands.launcher.release(claimed.run_id)
        segments.add(claimed.spool.split("/")[0])
    assert len(segments) > 1


def test_a_job_that_empties_its_output_and_writes_more_than_before_is_told_of_it(hands):
    os.mkfifo(os.path.join(hands.home, "in"))
    claimed = hands.start("echo first; read x < in; echo second and more > /dev/stdout; echo third", cwd=hands.home)
    with open(os.path.join(hands.home, "in"), "w") as pipe:
        hands.launcher.watch_output()
        pipe.write("go\n")
    hands.exit(claimed)
    assert "the job emptied its own output file" in hands.launcher.harvest(claimed.run_id).note


def test_a_function_s_result_comes_back_and_its_file_goes(hands, tmp_path):
    code, _, left = hands.run(Python("os.path:join", ("a", "b")))
    assert (0, '{"result": "a/b"}') == (code, left.result)
    assert [] == list((tmp_path / "spool").glob("*.res"))
    assert hands.run("true")[2].result is None


def test_long_arguments_arrive_whole(hands, tmp_path):
    long = "x" * 300_000
    code, _, left = hands.run(Python("builtins:len", (long,)))
    assert (0, '{"result": 300000}') == (code, left.result)
    code, output, _ = hands.run(f": {long}\necho done")
    assert (0, "done\n") == (code, output["stdout"])
    assert [] == list((tmp_path / "spool").glob("*.arg"))


def test_a_pipe_brings_the_same_output_and_code(hands):
    policy = Policy(output=Output(mode=OutputMode.PIPE))
    code, output, _ = hands.run("echo out; echo err >&2; exit 9", policy=policy)
    assert (9, {"stdout": "out\n", "stderr": "err\n"}) == (code, output)


def test_a_job_that_empties_its_own_output_is_told_of_it(hands):
    os.mkfifo(os.path.join(hands.home, "in"))
    claimed = hands.start("echo long enough; read x < in; : > /dev/stdout; echo new", cwd=hands.home)
    with open(os.path.join(hands.home, "in"), "w") as pipe:
        hands.launcher.watch_output()
        pipe.write("go\n")
    hands.exit(claimed)
    left = hands.launcher.harvest(claimed.run_id)
    assert "the job emptied its own output file" in left.note


def test_an_attempt_is_ended_with_everything_it_started(hands):
    stubborn = "trap '' TERM; (setsid sleep 61 &) ; sleep 62 & echo > stubborn; wait; sleep 63"
    claimed = hands.start(stubborn, cwd=hands.home)
    wait_for(lambda: os.path.exists(os.path.join(hands.home, "stubborn")))
    assert hands.launcher.terminate(claimed.run_id) >= 1
    hands.launcher.kill(claimed.run_id)
    assert 137 == hands.exit(claimed)
    assert hands.launcher.remains(claimed.run_id) is False


def test_what_a_predecessor_left_is_known_by_its_evidence(hands):
    ended, gone = hands.start("exit 5"), hands.start("sleep 60")
    hands.exit(ended)
    goes_on = hands.start("sleep 60")
    boot = hands.launcher.boot
    wait_for(lambda: hands.launcher.evidence([running(gone, boot)])[gone.run_id].started)
    os.kill(hands.launcher._charges[gone.run_id].shim, signal.SIGKILL)
    hands.launcher.kill(gone.run_id)
    runs = [running(claimed, boot) for claimed in (ended, gone, goes_on)]
    shim = hands.launcher._charges[goes_on.run_id].shim
    hands.boot()

    def known():
        found = hands.launcher.evidence(runs)
        return found if found[goes_on.run_id].started and not found[gone.run_id].others else None

    found = wait_for(known)
    assert (5, True) == (found[ended.run_id].exit_code, found[ended.run_id].started)
    assert (None, True, None) == (
        found[gone.run_id].exit_code, found[gone.run_id].started, found[gone.run_id].shim
    )  # fmt: skip
    assert (shim, True, True) == (
        found[goes_on.run_id].shim, found[goes_on.run_id].others, found[goes_on.run_id].same_boot
    )  # fmt: skip
    assert hands.launcher.adopt(runs[2], Job("job", Shell("sleep 60")), shim) is True
    hands.launcher.kill(goes_on.run_id)
    assert 137 == hands.exit(goes_on)


def test_a_claim_that_was_never_started_proves_it(hands):
    (place,) = hands.launcher.reserve(1)
    claimed = Claimed("NEVER", 1, "job", 1, Trigger.MANUAL, None, {}, place, NOW)
    other_boot = running(claimed, "another boot")
    found = hands.launcher.evidence([running(claimed, hands.launcher.boot)])["NEVER"]
    assert (True, True) == (found.unstarted, found.same_boot)
    assert hands.launcher.evidence([other_boot])["NEVER"].unstarted is False


def test_a_segment_that_is_gone_proves_nothing(hands):
    claimed = Claimed("LOST", 1, "job", 1, Trigger.MANUAL, None, {}, "journal-0-none/000099", NOW)
    assert hands.launcher.evidence([running(claimed, hands.launcher.boot)])["LOST"].unstarted is False


def test_places_that_were_reserved_are_kept_until_they_are_used(hands):
    first = hands.launcher.reserve(3)
    assert first == hands.launcher.reserve(3)
    assert first[:2] == hands.launcher.reserve(2)
