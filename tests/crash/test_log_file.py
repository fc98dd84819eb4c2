"""A log of everything that job files ask for: it holds up nothing, and what is wrong with it is told."""

from __future__ import annotations

import os
from pathlib import Path

from .harness import wait_for
from .served import Served, jobs


def with_log(path: object, **lines: str) -> str:
    return f"engine: {{log_file: '{path}'}}\n" + jobs(**lines)


def told(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_a_log_that_has_become_a_pipe_holds_up_nothing_and_is_told(served: Served):
    log = served.folder / "all.log"
    served.write(with_log(log, a="run: echo said, every: 1s"))
    log.touch()
    served.serve()
    wait_for(lambda: "STDOUT: said" in told(log), "it is told", 10)
    log.unlink()
    os.mkfifo(log)
    served.wait_for_log(f"rota tell says: cannot write {log}: ", 10)
    before = len(served.states("a"))
    wait_for(lambda: len(served.states("a")) >= before + 2, "the engine goes on", 10)
    log.unlink()
    wait_for(lambda: told(log).count("STDOUT: said") > 2, "it is told when it can be", 10)
    served.wait_for_log("rota tell says: the log can be used again")
    assert served.log.count("cannot write") == 1


def test_a_log_has_the_engine_s_words_from_the_first_to_the_last_as_text(served: Served):
    log = served.folder / "all.log"
    served.write(with_log(log, a="run: 'true', every: 1h"))
    engine = served.serve("--log-format", "json")
    wait_for(lambda: "] INFO: rota " in told(log), "it has begun", 10)
    engine.terminate()
    wait_for(lambda: "] INFO: stopped; nothing is left running\n" in told(log), "it has the last words", 10)
    assert all(line.startswith("[") for line in told(log).splitlines())


def kept(served: Served, log: Path) -> list[object]:
    """Return how far a log has come: its events, and the engine's lines."""
    ask = served.ask(lambda client: [client.store.upkeep.fact(f"{what}:{log}") for what in ("told", "lines")])
    assert isinstance(ask, list)
    return ask


def test_how_far_a_log_has_come_is_dropped_when_no_file_names_it_any_more(served: Served):
    log, said = served.folder / "all.log", served.home / "tell.out"
    served.write(with_log(log, a="run: echo said"))
    engine = served.serve()
    for _ in range(2):
        served.call("run", "a", "--wait")
        wait_for(lambda: "STDOUT: said" in told(log), "it is told", 10)
        wait_for(lambda: all(kept(served, log)), "the place is kept", 10)
        served.write(jobs(a="run: echo said"))
        wait_for(lambda: kept(served, log) == ["", ""], "the place is dropped", 10)
        wait_for(lambda: not said.exists(), "the helper has ended", 10)
        assert kept(served, log) == ["", ""], "what was still writing has not brought it back"
        served.write(with_log(log, a="run: echo said"))
        wait_for(lambda: all(kept(served, log)), "it is told again", 10)
        log.write_text("")
    engine.terminate()
    engine.wait()
    served.write(jobs(a="run: echo said"))
    served.serve()
    assert kept(served, log) == ["", ""], "it was taken out while no engine ran"


def test_a_log_in_the_home_is_refused_by_the_engine(served: Served):
    served.write(with_log(".rota/rota.log", a="run: 'true'"))
    served.serve()
    served.wait_for_log("whose files are rota's own; name a `log_file` outside of it")
    assert not (served.home / "tell.out").exists()
