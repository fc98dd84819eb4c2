"""The programs that pages show do what the pages say: each is written to a directory, and each command is run there."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from cli.consoles import run_page

PAGES = Path(__file__).parents[2] / "docs/how-to"
FILE = re.compile(r"```(?:python|yaml)\n# (?P<name>[\w./-]+\.(?:py|ya?ml))\n(?P<text>.*?)```\n", re.DOTALL)
SHOWN = [
    page.name
    for page in sorted(PAGES.glob("*.md"))
    if FILE.search(page.read_text("utf-8")) and "```console\n" in page.read_text("utf-8")
]


@pytest.mark.parametrize("page", SHOWN)
def test_the_programs_of_a_page_say_what_it_shows(tmp_path, page):
    for file in FILE.finditer((PAGES / page).read_text(encoding="utf-8")):
        path = tmp_path / file["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["text"], encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("ROTA_")}
    assert [] == run_page(PAGES / page, tmp_path, env, str(Path(sys.executable).parent))


def test_pages_with_programs_are_among_them():
    assert {"python.md", "programs-of-tasks-loop.md"} <= set(SHOWN)
