"""Scalars that surprise nobody, places that editors know, and limits."""

from __future__ import annotations

import pytest

from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import Mapping, Scalar, Sequence, plain, read_yaml, typed


def read(text, name="x.yaml"):
    problems = Problems()
    node = read_yaml(text, name, problems)
    assert [] == list(map(str, problems))
    return node


def values(text, name="x.yaml"):
    return plain(read(text, name))


def problems_of(text, name="x.yaml"):
    problems = Problems()
    read_yaml(text, name, problems)
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *(("true", True), ("True", True), ("false", False), ("null", None), ("~", None), ("", None)),
        *(("0", 0), ("-7", -7), ("+7", 7), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("-2.50", -2.5)),
        *((word, word) for word in ("on", "off", "yes", "no", "y", "n", "On", "NO")),
        *(
            (word, word)
            for word in ("0123", "00", "1:30", "12:30:45", "2026-01-31", "2026-01-31 10:00", "0x1f", "0o17")
        ),
        *((word, word) for word in ("1_000", "1.2.3", "1e999", ".", "+", ".inf", ".nan", "9" * 19, "5m", "1,5")),
    ],
)
def test_only_plain_numbers_truths_and_nothing_are_typed(word, value):
    assert value == typed(word)
    assert type(value) is type(typed(word))
    assert [value] == values(f"- {word}")


def test_what_is_in_quotes_is_text():
    assert {"a": "true", "b": "5", "c": "", "d": "null"} == values("""{a: "true", b: '5', c: "", d: 'null'}""")


def test_a_tag_for_text_makes_text():
    assert {"a": "5", "b": "true"} == values("a: !!str 5\nb: ! true\n")


def test_keys_are_text_as_it_is_written():
    assert {"on": 1, "1": 2, "true": 3, "~": 4, "2026-01-01": 5} == values(
        "on: 1\n1: 2\ntrue: 3\n~: 4\n2026-01-01: 5\n"
    )


def test_places_count_from_one_as_editors_do():
    node = read("jobs:\n  größe: {run: [a, b]}\n")
    assert isinstance(node, Mapping)
    job = node.entries["jobs"].node.entries["größe"]
    assert (Mark("x.yaml", 2, 3), Mark("x.yaml", 2, 10)) == (job.key_mark, job.node.mark)
    assert Mark("x.yaml", 2, 20) == job.node.entries["run"].node.items[1].mark


def test_a_scalar_keeps_what_was_written():
    node = read("[1.10, 'x']")
    assert isinstance(node, Sequence)
    number, text = Scalar(1.1, "1.10", Mark("x.yaml", 1, 2)), Scalar("x", "x", Mark("x.yaml", 1, 8), quoted=True)
    assert [number, text] == node.items


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("x", False),
        ("5", False),
        ("'x'", True),
        ('"x"', True),
        ("!!str 5", True),
        ("!!int '5'", False),
        ("|\n x", True),
    ],
)
def test_a_scalar_knows_whether_it_is_text_by_the_way_it_is_written(text, quoted):
    assert quoted is read(f"a: {text}").entries["a"].node.quoted


def test_json_is_read_with_its_places():
    text = '{\n\t"a": [1, true, null, "on", "\\u00e9\\/"],\n\t"smile": "\\ud83d\\ude00"\n}'
    assert {"a": [1, True, None, "on", "é/"], "smile": "😀"} == values(text, "x.json")


def test_a_byte_order_mark_at_the_beginning_is_passed_over():
    assert {"a": 1} == values("\ufeffa: 1")


def test_line_ends_of_any_system_are_read():
    assert {"a": 1, "b": 2} == values("a: 1\r\nb: 2\r\n") == values("a: 1\rb: 2\r")


def test_anchors_and_merges_work_and_own_keys_go_first():
    text = "base: &base {x: 1, y: 2}\nmore: &more {y: 3, z: 4}\none:\n  y: 5\n  <<: [*base, *more]\ntwo: *base\n"
    found = values(text)
    assert ({"y": 5, "x": 1, "z": 4}, {"x": 1, "y": 2}) == (found["one"], found["two"])


def test_a_merge_in_quotes_is_a_key():
    assert {"<<": "x"} == values('"<<": x')


def test_every_double_key_is_told_with_both_places():
    assert [
        "x.yaml:2:1: 'a' is there twice; the first is at line 1, column 1",
        "x.yaml:4:3: 'c' is there twice; the first is at line 3, column 5",
    ] == problems_of("a: 1\na: 2\nb: {c: 1,\n  c: 2}\n")


@pytest.mark.parametrize(("levels", "sound"), [(49, True), (50, True), (51, False)])
def test_nesting_has_a_limit(levels, sound):
    assert sound == (not problems_of("[" * levels + "]" * levels))


def test_aliases_cannot_nest_deeper_than_the_limit():
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 80))]
    assert "nest more than 50 deep" in problems_of("\n".join(lines))[0]


def test_what_aliases_add_has_a_limit():
    many = "a: &a [" + "x," * 999 + "x]\nb: [" + "*a," * 98
    assert [] == problems_of(many + "*a]")
    assert "aliases make this file mean more than 100,000 values" in problems_of(many + "*a,*a]")[0]


def test_the_number_of_values_has_a_limit():
    assert ["more than 1,000,000 values"] == [
        problem.split("has ")[1].split(";")[0] for problem in problems_of("[" + "0," * 1_000_001 + "]")
    ]
