"""The docs cannot fall behind: what they list is compared with the code."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import rota
from rota.model.ledger import SkipCode
from rota.model.policy import Policy
from rota.model.run import MOVES

DOCS = Path(__file__).parents[2] / "docs"


def between(text: str, mark: str) -> str:
    found = re.search(rf"<!-- {mark}.*?-->\n(.*?)\n<!-- /{mark} -->", text, re.DOTALL)
    assert found, f"the docs have no part marked {mark}"
    return found[1]


def test_the_states_in_the_docs_are_the_table_of_moves():
    lines = [f"{state:<9} → {' | '.join(sorted(ways))}" for state, ways in MOVES.items() if ways]
    shown = between((DOCS / "concepts.md").read_text(encoding="utf-8"), "states")
    assert ["```", *lines, "```"] == shown.splitlines()


def test_every_policy_is_in_the_docs():
    text = (DOCS / "concepts.md").read_text(encoding="utf-8")
    assert [] == [name for name in Policy.__struct_fields__ if f"`{name}`" not in text and name != "output"]


def test_the_reference_of_the_command_line_is_made_from_the_code():
    made = runpy.run_path(str(DOCS / "generate.py"))["reference"]()
    assert made == (DOCS / "reference" / "cli.md").read_text(encoding="utf-8"), "run: python docs/generate.py"


def test_the_reference_of_job_files_is_made_from_the_documents():
    made = runpy.run_path(str(DOCS / "generate.py"))["files_reference"]()
    assert made == (DOCS / "reference" / "files.md").read_text(encoding="utf-8"), "run: python docs/generate.py"


def test_the_reference_of_python_is_made_from_the_code_and_has_all_that_rota_exports():
    made = runpy.run_path(str(DOCS / "generate.py"))
    assert made["python_reference"]() == (DOCS / "reference" / "python.md").read_text(encoding="utf-8"), (
        "run: python docs/generate.py"
    )
    assert sorted(name for names in made["PYTHON_PARTS"].values() for name in names) == [
        name for name in rota.__all__ if name != "__version__"
    ]


def test_the_reference_of_rest_is_made_from_the_openapi_document():
    made = runpy.run_path(str(DOCS / "generate.py"))["rest_reference"]()
    assert made == (DOCS / "reference" / "rest.md").read_text(encoding="utf-8"), "run: python docs/generate.py"


def test_every_decision_is_listed():
    listed = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    pages = [page.name for page in (DOCS / "decisions").glob("0*.md")]
    assert [] == [name for name in pages if f"({name})" not in listed]


def test_every_reason_for_a_skip_is_explained():
    text = (DOCS / "reference" / "ledger.md").read_text(encoding="utf-8")
    assert [] == [code.value for code in SkipCode if f"`{code.value}`" not in text]


def test_links_between_pages_lead_somewhere():
    pages = [*DOCS.rglob("*.md"), *(DOCS.parent.glob("*.md"))]
    links = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    ]
    assert [] == [f"{page.name}: {target}" for page, target in links if not (page.parent / target).exists()]


def test_every_guarantee_names_a_test_that_there_is():
    text = (DOCS / "guarantees.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (?!what happens)([^|]+) \|[^|]+\|(.*)", text, re.MULTILINE)
    assert len(table) >= 12
    for what, rest in table:
        found = re.fullmatch(r" `(test_\w+)`: ([^|]+) \|", rest)
        assert found, f"the row {what!r} names no test"
        source = "".join(file.read_text("utf-8") for file in (DOCS.parent / "tests").rglob(f"{found[1]}.py"))
        name = re.sub(r"[ -]", "_", found[2])
        assert f"def test_{name}(" in source, f"the row {what!r} names a test that is not in {found[1]}"


def test_the_page_about_notifications_has_all_names_and_its_code_is_code():
    from rota.observe.notifiers.named import _BUILT_IN, MAIL
    from rota.plugins import NOTIFIERS
    from rota.sdk.notifying import _ON

    text = (DOCS / "how-to" / "notifications.md").read_text(encoding="utf-8")
    assert [] == [word for word in (*_BUILT_IN, *_ON) if f'`"{word}"`' not in text]
    assert [] == [word for word in (NOTIFIERS, MAIL) if word not in text]
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        compile(block, "notifications.md", "exec")
