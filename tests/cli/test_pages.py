"""The pages that show commands show what they really say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import ROTA
from .consoles import run_page

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("page", "files"), [("examples/rota/README.md", "examples/rota"), ("docs/how-to/job-files.md", None)]
)
def test_a_page_shows_what_its_commands_say(home, page, files):
    if files is not None:
        shutil.copytree(ROOT / files, home.folder, dirs_exist_ok=True)
    home.env["STAGE"] = "test"
    home.serve("--home", str(home.path), cwd=home.folder.parent)
    assert [] == run_page(ROOT / page, home.folder, home.env, str(Path(ROTA).parent))
