"""Problems: each kind that pydantic, a schema and sources can raise, with its place, path and hint."""

from typing import Annotated, Literal, Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sim.scenario.errors import Citation, Place, Problem, ScenarioError, ScenarioIssues, nearest
from sim.scenario.loading import read_tree
from sim.scenario.overrides import override
from sim.scenario.quantities import Money, Rate, Weeks
from sim.scenario.yaml_nodes import read_text


class Engine(BaseModel):
    """A part with a unit, a bound, a default from elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    price: Money
    wear: Rate = Field(0.1, json_schema_extra={"source": "H13", "note": "by eye"})
    wait: Annotated[Weeks, Field(ge=1, le=10)] = 1


class Car(BaseModel):
    """A model with a literal, a list, a nullable section and a check of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    name: Annotated[str, Field(pattern="^[a-z]+$")]
    colour: Literal["red", "green"] = "red"
    doors: Annotated[int, Field(gt=0, multiple_of=2)] = 4
    weight: float = 1.0
    fast: bool = False
    engines: dict[str, Engine] = Field(default={}, max_length=2)
    spare: Engine | None = None
    owners: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _owners_differ(self) -> Self:
        issues = ScenarioIssues()
        for i, owner in enumerate(self.owners):
            if self.owners.count(owner) > 1:
                issues.add(f"owners.{i}", f"{owner} owns it twice", "name each once")
            if owner == self.name:
                issues.unknown("spare.wear", "owner", owner, ["ann"])
        issues.raise_if_any()
        if self.weight > 99:
            raise ValueError("too heavy to move")
        return self


def read(text: str) -> tuple[Car, dict[str, Citation]]:
    return read_tree(read_text(text, "c.yaml"), Car, ["H13", "H15"])


def faults(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read(text)
    return [line.removeprefix("c.yaml:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("nam: x", ["1:1: nam: unknown key; did you mean 'name'?"]),
        ("colour: red", ["1:1: name: this key is missing"]),
        (
            "name: x\nzzz: 1",
            ["2:1: zzz: unknown key; keys here: name, colour, doors, weight, fast, engines, spare, own"],
        ),
        ("name: x\nengines:\n  main:\n    wear: 1 /year", ["3:3: engines.main.price: this key is missing"]),
        (
            "name: x\nengines:\n  main: {prise: 1 USD}",
            ["3:10: engines.main.prise: unknown key; did you mean 'price'?"],
        ),
        (
            "name: x\nspare: {price: 5}",
            ["2:16: spare.price: a unit is missing, found 5; write for example '14.3B USD' or '$100M'"],
        ),
        ("name: x\nspare: 5", ["2:8: spare: expected a mapping (key: value), found 5"]),
        (
            "name: x\nspare: {price: 1 USD, wait: 12 weeks}",
            ["2:29: spare.wait: must be at most 10 weeks, found '12 w"],
        ),
        ("name: x\ncolour: gren", ["2:9: colour: 'gren' is not one of red, green; did you mean 'green'?"]),
        ("name: x\ncolour: 5", ["2:9: colour: 5 is not one of red, green"]),
        ("name: x\ndoors: 0", ["2:8: doors: must be greater than 0, found 0"]),
        ("name: x\ndoors: 3", ["2:8: doors: must be a multiple of 2, found 3"]),
        ("name: x\ndoors: '4'", ["2:8: doors: expected a whole number, found '4'"]),
        ("name: x\ndoors: true", ["2:8: doors: expected a whole number, found true"]),
        ("name: x\ndoors: 4.0", ["2:8: doors: expected a whole number, found 4.0"]),
        ("name: x\ndoors: null", ["2:8: doors: expected a whole number, found null"]),
        ("name: x\ndoors: [1]", ["2:8: doors: expected a whole number, found a list"]),
        (
            "name: x\nweight: {source: H13}",
            ["2:9: weight: expected a number, found a mapping; a number with a source is {value: ..., "],
        ),
        ("name: x\nfast: 1", ["2:7: fast: expected true or false, found 1"]),
        ("name: 5", ["1:7: name: expected text, found 5"]),
        ("name: Big Car", ["1:7: name: 'Big Car' does not match ^[a-z]+$"]),
        ("name: x\nowners: ann", ["2:9: owners: expected a list, found 'ann'"]),
        ("name: x\nowners:\n- ann\n- 5", ["4:3: owners.1: expected text, found 5"]),
        (
            "name: x\nowners: [a, b, a]",
            [
                "2:10: owners.0: a owns it twice; name each once",
                "2:16: owners.2: a owns it twice; name each once",
            ],
        ),
        ("name: x\nowners: [x]", ["1:1: spare.wear: unknown owner 'x'; owners here: ann"]),
        ("name: x\nweight: 100", ["1:1: too heavy to move"]),
        ("name: x\nweight: {value: heavy, source: H13}", ["2:17: weight: expected a number, found 'heavy'"]),
        (
            "name: x\nweight: {value: 1, source: H14}",
            ["2:28: weight.source: no figure has the id 'H14'; did you mean 'H15'?"],
        ),
        (
            "name: x\nweight: {value: 1, source: 'H13, me'}",
            ["2:28: weight.source: no figure has the id 'me'; write the id of a figure, or assumption"],
        ),
        (
            "name: x\nweight: {value: 1, source: asumption}",
            ["2:28: weight.source: no figure has the id 'asumption'; did you mean 'assumption'?"],
        ),
        (
            "name: x\nweight: {value: 1, source: ''}",
            ["2:28: weight.source: a source is missing; write the id of a figure, or assumption"],
        ),
        (
            "name: x\nweight: {value: 1, source: 5}",
            ["2:28: weight.source: expected text"],
        ),
        (
            "name: x\nweight: {value: 1, sorce: H13}",
            ["2:20: weight.sorce: unknown key beside a value; did you mean 'source'?"],
        ),
        ('name: x\nowners: ["\\e[31m"]\nnmae: y', ["2:10: owners.0: the character U+001B is not allowed"]),
        ('name: x\ncolour: "a\u202eb"', ["2:11: the character U+202E is not allowed"]),
    ],
)
def test_problems_have_places_and_hints(text: str, lines: list[str]) -> None:
    found = faults(text)
    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True)), found


