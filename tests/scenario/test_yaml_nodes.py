"""The YAML layer: limits, what it refuses and where, and that hostile files meet a ScenarioError."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scenario.dumping import to_yaml
from sim.scenario.errors import ScenarioError
from sim.scenario.limits import LIMITS, Limits, stray_character
from sim.scenario.provenance import Plain
from sim.scenario.yaml_nodes import Node, read_bytes, read_file, read_text, scalar

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{this}: &{this} [{','.join([f'*{last}'] * 9)}]\n"
    for last, this in zip("abcdefgh", "bcdefghi", strict=True)
)


HIDES = (
    " is not allowed in a scenario; it is invisible, and could hide or reorder what people read; remove it"
)


def plain(node: Node) -> Plain:
    below = {key: plain(child) for key, child in node.children()}
    if isinstance(node.content, dict):
        return {str(key): child for key, child in below.items()}
    return list(below.values()) if isinstance(node.content, list) else node.content


def refusal(data: str | bytes) -> list[str]:
    """The lines of the error that reading gives."""
    with pytest.raises(ScenarioError) as caught:
        read_bytes(data if isinstance(data, bytes) else data.encode(), "x.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: NO", {"a": "NO"}),
        ("on: off", {"on": "off"}),
        ("a: 010", {"a": 10}),
        ("a: 0x1F", {"a": 31}),
        ("a: 0o17", {"a": 15}),
        ("a: 1e6", {"a": 1e6}),
        ("a: -1.5", {"a": -1.5}),
        ("a: .5", {"a": 0.5}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: 12:30:45", {"a": "12:30:45"}),
        ("a: 2026-02-30", {"a": "2026-02-30"}),
        ("a: '1'", {"a": "1"}),
        ("a: ", {"a": None}),
        ("a: ~", {"a": None}),
        ("a: True", {"a": True}),
        ("a: 20 %/year", {"a": "20 %/year"}),
        ("a: $100M", {"a": "$100M"}),
        ("---\na: 1\n...", {"a": 1}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: >-\n  b\n  c\n", {"a": "b c"}),
        ("عنوان: نص", {"عنوان": "نص"}),
    ],
)
def test_core_schema(text: str, data: object) -> None:
    assert plain(read_text(text, "x.yaml")) == data


def test_byte_order_mark_is_passed_over() -> None:
    assert plain(read_bytes(b"\xef\xbb\xbfa: 1", "x.yaml")) == {"a": 1}


def test_nodes_know_their_places() -> None:
    tree = read_text("a: 1\nb:\n  - {c: x,\n     d: y}\n", "x.yaml")
    assert isinstance(tree.content, dict)
    (item,) = [child for _, child in tree.content["b"].children()]
    assert isinstance(item.content, dict)
    assert str(tree.keys["b"]) == "x.yaml:2:1"
    assert str(item.keys["d"]) == "x.yaml:4:6"
    assert str(item.content["d"].place) == "x.yaml:4:9"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["x.yaml:1:1: the file is empty"]),
        ("# only a comment\n", ["x.yaml:1:1: the file is empty"]),
        (
            "a: 1\nb: 2\na: 3\nb: 4\n",
            [
                "x.yaml:3:1: the key 'a' stands here twice; first in line 1",
                "x.yaml:4:1: the key 'b' stands here twice; first in line 2",
            ],
        ),
        ("a: {b: 1,\n    b: 2}", ["x.yaml:2:5: a: the key 'b' stands here twice; first in line 1"]),
        ("a:\n  1: x", ["x.yaml:2:3: a: a key must be text, found 1; write it in quotes: \"1\""]),
        ("null: x", ["x.yaml:1:1: a key must be text, found null; write it in quotes: \"null\""]),
        ("? [a]\n: b", ["x.yaml:1:3: a key must be plain text; write key: value"]),
        ("a: {<<: {b: 1}}", ["x.yaml:1:5: a: merge keys (<<) are not read; use extends, or repeat the keys"]),
        (
            "a: &a {<<: *a}",
            [
                "x.yaml:1:8: a: merge keys (<<) are not read; use extends, or repeat the keys",
                "x.yaml:1:12: a: *a stands inside what it refers to",
            ],
        ),
        ("a: &x [1, *x]", ["x.yaml:1:11: a.1: *x stands inside what it refers to"]),
        ("a: *nowhere", ["x.yaml:1:4: a: *nowhere refers to no anchor above it"]),
        ("a: !!int 3", ["x.yaml:1:4: a: tags such as 'tag:yaml.org,2002:int' are not read; remove the tag"]),
        ("a: !x {}", ["x.yaml:1:4: a: tags such as '!x' are not read; remove the tag"]),
        ("%YAML 1.1\n---\na: NO", ["x.yaml:1:1: YAML directives (%...) are not read; remove the line"]),
        ("a: 1\n---\nb: 2", ["x.yaml:2:1: a second document starts here; remove the line ---"]),
        ("a: .nan\nb: -.inf", ["x.yaml:1:4: a: must be a finite number, found '.nan'",
                               "x.yaml:2:4: b: must be a finite number, found '-.inf'"]),
        ("a: 1e999", ["x.yaml:1:4: a: must be a finite number, found '1e999'"]),
        ("a: 'x\n", ["x.yaml:1:4: not YAML: while scanning a quoted scalar, found unexpected end of stream; "
                     "the quotes are not closed"]),
        ("a: b: c", ["x.yaml:1:5: not YAML: mapping values are not allowed here; "
                     "mind the margins; text with a colon in it needs quotes"]),
        (
            "a: b\0",
            ["x.yaml:1:5: the character U+0000" + HIDES.replace(HIDES[31:], "save the file as UTF-8 text")],
        ),
        ("\n a: \x1b[31m", ["x.yaml:2:5: the character U+001B" + HIDES]),
        ('a: "\\uD800"', ["x.yaml:1:4: a: the character U+D800" + HIDES]),
        ("a\u202eb: 1", ["x.yaml:1:2: the character U+202E" + HIDES]),
        ('"a\\u200fb": 1', ["x.yaml:1:1: a key must be printable, found 'a\\u200fb'"]),
        ("a: 'b\u2028c'", ["x.yaml:1:6: the character U+2028" + HIDES]),
    ],
)  # fmt: skip
def test_is_refused_with_its_place(text: str, lines: list[str]) -> None:
    assert refusal(text) == lines


@pytest.mark.parametrize(
    ("data", "start"),
    [
        (b"a: 1\nb: \xff", "x.yaml:2:4: byte 0xff is not UTF-8 text"),
        ("a: 1".encode("utf-16"), "x.yaml:1:1: byte 0xff is not UTF-8 text"),
        (b"x" * (LIMITS.bytes + 1), "x.yaml: larger than 256 KiB"),
        (BOMB, "x.yaml:5:8: more than 10000 keys and values, aliases expanded"),
        ("[" * 10_000, "x.yaml:1:51: nested deeper than 50 levels"),
        ("- " * 10_000, "x.yaml:1:101: nested deeper than 50 levels"),
        ("".join(" " * i + "a:\n" for i in range(500)), "x.yaml:51:51: nested deeper than 50 levels"),
        ("a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 20 + "*a" + "]" * 20, "x.yaml:2:24: nested deeper"),
        ("".join(f"k{i}: 1\n" for i in range(10_000)), "x.yaml:5001:6: more than 10000 keys and values"),
        ("a: [" + "1,1,\n" * 5_000 + "1,1]", "x.yaml:5001:2: more than 10000 keys and values"),
        ("\n" * 10_001, "x.yaml:10001:1: more than 10000 lines"),
        ("a:\n" + "b" * 20_001, "x.yaml:2:20001: a line of more than 20000 characters"),
        ("a: |\n" + "  b b b b b b\n" * 6_000, "x.yaml:5001:11: more than 30000 words"),
        ("a: " + "{b: " * 300, "x.yaml:1:204: nested deeper than 50 levels"),
        ("a: " + "9" * 5_000, "x.yaml:1:4: a: a number of more than 30 digits, found '999"),
        ("a: " + "&x " * 1_000, "x.yaml:1:7: not YAML: "),
    ],
)
def test_hostile_files_are_stopped(data: str | bytes, start: str) -> None:
    (line,) = refusal(data)
    assert line.startswith(start)
    assert len(line) < 250


def test_limits_can_be_set() -> None:
    assert plain(read_bytes(BOMB.splitlines()[0].encode(), "x.yaml", Limits(nodes=13)))
    with pytest.raises(ScenarioError, match="more than 11 keys"):
        read_bytes(BOMB.splitlines()[0].encode(), "x.yaml", Limits(nodes=11))


def test_fifty_levels_are_read() -> None:
    assert read_text("[" * 50 + "]" * 50, "x.yaml").depth == 50


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.yaml", "no such file"),
        ("", "a folder, not a file"),
        ("a\0b.yaml", "cannot be read: this is no path"),
        ("x" * 5_000, "cannot be read: file name too long"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        read_file(tmp_path / name, "x.yaml")


def test_a_device_is_not_read() -> None:
    with pytest.raises(ScenarioError, match=r"not an ordinary file|no such file"):
        read_file(Path("/dev/zero"), "x.yaml")


@given(st.binary(max_size=200) | st.text("ab:-[]{}&*!|>'\"%#,?\n \t01.~<", max_size=60).map(str.encode))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_read_or_refused_with_a_place(data: bytes) -> None:
    try:
        read_bytes(data, "x.yaml")
    except ScenarioError as error:
        assert all(problem.line and problem.column for problem in error.problems)
        assert str(error).replace("\n", "").isprintable()


text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cf", "Cn", "Zl", "Zp"])
    | st.sampled_from("\n\t \"':#-")
).filter(lambda value: not stray_character(value))
words = st.sampled_from(
    ["null", "~", "true", "NO", "1", "1e5", ".5", ".nan", "0x1f", "2025-06-12", "=", "<<", ""]
)
leaves = text | words | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
keys = text.filter(str.isprintable) | words
data = st.recursive(
    leaves | st.booleans() | st.none(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(keys, below, max_size=4),
    max_leaves=12,
)


@given(data)
@settings(max_examples=300, deadline=None)
def test_what_is_written_reads_back(tree: Plain) -> None:
    assert plain(read_text(to_yaml(tree), "x.yaml")) == tree


@pytest.mark.parametrize(("text", "value"), [("1e2", 100), ("1.5e3", 1500), ("-2E1", -20), ("1e15", 10**15)])
def test_a_whole_number_may_be_written_with_a_power_of_ten(text: str, value: int) -> None:
    assert type(scalar(text)) is int and scalar(text) == value


@pytest.mark.parametrize("text", ["100.0", "1.5e0", "1e-2", "1e30"])
def test_other_numbers_with_a_point_or_a_power_stay_floats(text: str) -> None:
    assert type(scalar(text)) is float
