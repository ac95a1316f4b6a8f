"""Loading: files, extends, overrides, sources, and that a dump reads back as an equal scenario."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.scenario.errors import Citation, ScenarioError
from sim.scenario.limits import Limits
from sim.scenario.loading import (
    change_scenario,
    dump_scenario,
    load_scenario,
    scenario_names,
)
from sim.scenario.schema import Scenario

SMALL = """\
name: small
title: A small market
start: 2023-05-01
horizon: 156 weeks
labs:
  meta:
    label: Meta
    staff: {value: 900, source: assumption}
    founded: 2013-12-09
    median_pay: 1M USD/year
    star_pay: {value: 20M USD/year, source: H13, note: a guess}
    treasury: {opening: 20B USD, inflow: {value: 40B USD/year, source: "H13, H15"}}
    units: {fair: {share: 1}, genai: {share: 2}}
  openai:
    label: OpenAI
    staff: 800
    founded: 2015-12-11
    median_pay: 900k USD/year
    star_pay: 7M USD/year
events:
  - on: 2025-04-29
    model_release: {lab: meta, surprise: -1.5}
  - plan: emergency
    lab: meta
    when: {standing_below: 0.8, after: 7 days}
"""
CHILD = """\
name: child
title: A child
extends: small
labs:
  meta:
    staff: 950
    treasury: {inflow: {value: 50B USD/year}}
events:
  - on: 2025-06-16
    part_of: emergency
    campaign:
      {name: raid, lab: meta, target: openai, researchers: 46, package_cap: 100M USD, weeks: 8 weeks}
"""

type Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a scenario's text to a file of this folder; messages then name it without the folder."""
    monkeypatch.chdir(tmp_path)

    def to_file(text: str, name: str = "small.yaml") -> Path:
        Path(name).write_text(text, encoding="utf-8")
        return Path(name)

    to_file(SMALL)
    return to_file