def test_all_problems_come_at_once_most_basic_first() -> None:
    text = "doors: 3\nname: 5\ncolor: red\nweight: {value: 1, source: no}\nspare: {wait: 0 weeks}"
    assert [line.split(": ")[1] for line in faults(text)] == [
        "color", "spare.price", "name", "doors", "spare.wait", "weight.source",
    ]  # fmt: skip


def test_citations_hold_sources_notes_and_schema_defaults() -> None:
    car, citations = read(
        "name: {value: x, note: a name}\nspare: {price: {value: 5 USD, source: 'H13,H15', note: old}}"
    )
    assert car.spare is not None
    assert car.spare.price == 500
    assert citations == {
        "name": Citation("", "a name"),
        "spare.price": Citation("H13,H15", "old"),
        "spare.wear": Citation("H13", "by eye"),
    }


def test_a_field_may_be_called_value() -> None:
    class Inner(BaseModel):
        cost: float = 1.0

    class Outer(BaseModel):
        value: Inner = Inner()

    outer, _ = read_tree(read_text("value: {cost: {value: 2, source: H13}}", "c.yaml"), Outer, ["H13"])
    assert outer.value.cost == 2


def test_overrides_reach_what_no_file_says() -> None:
    tree = override(read_text("name: x", "c.yaml"), ["spare.price=5 USD", "doors=2"], Car)
    car, _ = read_tree(tree, Car, [])
    assert car.spare is not None
    assert (car.spare.price, car.doors) == (500, 2)


def test_many_problems_are_cut_short() -> None:
    error = ScenarioError([Problem.at(Place("x", i), "", "wrong") for i in range(80)])
    assert str(error).splitlines()[-1] == "... and 30 more"


@pytest.mark.parametrize(
    ("word", "meant"),
    [("bugdet", "budget"), ("Budget", "budget"), ("counter policy", "counter_policy"), ("xyz", None)],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, ["budget", "counter_policy", "staff"]) == meant
