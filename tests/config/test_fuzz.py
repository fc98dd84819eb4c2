"""Whatever is in a file, reading it ends soon, in memory that is bounded, and without a traceback."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from rota.config.problems import Problems
from rota.config.syntax.yaml_reader import plain, read_yaml

from .reads import read_text

HERE = Path(__file__).parent
CORPUS = sorted([*(HERE / "damaged").iterdir(), *(HERE / "bad").glob("*.yaml")])
SOUND = {"bom.yaml", "crlf.yaml", "cr.yaml", "long_line.yaml"}
QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_NAMES = (
    "jobs defaults pools env engine timezone a b run python task args cron every at calendar schedules retries output "
    "timeout enabled tags count delay from << * & ! | > - ? : # %"
)
_KEYS = some.sampled_from(_NAMES.split())
_WORDS = some.one_of(
    _KEYS,
    some.sampled_from(["5m", "@daily", "*/5 * * * *", "true", "on", "~", "1.5", "${X}", "${", "[", "]", "{", "}", '"']),
    some.text(max_size=12),
    some.integers(),
)
_VALUES = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(), some.floats(), some.text(max_size=20), _KEYS),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
@pytest.mark.timeout(20)
def test_a_damaged_file_ends_in_problems(tmp_path, path):
    reading = read_text(tmp_path, path.read_bytes(), path.name)
    assert (path.name in SOUND) == (not reading.problems)
    assert all(problem.mark.line >= 1 and problem.mark.column >= 1 for problem in reading.problems)


def test_the_whole_corpus_is_read_in_little_memory():
    code = (
        "import re, sys; from pathlib import Path; from tests.config.reads import read_files\n"
        "for path in sys.argv[1:]: read_files(Path(path).parent, Path(path).name)\n"
        # Not getrusage: that counts what this process was before it became another program, too.
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    words = [sys.executable, "-c", code, *map(str, CORPUS)]
    told = subprocess.run(
        words, cwd=HERE.parents[1], capture_output=True, text=True, timeout=120, preexec_fn=_limit, check=True
    )
    assert int(told.stdout) < 200_000


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


@QUICK
@given(some.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    problems = Problems()
    node = read_yaml(text, "x.yaml", problems)
    assert (node is None) <= bool(problems)
    if node is not None:
        plain(node)


@QUICK
@given(
    some.lists(some.tuples(some.integers(0, 8), _WORDS, some.sampled_from(["", ": ", ": [", " - ", "\n"])), max_size=25)
)
def test_what_looks_like_a_job_file_is_read_or_refused(tmp_path, lines):
    read_text(
        tmp_path, "".join(f"{' ' * indent}{word}{end}\n" for indent, word, end in lines).encode("utf-8", "replace")
    )


@QUICK
@given(some.dictionaries(_KEYS, _VALUES, max_size=6))
def test_any_values_under_known_keys_are_read_or_refused(tmp_path, document):
    import json

    reading = read_text(tmp_path, json.dumps({"jobs": {"a": document}, **document}), "x.json")
    assert reading.problems or reading.jobs is not None


@QUICK
@given(some.binary(max_size=400))
def test_any_bytes_are_read_or_refused(tmp_path, content):
    read_text(tmp_path, content)
