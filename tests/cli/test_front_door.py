"""The front door: show, sources, schema, new, overrides, suggestions, and what a command does not import."""

import json
import os
import random
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mutations import COMPLETED_BY, scenario_files
from pydantic import BaseModel
from small_calls import Call

from sim.scenario import errors, events, happenings, schema, sections
from sim.scenario.errors import ScenarioError
from sim.scenario.figures import data_folder, load_figures
from sim.scenario.json_schema import scenario_json_schema, schema_text
from sim.scenario.listing import DEFAULT, annotated_yaml, cited_figures, numbers
from sim.scenario.loading import load_scenario, load_with_places
from sim.scenario.provenance import Plain
from sim.scenario.yaml_nodes import Node, read_bytes

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "scenario" / "corpus"
FILES = [path for path in scenario_files() if path.name not in COMPLETED_BY]  # those that are whole
ids = [path.stem for path in FILES]

pytestmark = pytest.mark.usefixtures("quick")  # shipped files are read once


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plain(node: Node) -> Plain:
    """A tree as plain data."""
    below = {key: plain(child) for key, child in node.children()}
    if isinstance(node.content, dict):
        return {str(key): child for key, child in below.items()}
    return list(below.values()) if isinstance(node.content, list) else node.content


# ---- show


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_what_is_shown_loads_as_the_same_scenario(file: Path, here: Path) -> None:
    scenario, places = load_with_places(file)
    (here / "shown.yaml").write_text(annotated_yaml(scenario, places), encoding="utf-8")
    again = load_scenario("shown.yaml")
    assert again == scenario
    assert again.sources == scenario.sources


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_the_place_of_a_value_is_a_line_that_says_it(file: Path) -> None:
    """The line named has the value's key in it, or for an item of a list its text."""
    _, places = load_with_places(file)
    assert places
    for path, place in places.items():
        assert place.line is not None
        line = Path(place.file).read_text(encoding="utf-8").splitlines()[place.line - 1]
        assert path.rpartition(".")[2] in line or path.rpartition(".")[2].isdecimal(), (path, line)


def test_every_value_shown_says_where_it_stands(call: Call) -> None:
    code, out, err = call("show", "meta-2025", "--set", "labs.meta.staff=5")
    assert (code, err) == (0, "")
    with_value = [line for line in out.splitlines() if re.match(r" *(- )?[\w-]+: \S", line)]
    assert len(with_value) > 300
    for line in with_value:
        assert re.search(r"  # (\S+\.yaml:\d+|--set labs\.meta\.staff=5|default of \S+)$", line), line
    assert "    staff: 5  # --set labs.meta.staff=5\n" in out
    assert f"taste_scale: {{value: 1.0, source: assumption}}  # {DEFAULT}\n" in out


def test_shown_for_machines(call: Call) -> None:
    shown = json.loads(call("show", "meta-2025", "--json")[1])
    assert shown["scenario"]["labs"]["meta"]["label"] == "Meta"
    assert re.search(r"baseline\.yaml:\d+$", shown["places"]["labs.meta.label"])
    assert re.search(r"meta-2025\.yaml:\d+$", shown["places"]["title"])


# ---- sources


def numeric(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all numbers of a model's data, counted apart from the command."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numeric(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from numeric(item, f"{path}.{index}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_every_number_of_a_shipped_scenario_has_its_source(file: Path) -> None:
    scenario, places = load_with_places(file)
    found = {number.path: number for number in numbers(scenario, places)}
    assert set(numeric(scenario.model_dump())) <= set(found)
    figures = load_figures()
    for number in found.values():
        assert number.source == "assumption" or cited_figures(number, figures), number
        assert number.where == DEFAULT or re.search(r"\.yaml:\d+$", number.where)
        assert number.value is not None


def test_a_number_without_a_source_is_said_to_have_none(call: Call) -> None:
    code, out, _ = call("sources", "meta-2025", "--set", "labs.meta.treasury.inflow=5B USD/year")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("labs.meta.treasury.inflow ")]
    assert line.split("  ")[-1].strip() == "--set labs.meta.treasury.inflow=5B USD/year"
    assert "5B USD/year" in line
    assert "no source" in line
    assert "1 without a source" in out.splitlines()[-1]


