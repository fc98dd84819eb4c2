"""What is installed is found by name, and what is wrong with it names its distribution."""

from __future__ import annotations

import sys

import pytest

from rota.errors import BadPlugin
from rota.plugins import load, names

GROUP = "rota.tests"


@pytest.fixture
def here(site, monkeypatch):
    monkeypatch.syspath_prepend(str(site.path))
    before = set(sys.modules)
    yield site
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_names_are_found_without_importing_anything(here):
    here.install("planets", "raise AssertionError('nobody has asked for it')", {GROUP: {"mars": "planets:MARS"}})
    assert ["mars"] == names(GROUP)
    assert [] == names("rota.others")


def test_a_name_gives_what_it_stands_for(here):
    here.install("planets", "MARS = 4", {GROUP: {"mars": "planets:MARS"}})
    assert 4 == load(GROUP, "mars")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mras", "no plug-in named 'mras' is installed; did you mean 'mars'?"),
        ("x", "no plug-in named 'x' is installed; there are: broken, gone, leaves, mars"),
        ("broken", "'broken' of planets 1.0 cannot be imported: ModuleNotFoundError: No module named 'moons'; see it"),
        ("gone", "'gone' of planets 1.0 cannot be imported: AttributeError: "),
        ("leaves", "'leaves' of planets 1.0 cannot be imported: SystemExit: 2; see it with: python -c 'import leaves'"),
    ],
)
def test_what_cannot_be_had_says_why_and_what_next(here, name, said):
    places = {"mars": "planets:MARS", "broken": "moons:PHOBOS", "gone": "planets:PLUTO", "leaves": "leaves:NOW"}
    here.install("planets", "MARS = 4", {GROUP: places})
    (here.path / "leaves.py").write_text("import sys\nsys.exit(2)\n")
    with pytest.raises(BadPlugin) as refused:
        load(GROUP, name)
    assert said in str(refused.value)


def test_one_name_in_two_distributions_is_refused_unless_it_is_the_same(here):
    here.install("planets", "MARS = 4", {GROUP: {"mars": "planets:MARS"}})
    here.install("gods", "MARS = 'of war'", {GROUP: {"mars": "gods:MARS"}})
    with pytest.raises(BadPlugin, match=r"'mars' is in gods 1\.0 and in planets 1\.0; uninstall all of them but one"):
        load(GROUP, "mars")
