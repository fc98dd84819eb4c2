"""What the pages about moving show is what the commands say: each block is run in a copy of its example."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import Home

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/how-to").glob("move-from-*.md"))
BLOCK = re.compile(r"<!-- in examples/(?P<example>[\w-]+) -->\n```console\n(?P<text>.*?)```\n", re.DOTALL)
ANN = "/home/ann"


def blocks() -> list[tuple[str, str, str]]:
    return [
        (page.name, found["example"], found["text"])
        for page in PAGES
        for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


def shown(home: Home, command: str) -> str:
    """Return what a command says on both streams, as somebody called Ann would see it."""
    env = home.env | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin",
        "HOME": str(home.folder.parent),
    }
    done = subprocess.run(
        command, shell=True, cwd=home.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30
    )
    text = done.stdout.decode().replace(os.path.join(sys.prefix, "bin"), f"{ANN}/.venv/bin")
    return text.replace(env["PATH"], "/usr/bin:/bin").replace(str(home.folder.parent), ANN)


def run(home: Home, text: str) -> str:
    """Run each command of a block, and return the block as it should be."""
    found = ""
    for line in text.splitlines():
        if line.startswith("$ "):
            found += f"{line}\n{shown(home, line[2:])}"
    return found


@pytest.mark.parametrize(("page", "example", "text"), blocks())
def test_a_page_shows_what_the_commands_say(tmp_path, page, example, text):
    home = Home(tmp_path / example)
    shutil.copytree(ROOT / "examples" / example, home.folder)
    home.path.mkdir(mode=0o700)
    assert text == run(home, text), page


def test_every_example_has_such_a_page():
    assert {example for _, example, _ in blocks()} >= {
        path.name for path in (ROOT / "examples").iterdir() if path.name not in ("demo", "rota")
    }
