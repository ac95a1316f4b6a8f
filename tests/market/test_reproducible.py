"""A run is a function of scenario, seed and number: not of company, processes, blocks or observers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mesa
import numpy as np
import pyarrow.compute as pc
import pytest
from small_markets import hard_times, hashes_of, put, scenario

from sim.market import simulate as simulation
from sim.market.opening import open_market
from sim.market.simulate import run_block, simulate
from sim.market.week import advance
from sim.model import Lab, Researcher, TalentMarket
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario
from sim.system.tables import canonical_hash

TESTS = Path(__file__).resolve().parent
SMALL = scenario(hard_times(weeks=20))


@pytest.fixture(scope="module")
def twelve() -> dict[str, Any]:
    """Runs 0 to 11 of the small market side by side."""
    return run_block(SMALL, 5, range(12))


# ---- company


def test_run_7_alone_is_run_7_among_twelve(twelve: dict[str, Any]) -> None:
    alone = hashes_of(run_block(SMALL, 5, [7]))
    assert alone == hashes_of(twelve, run=7)
    assert alone["spells"] != hashes_of(twelve, run=6)["spells"]


def test_run_7_of_the_article_alone_is_run_7_among_others() -> None:
    of = load_scenario("meta-2025", ["horizon=114 weeks"])
    assert hashes_of(run_block(of, 1, [7])) == hashes_of(run_block(of, 1, [0, 7, 8]), run=7)


def test_any_runs_may_stand_together(twelve: dict[str, Any]) -> None:
    some = run_block(SMALL, 5, [2, 3, 11])
    for run in (2, 3, 11):
        assert hashes_of(some, run) == hashes_of(twelve, run)


def test_another_seed_is_another_market(twelve: dict[str, Any]) -> None:
    other = hashes_of(run_block(SMALL, 6, [7]))
    mine = hashes_of(twelve, run=7)
    assert all(other[name] != mine[name] for name in ("labs", "offers", "spells", "ledger"))


def test_runs_of_one_seed_differ(twelve: dict[str, Any]) -> None:
    spells = twelve["spells"]
    each = [spells.filter(pc.field("run") == run).drop(["run"]) for run in range(12)]
    assert len({canonical_hash(table) for table in each}) == 12


# ---- blocks and processes


@pytest.mark.parametrize("block", [5, 100])
def test_the_size_of_the_blocks_does_not_matter(block, twelve, monkeypatch) -> None:
    monkeypatch.setattr(simulation, "BLOCK", block)
    assert hashes_of(simulate(SMALL, 5, range(12))) == hashes_of(twelve)


def test_the_number_of_processes_does_not_matter(twelve, monkeypatch) -> None:
    monkeypatch.setattr(simulation, "BLOCK", 4)
    finished: list[int] = []
    found = simulate(SMALL, 5, range(12), jobs=2, progress=finished.append)
    assert hashes_of(found) == hashes_of(twelve)
    assert sum(finished) == 12


def test_what_is_not_logged_leaves_the_rest_as_it_was(twelve: dict[str, Any]) -> None:
    short = simulate(SMALL, 5, range(12), log=False)
    full, found = hashes_of(twelve), hashes_of(short)
    assert all(found[name] == full[name] for name in ("labs", "spells", "events"))
    assert short["ledger"].num_rows == 0
    led = pc.field("campaign").is_valid() | pc.field("follows").is_valid()
    kept = twelve["offers"].filter(led)
    columns = [name for name in kept.column_names if name != "offer"]  # numbered within what is kept
    assert canonical_hash(short["offers"].select(columns)) == canonical_hash(kept.select(columns))


@pytest.fixture(scope="module")
def by_hash_seed() -> Iterator[list[str]]:
    """What two fresh interpreters, whose strings hash differently, print of the same two runs."""
    code = (
        "from small_markets import hard_times, hashes, scenario\n"
        "print(sorted(hashes(scenario(hard_times(weeks=12)), [0, 1], seed=5).items()))"
    )
    waiting = []
    for seed in ("1", "2"):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}",
        }
        waiting.append(
            subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        )
    yield [process.communicate(timeout=120)[0] for process in waiting]


def test_the_hash_seed_of_the_interpreter_does_not_matter(by_hash_seed: list[str]) -> None:
    here = hashes_of(run_block(scenario(hard_times(weeks=12)), 5, [0, 1]))
    assert by_hash_seed == [f"{sorted(here.items())}\n"] * 2


# ---- Mesa


@pytest.fixture(scope="module")
def model() -> TalentMarket:
    """Run 7 as a Mesa model with agents, lived to its end."""
    model = TalentMarket(SMALL, seed=5, run=7)
    while model.running and model.week < SMALL.horizon:
        model.step()
    return model


def test_the_mesa_model_equals_run_7_of_the_ensemble(model: TalentMarket, twelve: dict[str, Any]) -> None:
    assert isinstance(model, mesa.Model)
    assert hashes_of(model.tables()) == hashes_of(twelve, run=7)


def test_without_agents_the_model_is_the_same(twelve: dict[str, Any]) -> None:
    model = TalentMarket(SMALL, seed=5, run=7, agents=False)
    for _ in range(SMALL.horizon):
        model.step()
    assert hashes_of(model.tables()) == hashes_of(twelve, run=7)
    assert len(model.agents) == 0


def test_mesas_word_for_a_seed_means_the_seed() -> None:
    one, other = TalentMarket(SMALL, rng=9, agents=False), TalentMarket(SMALL, seed=9, agents=False)
    for each in (one, other):
        each.step()
    assert hashes_of(one.tables()) == hashes_of(other.tables())


def test_after_the_horizon_nothing_happens(model: TalentMarket) -> None:
    before = hashes_of(model.tables())
    model.step()
    assert model.week == SMALL.horizon
    assert not model.running
    assert hashes_of(model.tables()) == before


def test_labs_are_agents_that_agent_sets_work_on(model: TalentMarket, twelve: dict[str, Any]) -> None:
    labs = model.agents_by_type[Lab]
    last = twelve["labs"].to_pandas().query(f"run == 7 and week == {SMALL.horizon - 1}").set_index("lab")
    assert labs.get("name") == list(SMALL.labs)
    assert labs.get("headcount") == last.loc[list(SMALL.labs), "headcount"].tolist()
    assert labs.get("hires") == last.loc[list(SMALL.labs), "hires"].tolist()
    assert labs.get("departures") == last.loc[list(SMALL.labs), "departures"].tolist()
    assert labs.get("offers") == last.loc[list(SMALL.labs), "offers"].tolist()
    assert [round(100 * usd) for usd in labs.get("cash_usd")] == last.loc[
        list(SMALL.labs), "cash_cents"
    ].tolist()
    assert labs.get("standing") == pytest.approx(last.loc[list(SMALL.labs), "standing"].tolist())
    assert labs.agg("headcount", sum) == model.employed


def test_researchers_are_agents_that_agent_sets_work_on(model: TalentMarket) -> None:
    people = model.agents_by_type[Researcher]
    assert people.agg("employed", sum) == model.employed
    staff = people.select(lambda person: person.employed).groupby("lab").count()
    assert staff == {lab.name: lab.headcount for lab in model.agents_by_type[Lab] if lab.headcount}
    assert sum(person.lab == "outside" for person in people) == model.outside
    units = {(p.lab, p.unit) for p in people if p.employed}
    assert {unit for lab, unit in units if lab == "rich"} <= {"old", "new", "lab-x"}
    assert all(person.tenure_years >= 0 and person.base_usd > 0 for person in people)


def test_newcomers_become_agents_when_they_enter() -> None:
    model = TalentMarket(scenario(put(hard_times(weeks=12), "market.entry.graduates", "200 /year")), seed=1)
    before = len(model.agents_by_type[Researcher])
    for _ in range(12):
        model.step()
    after = model.agents_by_type[Researcher]
    assert len(after) > before + 20
    assert sorted(person.row for person in after) == list(range(len(after)))


def test_writing_to_an_agent_writes_to_the_market() -> None:
    model = TalentMarket(SMALL, seed=5)
    lab = model.agents_by_type[Lab].to_list()[0]
    person = model.agents_by_type[Researcher].to_list()[3]
    lab.standing, person.attachment = 0.5, 9.0
    assert np.exp(model.market.labs.ln_standing[0, 0]) == pytest.approx(0.5)
    assert model.market.researchers.attachment[3] == 9


def test_the_data_collector_gives_frames(model: TalentMarket) -> None:
    totals = model.datacollector.get_model_vars_dataframe()
    labs = model.datacollector.get_agenttype_vars_dataframe(Lab).reset_index()
    by_week = labs.groupby("Step")["headcount"].sum()
    assert totals["employed"].tolist()[0] == sum(lab.staff for lab in SMALL.labs.values())
    assert len(totals) >= SMALL.horizon + 1
    assert by_week.tolist() == totals["employed"].tolist()[: len(by_week)]


def test_nothing_is_recorded_before_the_first_week() -> None:
    with pytest.raises(ValueError, match="first week"):
        TalentMarket(SMALL, agents=False).tables()


# ---- labs and researchers of one's own


class SameLab(Lab):
    """Overrides every behaviour and does as it would be done."""

    def shortlist(self, *arguments):
        return super().shortlist(*arguments)

    def price(self, *arguments):
        return super().price(*arguments)

    def counter(self, *arguments):
        return super().counter(*arguments)


class SameResearcher(Researcher):
    def choose(self, *arguments):
        return super().choose(*arguments)


class Hermit(Lab):
    def shortlist(self, rows, merit, vacancies):
        return np.zeros(len(rows), np.bool_)


class Faithful(Researcher):
    def choose(self, offers, stay, go):
        return None if self.employed else super().choose(offers, stay, go)


def lived(**own: Any) -> TalentMarket:
    model = TalentMarket(SMALL, seed=5, run=7, **own)
    for _ in range(SMALL.horizon):
        model.step()
    return model


@pytest.mark.parametrize("labs", [["rich"], ["tight", "bought"], list(SMALL.labs)])
def test_who_does_as_the_rule_does_leaves_the_market_as_it_is(labs, model: TalentMarket) -> None:
    own = lived(labs=dict.fromkeys(labs, SameLab), researcher=SameResearcher)
    assert hashes_of(own.tables()) == hashes_of(model.tables())


def test_a_lab_of_ones_own_that_shortlists_nobody_hires_nobody_from_outside(model: TalentMarket) -> None:
    def from_outside(tables: dict[str, Any]) -> dict[str, int]:
        spells = tables["spells"].to_pandas()
        return spells[spells["origin"] == "outside"]["lab"].astype(str).value_counts().to_dict()

    usual, own = from_outside(model.tables()), from_outside(lived(labs={"tight": Hermit}).tables())
    assert usual["tight"] > 0
    assert "tight" not in own
    assert own["rich"] > 0


def test_researchers_of_ones_own_who_always_stay_never_move_to_a_rival(model: TalentMarket) -> None:
    labs = [table["labs"].to_pandas() for table in (model.tables(), lived(researcher=Faithful).tables())]
    assert labs[0]["left_rival"].sum() > 0
    assert labs[1]["left_rival"].sum() == 0
    assert labs[1]["hires"].sum() > labs[1]["acquihires"].sum()


def test_unknown_labs_and_agents_without_agents_are_refused() -> None:
    with pytest.raises(ValueError, match="nobody"):
        TalentMarket(SMALL, labs={"nobody": Hermit})
    with pytest.raises(ValueError, match="agents"):
        TalentMarket(SMALL, researcher=Faithful, agents=False)


# ---- what does not belong to a run does not change it


def test_an_observer_changes_nothing() -> None:
    """A market without a recorder, and without a journal, ends where the recorded one ends."""
    watched = TalentMarket(SMALL, seed=5, run=7)
    bare = open_market(SMALL, 5, np.array([7]), keep_all=False)
    for _ in range(SMALL.horizon):
        watched.step()
        advance(bare)
    one, other = watched.market, bare
    assert (one.ledger.balances == other.ledger.balances).all()
    assert (one.labs.headcount == other.labs.headcount).all()
    assert (one.labs.ln_standing == other.labs.ln_standing).all()
    kept = sum(len(offers["row"]) for offers in one.log.offers)
    assert kept > sum(len(offers["row"]) for offers in other.log.offers)
    for offers in other.log.offers:
        assert ((offers["campaign"] >= 0) | (offers["follows"] >= 0)).all()
    for column in ("place", "start_week", "exit_week", "contact_week", "weekly_base", "grant", "attachment"):
        assert (getattr(one.researchers, column) == getattr(other.researchers, column)).all()
    assert other.ledger.journal == []


def one_lab_more(folder: Path) -> Scenario:
    """The baseline with a lab that nobody meets: no staff and no plan, so no contacts."""
    file = folder / "child.yaml"
    file.write_text(
        "name: child\n"
        "title: One lab more\n"
        "extends: baseline\n"
        "labs:\n"
        "  nobody:\n"
        "    label: Nobody\n"
        "    staff: 0\n"
        "    founded: 2020-01-01\n"
        "    median_pay: 500k USD/year\n"
        "    star_pay: 1M USD/year\n",
        encoding="utf-8",
    )
    return load_scenario(file, ["horizon=30 weeks"])


def test_a_lab_that_nobody_meets_changes_nothing_for_the_others(tmp_path: Path) -> None:
    with_it = run_block(one_lab_more(tmp_path), 1, [0, 1])
    without = run_block(load_scenario("baseline", ["horizon=30 weeks"]), 1, [0, 1])
    labs = with_it["labs"].to_pandas()
    assert (labs[labs["lab"] == "nobody"][["headcount", "contacts", "spend_cents"]] == 0).all(axis=None)
    with_it["labs"] = with_it["labs"].filter(pc.field("lab") != "nobody")
    assert hashes_of(with_it) == hashes_of(without)


def test_before_an_event_the_scenarios_that_differ_by_it_are_one() -> None:
    """The release of 2025-04-29 falls into week 104: until then its surprise can change nothing."""
    changes = ["horizon=114 weeks"]
    bad = run_block(load_scenario("meta-2025", changes), 1, [0])
    good = run_block(load_scenario("meta-2025", [*changes, "events.model_release.surprise=1"]), 1, [0])
    for name in ("labs", "ledger"):
        early = [canonical_hash(t[name].filter(pc.field("week") < 104)) for t in (bad, good)]
        late = [canonical_hash(t[name].filter(pc.field("week") == 104)) for t in (bad, good)]
        assert early[0] == early[1]
        assert late[0] != late[1]


def test_without_ties_a_longer_horizon_only_adds_weeks() -> None:
    """Ties are drawn among all who ever enter, so with them the horizon is part of the draw."""
    short = hard_times(weeks=16)
    short["market"]["ties"] = {"within": 0, "across": 0}
    long = put(short, "horizon", "24 weeks")
    one, other = run_block(scenario(short), 1, [0, 1]), run_block(scenario(long), 1, [0, 1])
    for name in ("labs", "ledger"):
        assert canonical_hash(one[name]) == canonical_hash(other[name].filter(pc.field("week") < 16))
