"""What a newer rota wrote: an engine that does not understand it leaves it alone, and goes on with everything else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.errors import Unreadable
from rota.model.host import Terms, may_run
from rota.model.run import State
from rota.plan.adopt import Evidence
from rota.store import rows

MINUTE = timedelta(minutes=1)
DOES_NOT_KNOW = "does not understand it: Object contains unknown field `sandbox`"


def write_as_newer(world, name: str, word: str = '"sandbox":true') -> str:
    """Give a job a definition as only a newer rota writes it, and return the one that it had."""
    stored = world.store.jobs.get(name)
    known = rows.body_of(stored.job)
    write(world, stored.definition_id, known.replace("{", "{" + word + ",", 1))
    return known


def write(world, definition_id: int, body: str) -> None:
    world.database._connection.execute("UPDATE definition SET body = ? WHERE id = ?", [body, definition_id])


@pytest.fixture
def world(world):
    world.database = world.store._db
    return world


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ('"sandbox":true', "unknown field `sandbox`"),
        ('"action":{"kind":"wasm"}', "Invalid value 'wasm'"),
        ('"schedules":[{"kind":"moon","text":"full"}]', "Invalid enum value 'moon'"),
        ('"policy":{"overlap":"merge"}', "Invalid enum value 'merge'"),
        ('"runs_on":{"zone":"eu"}', "unknown field `zone`"),
    ],
)
def test_a_definition_with_what_is_not_known_is_not_taken_for_another(word, why):
    with pytest.raises(Unreadable, match=f"a newer rota wrote this definition.*{why}"):
        rows.job_from_body('{"name":"x","action":{"kind":"shell","line":"true"},' + word + "}")


def test_a_run_that_only_a_newer_rota_understands_is_left_in_the_queue_and_others_go_on(world):
    world.add("newer")
    world.add("usual")
    run = world.verbs.trigger("newer")
    known = write_as_newer(world, "newer")
    world.live(5)
    world.verbs.trigger("usual")
    world.live(5)
    assert [State.SUCCEEDED] == world.states("usual")
    found = world.store.runs.find(run)
    assert (State.QUEUED, 0) == (found.state, found.attempt)
    assert DOES_NOT_KNOW in found.reason
    (told,) = [text for text in world.log.texts("WARNING") if "left for a newer rota" in text]
    assert DOES_NOT_KNOW in told
    write(world, found.definition_id, known)
    world.boot()
    world.live(5)
    assert State.SUCCEEDED is world.store.runs.find(run).state


def test_a_job_that_only_a_newer_rota_understands_is_not_planned_until_one_does(world):
    world.add("newer", "1m")
    world.add("usual", "1m")
    known = write_as_newer(world, "newer")
    world.live(3 * MINUTE)
    assert len(world.states("usual")) >= 2
    assert world.store.jobs.names() == ["newer", "usual"]
    assert "job.broken" in [event.kind for event in world.store.ledger.events(0, 1000)]
    (told,) = [text for text in world.log.texts("ERROR") if "it is not planned any more" in text]
    assert DOES_NOT_KNOW in told
    (definition,) = world.database._connection.execute("SELECT definition_id FROM job WHERE name = 'newer'").fetchone()
    write(world, definition, known)
    world.live(3 * MINUTE)
    assert len(world.states("newer")) >= 1, "it is planned again, from where it was"


def test_an_engine_that_finds_a_run_of_its_own_that_it_does_not_understand_does_not_start(world):
    world.add("newer")
    run = world.verbs.trigger("newer")
    world.live(0.1)
    write_as_newer(world, "newer")
    world.store.jobs._definitions.clear()
    world.crash()
    world.launcher.known[run] = Evidence(True, 42, False, True, None, None)
    with pytest.raises(Unreadable, match=f"run {run} of job 'newer' is running here.*start the newer rota here again"):
        world.boot()


def test_a_place_that_is_not_known_is_not_here():
    assert not may_run("~zone=eu", "one", Terms("one", {"zone": "eu"}))
    assert not may_run('{"zone":["eu"]}', "one", Terms("one", {"zone": "eu"}))