def test_sources_for_machines(call: Call) -> None:
    entries = {entry["path"]: entry for entry in json.loads(call("sources", "meta-2025", "--json")[1])}
    (cap,) = [entry for path, entry in entries.items() if path.endswith("campaign.package_cap")]
    assert (cap["value"], cap["unit"], cap["source"]) == ("100M USD", "USD", "article.offer_cap")
    (figure,) = cap["figures"]
    assert figure["confidence"] == "article"
    assert figure["says"] == "100000000 USD"
    assert entries["labs.meta.median_pay"]["unit"] == "USD/year"
    assert [f["id"] for f in entries["labs.meta.median_pay"]["figures"]] == ["P13.meta", "P18"]
    assert entries["labs.meta.vesting.cliff"]["unit"] == "months"
    assert entries["market.contact.rate"]["unit"] == "1/year"
    assert entries["market.choice.pay_elasticity"]["symbol"] == "alpha"


# ---- the JSON Schema

STRUCTURAL = [
    "capitals-in-a-lab", "capitals-in-a-name", "day-before-month", "duration-in-money", "duration-in-seconds",
    "duration-without-a-unit", "empty-label", "endless-title", "event-of-an-unknown-kind", "event-of-no-kind",
    "event-of-two-kinds", "extends-a-list", "extends-a-path", "extends-a-web-address", "extends-misspelt",
    "half-a-person", "key-of-another-section", "list-at-top", "list-for-a-number", "list-for-a-section",
    "mapping-for-a-list", "misspelt-key", "misspelt-section", "misspelt-source", "misspelt-word",
    "money-in-another-currency", "money-of-an-unknown-size", "money-with-a-decimal-comma",
    "money-with-a-period", "money-without-a-unit", "nothing-for-a-number", "nothing-like-it",
    "number-for-a-source", "number-for-a-text", "number-in-quotes", "odd-number-of-ties", "overrides-a-list",
    "overrides-an-empty-step", "pay-per-fortnight", "pay-without-a-period", "rate-as-a-number",
    "rate-without-a-period", "several-mistakes", "share-above-one", "share-in-per-cent", "share-in-words",
    "source-without-a-value", "text-at-top", "too-high", "too-low", "unknown-word", "value-for-a-section",
    "word-for-yes", "words-for-a-number", "yes-for-a-number",
]  # fmt: skip


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(scenario_json_schema())
    return jsonschema.Draft202012Validator(scenario_json_schema())


@pytest.mark.parametrize("file", scenario_files(), ids=lambda path: path.stem)
def test_the_schema_takes_every_shipped_scenario(file: Path, validator: Any) -> None:
    assert list(validator.iter_errors(plain(read_bytes(file.read_bytes(), file.name)))) == []


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_the_schema_takes_what_is_shown(file: Path, validator: Any) -> None:
    shown = annotated_yaml(*load_with_places(file)).encode()
    assert list(validator.iter_errors(plain(read_bytes(shown, "shown.yaml")))) == []


@pytest.mark.parametrize("case", STRUCTURAL)
def test_the_schema_refuses_what_is_wrong_in_shape(case: str, validator: Any) -> None:
    assert not validator.is_valid(plain(read_bytes((CORPUS / f"{case}.yaml").read_bytes(), case)))