def problems(path: str | os.PathLike[str], *overrides: str) -> list[str]:
    """The lines of the error that loading gives."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, overrides)
    return str(caught.value).splitlines()


# ---- shipped scenarios, dumps


@pytest.mark.parametrize("name", scenario_names())
def test_shipped_scenarios_load_and_read_back(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    dump = tmp_path / "dump.yaml"
    dump.write_text(dump_scenario(scenario), encoding="utf-8")
    again = load_scenario(dump, composed=True)
    assert again == scenario
    assert again.sources == scenario.sources


def test_dump_writes_units_sources_and_defaults(write: Write) -> None:
    dump = dump_scenario(load_scenario(write(SMALL)))
    assert "star_pay: {value: 20M USD/year, source: H13, note: a guess}\n" in dump
    assert "opening: 20B USD\n" in dump
    assert "start: 2023-05-01\n" in dump
    assert "length: {value: 4 years, source: P5}\n" in dump
    assert "surprise: -1.5\n" in dump


def test_sources_of_files_and_of_defaults(write: Write) -> None:
    sources = load_scenario(write(SMALL)).sources
    inflow = sources["labs.meta.treasury.inflow"]
    assert inflow == Citation("H13, H15")
    assert (inflow.file, inflow.line) == ("small.yaml", 12)
    assert sources["labs.meta.star_pay"] == Citation("H13", "a guess")
    assert sources["labs.meta.vesting.length"] == Citation("P5")
    assert sources["labs.meta.vesting.length"].line is None
    assert "labs.meta.treasury.opening" not in sources


def test_dumps_may_be_larger_than_files_of_people(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load_scenario(write(SMALL))
    dump = write(dump_scenario(scenario), "dump.yaml")
    monkeypatch.setattr("sim.scenario.loading.LIMITS", Limits(nodes=500))
    assert "more than 500 keys and values" in problems(dump)[0]
    assert load_scenario(dump, composed=True) == scenario


# ---- finding files


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("missing.yaml", "missing.yaml: no such file"),
        (".", ".: a folder, not a file"),
        (
            "bazeline",
            "'bazeline': no shipped scenario has this name, nor has a file; did you mean 'baseline'?",
        ),
        ("a\0b.yaml", "a\\x00b.yaml: cannot be read: this is no path"),
    ],
)
def test_a_scenario_that_is_not_there(write: Write, name: str, line: str) -> None:
    assert problems(name) == [line]


def test_names_of_any_length_are_refused_in_words(write: Write) -> None:
    assert "no shipped scenario" in problems("x" * 5_000)[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "x.yaml:1:1: the file is empty"),
        ("- a\n- b", "x.yaml:1:1: a scenario is a mapping (key: value), found a list"),
        ("just words", "x.yaml:1:1: a scenario is a mapping (key: value), found 'just words'"),
        ("labs: !!python/name:os.system {}", "x.yaml:1:7: labs: tags such as "),
        ("a: &a {b: *a}", "x.yaml:1:11: a.b: *a stands inside what it refers to"),
        ("name: x\0", "x.yaml:1:8: the character U+0000"),
        ("name: [", "x.yaml:1:8: not YAML: "),
    ],
)
def test_a_file_that_is_no_scenario(write: Write, text: str, line: str) -> None:
    (found,) = problems(write(text, "x.yaml"))
    assert found.startswith(line)


# ---- extends


def test_a_child_merges_into_its_parent(write: Write) -> None:
    child = load_scenario(write(CHILD, "child.yaml"))
    assert (child.name, child.labs["meta"].staff, child.labs["openai"].staff) == ("child", 950, 800)
    assert child.labs["meta"].treasury.opening == 20 * 10**11
    assert [event.kind for event in child.events] == ["model_release", "plan", "campaign"]


def test_a_replaced_value_loses_its_source(write: Write) -> None:
    sources = load_scenario(write(CHILD, "child.yaml")).sources
    assert "labs.meta.staff" not in sources
    assert "labs.meta.treasury.inflow" not in sources
    assert "labs.meta.star_pay" in sources


def test_problems_name_the_file_of_the_chain(write: Write) -> None:
    write(SMALL.replace("staff: 800", "staff: many"))
    assert problems(write(CHILD.replace("950", "none"), "child.yaml")) == [
        "child.yaml:6:12: labs.meta.staff: expected a whole number, found 'none'",
        "small.yaml:16:12: labs.openai.staff: expected a whole number, found 'many'",
    ]


def test_extends_shipped(write: Write) -> None:
    path = write("name: mine\ntitle: Mine\nextends: baseline", "mine.yaml")
    assert load_scenario(path).labs == load_scenario("baseline").labs


@pytest.mark.parametrize(
    "name",
    [
        "../small", "/etc/passwd", "~/small", "a/b", "a\\b", "C:small", "\\\\host\\share", ".hidden", "..",
        "small.txt", '"a\\x00b"', "5", "[small]", "{value: small}", "small.yaml.yaml", "' small'", "x" * 200, "http://x/y",
    ],
)  # fmt: skip
def test_extends_is_a_plain_name(write: Write, name: str) -> None:
    Path("../small.yaml").write_text("labs: {}\n", encoding="utf-8")
    (line,) = problems(write(f"extends: {name}\n", "x.yaml"))
    assert line.startswith("x.yaml:1:10: extends: ")
    assert "not a plain file name" in line or "is not allowed" in line


def test_extends_nothing_that_is_there(write: Write) -> None:
    (line,) = problems(write("extends: smal", "x.yaml"))
    assert line.startswith(
        "x.yaml:1:10: extends: no file 'smal' beside this one, and no such shipped scenario"
    )
    assert line.endswith("did you mean 'small'?")


def test_extends_in_a_circle(write: Write) -> None:
    write("extends: b", "a.yaml")
    write("extends: c.yaml", "b.yaml")
    path = write("extends: a", "c.yaml")
    assert problems(path) == [
        "b.yaml:1:10: extends: a circle: c.yaml extends a.yaml extends b.yaml extends c.yaml"
    ]
    assert problems(write("extends: d", "d.yaml"))[0].endswith("a circle: d.yaml extends d.yaml")


def test_extends_a_long_chain(write: Write) -> None:
    for i in range(12):
        write(f"extends: f{i + 1}", f"f{i}.yaml")
    assert problems("f0.yaml") == ["f10.yaml:1:10: extends: more than 10 files extend one another"]


def test_extends_no_link_out_of_the_folder(write: Write, tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside.yaml"
    outside.write_text(SMALL, encoding="utf-8")
    Path("inside.yaml").symlink_to(outside)
    assert problems(write("extends: inside", "x.yaml")) == [
        "x.yaml:1:10: extends: 'inside' is a link that leads out of the folder"
    ]


# ---- overrides


@pytest.mark.parametrize(
    ("text", "read", "value"),
    [
        ("labs.meta.talent_inflow=5B USD/year", lambda s: s.labs["meta"].talent_inflow, 5 * 10**11),
        ("labs.meta.staff=10", lambda s: s.labs["meta"].staff, 10),
        ("market.contact.rate = 3 /year", lambda s: s.market.contact.rate, 3.0),
        ("market.value.median=2M USD/year", lambda s: s.market.value.median, 2 * 10**8),
        ("labs.meta.units.fair.share=5", lambda s: s.labs["meta"].units["fair"].share, 5.0),
        ("title='a: \"b\" # c'", lambda s: s.title, 'a: "b" # c'),
        ("title=a: b = c", lambda s: s.title, "a: b = c"),
        ("events.0.model_release.surprise=1", lambda s: s.events[0].model_release.surprise, 1.0),
        ("events.model_release.surprise=1", lambda s: s.events[0].model_release.surprise, 1.0),
        ("events.model_release.on=2025-05-01", lambda s: str(s.events[0].on), "2025-05-01"),
        ("events.emergency.when.standing_below=0.7", lambda s: s.events[1].when.standing_below, 0.7),
        ("events.raid.researchers=5", lambda s: s.events[2].campaign.researchers, 5),
        ("events.campaign.interviews=skip", lambda s: s.events[2].campaign.interviews, "skip"),
    ],
)
def test_an_override(write: Write, text: str, read: Callable[[Scenario], object], value: object) -> None:
    path = write(CHILD, "child.yaml")
    assert read(load_scenario(path)) != value
    assert read(load_scenario(path, [text])) == value
    assert read(change_scenario(load_scenario(path), [text])) == value


def test_the_last_override_wins_and_drops_the_source(write: Write) -> None:
    scenario = load_scenario(write(SMALL), ["labs.meta.staff=1", "labs.meta.staff=2"])
    assert scenario.labs["meta"].staff == 2
    assert "labs.meta.staff" not in scenario.sources


def test_a_change_leaves_the_rest_as_it_was(write: Write) -> None:
    scenario = load_scenario(write(SMALL))
    changed = change_scenario(scenario, ["labs.meta.staff=1"])
    assert scenario.labs["meta"].staff == 900
    assert changed.labs["openai"] == scenario.labs["openai"]
    assert changed.sources.keys() == scenario.sources.keys() - {"labs.meta.staff"}


def test_an_override_of_an_alias_changes_one_place(write: Write) -> None:
    text = SMALL.replace(
        "units: {fair: {share: 1}, genai: {share: 2}}", "units: {fair: &u {share: 1}, genai: *u}"
    )
    scenario = load_scenario(write(text), ["labs.meta.units.genai.share=5"])
    assert [unit.share for unit in scenario.labs["meta"].units.values()] == [1, 5]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("labs.meta.staff", "an override is a dotted path, = and a value; --set labs.meta.staff=500"),
        ("=5", "an override is a dotted path, = and a value; --set labs.meta.staff=500"),
        ("labs..staff=5", "an override is a dotted path, = and a value; --set labs.meta.staff=500"),
        ("labs.mta.staff=5", "labs.mta: unknown key; did you mean 'meta'?"),
        ("labs.meta.staf=5", "labs.meta.staf: unknown key; did you mean 'staff'?"),
        ("market.contct.rate=5", "market.contct: unknown key; did you mean 'contact'?"),
        ("labs.meta=5", "labs.meta: this is more than a single value; set one of its keys: label, staff, "),
        ("events=5", "events: this is more than a single value; set an item: a.0=..."),
        ("labs.meta.staff.value=5", "labs.meta.staff.value: labs.meta.staff is a single value, "),
        ("events.7.on=2025-01-01", "events.7: there are 3 items, counted from 0"),
        (
            "events.model_relese.lab=x",
            "events.model_relese: no item has this name or kind; did you mean 'model_rel",
        ),
        ("title='x", "title: the quotes are not closed"),
        ("labs.meta.staff=.inf", "labs.meta.staff: must be a finite number, found '.inf'"),
        ("labs.meta.staff=5.5", "labs.meta.staff: expected a whole number, found 5.5"),
        (
            "labs.meta.talent_inflow=5",
            "labs.meta.talent_inflow: a unit is missing, found 5; write for example",
        ),
        ("horizon=0 weeks", "horizon: must be at least 1 week, found '0 weeks'"),
        ("extends=small", "extends: unknown key; "),
    ],
)
def test_an_override_that_cannot_be(write: Write, text: str, line: str) -> None:
    (found,) = problems(write(CHILD, "child.yaml"), text)
    assert found.startswith(f"--set {text}: {line}")


def test_an_ambiguous_override_names_the_ways_out(write: Write) -> None:
    twice = SMALL.replace(
        "  - plan", "  - {on: 2025-05-29, model_release: {lab: meta, surprise: 1}}\n  - plan"
    )
    (line,) = problems(write(twice), "events.model_release.surprise=0")
    assert line.endswith(
        "events.model_release: 2 items have this name or kind; write one of events.0, events.1"
    )


def test_all_overrides_are_checked(write: Write) -> None:
    assert len(problems(write(SMALL), "labs.mta.staff=5", "nonsense", "labs.meta.staff=5")) == 2


# ---- the whole


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mutation_is_read_or_refused_with_a_place(write: Write, data: st.DataObject) -> None:
    lines = SMALL.splitlines()
    i = data.draw(st.integers(0, len(lines) - 1))
    j = data.draw(st.integers(0, len(lines[i])))
    changed = data.draw(
        st.sampled_from(
            [
                [],
                [lines[i], lines[i]],
                ["  " + lines[i]],
                [lines[i][:j] + lines[i][j + 1 :]],
                [lines[i][:j] + data.draw(st.sampled_from(":{}[]&*!|>'\"%#,?-0x\t.~")) + lines[i][j:]],
                [
                    lines[i].partition(":")[0]
                    + ": "
                    + data.draw(st.sampled_from(["[]", "{}", "-1", "nan", "~", "x"]))
                ],
            ]
        )
    )
    path = write("\n".join([*lines[:i], *changed, *lines[i + 1 :]]), "mutant.yaml")
    try:
        load_scenario(path)
    except ScenarioError as error:
        assert all(problem.line and problem.column for problem in error.problems), str(error)
