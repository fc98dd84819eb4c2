"""Secrets and files of variables: read where the job starts, masked in what it writes, and kept nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

import rota.process.mask
from rota.process.mask import Mask

ROOM = Path(rota.process.mask.__file__).parent
SECRET = "s3cret/token+with=signs"


def run(line, given, program="relay.py", env=None, python=("-I", "-S")):
    """Run a line of shell with variables that are given, and return its output, errors and code."""
    start = ["--given", json.dumps(given)] if program == "relay.py" else [json.dumps(given)]
    words = [sys.executable, *python, str(ROOM / program), *start, "/bin/sh", "-c", line]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, env={**os.environ, **(env or {})})
    return done.stdout, done.stderr, done.returncode


@pytest.fixture
def secret(tmp_path):
    (tmp_path / "token").write_text(SECRET + "\n")
    return {"secrets": {"TOKEN": f"file:{tmp_path}/token"}}


def test_a_job_has_its_secret_and_nobody_reads_it_in_the_output(secret):
    line = f'test "$TOKEN" = "{SECRET}" && echo "yes: $TOKEN."; echo "$TOKEN" >&2; exit 7'
    assert ("yes: ***.\n", "***\n", 7) == run(line, secret)


def test_a_secret_that_is_written_in_two_pieces_is_masked(secret):
    line = "printf 'a %.6s' \"$TOKEN\"; sleep 0.2; printf '%s b' \"${TOKEN#??????}\""
    assert "a *** b" == run(line, secret)[0]


def test_the_beginning_of_a_secret_alone_is_no_secret(secret):
    assert "s3cret/" == run("printf s3cret/", secret)[0]


def test_a_secret_may_come_from_the_engine_s_environment():
    given = {"secrets": {"TOKEN": "env:ELSEWHERE"}}
    assert "***\n" == run('echo "$TOKEN"', given, env={"ELSEWHERE": SECRET})[0]


def test_each_long_line_of_a_secret_is_masked_by_itself(tmp_path):
    (tmp_path / "key").write_text("-----BEGIN KEY-----\nabcdefghij\nxy\n-----END KEY-----\n")
    given = {"secrets": {"KEY": f"file:{tmp_path}/key"}}
    assert "***\n***\nxy\n" == run('echo "$KEY" | sed -n "1,3p"', given)[0]


def test_the_result_of_a_function_is_masked_as_json_writes_it(tmp_path):
    (tmp_path / "token").write_text('pass"wörd')
    result = tmp_path / "result"
    given = {"secrets": {"TOKEN": f"file:{tmp_path}/token"}}
    code = "import json, os; json.dump({'error': os.environ['TOKEN']}, open(os.environ['ROTA_RESULT_FILE'], 'w'))"
    run(f'{sys.executable} -c "{code}"', given, env={"ROTA_RESULT_FILE": str(result)})
    assert {"error": "***"} == json.loads(result.read_text())


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("file:/nowhere/token", "secret TOKEN: /nowhere/token cannot be read: No such file or directory"),
        ("env:NOBODY_SET_THIS", "secret TOKEN: the engine has no variable NOBODY_SET_THIS; set it where `rota serve`"),
        ("file:/dev/zero", "secret TOKEN: /dev/zero is longer than 65536 characters"),
    ],
)
@pytest.mark.parametrize("program", ["relay.py", "reveal.py"])
def test_a_secret_that_cannot_be_read_keeps_the_job_from_starting(place, words, program):
    out, errors, code = run("echo started", {"secrets": {"TOKEN": place}}, program)
    assert ("", 126) == (out, code)
    assert errors.startswith(f"rota: {words}")
    assert "Traceback" not in errors


def keyring(folder, text):
    (folder / "keyring.py").write_text(text)
    return {"PYTHONPATH": str(folder)}


def test_a_keyring_is_asked_for_the_service_and_the_name(tmp_path):
    env = keyring(tmp_path, "def get_password(*asked):\n    return '-'.join(asked)\n")
    line = 'test "$TOKEN" = "shop-me@x/y" && echo "$TOKEN"'
    assert "***\n" == run(line, {"secrets": {"TOKEN": "keyring:shop/me@x/y"}}, env=env, python=())[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise ImportError", "which needs the package keyring: pip install 'rota[keyring]'"),
        ("get_password = lambda *_: None", "this user has no 'me' of 'shop'; put it there with: keyring set shop me"),
        ("def get_password(*_):\n    raise OSError('it is locked')", "the keyring fails: it is locked"),
    ],
)
def test_a_keyring_that_does_not_help_is_told_in_a_sentence(tmp_path, text, words):
    given = {"secrets": {"TOKEN": "keyring:shop/me"}}
    out, errors, code = run("echo started", given, env=keyring(tmp_path, text), python=())
    assert ("", 126) == (out, code)
    assert words in errors


def test_files_of_variables_are_read_and_the_job_s_own_go_first(tmp_path):
    text = "# comment\n\nA=1\nexport B='two words'\nC = \"3\"\nOWN=file\nD=a=b # not a comment\n"
    (tmp_path / "one.env").write_text(text)
    (tmp_path / "two.env").write_text("A=later\n")
    given = {"files": [str(tmp_path / "one.env"), str(tmp_path / "two.env")], "keep": ["OWN"]}
    out, _, code = run('echo "$A|$B|$C|$OWN|$D"', given, "reveal.py", env={"OWN": "job"})
    assert ("later|two words|3|job|a=b # not a comment\n", 0) == (out, code)


def test_a_line_that_is_no_variable_is_told_with_its_place_and_not_with_its_words(tmp_path):
    (tmp_path / "bad.env").write_text("A=1\nKEY='-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END KEY-----'\n")
    errors = run("true", {"files": [str(tmp_path / "bad.env")]}, "reveal.py")[1]
    assert errors == (
        f"rota: env_file: {tmp_path}/bad.env:3: this line is not NAME=VALUE; a value is one line, and what has more "
        'can be a secret: env: {NAME: {from: "file:path"}}\n'
    )


@pytest.mark.parametrize("name", ["ROTA_MARK", "ROTA_RUN_ID", "ROTA_JOB", "ROTA_ANY"])
@pytest.mark.parametrize("program", ["relay.py", "reveal.py"])
def test_what_rota_tells_a_job_is_not_taken_from_a_file(tmp_path, name, program):
    (tmp_path / "own.env").write_text(f"A=1\nexport {name}=other\n")
    out, errors, code = run("echo started", {"files": [str(tmp_path / "own.env")]}, program)
    assert ("", 126) == (out, code)
    assert errors == (
        f"rota: env_file: {tmp_path}/own.env:2: names that begin with ROTA_ are rota's own, and are not taken from "
        "files; take the line out\n"
    )


def test_a_secret_cannot_replace_what_rota_tells_a_job():
    given = {"secrets": {"ROTA_MARK": "env:OTHER"}}
    out, errors, code = run("echo started", given, env={"ROTA_MARK": "mark", "OTHER": "x"})
    assert ("", 126) == (out, code)
    assert errors == "rota: secret ROTA_MARK: rota itself sets this variable; give the secret another name\n"


def test_a_secret_that_begins_with_another_is_masked_whole_although_it_is_written_in_two_pieces(tmp_path):
    for name, text in (("short", "tok123"), ("long", "tok123-refresh-9f8e7d")):
        (tmp_path / name).write_text(text)
    given = {"secrets": {"T1": f"file:{tmp_path}/short", "T2": f"file:{tmp_path}/long"}}
    line = 'printf "a $T1"; sleep 0.2; printf "%s b $T1" "${T2#tok123}"; sleep 0.2; printf -- -rest'
    assert "a *** b ***-rest" == run(line, given)[0]


def masked(secrets, text):
    """Mask a text that is there as a whole: of secrets at one place the longest, of those that overlap the first."""
    shown, at = "", 0
    while at < len(text):
        found = max((secret for secret in secrets if text.startswith(secret, at)), key=len, default="")
        shown, at = (shown + "***", at + len(found)) if found else (shown + text[at], at + 1)
    return shown


@given(
    some.lists(some.text("abc", min_size=1, max_size=6), min_size=1, max_size=4),
    some.lists(some.text("abc-", max_size=8), max_size=12),
)
def test_however_a_stream_is_cut_it_is_masked_as_if_it_came_whole(secrets, pieces):
    mask = Mask([secret.encode() for secret in secrets])
    shown = b"".join([*(mask.take(piece.encode()) for piece in pieces), mask.end()])
    assert masked(secrets, "".join(pieces)) == shown.decode()


@given(some.lists(some.text("ab-", max_size=6), max_size=12))
def test_what_cannot_become_a_secret_does_not_wait(pieces):
    mask, given = Mask([b"ab", b"abba"]), ""
    shown = b""
    for piece in pieces:
        given += piece
        shown += mask.take(piece.encode())
        assert len(masked(["ab", "abba"], given)) - len(shown) <= len("***ba"), "a beginning waits, and no more"


def test_the_result_of_a_function_shows_no_end_of_a_longer_secret(tmp_path):
    result = tmp_path / "result"
    result.write_text('{"value": "tok123-refresh-9f8e7d and tok123"}')
    given = {"secrets": {"A": "env:SHORT", "B": "env:LONG"}}
    env = {"ROTA_RESULT_FILE": str(result), "SHORT": "tok123", "LONG": "tok123-refresh-9f8e7d"}
    run("true", given, env=env)
    assert {"value": "*** and ***"} == json.loads(result.read_text())
