"""The JSON Schema of job files: what rota reads it accepts, and faults of shape it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from jsonschema import Draft202012Validator

from rota.config.own.documents import JobDocument
from rota.config.own.schema import schema
from rota.config.own.starter import starter
from rota.config.problems import Problems
from rota.config.syntax.yaml_reader import plain, read_yaml

from ..reads import ENVIRONMENT, read_text

ROOT = Path(__file__).parents[3]
BAD = Path(__file__).parents[1] / "bad"
SCHEMA = Draft202012Validator(schema())
_WHY_IT_PASSES = {
    "it is no YAML, or not what rota takes of YAML, so that no schema is asked": """
        alias-of-itself bad-block bad-escape bad-indentation bomb control-character double-key double-key-in-job empty
        foreign-tag key-that-is-a-list line-without-colon list-item-where-none-can-be mark-in-the-middle merge-of-a-word
        nul only-comments open-brace open-bracket open-quote second-colon tab-indentation too-deep two-documents
        unknown-alias unquoted-at unquoted-backtick unquoted-percent unquoted-star
        """,
    "the words of a schedule and of an instant have a grammar of their own": """
        bad-anchor bad-calendar bad-cron bad-cron-in-a-list bad-cron-in-quotes bad-instant bad-interval
        cron-that-never-fires interval-of-nothing month-as-interval relative-instant unknown-cron-name
        """,
    "the names of jobs, variables, functions and zones have rules that keys and words do not show": """
        bad-name bad-target bad-variable-name bad-zone bad-zone-of-a-job name-like-an-option
        """,
    "it depends on what else is on the machine, or in its environment": """
        no-run-sh no-task-directory odd-variable run-sh-not-executable text-too-long-for-a-variable variable-not-set
        variables-too-deep
        """,
    "two values do not go together, or one is too small, as only its meaning tells": """
        cwd-of-a-task from-end-beside-others not-after-before-not-before secret-in-a-file timeout-of-nothing
        """,
    "the same key takes anything for a function": "task-with-a-mapping-as-argument",
}
PASSES = {name: why for why, names in _WHY_IT_PASSES.items() for name in names.split()}
"""The bad files that the schema accepts, or never sees, and why."""


def document(text: str) -> object:
    """Return what an editor checks: the values, before variables are put in."""
    problems = Problems()
    node = read_yaml(text, "x.yaml", problems)
    assert [] == list(map(str, problems))
    assert node is not None
    return plain(node)


def refusals(text: str) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in SCHEMA.iter_errors(document(text))]


def test_the_schema_is_one():
    Draft202012Validator.check_schema(schema())


def test_the_starter_is_accepted_with_all_of_its_comments_taken_off():
    text = starter("s.json")
    assert [] == refusals(text)
    whole = re.sub(r"^( *)# ", r"\1", "\n".join(text.splitlines()[4:]), flags=re.MULTILINE)
    assert [] == refusals(whole)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("rota.y*ml")), ids=lambda path: path.parent.name)
def test_examples_are_accepted(path):
    assert [] == refusals(path.read_text(encoding="utf-8"))


def shown_files() -> list[str]:
    """Return the job files that pages show as YAML."""
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")]
    blocks = [
        block for page in pages for block in re.findall(r"```ya?ml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    files = re.findall(
        r"cat > rota.yaml <<'END'\n(.*?)\nEND", (ROOT / "docs/how-to/job-files.md").read_text("utf-8"), re.DOTALL
    )
    return [text for text in [*blocks, *files] if re.search(r"^jobs:", text, re.MULTILINE)]


@pytest.mark.parametrize("text", shown_files(), ids=range(len(shown_files())))
def test_what_pages_show_is_accepted_if_rota_accepts_it(tmp_path, text):
    reading = read_text(tmp_path, text, environment={"STAGE": "test"})
    assert bool(reading.problems) or [] == refusals(text)


@pytest.mark.parametrize(
    "text",
    [
        "jobs:",
        "jobs: {a: {run: x, retries: 3}}",
        "jobs: {a: {run: x, retries: +3, every: 5m, output: pipe, tags: [2024, 1.5], enabled: '${E:-true}'}}",
        "jobs: {a: {run: [tail, -n, 8], every: 90, priority: 7, umask: 27, retries: '${R}', output: '${O}'}}",
        "pools: {db: '${N:-2}'}\nengine: {capacity: '${C}'}\njobs: {a: {run: x, max_instances: '${N:-2}'}}",
        "jobs: {a: {run: x, retries: {count: '${R}', backoff: '${B}', only_on: ['${C}', 1]}, umask: '${U}'}}",
        "jobs: {a: {run: x, priority: '${P}', overlap: '${O}', catch_up: '${C}', timeout: '${T}', user: 1000}}",
        "jobs: {a: {run: x, output: {head: '${S}', tail: 5, mode: '${M}'}, env: {T: {from: '${PLACE}'}}}}",
        "jobs: {a: {run: x, every: null, cron: [], timeout: null, schedules: [{every: 5, cron: null}]}}",
        "jobs: {a: {run: x, args: [], kwargs: {}, python: null}}",
        "jobs: {a: {run: x, env: {A: 1, B: true, C: x, T: {from: 'keyring:shop/me@x/y'}}, env_file: ['${F}']}}",
    ],
)
def test_short_forms_numbers_and_variables_are_accepted(tmp_path, text):
    values = {"E": "true", "N": "2", "C": "3", "R": "1", "O": "allow", "B": "2", "U": "027", "P": "high", "T": "5m"}
    values |= {"S": "5KB", "M": "pipe", "PLACE": "env:HOME", "F": "f"}
    if "output: '${O}'" in text:
        values["O"] = "pipe"
    if "catch_up" in text:
        values["C"] = "all"
    assert [] == list(map(str, read_text(tmp_path, text, environment=values).problems))
    assert [] == refusals(text)


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_fault_of_shape_is_refused(path):
    problems = Problems()
    node = read_yaml(path.read_bytes().decode("utf-8"), path.name, problems)
    accepted = bool(problems) or node is None or SCHEMA.is_valid(plain(node))
    assert accepted == (path.stem in PASSES), "list it in PASSES, with the reason, if no schema could tell"


def test_what_is_left_to_rota_is_listed_with_a_reason():
    assert set() == PASSES.keys() - {path.stem for path in BAD.glob("*.yaml")}


@pytest.mark.parametrize(
    "line",
    [
        "run: x, python: m:f",
        "enabled: true",
        "run: x, schedules: [{cron: '@daily', every: 5m}]",
        "run: x, schedules: [{from: end}]",
        "run: x, schedules: [{cron: '@daily', dst: skip}]",
        "run: x, umask: 999",
        "run: x, umask: '1777'",
        "run: x, args: [1]",
        "task: t, kwargs: {a: 1}",
        "run: x, timeout: soon",
        "run: x, retries: -1",
        "run: x, output: {head: much}",
    ],
)
def test_what_rota_refuses_by_its_shape_the_schema_refuses(line):
    assert refusals(f"jobs: {{a: {{{line}}}}}")


_WORDS = "x 5 5m 10% 1MB 027 high allow end pipe ${N} UTC boot"
_SCALARS = some.sampled_from([*_WORDS.split(), 5, 0, 27, 1.5, True, None])
_INNER = "count delay backoff jitter only_on head tail mode every from anchor A"
_VALUES = some.one_of(
    _SCALARS,
    some.lists(_SCALARS, max_size=2),
    some.dictionaries(some.sampled_from(_INNER.split()), _SCALARS, max_size=3),
)
_KEYS = some.sampled_from(
    sorted({field.alias or name for name, field in JobDocument.model_fields.items()} - {"run", "task"})
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.dictionaries(_KEYS, _VALUES, max_size=3), some.sampled_from([{"run": "x"}, {"run": ["x", 5]}, {}]))
def test_whatever_rota_accepts_the_schema_accepts(tmp_path, job, action):
    text = json.dumps({"jobs": {"a": {**job, **action}}})
    for value in ("5", "true", "high"):
        if not read_text(tmp_path, text, "x.json", environment={**ENVIRONMENT, "N": value}).problems:
            assert [] == refusals(text)