def test_the_schema_is_printed_and_the_shipped_one_is_current(call: Call) -> None:
    assert call("schema") == (0, schema_text(), "")
    shipped = (data_folder("scenarios") / "schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text(), "talentsim schema > scenarios/schema.json"


@pytest.mark.parametrize("file", scenario_files(), ids=lambda path: path.stem)
def test_shipped_scenarios_point_to_the_schema(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    pointed = first.removeprefix("# yaml-language-server: $schema=")
    assert (file.parent / pointed).resolve() == data_folder("scenarios") / "schema.json", first


def test_an_editor_has_something_to_say_of_every_quantity() -> None:
    defs = scenario_json_schema()["$defs"]
    about = {
        (name, key): field
        for name, section in defs.items()
        for key, field in section.get("properties", {}).items()
    }
    written = {at: json.dumps(field) for at, field in about.items()}
    quantities = [at for at, text in written.items() if '"examples": ["14.3B USD"' in text or "weeks" in text]
    assert len(quantities) > 20
    assert all('"pattern"' in written[at] and about[at].get("description") for at in quantities)
    pay = about["Lab", "median_pay"]["description"]
    assert "Money per time, such as 2.5B USD/year or $10M/month." in pay
    assert about["Lab", "counter_policy"]["anyOf"][0]["enum"][0] == "off"
    assert "Default: 10 %/year (source: K11)." in about["Equity", "discount_rate"]["description"]


def test_check_jsonschema_agrees(here: Path, call: Call) -> None:
    """The checker that others use, in a process of its own."""
    (here / "schema.json").write_text(schema_text(), encoding="utf-8")
    check = [sys.executable, "-m", "check_jsonschema", "--schemafile", "schema.json"]
    files = [str(path) for path in scenario_files() if path.stem in ("meta-2025", "plain", "survival")]
    good = subprocess.run([*check, *files], capture_output=True, text=True, timeout=60)
    assert good.returncode == 0, good.stdout
    bad = subprocess.run(
        [*check, str(CORPUS / "misspelt-key.yaml")], capture_output=True, text=True, timeout=60
    )
    assert bad.returncode == 1
    assert "talent_inflw" in bad.stdout


# ---- new


@pytest.mark.parametrize("parent", ["baseline", "meta-2025"])
def test_a_new_scenario_is_its_parent_until_it_is_changed(parent: str, call: Call, here: Path) -> None:
    code, out, err = call("new", "mine", "--from", parent)
    assert (code, err) == (0, "")
    assert "talentsim validate mine.yaml" in out
    assert call("validate", "mine.yaml")[0] == 0
    mine, theirs = load_scenario("mine.yaml"), load_scenario(parent)
    assert (mine.name, mine.labs, mine.events, mine.market) == (
        "mine",
        theirs.labs,
        theirs.events,
        theirs.market,
    )


@pytest.mark.parametrize("parent", ["baseline", "meta-2025"])
def test_the_examples_in_a_new_scenario_can_be_used(parent: str, call: Call, here: Path) -> None:
    assert call("new", "mine", "--from", parent)[0] == 0
    text = Path("mine.yaml").read_text(encoding="utf-8")
    example = re.compile(r"^# (labs:|events:|overrides:|  .*)$", re.M)
    head, _, rest = text.partition("differ.\n")
    used = head + "differ.\n" + example.sub(r"\1", rest)
    assert used.count("\nlabs:\n") == used.count("\nevents:\n") == used.count("\noverrides:\n") == 1
    Path("mine.yaml").write_text(used, encoding="utf-8")
    assert call("validate", "mine.yaml")[2] == ""
    assert len(load_scenario("mine.yaml").events) == len(load_scenario(parent).events) + 1


def test_a_new_scenario_of_a_file_beside_it(call: Call, here: Path) -> None:
    assert call("new", "mine", "--from", "meta-2025")[0] == 0
    assert call("new", "next", "--from", "mine.yaml", "--out", "second.yaml")[0] == 0
    assert load_scenario("second.yaml").labs == load_scenario("meta-2025").labs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Mine",), "'Mine' cannot be a scenario's name; write lower-case letters"),
        (("../mine",), "cannot be a scenario's name"),
        (("",), "'' cannot be a scenario's name"),
        (("a\x1b[31m",), r"'a\x1b[31m' cannot be a scenario's name"),
        (("x" * 41,), "cannot be a scenario's name"),
        (("baseline",), "'baseline' is the name of a shipped scenario; choose another"),
        (("con",), "'con' cannot be a file on every system"),
        (("mine", "--from", "basline"), "did you mean 'baseline'?"),
        (("mine", "--from", "absent.yaml"), "absent.yaml: no such file"),
        (("mine", "--out", "mine.txt"), "a scenario file ends in .yaml"),
        (("mine", "--out", "absent/mine.yaml"), "absent/mine.yaml: No such file or directory"),
        (("mine", "--out", "kept.yaml"), "kept.yaml: is there already, and is never overwritten"),
        (("mine", "--from", "sub/far.yaml"), "'sub/far.yaml' does not stand beside mine.yaml"),
        (("mine", "--from", "not a name.yaml"), "'not a name.yaml' cannot be extended"),
    ],
)
def test_a_new_scenario_that_cannot_be(
    arguments: tuple[str, ...], words: str, call: Call, here: Path
) -> None:
    Path("kept.yaml").write_text("mine", encoding="utf-8")
    Path("sub").mkdir()
    for name in ("sub/far.yaml", "not a name.yaml"):
        Path(name).write_text("name: far\ntitle: Far\nextends: baseline\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    code, out, err = call("new", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


# ---- validate


def test_many_files_end_with_a_summary(call: Call, here: Path) -> None:
    files = [str(CORPUS / f"{case}.yaml") for case in ("misspelt-key", "duplicate-key")]
    code, out, err = call("validate", "baseline", "meta-2025", *files)
    assert code == 2
    assert out.splitlines()[-1] == "2 of 4 scenarios are valid, 2 problems in the others"
    assert "   6 |     talent_inflw: 5B USD/year\n     |     ^\n" in err
    assert call("validate", "baseline")[1].count("\n") == 1
    report = json.loads(call("validate", "baseline", *files, "--json")[1])
    assert [entry["valid"] for entry in report] == [True, False, False]
    assert report[1]["problems"][0]["line"] == 6


# ---- overrides in files


def write(text: str, name: str = "x.yaml") -> Path:
    Path(name).write_text("name: x\ntitle: X\nextends: meta-2025\n" + text, encoding="utf-8")
    return Path(name)


def test_overrides_reach_events_and_whatever_the_parent_says(here: Path) -> None:
    path = write(
        "overrides:\n"
        "  events.meta-at-openai.package_cap: {value: 20M USD, source: assumption, note: what if}\n"
        "  events.emergency.when.standing_below: 0.7\n"
        "  labs.meta.units.fair: null\n"
        "  labs.openai.headcount_plan: [{date: 2024-05-01, staff: 99}]\n"
        "labs:\n  meta: {staff: 11}\n"
    )
    scenario, parent = load_scenario(path), load_scenario("meta-2025")
    (campaign,) = [event.campaign for event in scenario.events if event.campaign]
    assert campaign.package_cap == 20 * 10**8
    assert [str(target.staff) for target in scenario.labs["openai"].headcount_plan] == ["99"]
    assert list(scenario.labs["meta"].units) == ["genai"]
    assert scenario.labs["meta"].staff == 11
    assert len(scenario.events) == len(parent.events)
    index = next(i for i, event in enumerate(scenario.events) if event.campaign)
    citation = scenario.sources[f"events.{index}.campaign.package_cap"]
    assert (citation.source, citation.note, citation.file, citation.line) == (
        "assumption",
        "what if",
        "x.yaml",
        5,
    )


def test_null_takes_an_event_away(here: Path) -> None:
    scenario = load_scenario(write("overrides:\n  events.acquihire: null\n"))
    parent = load_scenario("meta-2025")
    assert scenario.events == tuple(event for event in parent.events if event.acquihire is None)
    assert len(load_scenario("meta-2025", ["events.acquihire=null"]).events) == len(parent.events) - 1


def test_overrides_of_a_chain_apply_in_its_order(here: Path) -> None:
    write("overrides:\n  labs.meta.staff: 1\n  labs.openai.staff: 1\n", "first.yaml")
    Path("second.yaml").write_text(
        "name: y\ntitle: Y\nextends: first\nlabs:\n  meta: {staff: 2}\noverrides: {labs.openai.staff: 3}\n",
        encoding="utf-8",
    )
    scenario = load_scenario("second.yaml", ["labs.openai.staff=4"])
    assert scenario.labs["meta"].staff == 2
    assert scenario.labs["openai"].staff == 4
    assert load_scenario("second.yaml").labs["openai"].staff == 3


# ---- suggestions


def sections_of_the_schema() -> dict[str, list[str]]:
    """The keys of every section."""
    kinds = {
        kind
        for module in (schema, events, happenings, sections)
        for kind in vars(module).values()
        if isinstance(kind, type)
    }
    return {
        kind.__name__: list(kind.model_fields)
        for kind in sorted(kinds, key=lambda kind: kind.__name__)
        if issubclass(kind, BaseModel) and kind.model_fields
    }


def misspelt(rng: random.Random, word: str) -> str:
    """A word after one slip: a letter left out, added, replaced, or two swapped."""
    i, letter = rng.randrange(len(word)), rng.choice(string.ascii_lowercase + "_")
    swapped = word[:i] + word[i : i + 2][::-1] + word[i + 2 :]
    return rng.choice(
        [word[:i] + word[i + 1 :], word[:i] + letter + word[i:], word[:i] + letter + word[i + 1 :], swapped]
    )


def test_a_misspelt_key_gets_the_right_suggestion() -> None:
    """Of all keys with one or two slips, 19 of 20 are recognised."""
    rng = random.Random(1)
    right = wrong = 0
    for keys in sections_of_the_schema().values():
        for key in keys:
            for slips in (1, 2) * 25:
                word = key
                for _ in range(slips):
                    word = misspelt(rng, word) or key
                if word not in keys:
                    meant = errors.nearest(word, keys) == key
                    right, wrong = right + meant, wrong + (not meant)
    assert right + wrong > 2_000
    assert right / (right + wrong) >= 0.95


@pytest.mark.parametrize(
    "word", ["talent_inflo", "tallent_inflow", "talent-inflow", "Talent_Inflow", "talnet_inflwo"]
)
def test_a_message_has_the_suggestion_in_it(word: str, here: Path) -> None:
    with pytest.raises(ScenarioError, match=r"x\.yaml:6:5: .*did you mean 'talent_inflow'\?"):
        load_scenario(write(f"labs:\n  meta:\n    {word}: 5B USD/year\n"))


# ---- quick to start


def imported(here: Path, *arguments: str) -> set[str]:
    """The packages that a command has loaded when it ends, in a process of its own."""
    code = (
        f"import sys\nfrom sim.cli import main\nmain({list(arguments)})\nprint(*sys.modules, file=sys.stderr)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=here, env=environment, capture_output=True, text=True, timeout=60
    )
    return set(done.stderr.split("\n")[-2].split(" "))


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (("--help",), {"pydantic", "ruamel.yaml", "numpy", "rich.table"}),
        (("validate", "meta-2025"), {"numpy", "pandas", "pyarrow", "matplotlib", "mesa", "scipy"}),
        (("sources", "meta-2025"), {"numpy", "pandas", "pyarrow", "matplotlib", "mesa", "scipy"}),
        (("new", "mine"), {"numpy", "pandas", "pyarrow", "matplotlib", "mesa", "scipy"}),
        (("run", "absent.yaml"), {"pandas", "matplotlib", "mesa"}),
    ],
)
def test_heavy_imports_wait(arguments: tuple[str, ...], absent: set[str], here: Path) -> None:
    assert not imported(here, *arguments) & absent
