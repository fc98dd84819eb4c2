"""The house itself: files and functions stay small, imports run in no circle, and words stay in their rooms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rota

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "rota"
FILES = sorted(path for folder in (SOURCE, ROOT / "tests", ROOT / "bench") for path in folder.rglob("*.py"))
COMPAT = sorted(path.parent for path in SOURCE.glob("compat/*/__init__.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 60


def rooms(pattern: str, *, allowed: tuple[str, ...]) -> list[str]:
    """Return the source lines that match a pattern outside the rooms that may hold it."""
    found = []
    for path in SOURCE.rglob("*.py"):
        place = path.relative_to(SOURCE).as_posix()
        if place.startswith(allowed):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [f"{place}:{number}: {line}" for number, line in enumerate(lines, 1) if re.search(pattern, line)]
    return found


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each function's name and its lines without the docstring."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = ast.get_docstring(node, clean=False)
            length = node.end_lineno - node.lineno + 1 - (doc.count("\n") + 1 if doc else 0)
            yield node.name, length


def imports(path: Path) -> set[str]:
    """Return the modules of rota that a file imports when it is itself imported."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rota"):
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith("rota")}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_one_room(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_function_fits_on_a_screen(path):
    assert [] == [(name, length) for name, length in functions(path) if length > LONGEST_FUNCTION]


def test_no_name_is_a_drawer_for_everything():
    drawers = re.compile(r"(^|_)(utils?|common|helpers?|misc|manager|base2)\.py$")
    products = {"simple_task_manager.py", "test_simple_task_manager.py"}  # what others have called their programs
    modules = {SOURCE / "compat/autocron" / name for name in ("utils.py", "core/utils.py")}  # and their modules
    found = [path for path in FILES if drawers.search(path.name) and path not in modules]
    assert [] == [path.name for path in found if path.name not in products]


def test_packages_have_empty_faces():
    faces = [path for path in SOURCE.rglob("__init__.py") if path.parent not in (SOURCE, *COMPAT)]
    assert [] == [str(path) for path in faces if path.read_text(encoding="utf-8").strip()]


@pytest.mark.parametrize("package", COMPAT, ids=lambda path: path.name)
def test_a_package_of_others_names_has_a_face_of_imports_alone(package):
    body = ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body
    if body and isinstance(body[0], ast.Expr):  # its docstring
        body = body[1:]
    *brought, names = body
    assert [] == [ast.unparse(node) for node in brought if not isinstance(node, ast.ImportFrom)]
    imported = {name.asname or name.name for node in brought for name in node.names} - {"annotations"}
    assert isinstance(names, ast.Assign)
    assert "__all__" == ast.unparse(names.targets[0])
    assert sorted(imported) == ast.literal_eval(names.value)


def test_the_public_names_are_sorted_and_there():
    assert sorted(rota.__all__) == rota.__all__
    assert [] == [name for name in rota.__all__ if not hasattr(rota, name)]


def test_imports_run_in_no_circle():
    modules = {
        "rota" + ("." + path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".")): path
        for path in SOURCE.rglob("*.py")
        if path.name != "__init__.py"
    }
    arrows = {name: imports(path) & modules.keys() for name, path in modules.items()}
    while arrows:
        ground = {name for name, below in arrows.items() if not below & arrows.keys()}
        assert ground, f"these import each other in a circle: {sorted(arrows)}"
        arrows = {name: below for name, below in arrows.items() if name not in ground}


@pytest.mark.parametrize(
    ("what", "pattern", "allowed"),
    [
        ("the clock is read", r"\btime\.(time|monotonic|sleep|perf_counter)\(|datetime\.(now|utcnow)\(", ("clock.py",)),
        ("zones are used", r"\bZoneInfo\(|import zoneinfo|from zoneinfo", ("schedule/",)),
        ("signals are sent", r"os\.kill\(|os\.killpg\(|pidfd_send_signal\(", ("process/",)),
        ("SQL is written", r"\b(SELECT .* FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b", ("store/",)),
        ("documents are read", r"^\s*(import|from) yaml", ("config/",)),
        ("documents are described", r"^\s*(import|from) pydantic", ("config/", "api/schemas/")),
    ],
)  # fmt: skip
def test_only_its_room_knows_how(what, pattern, allowed):
    assert [] == rooms(pattern, allowed=allowed), what


def test_the_engine_imports_nothing_heavy():
    """The engine watches the clock, starts processes and writes facts; whoever needs more is another process."""
    import subprocess
    import sys

    code = "import rota.wiring.serving, rota.engine.serving, rota.process.launcher, sys; print(' '.join(sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    heavy = {
        "asyncio",
        "yaml",
        "pydantic",
        "fastapi",
        "apprise",
        "rich",
        "click",
        "json",
        "hashlib",
        "ssl",
        "subprocess",
    }
    assert set() == loaded & heavy
