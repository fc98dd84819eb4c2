"""What a run wrote, over REST: in pieces that fit together, as a file, and never as anything but text."""

from __future__ import annotations

import pytest

from rota.model.run import OutputPart

from .worlds import API


def with_output(world, head: bytes, tail: bytes = b"", size: int | None = None, stream: str = "stdout") -> str:
    world.add()
    run = world.run()
    part = OutputPart(stream, head, tail, len(head) + len(tail) if size is None else size)
    world.store.runs.add_output(run, 1, [part])
    return run


def test_output_is_text_and_nothing_else_whatever_is_in_it(world):
    run = with_output(world, b"<script>alert(1)</script>\x1b[31m\x00\xff")
    for query in ("", "?download=true"):
        answer = world.ask("GET", f"{API}/runs/{run}/output{query}")
        assert b"<script>alert(1)</script>\x1b[31m\x00\xff" == answer.content
        assert "text/plain; charset=utf-8" == answer.headers["content-type"]


def test_output_that_is_no_utf8_is_text_in_json_all_the_same(world):
    run = with_output(world, b"ab\xff\xc3")
    shown = world.get(f"/runs/{run}/output", headers={"Accept": "application/json"})
    assert ("ab\ufffd\ufffd", True, 4) == (shown["text"], shown["last"], shown["size"])


def test_pieces_fit_together_and_halve_no_character(world):
    text = "zwölf Boxkämpfer 🥊 jagen Viktor" * 20
    run = with_output(world, text.encode())
    found, start, pieces = "", 0, 0
    while True:
        piece = world.get(
            f"/runs/{run}/output", params={"from": start, "limit": 7}, headers={"Accept": "application/json"}
        )
        assert "\ufffd" not in piece["text"]
        found, start, pieces = found + piece["text"], piece["next"], pieces + 1
        if piece["last"]:
            break
    assert text == found
    assert pieces > 80


def test_what_was_dropped_from_the_middle_is_said_by_the_piece_after_it(world):
    run = with_output(world, b"begin", b"end", 1_000)
    first = world.ask("GET", f"{API}/runs/{run}/output")
    assert (b"begin", "0", "5") == (first.content, first.headers["x-rota-dropped"], first.headers["x-rota-next"])
    second = world.ask("GET", f"{API}/runs/{run}/output?from=5")
    said = [second.headers[f"x-rota-{name}"] for name in ("dropped", "from", "next", "size")]
    assert (b"end", ["992", "997", "1000", "1000"]) == (second.content, said)
    inside = world.ask("GET", f"{API}/runs/{run}/output?from=900")
    assert (b"end", "97") == (inside.content, inside.headers["x-rota-dropped"])
    whole = world.ask("GET", f"{API}/runs/{run}/output?download=true")
    assert b"begin\n[rota: 992 bytes are missing here]\nend" == whole.content


def test_a_download_is_named_after_the_run_and_not_by_the_job(world):
    name = '../"\r\nSet-Cookie: x=y'
    assert 422 == world.ask("POST", f"{API}/jobs", json={"name": name, "run": "true"}).status_code
    run = with_output(world, b"x")
    answer = world.ask("GET", f"{API}/runs/{run}/output?download=true&stream=stderr")
    assert f'attachment; filename="{run}-1-stderr.txt"' == answer.headers["content-disposition"]


@pytest.mark.parametrize("start", [3, 4, 10**9, 2**53])
def test_behind_the_end_there_is_nothing(world, start):
    run = with_output(world, b"abc")
    shown = world.get(f"/runs/{run}/output?from={start}", headers={"Accept": "application/json"})
    assert ("", 3, True) == (shown["text"], shown["next"], shown["last"])


@pytest.mark.parametrize("query", ["from=-1", "from=9007199254740993", "limit=0", "limit=4194305", "stream=stdin",
                                   "attempt=0", "attempt=99999999999"])  # fmt: skip
def test_a_piece_that_cannot_be_is_refused(world, query):
    run = with_output(world, b"abc")
    world.get(f"/runs/{run}/output?{query}", 422)


def test_an_attempt_that_never_was_is_not_found(world):
    run = with_output(world, b"abc")
    assert "there is no attempt 2" in world.get(f"/runs/{run}/output?attempt=2", 404)["detail"]


def test_a_run_that_waits_has_written_nothing_yet(world):
    world.add()
    run = world.client.verbs.trigger("backup")
    assert b"" == world.ask("GET", f"{API}/runs/{run}/output").content
    assert b"" == world.ask("GET", f"{API}/runs/{run}/output?download=true").content
