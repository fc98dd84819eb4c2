"""Modules as they are named on the command line, and whether they are still there."""

from __future__ import annotations

import os

import pytest

from rota.config.declared import read_modules
from rota.config.modules import is_there, module_named, modules_named
from rota.config.problems import Problems
from rota.errors import UsageError
from rota.model import origin


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src/app").mkdir(parents=True)
    (tmp_path / "src/app/__init__.py").touch()
    (tmp_path / "src/app/jobs.py").touch()
    (tmp_path / "chores.py").touch()
    return tmp_path


def test_a_module_is_looked_for_here_or_in_the_directory_that_is_named(project):
    here, there = module_named("chores", str(project)), module_named("src:app.jobs", str(project))
    assert (("chores", str(project), ""), ("app.jobs", f"{project}/src", "src")) == tuple(
        (module.name, module.directory, module.shown) for module in (here, there)
    )
    assert module_named(there.word, "/elsewhere").directory == there.directory
    assert [f"{project}/chores.py", f"{project}/chores/__init__.py"] == here.candidates


def test_a_module_that_is_named_twice_is_read_once(project):
    assert 1 == len(modules_named(["src:app.jobs", "./src/:app.jobs"], str(project)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no module; write it as in an import, such as pkg.mod"),
        ("src/app/jobs.py", "did you mean 'src.app.jobs'?"),
        ("a-b", "--python 'a-b' names no module"),
        ("chores.py", "--python 'chores.py' names a file; the module in it is chores"),
        ("gone:chores", "there is no directory"),
    ],
)
def test_what_names_no_module_is_refused_with_what_to_write(project, text, said):
    with pytest.raises(UsageError) as refused:
        module_named(text, str(project))
    assert said in str(refused.value)


def test_a_source_is_there_as_long_as_its_file_or_its_module_is(project):
    file, module = origin.of_file(f"{project}/chores.py"), origin.of_module(f"{project}/src", "app.jobs")
    assert is_there(file)
    assert is_there(module)
    (project / "chores.py").unlink()
    (project / "src/app/jobs.py").unlink()
    assert not is_there(file)
    assert not is_there(module)


def test_a_source_is_shown_in_words():
    assert "/etc/rota.yaml" == origin.shown(origin.of_file("/etc/rota.yaml"))
    assert "python app.jobs (in /srv/a:b)" == origin.shown(origin.of_module("/srv/a:b", "app.jobs"))
    assert [True, True, False, False] == [
        origin.is_applied(each) for each in ("file:/x", "python:/x:y", "python", "hand")
    ]


def test_a_word_that_only_a_program_heeds_is_told(project):
    (project / "chores.py").write_text('import rota\n\n@rota.job(every="5m", notify="log")\ndef sync(): ...\n')
    problems = Problems()
    [found] = read_modules([module_named("chores", str(project))], os.environ, problems)
    assert ["sync"] == [each.job.name for each in found.jobs]
    [warning] = problems.warnings
    assert "chores.py:3:1: job 'sync': notify means something in the program itself" in str(warning)
