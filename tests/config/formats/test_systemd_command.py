"""Command lines as systemd reads them."""

from __future__ import annotations

import os
import pwd
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.config.formats.systemd_command import BadCommand, read_command, with_specifiers
from rota.model.action import Command, Shell


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("python3  report.py\t--all", ["python3", "report.py", "--all"]),
        ("""echo "a b" 'c d' e"f g"h """, ["echo", "a b", "c d", "ef gh"]),
        ("echo '' x", ["echo", "", "x"]),
        (r"""echo "a\tb" 'c\nd' \x41\101 \u00e4\U0001F600 \s\\ """, ["echo", "a\tb", "c\nd", "AA", "ä😀", " \\"]),
        (r"echo a \; b;c ';'", ["echo", "a", ";", "b;c", ";"]),
        ("date +%%F 50% %", ["date", "+%F", "50%", "%"]),
        ("echo $$HOME a$$b a$HOME $ $$5", ["echo", "$HOME", "a$b", "a$HOME", "$", "$5"]),
        (":echo $HOME ${HOME} $$", ["echo", "$HOME", "${HOME}", "$$"]),
        ("sh -c 'a && b > c; d'", ["sh", "-c", "a && b > c; d"]),
        ("echo # no comment", ["echo", "#", "no", "comment"]),
    ],
)
def test_words_are_split_as_systemd_splits_them(line, words):
    assert Command(tuple(words)) == read_command(line)


@pytest.mark.parametrize(
    ("line", "shell"),
    [
        ("echo ${HOME}", 'exec echo "${HOME}"'),
        ("echo '${HOME}'", 'exec echo "${HOME}"'),
        ("echo --to=${A}/${B}x $$", """exec echo --to="${A}"/"${B}"x '$'"""),
        ("echo $A '* b'", "set -f; exec echo $A '* b'"),
    ],
)
def test_a_line_with_a_variable_is_one_for_the_shell(line, shell):
    assert Shell(shell) == read_command(line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("printf %%s| ${A}", ["a  b*"]),
        ("printf %%s| $A", ["a", "b*"]),
        ("printf %%s| '${A}c' \"it's\" $$ ${NONE} $NONE", ["a  b*c", "it's", "$", ""]),
        ("printf %%s| a$A `id` $(id) '~' ~ *", ["a$A", "`id`", "$(id)", "~", "~", "*"]),
    ],
)
def test_the_shell_starts_what_systemd_would_start(tmp_path, line, words):
    (tmp_path / "file").touch()
    found = read_command(line.replace("$(id)", "$$(id)"))
    argv = ["/bin/sh", "-c", found.line] if isinstance(found, Shell) else list(found.argv)
    env = {"PATH": os.environ["PATH"], "A": "a  b*"}
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "".join(f"{word}|" for word in words) == done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "there is no program in it"),
        ("''", "there is no program in it"),
        ("-rm x", "its exit code is not looked at"),
        ("@a b", "gives the process another name"),
        ("+a", "gives it all rights"),
        ("!!a", "changes its rights"),
        (":-a", "its exit code is not looked at"),
        ("|a", "starts it by a shell"),
        ("a ; b", "';' begins a second command"),
        ("a;b ;", "';' begins a second command"),
        ("a %i", "'%i' is a specifier that only systemd could put in"),
        ("date +%Y", "'%Y' is a specifier"),
        ("$A b", "a variable cannot name the program"),
        ("a/${B} b", "a variable cannot name the program"),
        ("a ${B:-c}", "'${B:-c}' is no variable"),
        ("a ${B", "'${B' is no variable"),
        ("a $5", "'$5' is no variable"),
        ("a 'b", "the quote at character 3 is never closed"),
        (r"a \q", "is no escape that systemd knows"),
        ("a \\", "is no escape that systemd knows"),
        (r"a \x00", "is no character"),
        (r"a \xe4", "is no character"),
        (r"a \ud800", "is no character"),
        (r"a \;b", "is no escape"),
    ],
)
def test_what_only_systemd_can_do_is_refused(line, said):
    with pytest.raises(BadCommand) as error:
        read_command(line)
    assert said in error.value.problem
    assert error.value.hint


def test_specifiers_are_what_systemd_would_say(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.delenv("TMPDIR", raising=False)
    me = pwd.getpwuid(os.geteuid())
    expected = (
        f"/home/ann {me.pw_name} {os.geteuid()} {os.getegid()} {me.pw_shell} {os.uname().nodename} /tmp /var/tmp %"
    )
    assert expected == with_specifiers("%h %u %U %G %s %H %T %V %%")
    assert with_specifiers("%g")


@given(st.text(st.sampled_from("ab$${}%hi\\\"' ;:-@x41u\0\t"), max_size=20))
def test_any_line_is_read_or_refused_with_a_hint(line):
    try:
        said = read_command(line).describe()
    except BadCommand as error:
        said = error.problem and error.hint
    assert said
