"""`python -m rota.call`: a function's process, its result, and what it says of an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

FUNCTIONS = """
import asyncio, os, sys

def add(a, b=1):
    return a + b

async def slowly(a):
    await asyncio.sleep(0)
    return [a, a]

class Reports:
    @staticmethod
    def daily():
        return "daily"

def nothing():
    print("done")

def fails():
    raise ValueError("no such \\u00fc day")

def leaves(code):
    sys.exit(code)

def odd():
    return {1, 2}

def not_a_number():
    return float("nan")

def deep():
    found = []
    for _ in range(100_000):
        found = [found]
    return found

def circle():
    found = []
    found.append(found)
    return found

def words():
    return sys.argv

def length(text):
    return len(text)

class Interrupt(BaseException):
    pass

def interrupted():
    raise Interrupt("now")
"""


@pytest.fixture
def call(tmp_path):
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    left = tmp_path / "left.json"

    def run(target, *args, result=True, words=None, **kwargs):
        words = [json.dumps({"args": args, "kwargs": kwargs})] if words is None else words
        env = {**os.environ} | ({"ROTA_RESULT_FILE": str(left)} if result else {})
        done = subprocess.run(
            [sys.executable, "-P", "-m", "rota.call", f"functions:{target}", *words],
            capture_output=True, text=True, cwd=tmp_path, env=env, timeout=60,
        )  # fmt: skip
        return done, json.loads(left.read_text()) if left.exists() else None

    return run


@pytest.mark.parametrize(
    ("target", "args", "result"),
    [
        ("add", [2], 3),
        ("slowly", ["x"], ["x", "x"]),
        ("Reports.daily", [], "daily"),
        ("words", [], ["functions:words"]),
    ],
)
def test_a_function_s_result_is_kept(call, target, args, result):
    done, left = call(target, *args)
    assert (0, "", {"result": result}) == (done.returncode, done.stderr, left)


def test_names_are_passed_as_names(call):
    assert {"result": 7} == call("add", a=3, b=4)[1]


def test_a_function_that_returns_nothing_leaves_nothing(call):
    done, left = call("nothing")
    assert (0, "done\n", None) == (done.returncode, done.stdout, left)


def test_without_arguments_it_is_called_without(call):
    assert 0 == call("nothing", words=[])[0].returncode


def test_an_error_ends_with_1_its_traceback_and_its_words(call):
    done, left = call("fails")
    assert (1, {"error": "ValueError: no such ü day"}) == (done.returncode, left)
    assert "Traceback" in done.stderr
    assert "ValueError: no such" in done.stderr


@pytest.mark.parametrize(("code", "wanted"), [(0, 0), (3, 3), (None, 0), ("text", 1)])
def test_a_function_may_choose_its_exit_code(call, code, wanted):
    done, left = call("leaves", code)
    assert (wanted, None) == (done.returncode, left)


@pytest.mark.parametrize("target", ["odd", "not_a_number", "deep", "circle"])
def test_a_result_that_json_cannot_hold_is_no_failure_and_told(call, target):
    done, left = call(target)
    assert (0, "") == (done.returncode, done.stderr)
    assert left["note"].startswith("the result cannot be kept as JSON: ")


def test_long_arguments_come_in_a_file(call, tmp_path):
    (tmp_path / "arguments").write_text(json.dumps({"args": ["ü" * 200_000]}))
    assert {"result": 200_000} == call("length", words=["--file", str(tmp_path / "arguments")])[1]


def test_without_a_place_for_it_the_result_is_dropped(call):
    done, left = call("add", 1, result=False)
    assert (0, None) == (done.returncode, left)


@pytest.mark.parametrize("target", ["no_such_function", "Reports.weekly"])
def test_a_function_that_is_not_there_is_an_error_that_says_so(call, target):
    done, left = call(target)
    assert 1 == done.returncode
    assert left["error"].startswith("AttributeError: ")


def test_a_module_that_is_not_there_is_an_error_that_says_so(tmp_path):
    left = tmp_path / "left.json"
    done = subprocess.run(
        [sys.executable, "-m", "rota.call", "no_such_module_here:main"],
        capture_output=True, env={**os.environ, "ROTA_RESULT_FILE": str(left)}, timeout=60,
    )  # fmt: skip
    assert 1 == done.returncode
    assert "No module named 'no_such_module_here'" in json.loads(left.read_text())["error"]


def test_what_is_no_error_but_an_interruption_goes_through(call):
    done, left = call("interrupted")
    assert (1, {"error": "Interrupt: now"}) == (done.returncode, left)


def test_files_beside_a_function_that_are_named_like_ours_are_not_called_in_our_place(call, tmp_path):
    for name in ("rota.py", "json.py", "inspect.py"):
        (tmp_path / name).write_text("raise SystemExit('hijacked')")
    done, left = call("add", 2)
    assert (0, {"result": 3}) == (done.returncode, left)


def test_whoever_asked_python_for_a_safe_path_keeps_it(call, monkeypatch):
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    assert "No module named 'functions'" in call("add", 2)[0].stderr
