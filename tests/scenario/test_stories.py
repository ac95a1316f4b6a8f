"""Before and beyond the article: history-2022 and superintelligence-lab tell what they say they tell."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pandas as pd
import pytest

from sim.market.simulate import simulate
from sim.report.event_marks import event_marks
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario

SEED, RUNS = 1, 3
Tables = dict[str, pd.DataFrame]
HISTORY, LATER = "history-2022", "superintelligence-lab"


@cache
def arrow(name: str, *changes: str) -> dict[str, object]:
    return simulate(load_scenario(name, list(changes)), SEED, range(RUNS), log=True)


@cache
def lived(name: str, *changes: str) -> Tables:
    """The tables of a few runs."""
    return {kind: table.to_pandas() for kind, table in arrow(name, *changes).items()}  # type: ignore[attr-defined]


def weeks(name: str, first: str, last: str) -> range:
    """The weeks from that of one day to that before another's."""
    scenario = load_scenario(name)
    return range(*(scenario.week_of(date.fromisoformat(day)) for day in (first, last)))


def happened(tables: Tables, name: str) -> pd.Series[int]:
    """The week of an event by run."""
    events = tables["events"]
    return events[events["name"] == name].set_index("run")["week"]


def day_of(scenario: Scenario, week: int) -> date:
    return scenario.start + timedelta(weeks=int(week))


def test_history_begins_with_fair_alone_and_ends_when_the_baseline_does() -> None:
    history, baseline = load_scenario(HISTORY), load_scenario("baseline")
    assert history.start.isoformat() == "2022-11-07"
    assert history.end == baseline.end
    assert list(history.labs["meta"].units) == ["fair"]
    assert history.labs["meta"].units["fair"].leader == "Yann LeCun"
    for name, lab in history.labs.items():  # from May 2023 on plans are those of the baseline
        for day in (date(2023, 5, 1), date(2024, 5, 1), date(2026, 5, 1)):
            there = (
                baseline.labs[name].staff if day == baseline.start else baseline.planned_headcount(name, day)
            )
            assert history.planned_headcount(name, day) == there, (name, day)
        assert lab.staff <= baseline.labs[name].staff


def test_chatgpt_opens_the_gap_and_meta_answers_in_2023() -> None:
    history, tables = load_scenario(HISTORY), lived(HISTORY)
    labs = tables["labs"].set_index(["lab", "run", "week"])["standing"]
    released = happened(tables, "chatgpt")
    assert set(released) == {3}
    for run, fired in happened(tables, "answer-to-chatgpt").items():
        assert labs["openai", run, 3] > 2 * labs["openai", run, 2]
        assert labs["meta", run, 3] == pytest.approx(labs["meta", run, 2], rel=0.05)
        assert day_of(history, fired).year == 2023
        assert fired == 3 + 12
    assert len(happened(tables, "answer-to-chatgpt")) == RUNS


def test_without_chatgpt_there_is_no_answer_before_meta_s_own_model_disappoints() -> None:
    tables = lived(HISTORY, "events.chatgpt=null")
    flop = load_scenario(HISTORY).week_of(date(2025, 4, 29))
    assert set(happened(tables, "answer-to-chatgpt")) == {flop + 12}
    assert set(happened(tables, "generative-ai-team")) == {flop + 12}
    assert tables["transfers"]["week"].min() == flop + 12


def test_the_best_of_fair_leave_it_for_the_generative_ai_team() -> None:
    tables = lived(HISTORY)
    key = ["run", "researcher", "lab", "start_week"]
    spells, moves = tables["spells"], tables["transfers"]
    moves = moves[moves["to_unit"] == "genai"].merge(spells[[*key, "talent"]], on=key)
    opened = happened(tables, "generative-ai-team")
    assert (moves["week"] == moves["run"].map(opened)).all()
    assert set(moves["from_unit"]) == {"fair"}
    assert set(moves.groupby("run").size()) == {100}
    there = spells[(spells["lab"] == "meta") & (spells["start_week"] < 15) & ~(spells["end_week"] <= 15)]
    everybody = there.merge(moves[[*key, "to_unit"]], on=key, how="left")
    for _, staff in everybody.groupby("run"):
        went = staff["to_unit"].notna()
        assert staff["talent"][went].min() >= staff["talent"][~went].max()
    genai = spells[
        (spells["unit"] == "genai") & ~spells.set_index(key).index.isin(moves.set_index(key).index)
    ]
    assert genai["entry_week"].min() >= opened.min()  # whoever else is there came later


def test_pictures_name_who_leads_the_unit_that_opened() -> None:
    marks = [words for _, words in event_marks(load_scenario(HISTORY), arrow(HISTORY)["events"], RUNS)]
    assert any("Ahmad Al-Dahle" in words and words.startswith("Meta replaces") for words in marks)


def test_there_is_no_xai_before_march_2023() -> None:
    labs = lived(HISTORY)["labs"]
    early = labs[(labs["lab"] == "xai") & labs["week"].isin(weeks(HISTORY, "2022-11-07", "2023-03-09"))]
    assert early[["headcount", "hires", "offers", "spend_cents"]].sum().sum() == 0
    later = labs[(labs["lab"] == "xai") & (labs["week"] == 60)]
    assert (later["headcount"] > 0).all()


def test_the_summer_of_2025_comes_after_it() -> None:
    tables = lived(HISTORY)
    scenario = load_scenario(HISTORY)
    assert {day_of(scenario, week).isoformat() for week in happened(tables, "emergency")} == {"2025-05-05"}
    offers = tables["offers"]
    assert (offers[offers["campaign"] == "meta-at-openai"].groupby("run").size() == 46).all()


FROZEN = weeks(LATER, "2025-08-25", "2025-10-20")


def test_meta_writes_nothing_and_soon_hires_nobody_while_hiring_is_frozen() -> None:
    for changes, frozen in (((), True), (("events.freeze-in-august=null",), False)):
        labs = lived(LATER, *changes)["labs"]
        meta = labs[(labs["lab"] == "meta") & labs["week"].isin(FROZEN)]
        notice = load_scenario(LATER).market.hiring.notice
        assert (meta["offers"].sum() == 0) == frozen
        late = meta[meta["week"] > FROZEN.start + notice + 1]  # who had accepted before has started by then
        assert (late["hires"].sum() == 0) == frozen


def test_other_labs_are_courted_with_interviews_and_the_article_s_campaign_without() -> None:
    offers = lived(LATER)["offers"]
    asked = offers[offers["campaign"].notna()].groupby("campaign", observed=True)
    assert (asked.size() / RUNS).to_dict() == {
        "meta-at-openai": 46, "meta-at-google-deepmind": 40, "meta-at-anthropic": 30, "meta-at-apple": 15,
        "chief-scientist": 1,
    }  # fmt: skip
    written = (asked["offer_week"].count() / asked.size()).to_dict()
    assert written.pop("chief-scientist") == 1
    assert written.pop("meta-at-openai") > 0.95  # but for who leaves in the week in which she is approached
    assert max(written.values()) < 1  # most are not interested


def test_a_team_of_about_fifty_gathers_from_meta_and_outside() -> None:
    tables = lived(LATER)
    moved = tables["transfers"][tables["transfers"]["to_unit"] == "superintelligence"]
    assert set(moved.groupby("run").size()) == {30}
    spells = tables["spells"]
    ever = spells[spells["unit"] == "superintelligence"].groupby("run").size()
    assert ever.between(30, 60).all()
