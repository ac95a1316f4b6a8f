"""What is behind the browser page, without a browser: its address, inputs, ticker, map and downloads."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from sim.experiments.results import run
from sim.model import TalentMarket
from sim.page import many_runs, pairs
from sim.page import serve as serving
from sim.page.address import MOST_CHANGES, Choices, read_query
from sim.page.downloads import as_csv, file_name
from sim.page.inputs import (
    MOST_PEOPLE,
    SETTINGS,
    PageMarket,
    changed,
    in_force,
    offered_scenarios,
    opened,
    totals,
    unchanged,
)
from sim.page.market_map import QUARTER, market_map, plot_market_map
from sim.page.parameters import groups
from sim.page.ticker import sentence, ticker
from sim.scenario.figures import load_figures
from sim.scenario.loading import change_scenario, load_scenario, scenario_names
from sim.system.tables import canonical_hash

OPENING, OFFERED = "meta-2025", ["meta-2025", "baseline"]


def market(scenario: str = OPENING, seed: int = 1, changes: Sequence[tuple[str, str]] = ()) -> PageMarket:
    return PageMarket(lambda: Choices(scenario, seed, tuple(changes)))


@pytest.fixture(scope="module")
def lived() -> PageMarket:
    """A run after the campaign of meta-2025."""
    found = market()
    found.run_for(122)
    return found


# The address


@given(
    st.sampled_from(OFFERED),
    st.integers(0, 10**15 - 1),
    st.integers(0, 156),
    st.dictionaries(st.text("abc.", min_size=1, max_size=20), st.text(min_size=1, max_size=30), max_size=5),
)
def test_an_address_says_the_whole_state(name: str, seed: int, week: int, changes: dict[str, str]) -> None:
    asked = Choices(name, seed, tuple(changes.items()), week)
    assert read_query(asked.query, OPENING, OFFERED) == (asked, [])


@given(st.text(max_size=300))
def test_whatever_an_address_says_the_page_has_something_to_show(query: str) -> None:
    choices, problems = read_query(query, OPENING, OFFERED)
    assert choices.scenario in OFFERED
    assert all(problem.isprintable() for problem in problems)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("scenario=/etc/passwd", "there is no scenario '/etc/passwd' here"),
        ("seed=-1", "seed '-1' is not a whole number"),
        ("seed=1e400", "seed '1e400' is not a whole number"),
        ("week=" + "9" * 40, "is not a whole number of at most 15 digits"),
        ("set=market.choice.pay_elasticity", "is no change"),
        ("colour=red", "'colour', which means nothing here"),
        ("x" * 9000, "longer than 8000 letters"),
        ("&".join(f"set=a{n}=1" for n in range(MOST_CHANGES + 9)), "more than 100 things"),
    ],
)
def test_what_an_address_gets_wrong_is_told(query: str, problem: str) -> None:
    choices, problems = read_query(query, OPENING, OFFERED)
    assert choices == Choices(OPENING)
    assert len(problems) == 1
    assert problem in problems[0]


def test_an_address_is_opened_at_its_week_and_not_beyond_the_last() -> None:
    model, problems = opened(Choices("baseline", 4, (("horizon", "6 weeks"),), week=3))
    assert (model.week, problems) == (3, [])
    plain = TalentMarket("baseline", seed=4, agents=False)
    plain.run_for(3)
    assert model.employed == plain.employed
    assert model.choices.week == 3
    model, problems = opened(Choices("baseline", 4, (("horizon", "6 weeks"),), week=10**14))
    assert model.week == 6
    assert problems == [f"week {10**14} is beyond the last, 6"]


# Inputs


def test_sliders_stand_where_the_scenario_stands_and_name_the_unit() -> None:
    wanted: dict[str, float | None] = {
        "Package cap (M USD)": 100,
        "Researchers approached": 46,
        "Surprise of the release (sds)": -1.0,
        "Meta's money for talent (times its plan)": 1.0,
        "Pay elasticity": 2,
    }
    scenario = load_scenario("meta-2025")
    assert {s.label: s.chosen(Choices("meta-2025"), scenario) for s in SETTINGS.values()} == wanted
    plain = load_scenario("baseline")  # which has neither the release nor the campaign
    assert SETTINGS["package_cap"].chosen(Choices("baseline"), plain) is None
    assert SETTINGS["inflow"].chosen(Choices("baseline"), plain) == 1.0


def test_a_slider_changes_its_value_alone_and_takes_the_change_back() -> None:
    plain = load_scenario("meta-2025")
    choices = Choices("meta-2025")
    for key, value in (("package_cap", 20), ("surprise", 0.5), ("inflow", 0.5)):
        choices = SETTINGS[key].choose(choices, plain, value)
        assert SETTINGS[key].chosen(choices, plain) == value
    scenario, refusal = changed(plain, choices.overrides)
    assert refusal == ""
    campaign = next(event.campaign for event in scenario.events if event.campaign)
    assert campaign.package_cap == 20_000_000_00
    assert campaign.researchers == 46
    assert next(e.model_release for e in scenario.events if e.model_release).surprise == 0.5
    assert scenario.labs["meta"].talent_factor == 0.5
    assert scenario.market == plain.market
    for key, value in (("package_cap", 100), ("surprise", -1.0), ("inflow", 1)):
        choices = SETTINGS[key].choose(choices, plain, value)
    assert choices == Choices("meta-2025")


def test_a_slider_stands_somewhere_whatever_the_address_says_there() -> None:
    plain = load_scenario("meta-2025")
    for text in ("nan", "inf", "3 apples", ""):
        choices = Choices("meta-2025", changes=(("market.choice.pay_elasticity", text),))
        assert SETTINGS["elasticity"].chosen(choices, plain) == 2


def test_an_unchanged_page_lives_the_run_itself() -> None:
    model, plain = market(), TalentMarket("meta-2025", seed=1)
    assert model.refusal == ""
    assert model.talent_scenario.sources == plain.talent_scenario.sources
    assert model.tables() == {}
    for each in (model, plain):
        each.run_for(2)
        each.tables()
        each.run_for(1)
    assert {name: canonical_hash(table) for name, table in model.tables().items()} == {
        name: canonical_hash(table) for name, table in plain.tables().items()
    }


def test_totals_are_those_of_the_tables(lived: PageMarket) -> None:
    assert totals(market(seed=3)) == f"{market(seed=3).employed:,} researchers at 11 labs"
    labs, offers = (lived.tables()[name].to_pandas() for name in ("labs", "offers"))
    said = totals(lived)
    assert f"{labs.hires.sum():,} hires, {labs.departures.sum():,} departures" in said
    campaign = offers[offers.campaign.notna() & offers.offer_week.notna()]
    assert len(campaign) > 10
    accepted = (campaign.outcome == "accepted").sum()
    assert said.endswith(f". Campaign: {len(campaign)} offers, {accepted} accepted")


def test_what_is_in_force_is_said_with_what_sliders_do_not_say() -> None:
    model = market("baseline", 5, [("market.choice.taste_scale", "2"), ("market.choice.pay_elasticity", "3")])
    words = in_force(model)
    assert words[:2] == ["Scenario baseline", "Seed 5"]
    assert "Package cap: not in this scenario" in words
    assert "Pay elasticity 3" in words
    assert words[-1] == "market.choice.taste_scale 2"


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        ("events.campaign.researchers", "5000", "the campaign wants 5000 researchers"),
        ("market.choice.pay_elasticity", "-1", "pay_elasticity"),
        ("market.choice.pay_elasticity", "\x1b[31m\n", "pay_elasticity"),
        ("labs.nobody.staff", "3", "nobody"),
        ("labs.meta.staff", "900000", f"the page shows up to {MOST_PEOPLE:,}"),
        ("market.entry.graduates", "1000000 /year", f"the page shows up to {MOST_PEOPLE:,}"),
    ],
)
def test_a_refused_change_is_said_and_leaves_a_working_model(path: str, text: str, why: str) -> None:
    if path.startswith("events.campaign"):
        found = SETTINGS["researchers"].find(load_scenario(OPENING))
        assert found is not None
        path = found[0]
    model = market(changes=[(path, text)])
    assert why in model.refusal
    assert model.refusal.isprintable()
    assert model.talent_scenario == load_scenario("meta-2025")
    assert model.choices.changes == ()
    model.step()
    assert model.week == 1


def test_a_broken_file_is_said_and_leaves_a_working_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: baseline\nnme: x\n")
    monkeypatch.setenv(serving.SCENARIO_VARIABLE, str(file))
    assert str(file) in offered_scenarios()
    model = market(str(file))
    assert "nme" in model.refusal
    assert model.talent_scenario.name == "meta-2025"
    file.write_text("extends: baseline\nname: mended\n")  # a file of one's own is read anew
    assert market(str(file)).talent_scenario.name == "mended"


def test_the_people_of_a_scenario_are_about_what_a_run_has() -> None:
    scenario = load_scenario("meta-2025")
    people = TalentMarket(scenario, seed=1, agents=False).market.people
    assert scenario.people == pytest.approx(people, rel=0.01)


def test_a_failing_week_is_said_and_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    model = market()
    model.step()

    def fail(self: TalentMarket) -> None:
        raise ZeroDivisionError("\x1b[31mno")

    monkeypatch.setattr(TalentMarket, "step", fail)
    model.step()
    assert model.fault == "Week 1 failed (ZeroDivisionError: \\x1b[31mno)"
    assert not model.running
    model.step()
    assert model.week == 1
    assert model.tables()["labs"].num_rows == 11


# Parameters


def test_every_number_of_the_scenario_is_listed_once_in_a_group() -> None:
    scenario, places = unchanged("meta-2025")
    found = groups(scenario, places, load_figures())
    paths = [field.path for fields in found.values() for field in fields]
    assert len(paths) == len(set(paths)) > 300
    assert {f"Lab: {lab.label}" for lab in scenario.labs.values()} <= set(found)
    cap = next(field for field in found["Lab: Meta"] if field.path == "labs.meta.treasury.inflow")
    assert (cap.name, cap.value, cap.unit) == ("treasury / inflow", "40B USD/year", "USD/year")
    assert "H13" in cap.help
    hazard = next(field for field in found["Lab: Meta"] if field.path == "labs.meta.opening_hazard")
    assert "R5.meta: " in hazard.help


def test_the_listed_values_are_what_changes_take() -> None:
    """Writing every listed value back changes nothing."""
    scenario, places = unchanged("baseline")
    fields = [field for group in groups(scenario, places, load_figures()).values() for field in group]
    written = change_scenario(scenario, [f"{field.path}={field.value}" for field in fields])
    assert written.model_dump() == scenario.model_dump()  # only sources are lost


def test_labs_of_one_label_have_groups_of_their_own() -> None:
    scenario = change_scenario(load_scenario("baseline"), ["labs.xai.label=Meta"])
    found = groups(scenario, {}, load_figures())
    assert "Lab: Meta (meta)" in found
    assert "Lab: Meta (xai)" in found


# The ticker

OFFER = {
    "lab": "meta", "researcher": 113, "origin": "openai", "sign_on_cents": 2_000_000_00,
    "grant_cents": 70_000_000_00, "base_cents": 400_000_00, "counter_week": 3, "counter_cents": 30_000_000_00,
    "outcome": "declined",
}  # fmt: skip


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            {},
            "Meta offers 72M USD to researcher 113 of OpenAI; OpenAI counters with 30M USD; stays",
        ),
        (
            {"counter_week": None, "outcome": "accepted"},
            "Meta offers 72M USD to researcher 113 of OpenAI; goes",
        ),
        (
            {"origin": "outside", "counter_week": None, "outcome": "accepted"},
            "Meta offers 72M USD to researcher 113; comes",
        ),
        (
            {"origin": "outside/google", "counter_week": None, "outcome": "declined"},
            "Meta offers 72M USD to researcher 113 at Google, outside the labs; declines",
        ),
        (
            {"sign_on_cents": 0, "grant_cents": 0, "counter_week": None, "outcome": "lapsed"},
            "Meta offers 400k USD a year and no package to researcher 113 of OpenAI; the offer lapses",
        ),
    ],
)
def test_an_offer_in_words(other: dict[str, Any], words: str) -> None:
    assert sentence(load_scenario("meta-2025"), OFFER | other) == words


def test_the_ticker_tells_the_latest_offers_once_each(lived: PageMarket) -> None:
    offers = lived.tables()["offers"]
    lines = ticker(lived.talent_scenario, offers, most=30)
    assert len(lines) == 30
    days = [line.day for line in lines]
    assert days == sorted(days, reverse=True)
    decided = offers.to_pandas().decision_week.max()
    assert (days[0] - lived.talent_scenario.start).days == 7 * decided
    campaigns = ticker(lived.talent_scenario, offers, most=1000, campaigns_only=True)
    assert len(campaigns) == offers.to_pandas().dropna(subset=["campaign", "decision_week"]).shape[0] > 10
    assert ticker(lived.talent_scenario, offers.slice(0, 0)) == []


# The map


def test_the_map_balances_heads_over_the_quarter(lived: PageMarket) -> None:
    """Heads then + who came - who went = heads now, lab by lab."""
    tables, names = lived.tables(), list(lived.talent_scenario.labs)
    found = market_map(lived.talent_scenario, tables["labs"], tables["spells"])
    assert found.weeks == (122 - QUARTER, 122)
    frame = tables["labs"].to_pandas().set_index(["week", "lab"])
    now = frame.loc[121].headcount.reindex(names).to_numpy()
    before = frame.loc[121 - QUARTER].headcount.reindex(names).to_numpy()
    assert np.array_equal(found.headcount, now)
    came = found.moves.sum(axis=0) + found.entered
    went = found.moves.sum(axis=1) + found.left
    # some are between two labs: they have left one and start at the other later
    on_their_way = np.abs(before + came - went - now)
    assert on_their_way.sum() <= 0.2 * found.moves.sum()
    assert found.moves.sum() > 20
    assert not np.diag(found.moves).any()


@pytest.mark.parametrize("weeks", [1, 20])
def test_the_map_can_be_drawn_at_any_week(weeks: int) -> None:
    model = market("every-lab-panics")
    model.run_for(weeks)
    tables = model.tables()
    axes = Figure().add_axes((0, 0, 1, 1))
    plot_market_map(
        model.talent_scenario, market_map(model.talent_scenario, tables["labs"], tables["spells"]), axes
    )
    labels = " ".join(text.get_text() for text in axes.texts)
    assert all(lab.label[:24] in labels for lab in model.talent_scenario.labs.values())


# Beside the unchanged run


def test_the_difference_is_none_without_a_change_and_else_that_of_the_hires() -> None:
    plain, other = market(), market(changes=[("market.choice.pay_elasticity", "4")])
    sides: list[pairs.Side] = []
    for model in (plain, other):
        model.run_for(12)
        sides.append((model.talent_scenario, model.tables()))
    assert not pairs.hires_difference(sides[0], sides[0]).median.any()
    grown = pairs.hires_difference(sides[0], sides[1])
    hires = [side[1]["labs"].to_pandas().groupby("lab").hires.sum() for side in sides]
    wanted = (hires[1] - hires[0]).reindex(grown.labs).to_numpy()
    assert np.array_equal(grown.median[-1], wanted)
    assert wanted.any()


# Many runs


def test_the_ensemble_is_that_of_a_run_and_can_be_given_up() -> None:
    scenario = change_scenario(load_scenario("baseline"), ["horizon=6 weeks"])
    seen: list[int] = []

    def goes_on(done: int) -> bool:
        seen.append(done)
        return True

    runs = many_runs.BLOCK + 2
    found = many_runs.ensemble(scenario, 3, runs, goes_on)
    assert seen in ([0, many_runs.BLOCK, runs], [0, 2, runs])  # blocks end in any order
    whole = run(scenario, runs=runs, seed=3)
    for name in ("labs", "spells", "events"):
        assert canonical_hash(found.tables[name]) == canonical_hash(whole.table(name))
    with pytest.raises(many_runs.GivenUp):
        many_runs.ensemble(scenario, 3, 2 * many_runs.BLOCK, lambda done: done == 0)


def test_an_absurd_ensemble_is_refused_before_anything_is_computed() -> None:
    scenario = change_scenario(load_scenario("meta-2025"), ["horizon=2000 weeks"])
    with pytest.raises(many_runs.TooLarge):
        many_runs.ensemble(scenario, 1, 10**4, lambda done: pytest.fail("it began"))


# Downloads


def test_csv_gives_the_table_back_and_no_formula() -> None:
    nasty = ["=1+1", "+1", "-1", "@x", "\tx", 'say "so", twice', "plain", "a=b", "one\ntwo", "ü"]
    table = pa.table(
        {
            "name": pa.array(nasty).dictionary_encode(),
            "cents": pa.array([-5, None, *range(8)], pa.int64()),
        }
    )
    rows = list(csv.DictReader(io.StringIO(as_csv(table).decode(), newline="")))
    read = [row["name"] for row in rows]
    assert [text.removeprefix("'") for text in read] == nasty
    assert [text[0] == "'" for text in read] == [text[0] in "=+-@\t" for text in nasty]
    assert [row["cents"] for row in rows[:3]] == ["-5", "", "0"]  # numbers stay numbers


def test_file_names_hold_nothing_strange() -> None:
    assert file_name("meta-2025", "seed", 3, ending="csv") == "meta-2025-seed-3.csv"
    assert file_name("../../etc/passwd", "; rm *", ending="yaml") == "etc-passwd--rm.yaml"
    assert file_name("///", ending="csv") == "talentsim.csv"
    assert len(file_name("x" * 500, ending="csv")) < 100


def test_shipped_scenarios_are_read_once_and_none_is_missing() -> None:
    assert set(scenario_names()) <= set(offered_scenarios())
    assert unchanged("baseline")[0] is unchanged("baseline")[0]


def test_the_unchanged_run_lives_along_with_the_changed_one() -> None:
    """It is the run that the unchanged scenario would be, whenever it was first asked for."""
    changes = [("events.campaign.package_cap", "20M USD")]
    early, late = market(changes=changes), market(changes=changes)
    assert market().unchanged_run is None
    beside = early.unchanged_run
    assert beside is not None
    early.run_for(3)
    late.run_for(3)
    alone = market()
    alone.run_for(3)
    for run_beside in (beside, late.unchanged_run):
        assert run_beside is not None
        assert run_beside.week == 3
        assert canonical_hash(run_beside.tables()["labs"]) == canonical_hash(alone.tables()["labs"])
