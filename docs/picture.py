"""Draws docs/pictures/*.svg: `python docs/picture.py HOME` shows what a terminal shows for a home."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURES = Path(__file__).parent / "pictures"
ROTA = Path(sys.executable).with_name("rota")
SHOWN = {
    "list": ["list"],
    "runs": ["runs", "--limit", "12"],
    "why": ["why", "flaky"],
}
COLUMNS, LINES = 110, 40


def on_a_terminal(words: list[str]) -> str:
    """Return what a command writes on a terminal."""
    lead, follow = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    with subprocess.Popen([ROTA, *words], stdin=follow, stdout=follow, stderr=follow, env=environment) as process:
        os.close(follow)
        written = b""
        while True:
            try:
                content = os.read(lead, 65536)
            except OSError:  # the other end was closed: Linux says so with an error
                break
            if not content:
                break
            written += content
        process.wait()
    os.close(lead)
    return written.decode().replace("\r\n", "\n")


def main(home: str) -> None:
    """Draw every picture."""
    PICTURES.mkdir(exist_ok=True)
    for name, words in SHOWN.items():
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
            console.print(Text(f"$ rota {' '.join(words)}", style="bold"))
            console.print(Text.from_ansi(on_a_terminal(["--home", home, *words])))
            drawn = console.export_svg(title="rota")
            # The reader's own monospaced font does: a picture of ours fetches nothing from anywhere.
            drawn = re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", drawn, flags=re.DOTALL)
            (PICTURES / f"{name}.svg").write_text(drawn.replace("Fira Code,", ""), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
