"""Files that went through YAML 1.1, as PyYAML reads and writes it: understood, or told what to write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.scenario.errors import ScenarioError
from sim.scenario.figures import data_folder
from sim.scenario.loading import dump_scenario, load_scenario, scenario_names
from sim.scenario.older_yaml import number_hint, reads_otherwise

yaml: Any = pytest.importorskip("yaml")
Write = Callable[[str], Path]

OWN = """\
name: own
title: One lab
start: 2023-05-01
horizon: 60 weeks
labs:
  a:
    label: Lab A
    staff: 40
    founded: 2016-01-01
    median_pay: 800k USD/year
    star_pay: 6M USD/year
    treasury: {opening: 5B USD, inflow: 1B USD/year}
    talent_inflow: 300M USD/year
events:
- on: 2024-04-22
  retention_grant: {lab: a, package: 2M USD, share: 0.5}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def text_file(text: str) -> Path:
        path = tmp_path / "own.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return text_file


def through_pyyaml(text: str, **how: Any) -> str:
    return str(yaml.safe_dump(yaml.safe_load(text), **how))


@pytest.mark.parametrize("how", [{}, {"sort_keys": False}, {"default_flow_style": True, "width": 60}])
def test_shipped_scenarios_survive_pyyaml(tmp_path: Path, how: dict[str, Any]) -> None:
    for file in data_folder("scenarios").glob("*.yaml"):
        (tmp_path / file.name).write_text(through_pyyaml(file.read_text("utf-8"), **how), encoding="utf-8")
    for name in ("baseline", "meta-2025", "every-lab-panics", "cap-20m", "llama-rented"):
        found, due = load_scenario(tmp_path / f"{name}.yaml"), load_scenario(name)
        assert found == due
        assert found.sources == due.sources
    assert "true:" in (tmp_path / "meta-2025.yaml").read_text("utf-8")  # it was put to the test


@pytest.mark.slow
@pytest.mark.parametrize("name", scenario_names())
def test_what_we_write_survives_pyyaml(tmp_path: Path, name: str) -> None:
    due = load_scenario(name)
    file = tmp_path / "again.yaml"
    file.write_text(through_pyyaml(dump_scenario(due)), encoding="utf-8")
    found = load_scenario(file, composed=True)
    assert found == due
    assert found.sources == due.sources


def test_words_of_older_yaml_are_written_in_quotes(write: Write) -> None:
    words = ["no", "12:30:45", "Off", "0755", "1_000", "y"]
    for word in words:
        text = (
            OWN.replace("title: One lab", f"title: '{word}'")
            .replace("  a:", "  no:")
            .replace("lab: a", "lab: 'no'")
        )
        due = load_scenario(write(text))
        again = load_scenario(write(through_pyyaml(dump_scenario(due))))
        assert again == due
        assert again.title == word
    assert not any(map(reads_otherwise, ["on", "One lab", "2024-04-22", "5B USD", "meta-2025"]))


@pytest.mark.parametrize("key", ["true", "True", "TRUE", "on", '"on"'])
def test_the_day_of_an_event_may_stand_at_true(write: Write, key: str) -> None:
    assert load_scenario(write(OWN.replace("- on:", f"- {key}:"))) == load_scenario(write(OWN))


def test_the_day_of_an_event_that_replaces_another_may_stand_at_true(write: Write) -> None:
    whole = "{true: 2024-01-01, hiring_freeze: {lab: a, weeks: 8 weeks}}"
    found = load_scenario(write(f"{OWN}overrides:\n  events.0: {whole}\n"))
    assert found.events[0].on is not None
    assert found.events[0].on.isoformat() == "2024-01-01"


@pytest.mark.parametrize(
    ("wrong", "hint", "right"),
    [
        ("staff: 1:40", "write 100,", "staff: 100"),
        ("staff: 1_000", "write 1000", "staff: 1000"),
        ("staff: 0b101000", "write 40", "staff: 40"),
        ("staff: '40'", "write 40,", "staff: 40"),
        ("staff: ~", "remove the key", "staff: 40"),
        ("staff: 40\n    reserved: no", "write false", "staff: 40\n    reserved: false"),
        (
            "staff: 40\n    counter_policy: false",
            'write "off" in quotes',
            'staff: 40\n    counter_policy: "off"',
        ),
        ("staff: 40\n    leader: 45045", "put it in quotes", "staff: 40\n    leader: '45045'"),
        ("staff: 40\n    leader: false", '"off", "no" or "false"', 'staff: 40\n    leader: "no"'),
        ("staff: !!python/object/apply:int [40]", "write the plain value", "staff: 40"),
        ("staff: !!int 40", "remove the tag", "staff: 40"),
        ("staff: 40\n    founded: 2016-01-01T00:00:00Z", "write 2016-01-01,", "staff: 40"),
    ],
)
def test_a_hint_leads_to_what_is_valid(write: Write, wrong: str, hint: str, right: str) -> None:
    file = write(OWN.replace("staff: 40", wrong).replace("    founded: 2016-01-01\n", "", "founded" in wrong))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    assert hint in caught.value.problems[0].hint
    load_scenario(write(OWN.replace("staff: 40", right)))


def test_a_number_by_sixty_is_what_older_yaml_reads() -> None:
    for text in ("12:30:45", "-1:40", "1_0:00", "190:20:30.15"):
        assert f"write {yaml.safe_load(text):.15g}," in number_hint(text)
