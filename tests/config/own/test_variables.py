"""Variables in files: what is in quotes stays text, and a default may hold variables."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rota.config.own.variables import Variables
from rota.config.problems import Mark, Problems
from rota.model.action import Command, Python

from ..reads import job_of, jobs_of, read_text

ENVIRONMENT = {"A": "a", "EMPTY": "", "FLAG": "true", "N": "5", "NULL": "null"}
HERE = Mark("x.yaml", 1, 1)


def expand(text):
    problems = Problems()
    variables = Variables(ENVIRONMENT, problems)
    return variables.expand(text, HERE), [problem.text for problem in problems], variables.seen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("${A}", "a"),
        ("${NO:-${A}}", "a"),
        ("${NO:-${NEITHER:-c}}", "c"),
        ("<${NO:-x${NEITHER:-y${A}z}w}>", "<xyazw>"),
        ("${A:-${NOT_ASKED}}", "a"),
        ("${EMPTY:-${A}}${EMPTY}", "a"),
        ("${NO:-}", ""),
        ("${NO:-$${A}}", "${A}"),
        ("$${A} $A {A} ${NO:-{x}", "${A} $A {A} {x"),
    ],
)
def test_a_default_may_hold_variables(text, shown):
    assert (shown, []) == expand(text)[:2]


def test_a_default_that_is_not_used_is_not_looked_at():
    assert {"A": "a"} == expand("${A:-${NO}}")[2]
    assert {"NO": None, "N": "5"} == expand("${NO:-${N}}")[2]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${NO:-${NEITHER}}", "the variable NEITHER is not set"),
        ("${A:-x", "'${A:-x' is no variable"),
        ("${A:-${B}", "'${A:-${B}' is no variable"),
        ("${}", "'${}' is no variable"),
        ("${A${B}}", "'${A${B}' is no variable"),
        ("${" + "x" * 100, "'${" + "x" * 60 + "…' is no variable"),
        ("${NO:-" * 11 + "}" * 11, "variables that are nested more than 10 deep"),
    ],
)
def test_what_is_no_variable_is_told(text, problem):
    assert [problem] == expand(text)[1]


def test_ten_may_be_nested():
    assert ("x", []) == expand("${NO:-" * 10 + "x" + "}" * 10)[:2]


def test_a_text_that_would_grow_without_end_is_refused_before_it_has_grown():
    problems = Problems()
    assert Variables({"L": "x" * 60_000}, problems).expand("${L}" * 100_000, HERE) == ""
    assert ["a text that is too long once its variables are put in"] == [problem.text for problem in problems]


@given(some.lists(some.sampled_from(["${", "$${", "}", ":-", "A", "NO", "x", "$", "-"]), max_size=30))
def test_any_text_is_expanded_or_told(pieces):
    text, problems, _ = expand("".join(pieces))
    assert isinstance(text, str)
    assert problems or "NO" not in "".join(pieces) or "${NO}" not in "".join(pieces).replace("$${", "")


def test_a_variable_in_quotes_is_text_where_text_is_wanted(tmp_path):
    line = "run: [x, '${FLAG}', '${N}', \"${NULL}\"], tags: ['${N}', '${FLAG}'], description: '${NULL}', cwd: '${N:-/}'"
    job = jobs_of(tmp_path, f"jobs:\n  a: {{{line}}}\n", environment={**ENVIRONMENT, "N": "/tmp"})["a"]
    assert Command(("x", "true", "/tmp", "null")) == job.action
    assert (("/tmp", "true"), "null", "/tmp") == (job.tags, job.description, job.cwd)


def test_a_variable_in_quotes_is_a_number_or_a_flag_where_one_is_wanted(tmp_path):
    text = """\
pools: {db: "${N:-2}"}
engine: {capacity: "${N:-2}"}
jobs:
  a: {run: x, enabled: "${E:-false}", retries: "${N}", priority: "${N}", timeout: "${N}", max_instances: "${N}"}
  b: {run: x, retries: {count: 1, backoff: "${N}", jitter: "${N}", only_on: ["${N}", "1"]}, output: {head: "${N}"}}
"""
    reading = read_text(tmp_path, text.replace(', "1"', ""), environment=ENVIRONMENT)
    assert [] == list(map(str, reading.problems))
    a, b = (found.job for _, found in reading.jobs)
    assert ({"db": 5}, {"capacity": 5}) == (reading.pools, reading.settings)
    assert (False, 5, 5, 5) == (a.enabled, a.policy.retries.count, a.policy.priority, a.policy.max_instances)
    assert timedelta(seconds=5) == a.policy.timeout
    assert (5.0, 5.0, (5,), 5) == (
        b.policy.retries.backoff,
        b.policy.retries.jitter,
        b.policy.retries.only_on,
        b.policy.output.head,
    )
    assert read_text(tmp_path, text, environment=ENVIRONMENT).problems, "what was in quotes and no variable is text"


def test_arguments_of_a_function_are_text_in_quotes_and_typed_without(tmp_path):
    text = (
        "jobs:\n  a:\n    python: m:f\n    args:\n    - ${N}\n    - '${N}'\n    - ${FLAG}\n    kwargs: {x: '${FLAG}'}\n"
    )
    job = jobs_of(tmp_path, text, environment=ENVIRONMENT)["a"]
    assert Python("m:f", (5, "5", True), {"x": "true"}) == job.action
    assert isinstance(job.action, Python)
    assert [int, str, bool] == [type(arg) for arg in job.action.args]


def test_a_flag_that_is_not_in_quotes_is_no_text(tmp_path):
    text = "jobs:\n  a:\n    run:\n    - x\n    - ${FLAG}\n"
    found = read_text(tmp_path, text, environment=ENVIRONMENT).problems
    assert ["run: true is no text; put it in quotes"] == [f"{problem.text}; {problem.hint}" for problem in found]


def test_a_text_without_a_variable_is_what_it_was(tmp_path):
    assert Command(("x", "5", "true")) == job_of(tmp_path, "run: [x, '5', 'true']").action
