"""The OpenAPI document is true: whatever is asked by it, and against it, is answered, and never by a server error."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from rota.api.schemas import jobs as schemas
from rota.model.access import Kind, Role
from rota.schedule.parse import KINDS

from .worlds import API, World

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what its own imports warn of is not ours
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

EXAMPLES = 20
STREAMS = ("/events", "/output/live")
"""What has no end is tested by itself."""
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("schema"))
    made.add("backup", ("cron", "30 2 * * *"), tags=("nightly",))
    made.run()
    made.client.accounts.add_user("ada", Role.ADMIN, "correct horse battery")
    yield made
    made.close()


@pytest.fixture(scope="module")
def described(shared) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", shared.app)


def operations(described: Any) -> Iterator[Any]:
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.path.startswith(API) and not operation.path.endswith(STREAMS):
            yield operation


def test_nothing_that_is_asked_by_the_document_or_against_it_is_a_server_error(shared, described):
    asked = 0
    shown = {"Authorization": f"Bearer {shared.client.accounts.issue('ada', Kind.TOKEN).secret}"}
    for operation in operations(described):
        for mode in GenerationMode:

            @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                case.call_and_validate(checks=CHECKS, headers=shown)

            with suppress(Unsatisfiable):  # nothing can be asked wrongly where nothing is asked
                ask()
                asked += 1
    assert asked > 70
    assert 200 == shared.ask("GET", f"{API}/me", headers=shown).status_code, "all of it was asked by somebody known"


def test_every_operation_and_every_parameter_is_described(world):
    paths = world.ask("GET", "/openapi.json").json()["paths"]
    found = [(f"{verb} {path}", each) for path, verbs in paths.items() for verb, each in verbs.items()]
    assert [] == [name for name, operation in found if not (operation["description"] and operation["summary"])]
    assert [] == [
        f"{name}: {parameter['name']}"
        for name, operation in found
        for parameter in operation.get("parameters", [])
        if API in name and not parameter.get("description")
    ]


def test_what_goes_wrong_is_described_as_a_problem(world):
    document = world.ask("GET", "/openapi.json").json()
    answers = document["paths"][f"{API}/jobs"]["get"]["responses"]
    assert "application/problem+json" in answers["default"]["content"]
    assert "422" not in answers


def test_what_is_shown_as_an_example_is_a_request_that_works(world):
    document = world.ask("GET", "/openapi.json").json()
    for verb, path, status in (("post", "/jobs", 201), ("put", "/jobs/backup", 200), ("post", "/validate", 200)):
        operation = document["paths"][API + path.replace("backup", "{name}")][verb]
        for media_type, each in operation["requestBody"]["content"].items():
            given = {"json": each["example"], "headers": {"Content-Type": media_type}}
            answer = world.ask(verb.upper(), API + path, **given)
            assert status == answer.status_code, answer.text
            if path == "/jobs":
                world.client.verbs.remove("backup")
        world.ask("POST", f"{API}/jobs", json={"name": "backup", "run": "true"})


def test_every_kind_of_schedule_can_be_shown():
    assert set(KINDS) == set(get_args(schemas.Schedule.model_fields["kind"].annotation))
