"""`talentsim explain`: the terms told are those that the choice used, and the run told is the run stored."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sim import cli
from sim.analysis.explain import CannotExplain
from sim.analysis.telling import Teller
from sim.analysis.tracing import relive
from sim.experiments import results
from sim.experiments.results import Result
from sim.market import appraisal, simulate
from sim.market.opening import open_market
from sim.market.rules import choice
from sim.model import Lab
from sim.report.biography import Explanation, tell
from sim.report.postings import posting_words
from sim.scenario.loading import load_scenario
from sim.scenario.quantities import format_money
from sim.scenario.schema import Scenario
from tests import small_markets

ROOT = Path(__file__).resolve().parents[2]
TEN = 10
WEEK = "2023-07-03"  # of the small market: a campaign is under way and a lab is bought


@dataclass
class Lived:
    """A run as simulated, with what the choice rule itself was given and answered, and the run as told."""

    scenario: Scenario
    run: int
    tables: dict[str, Any]
    seen: list[tuple[int, float, float, bool]]  # of each offer decided: person, U stay, U go, accepted
    teller: Teller

    @cached_property
    def choices(self) -> list[dict[str, Any]]:
        return [self.teller.choice(*entry) for entry in self.teller.trace.people_deciding()]


def live(scenario: Scenario, run: int) -> Lived:
    """Simulate a run with a watch at the heart of the choice rule, then trace it without."""
    seen: list[tuple[int, float, float, bool]] = []
    original = choice.best_option

    def watched(person: Any, stay: Any, offer: Any) -> Any:
        accepted = original(person, stay, offer)
        columns = (person, stay, offer, accepted)
        seen.extend(zip(*(column.tolist() for column in columns), strict=True))
        return accepted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "best_option", watched)
        tables = simulate.run_block(scenario, 1, [run])
    return Lived(scenario, run, tables, seen, Teller(scenario, relive(scenario, 1, run), True))


def small() -> Scenario:
    return small_markets.scenario(small_markets.hard_times(18))


def article() -> Scenario:
    return load_scenario("meta-2025", ["horizon=116 weeks"])


def trading() -> Scenario:
    """Everything that trades is switched on."""
    return small_markets.scenario(small_markets.switched_on(small_markets.hard_times(30)))


@pytest.fixture(
    scope="module", params=[(small, 3), (article, 0), (trading, 1)], ids=["small", "article", "trading"]
)
def lived(request: pytest.FixtureRequest) -> Lived:
    scenario, run = request.param
    return live(scenario(), run)


@pytest.fixture(scope="module")
def result() -> Result:
    """Two runs of the small market, every offer kept."""
    return results.run(small(), runs=2)


@pytest.fixture(scope="module")
def folder(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return result.save(tmp_path_factory.mktemp("runs") / "small")


@pytest.fixture(scope="module")
def ten(result: Result) -> list[Explanation]:
    """Biographies of ten random researchers who decided about an offer in run 1."""
    teller = Teller(result.scenario, relive(result.scenario, 1, 1), True)
    offers = result.offers[result.offers.run == 1]
    deciding = offers.researcher[offers.decision_week.notna()].unique()
    picked = np.random.default_rng(5).choice(np.sort(deciding), TEN, replace=False).tolist()
    head = {"scenario": "small", "title": "A small market", "seed": 1, "run": 1}
    told = [Explanation(head | teller.biography(researcher)) for researcher in picked]
    assert told[0] == result.explain(1, researcher=picked[0])
    return told


# --- the choice ---------------------------------------------------------------------------------


def test_the_terms_of_every_option_add_up_to_the_utility_that_the_rule_used(lived: Lived) -> None:
    told = lived.choices
    going = [(c["researcher"], option) for c in told for option in c["options"][1:]]
    assert len(going) == len(lived.seen) > 100
    for (researcher, option), (row, _, utility, _) in zip(going, lived.seen, strict=True):
        assert researcher == row
        assert sum(option["terms"].values()) == pytest.approx(utility, abs=1e-9)
    used = iter(lived.seen)
    for one in told:
        own = [next(used) for _ in one["options"][1:]]
        _, stay, _, _ = max(own, key=lambda entry: entry[2])  # the best offer's, which decides
        assert sum(one["options"][0]["terms"].values()) == pytest.approx(stay, abs=1e-9)


def test_the_winner_is_the_option_of_highest_utility_and_what_the_rule_chose(lived: Lived) -> None:
    used, moves = iter(lived.seen), 0
    for one in lived.choices:
        sums = [sum(option["terms"].values()) for option in one["options"]]
        best = int(np.argmax(sums))
        assert [option["wins"] for option in one["options"]] == [i == best for i in range(len(sums))]
        assert one["margin"] == pytest.approx(sums[best] - max(np.delete(sums, best)), abs=1e-9)
        accepted = [next(used)[3] for _ in one["options"][1:]]
        assert accepted == [option["wins"] for option in one["options"][1:]]
        moves += any(accepted)
    assert moves > 10


def test_parts_of_pay_add_up_and_make_the_term_of_pay(lived: Lived) -> None:
    alpha = lived.scenario.market.choice.pay_elasticity
    for one in lived.choices:
        for option in one["options"]:
            pay = option["pay_usd_per_year"]
            assert sum(option["pay_parts_usd_per_year"].values()) == pytest.approx(pay, rel=1e-12)
            assert min(option["pay_parts_usd_per_year"].values()) >= 0
            assert option["terms"]["pay"] == pytest.approx(alpha * np.log(pay), abs=1e-12)


def test_tipping_pay_makes_an_option_equal_to_its_best_rival(lived: Lived) -> None:
    alpha = lived.scenario.market.choice.pay_elasticity
    for one in lived.choices:
        for option in one["options"]:
            rival = max(other["utility"] for other in one["options"] if other is not option)
            others = sum(term for name, term in option["terms"].items() if name != "pay")
            tipped = alpha * np.log(option["tipping_pay_usd_per_year"]) + others
            assert tipped == pytest.approx(rival, abs=1e-6)


def test_the_tipping_package_is_worth_the_tipping_pay(lived: Lived) -> None:
    market, checked = lived.teller.market, 0
    for one in lived.choices:
        for option in one["options"][1:]:
            usd = option["tipping_package_usd"]
            if not 0 < usd < 1e12:
                continue
            lab = np.array([market.constants.lab(option["lab"])])
            base = np.array([option["pay_parts_usd_per_year"]["base"]])
            share = lived.scenario.market.equity.sign_on_share
            sign_on, grant = appraisal.split_package(np.rint(np.array([usd]) * 100).astype(np.int64), share)
            pay = appraisal.package_pay(market, base, sign_on, grant, lab)
            assert pay[0] == pytest.approx(option["tipping_pay_usd_per_year"], rel=1e-6)
            checked += 1
    assert checked > 50


def test_a_counter_offer_that_tips_is_what_staying_needed(lived: Lived) -> None:
    """The package named for staying replaces the counter-offer, and closes the gap in Y at its kappa."""
    horizon, checked = lived.scenario.market.equity.horizon, 0
    for one in lived.choices:
        stay = one["options"][0]
        parts, counter = stay["pay_parts_usd_per_year"], stay["counter_cents"] / 100
        if counter == 0:
            continue
        kappa = parts["counter"] / (counter / horizon)
        without = stay["pay_usd_per_year"] - parts["counter"]
        reached = without + kappa * stay["tipping_package_usd"] / horizon
        assert reached == pytest.approx(stay["tipping_pay_usd_per_year"], rel=1e-9)
        checked += 1
    assert checked > 0


# --- the run ------------------------------------------------------------------------------------


def test_the_run_told_is_the_run_stored(lived: Lived) -> None:
    told = small_markets.hashes_of(lived.teller.trace.tables)
    assert told == small_markets.hashes_of(lived.tables)


def test_a_biography_has_every_stored_offer_and_spell(result: Result, ten: list[Explanation]) -> None:
    for story in ten:
        offers = result.offers[(result.offers.run == 1) & (result.offers.researcher == story["researcher"])]
        assert [offer["offer"] for offer in story["offers"]] == offers.offer.tolist()
        for told, (_, row) in zip(story["offers"], offers.iterrows(), strict=True):
            assert told["outcome"] == row.outcome
            assert told["lab"] == row.lab
            assert told["package_cents"] == row.sign_on_cents + row.grant_cents
            for stage in ("contact", "interview", "offer", "counter", "decision", "start"):
                week = row[f"{stage}_week"]
                assert told["stages"].get(stage, {}).get("week") == (None if pd.isna(week) else week)
        spells = result.spells[(result.spells.run == 1) & (result.spells.researcher == story["researcher"])]
        assert [spell["start_week"] for spell in story["spells"]] == spells.start_week.tolist()
        assert [spell["lab"] for spell in story["spells"]] == spells.lab.tolist()
        assert [spell["end_week"] is None for spell in story["spells"]] == spells.censored.tolist()


def test_a_biography_tells_each_move_to_another_unit() -> None:
    units = {"old": {"share": 1}, "new": {"share": 0}}
    ways = [(2, "old", "new"), (5, "new", "old")]
    events = [
        small_markets.on(week, transfer={"lab": "a", "unit": goal, "from_unit": start, "researchers": 1})
        for week, start, goal in ways
    ]
    quiet = {
        "contact": {"rate": "0 /year"},
        "exits": dict.fromkeys(("found", "academia", "field"), "0 /year"),
    }
    of = small_markets.market_of({"a": small_markets.lab(9, units=units)}, 8, events=events, market=quiet)
    result = results.run(small_markets.scenario(of), runs=1)
    who = int(result.transfers.researcher.iloc[0])
    story = result.explain(0, researcher=who)
    assert [unit["unit"] for unit in story["spells"][0]["units"]] == ["old", "new", "old"]
    told = str(story)
    assert f"researcher {who} is at A lab (old)" in told
    assert "In the week of 2023-05-15 they move to A lab's unit new." in told
    assert "In the week of 2023-06-05 they move to A lab's unit old." in told
    assert "When the simulation ends they are at A lab (old)." in told


def test_every_decided_offer_is_in_one_choice_and_won_if_it_was_accepted(ten: list[Explanation]) -> None:
    for story in ten:
        won = {option["offer"]: option["wins"] for c in story["choices"] for option in c["options"][1:]}
        decided = {o["offer"]: o["outcome"] for o in story["offers"] if "decision" in o["stages"]}
        assert won.keys() == decided.keys()
        for offer, outcome in decided.items():
            assert outcome == "lapsed" or won[offer] == (outcome == "accepted")


def test_somebody_is_always_somewhere(ten: list[Explanation]) -> None:
    """Spells and times outside the labs follow one another from the first week to the last, without a gap."""
    for story in ten:
        times = [(max(s["start_week"], 0), s["end_week"]) for s in story["spells"]]
        times += [(t["start_week"], t["end_week"]) for t in story["elsewhere"]]
        times.sort(key=lambda time: (time[0], time[1] is None, time[1]))
        assert times[0][0] == 0
        assert times[-1][1] is None
        assert all(end == begin for (_, end), (begin, _) in pairwise(times))


def test_one_offer_is_told_as_in_the_biography(result: Result, ten: list[Explanation]) -> None:
    biography = next(story for story in ten if story["choices"])
    number = biography["choices"][0]["options"][1]["offer"]
    story = result.explain(1, offer=number)
    assert story["offers"] == [offer for offer in biography["offers"] if offer["offer"] == number]
    assert story["choices"] == biography["choices"][:1]


def test_a_folder_without_a_log_numbers_the_offers_that_it_keeps() -> None:
    brief = results.run(small(), runs=1, log=False)
    kept = brief.offers[brief.offers.offer_week.notna()].iloc[-1]
    story = brief.explain(0, offer=int(kept.offer))
    assert story["researcher"] == kept.researcher
    assert story["offers"][0]["stages"]["offer"]["week"] == kept.offer_week
    biography = brief.explain(0, researcher=int(kept.researcher))
    numbers = [offer["offer"] for offer in biography["offers"] if offer["offer"] is not None]
    assert numbers == brief.offers.offer[brief.offers.researcher == kept.researcher].tolist()
    with pytest.raises(CannotExplain, match=f"offers 0 to {len(brief.offers) - 1}$"):
        brief.explain(0, offer=len(brief.offers))


def test_a_run_that_is_not_stored_is_told_all_the_same(result: Result) -> None:
    alone = results.run(results.Request.of(small(), runs=2, only_run=0))
    assert alone.explain(1, researcher=40) == result.explain(1, researcher=40)


def test_a_stored_run_that_differs_is_refused(result: Result) -> None:
    changed = dict(result.tables)
    offers = changed["offers"].to_pandas()
    offers.loc[offers.run == 1, "sign_on_cents"] += 1
    changed["offers"] = simulate.pa.Table.from_pandas(offers, changed["offers"].schema, preserve_index=False)
    other = Result(result.request, changed)
    assert other.explain(0, researcher=3)["researcher"] == 3
    with pytest.raises(CannotExplain, match=r"run 1 cannot be explained: .* its offers differ"):
        other.explain(1, researcher=3)


@pytest.mark.parametrize(("table", "column"), [("labs", "standing"), ("spells", "talent")])
def test_the_last_digit_of_a_fraction_may_be_another_processor_s(
    result: Result, table: str, column: str
) -> None:
    def explained(factor: float) -> None:
        stored = result.tables[table]
        place = stored.column_names.index(column)
        moved = pa.array(stored[column].to_numpy() * factor, stored.schema.field(column).type)
        changed = stored.set_column(place, stored.schema.field(column), moved)
        Result(result.request, {**result.tables, table: changed}).explain(0, researcher=3)

    explained(1 + 2**-23)
    with pytest.raises(CannotExplain, match=f"its {table} differ"):
        explained(1.001)


def test_runs_with_labs_of_ones_own_are_refused() -> None:
    class Generous(Lab):
        def price(self, *_: Any) -> float:
            return 2e6

    labs = {name: small_markets.lab(30) for name in ("own", "other")}
    scenario = small_markets.scenario(small_markets.market_of(labs, weeks=12))
    mine = results.run(scenario, runs=1, labs={"own": Generous})
    with pytest.raises(CannotExplain, match=r"classes of one's own: own .*Generous cannot be lived again"):
        mine.explain(0, researcher=3)


# --- a lab's week -------------------------------------------------------------------------------


@pytest.mark.parametrize("lab", ["rich", "tight", "doomed", "bought"])
def test_a_labs_money_adds_up_over_its_week(result: Result, lab: str) -> None:
    story = result.explain(1, lab=lab, week=WEEK)
    labs = result.labs[(result.labs.run == 1) & (result.labs.lab == lab)].set_index("week")
    week = story["week"]
    now = {
        f"{lab}:talent": labs.cash_cents[week - 1],
        f"{lab}:treasury": labs.treasury_cents[week - 1],
    }
    promised: dict[str, int] = {}
    for step in story["money"]:
        for account, entry in step["accounts"].items():
            assert entry["before_cents"] == now.get(account, entry["before_cents"])
            assert entry["after_cents"] == entry["before_cents"] + sum(entry["postings_cents"].values())
            now[account] = entry["after_cents"]
        for line, entry in step["escrow"].items():
            assert entry["before_cents"] == promised.get(line, entry["before_cents"])
            promised[line] = entry["after_cents"]
    assert now[f"{lab}:talent"] == labs.cash_cents[week]
    assert now[f"{lab}:treasury"] == labs.treasury_cents[week]
    assert story["headcount"] == {"before": labs.headcount[week - 1], "after": labs.headcount[week]}
    assert story["contacted"] + len(story["invited"]) == labs.contacts[week]


def test_a_labs_prices_are_its_offers_and_keep_the_budget(result: Result) -> None:
    horizon, bound, written = result.scenario.market.equity.horizon, 0, 0
    for lab, day in [
        ("rich", WEEK),
        ("rich", "2023-06-05"),
        ("tight", "2023-08-21"),
        ("tight", "2023-05-29"),
    ]:
        story = result.explain(1, lab=lab, week=day)
        offers = result.offers[(result.offers.run == 1) & (result.offers.lab == lab)]
        offers = offers[offers.offer_week == story["week"]].set_index("offer")
        sent = {p["offer"]["offer"]: p["offer"] for p in story["prices"] if p["offer"] is not None}
        assert sent.keys() == set(offers.index)
        for number, offer in sent.items():
            assert offer["base_cents_per_year"] == offers.base_cents[number]
            assert offer["package_cents"] == offers.sign_on_cents[number] + offers.grant_cents[number]
        written += len(sent)
        for campaign in {price["campaign"] for price in story["prices"]}:
            line = [price for price in story["prices"] if price["campaign"] == campaign]
            assert all(0 <= price["chance"] <= 1 for price in line)
            (multiplier,) = {price["multiplier"] for price in line}
            expected = sum(price["chance"] * price["cost_usd_per_year"] * horizon for price in line)
            if 0 < multiplier < 100:
                budget = story["budget_cents"][campaign or "ordinary hiring"] / 100
                assert expected <= budget * (1 + 1e-9)
                bound += 1
    assert written > 5


def test_watching_a_labs_week_changes_nothing(result: Result) -> None:
    trace = relive(result.scenario, 1, 1, lab_week=(0, 9))
    told = small_markets.hashes_of(trace.tables)
    assert told == small_markets.hashes_of(result.tables, 1)
    assert trace.lab_week is not None
    assert trace.lab_week.priced


# --- where people come from, and who leads them ---------------------------------------------------


@pytest.fixture(scope="module")
def trade() -> Lived:
    return live(small_markets.scenario(small_markets.switched_on(small_markets.hard_times(40))), 1)


def biographies(lived: Lived, researchers: Any) -> list[dict[str, Any]]:
    head = {"scenario": lived.scenario.name, "seed": 1, "run": lived.run}
    return [head | lived.teller.biography(int(researcher)) for researcher in researchers]


def plain(story: dict[str, Any]) -> str:
    return " ".join(tell(story).split())


def test_pools_are_told_by_name_as_the_tables_have_them(trade: Lived) -> None:
    offers = trade.tables["offers"].to_pandas()
    asked = offers[offers.decision_week.notna() & (offers.origin == "outside/academia")]
    assert len(asked) > 3
    for story in biographies(trade, asked.researcher.unique()[:5]):
        own = offers[offers.researcher == story["researcher"]]
        pools = [origin.partition("/")[2] or None for origin in own.origin.astype(str)]
        assert [offer["from_pool"] for offer in story["offers"]] == pools
        assert {time["pool"] for time in story["elsewhere"] if time["place"] == "outside"} >= {"academia"}
        assert "in academia, outside the labs" in plain(story)
        stays = [one["options"][0]["pool"] for one in story["choices"] if one["options"][0]["lab"] is None]
        assert stays and set(stays) <= {"academia", "industry"}


def test_a_spell_tells_where_its_person_came_from_and_whether_she_is_back(trade: Lived) -> None:
    spells = trade.tables["spells"].to_pandas()
    later = spells[spells.origin != "opening"]
    back = later[later.returned]
    assert len(back) > 0
    picked = [*back.researcher.unique()[:3], *later.researcher.unique()[:6]]
    for story in biographies(trade, picked):
        own = spells[spells.researcher == story["researcher"]]
        labels = {name: lab.label for name, lab in trade.scenario.labs.items()}
        text = plain(story)
        for told, (_, row) in zip(story["spells"], own.iterrows(), strict=True):
            if row.origin == "opening":
                assert told["came_from"] is None
                continue
            place = told["came_from"]
            assert (place["lab"] or f"outside/{place['pool']}") == row.came_from
            verb = "are back" if row.returned else "start"
            source = labels.get(row.came_from) or str(row.came_from).partition("/")[2]
            assert re.search(rf"They {verb} at [^.]* in the week of {told['start']}, from {source}\.", text)


def test_alumni_are_told_where_they_had_been_before_the_simulation_began(trade: Lived) -> None:
    market = open_market(trade.scenario, 1, np.array([trade.run]))
    people = market.researchers
    alumni = np.flatnonzero((people.place < 0) & (people.last_lab >= 0))
    others = np.flatnonzero((people.place < 0) & (people.last_lab < 0))
    assert len(alumni) > 2
    for story in biographies(trade, alumni[:3]):
        lab = trade.scenario.labs[market.constants.lab_names[people.last_lab[story["researcher"]]]]
        assert f"They had been at {lab.label} before." in plain(story)
    for story in biographies(trade, others[:3]):
        assert "had been at" not in plain(story)


def test_approaches_of_a_lab_s_week_name_the_pool(trade: Lived) -> None:
    offers = trade.tables["offers"].to_pandas()
    found = offers[offers.origin.astype(str).str.startswith("outside/") & (offers.lab == "tight")].iloc[0]
    where = (list(trade.scenario.labs).index("tight"), int(found.contact_week))
    trace = relive(trade.scenario, 1, trade.run, lab_week=where)
    assert trace.lab_week is not None
    story = Teller(trade.scenario, trace, True).lab_week(trace.lab_week)
    people = trace.tables["spells"].to_pandas()
    for one in story["shortlist"]:
        assert (one["from"] is None) == (one["from_pool"] in ("industry", "academia"))
        assert one["from"] is None or one["researcher"] in set(people.researcher)
    mine = next(one for one in story["shortlist"] if one["researcher"] == found.researcher)
    assert f"outside/{mine['from_pool']}" == found.origin
    text = tell(story | {"scenario": "small", "seed": 1, "run": trade.run})
    assert re.search(r"^\d+ +(industry|academia) ", text, re.MULTILINE)
    accounts = [entry for step in story["money"] for entry in step["accounts"].values()]
    kinds = {kind for entry in accounts for kind in entry["postings_cents"]}
    assert kinds >= {"inflow", "payroll"}
    assert all(f"    {posting_words(kind)} " in text for kind in kinds)


def led(**change: Any) -> Lived:
    """A lab of two units with leaders, one of whom is replaced in week 3; nobody else moves."""
    units = {"old": {"share": 1, "leader": "Ada"}, "new": {"share": 1, "leader": "Bob"}}
    event = small_markets.on(3, leadership_change={"lab": "a", "shock": 0.2} | change)
    quiet = {
        "contact": {"rate": "0 /year"},
        "exits": dict.fromkeys(("found", "academia", "field"), "0 /year"),
    }
    data = small_markets.market_of(
        {"a": small_markets.lab(9, units=units), "b": small_markets.lab(3, leader="Cyd")}, 8, events=[event],
        market=quiet,
    )  # fmt: skip
    return live(small_markets.scenario(data), 0)


def test_a_biography_names_the_leader_of_the_unit_until_she_is_replaced() -> None:
    lived = led(unit="old", dismissed=True)
    spells = lived.tables["spells"].to_pandas()
    gone = spells[(spells.lab == "a") & (spells.cause == "released")].researcher.tolist()
    assert len(gone) == 1
    replaced = "From the week of 2023-05-22 Ada no longer leads A lab's unit old."
    told = [("old", "old, led by Ada", "old"), ("new", "new, led by Bob", "new, led by Bob")]
    for unit, at_first, at_last in told:
        who = spells[(spells.lab == "a") & (spells.unit == unit) & spells.censored].researcher.iloc[0]
        (story,) = biographies(lived, [who])
        text = plain(story)
        assert f"is at A lab ({at_first})" in text
        assert f"When the simulation ends they are at A lab ({at_last})." in text
        assert (replaced in text) == (unit == "old")
    (other,) = biographies(lived, spells[spells.lab == "b"].researcher[:1])
    assert "is at A lab (led by Cyd)" in plain(other)
    (leader,) = biographies(lived, gone)
    assert "is at A lab (old, led by Ada)" in plain(leader)
    assert replaced in plain(leader)  # she leaves in that very week


def test_a_change_at_the_whole_lab_replaces_every_leader_and_one_that_never_comes_none() -> None:
    whole = led()
    spells = whole.tables["spells"].to_pandas()
    for who in spells[spells.lab == "a"].groupby("unit", observed=True).researcher.first():
        (story,) = biographies(whole, [who])
        assert "no longer leads" in plain(story)
        assert plain(story).count("led by") == 1
    data = led(unit="old").scenario.model_copy(update={"horizon": 3})
    early = live(data, 0)
    (story,) = biographies(early, early.tables["spells"].to_pandas().query("unit == 'old'").researcher[:1])
    assert "no longer leads" not in plain(story)
    assert plain(story).count("led by Ada") == 2


def test_approaches_that_interest_nobody_are_told_together(trade: Lived) -> None:
    asked = 0
    for researcher in range(60):
        trace = relive(trade.scenario, 1, trade.run, researcher=researcher)
        story = Teller(trade.scenario, trace, True).biography(researcher)
        silent = [response for response in story["responses"] if not response["interested"]]
        if len(silent) < 4:
            continue
        text = plain({"scenario": "small", "seed": 1, "run": trade.run} | story)
        told = text.count("went to no interviews.") + text.count("did not go to interviews")
        assert 0 < told < len(silent)
        asked += 1
        if asked == 2:
            return
    pytest.fail("nobody was approached so often")


# --- the text -----------------------------------------------------------------------------------


def test_biographies_read_as_sentences(lived: Lived) -> None:
    deciding = np.unique([row for row, *_ in lived.seen])
    picked = np.random.default_rng(7).choice(deciding, TEN, replace=False).tolist()
    head = {"scenario": lived.scenario.name, "seed": 1, "run": lived.run}
    for researcher in picked:
        assert_reads(tell(head | lived.teller.biography(researcher)))


def test_offers_and_weeks_read_as_sentences(result: Result) -> None:
    for lab in ("rich", "doomed"):
        assert_reads(str(result.explain(1, lab=lab, week=WEEK)))
    assert_reads(str(result.explain(1, offer=0)))


def assert_reads(text: str) -> None:
    assert not re.search(r"\b(nan|None|null|inf|True|False)\b|_", text), text
    for paragraph in text.split("\n\n")[1:]:
        if "  " not in paragraph:  # no table
            assert re.fullmatch(r"[A-Za-z].*\.", " ".join(paragraph.split())), paragraph
    assert all(len(line) <= 80 for line in text.split("\n") if "  " not in line), text


def test_a_biography_tells_each_offer_with_its_money(ten: list[Explanation]) -> None:
    for story in ten:
        text = " ".join(str(story).split())
        for offer in story["offers"]:
            if "offer" in offer["stages"]:
                assert offer["stages"]["offer"]["date"] in text
                assert f"grant {format_money(offer['grant_cents'])}" in text
        for one in story["choices"]:
            assert f"{one['margin']:.2f} utils more" in text
        assert text.count("They chose") == sum(one["winner"] == "offer" for one in story["choices"])


def test_the_printed_table_adds_up_to_its_rounding(ten: list[Explanation]) -> None:
    """Terms are printed to a thousandth, so that n of them add up to within n half thousandths."""
    tables = 0
    for story in ten:
        for paragraph in str(story).split("\n\n"):
            if "utility, in utils" not in paragraph:
                continue
            lines = paragraph.split("\n")
            first = next(i for i, line in enumerate(lines) if line.startswith("pay (alpha ln Y)"))
            width = lines[0].rindex("stay") + len("stay")
            column = [line[:width].split("  ")[-1].strip() for line in lines[first:]]
            terms = [float(cell) for cell in column if re.fullmatch(r"[+-][0-9.]+", cell)]
            assert sum(terms[:-1]) == pytest.approx(terms[-1], abs=0.0005 * (len(terms) + 1))
            tables += 1
    assert tables >= TEN


def test_a_new_term_of_the_model_is_printed_under_its_own_name(ten: list[Explanation]) -> None:
    story = json.loads(json.dumps(next(s for s in ten if s["choices"])))
    story["choices"][0]["options"][0]["terms"]["sunny_days"] = 0.25
    assert re.search(r"^sunny days +\+0\.250$", tell(story), re.MULTILINE)


def test_a_hostile_name_does_not_reach_the_terminal() -> None:
    lab = small_markets.lab(30, label="Rich\x1b[2J")
    scenario = small_markets.scenario(small_markets.market_of({"rich": lab}, weeks=4))
    text = str(results.run(scenario, runs=1).explain(0, lab="rich", week="2023-05-08"))
    assert "\x1b" not in text
    assert "Rich" in text


# --- the command line ---------------------------------------------------------------------------


def explain(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run(
        [sys.executable, "-m", "sim", "explain", *arguments],
        env=environment, capture_output=True, text=True, timeout=120, encoding="utf-8",
    )  # fmt: skip


def test_the_command_prints_what_python_tells(folder: Path, result: Result) -> None:
    done = explain(str(folder), "--run", "1", "--researcher", "33", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(json.dumps(result.explain(1, researcher=33)))


def test_the_command_prints_text(folder: Path, result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", str(folder), "--lab", "rich", "--week", WEEK]) == 0
    assert capsys.readouterr().out == f"{result.explain(0, lab='rich', week=WEEK)}\n"
    assert cli.main(["explain", str(folder), "--run", "1", "--offer", "4"]) == 0
    assert capsys.readouterr().out == f"{result.explain(1, offer=4)}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run", "2", "--researcher", "1"], "no run 2: runs are numbered 0 to 1"),
        (["--run", "-1", "--researcher", "1"], "no run -1: runs are numbered 0 to 1"),
        (["--researcher", "99999"], r"no researcher 99999 in this run: there are researchers 0 to \d+"),
        (["--researcher", "-1"], r"no researcher -1 in this run"),
        (["--offer", "99999"], r"no offer 99999 in this run: there are offers 0 to \d+"),
        (["--lab", "ritch", "--week", WEEK], r"unknown lab 'ritch': did you mean 'rich'\?"),
        (["--lab", "rich", "--week", "2020-01-01"], "lies outside the horizon, 2023-05-01 to 2023-09-03"),
        (["--lab", "rich", "--week", "2023-09-04"], "lies outside the horizon, 2023-05-01 to 2023-09-03"),
        (["--lab", "rich", "--week", "Monday"], r"week 'Monday': is no day; write for example '2023-05-01'"),
        (["--lab", "rich"], "--lab and --week belong together"),
        (["--researcher", "1", "--week", WEEK], "--lab and --week belong together"),
        ([], "ask about one of --researcher, --offer or --lab"),
        (["--researcher", "1", "--offer", "2"], "ask about one of .*, not --researcher and --offer"),
    ],
)
def test_bad_input_is_told_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert cli.main(["explain", str(folder), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(message, err)
    assert err.startswith("talentsim: ")
    assert err.count("\n") == 1


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", str(tmp_path), "--researcher", "1"]) == 2
    assert "holds no run" in capsys.readouterr().err


def test_a_folder_that_has_lost_a_table_is_refused(
    result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (result.save(tmp_path / "lost") / "spells.parquet").unlink()
    assert cli.main(["explain", str(tmp_path / "lost"), "--researcher", "1"]) == 2
    assert "spells.parquet: is missing" in capsys.readouterr().err


def test_python_asks_about_one_thing(result: Result) -> None:
    with pytest.raises(CannotExplain, match="ask about one thing"):
        result.explain(0)
    with pytest.raises(CannotExplain, match="ask about one thing"):
        result.explain(0, researcher=1, offer=1)
    people = open_market(result.scenario, 1, np.array([0])).people
    with pytest.raises(CannotExplain, match=f"researchers 0 to {people - 1}$"):
        result.explain(0, researcher=people)
