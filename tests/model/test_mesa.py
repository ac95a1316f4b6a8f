"""What Mesa does with a model, done to a TalentMarket: Reset, batches, removal, copies."""

import copy
import pickle
import re
from typing import Any

import cloudpickle
import mesa
import numpy as np
import pandas as pd
import pytest
from mesa.experimental.scenarios import Scenario as MesaScenario
from mesa.visualization.solara_viz import _build_model_init_kwargs, _check_model_params
from small_markets import hard_times, hashes_of, scenario

from sim.model import Lab, Researcher, TalentMarket
from sim.scenario.schema import Scenario

SMALL: Scenario = scenario(hard_times(weeks=16))


# ---- Reset


def reset(model: TalentMarket, parameters: dict[str, Any]) -> TalentMarket:
    """What Mesa's Reset button makes of a model, when the page says these parameters."""
    _check_model_params(model, parameters)
    asked = _build_model_init_kwargs(
        model, parameters, add_scenario_when_empty=True, require_model_accepts_scenario=True
    )
    return type(model)(**asked)


def same_opening(one: TalentMarket, other: TalentMarket) -> bool:
    return one.week == other.week == 0 and bool(
        (one.market.researchers.talent == other.market.researchers.talent).all()
        and (one.market.researchers.place == other.market.researchers.place).all()
    )


@pytest.mark.parametrize(
    "parameters", [{}, {"seed": 5}, {"rng": 5}, {"scenario": SMALL, "seed": np.int64(5)}]
)
def test_reset_gives_the_same_market_at_week_0(parameters: dict[str, Any]) -> None:
    model = TalentMarket(SMALL, seed=5, run=2)
    opening = TalentMarket(SMALL, seed=5, run=2)
    model.run_for(3)
    again = reset(reset(model, parameters), parameters)
    assert again.talent_scenario == SMALL
    assert same_opening(again, opening)


def test_reset_heeds_what_the_page_says() -> None:
    model = TalentMarket(SMALL, seed=5, run=2)
    assert reset(model, {"scenario": "baseline"}).talent_scenario.name == "baseline"
    model = TalentMarket(SMALL, seed=5, run=2, labs={"rich": Saver})
    assert reset(model, {"seed": 6}).seed == reset(reset(model, {"rng": 9}), {"seed": 6}).seed == 6
    assert reset(model, {"run": 0}).run_number == 0
    assert len(reset(model, {"seed": 6}).agents_by_type[Saver]) == 1
    assert len(reset(model, {"agents": False, "labs": {}}).agents) == 0


def test_a_model_without_a_seed_gets_a_fresh_one_at_every_reset() -> None:
    model = TalentMarket(SMALL, agents=False)
    assert len({model.seed, reset(model, {}).seed, reset(model, {}).seed}) == 3


def test_a_mesa_scenario_of_ones_own_names_the_arguments() -> None:
    class Mine(MesaScenario):
        scenario: Any = SMALL
        seed: int = 4

    model = TalentMarket(scenario=Mine())
    assert (model.talent_scenario, model.seed) == (SMALL, 4)
    assert reset(model, {"seed": 8}).seed == 8
    with pytest.raises(ValueError, match="takes no density; it takes scenario, seed, run"):
        TalentMarket(scenario=MesaScenario(density=0.8))


# ---- seeds and batches


def test_without_a_seed_each_model_has_its_own_and_says_it() -> None:
    models = [TalentMarket(SMALL, agents=False) for _ in range(3)]
    assert len({model.seed for model in models}) == 3
    assert models[0].datacollector.get_model_vars_dataframe()["seed"].tolist() == [models[0].seed]
    assert same_opening(models[0], TalentMarket(SMALL, seed=models[0].seed, agents=False))


SOURCES = {
    "generator": lambda: np.random.default_rng(3),
    "bits": lambda: np.random.PCG64(3),
    "sequence": lambda: np.random.SeedSequence(3),
    "list": lambda: [3, 1],
    "number": lambda: np.uint32(3),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_what_mesa_takes_for_a_source_of_randomness_gives_a_repeatable_seed(source: Any) -> None:
    one, other = (TalentMarket(SMALL, rng=source(), agents=False) for _ in range(2))
    assert one.seed == other.seed
    assert isinstance(one.seed, int)


@pytest.mark.parametrize("seed", [3.7, -1, 2**64 + 3, True, "3", np.float64(3), np.nan])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(
        ValueError, match=r"seed is .*: must be a whole number from 0 to 18446744073709551615"
    ):
        TalentMarket(SMALL, seed=seed)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seed": 1, "rng": 1}, "not both"),
        ({"run": -1}, "run is -1: must be a whole number"),
        ({"run": 1.0}, "run is 1.0: must be a whole number"),
        ({"labs": "rich"}, "labs is 'rich': must give classes of Lab by name"),
        ({"labs": {"rich": "Lab"}}, "must be a class that inherits from sim.Lab"),
        ({"labs": {"rich": Researcher}}, "must be a class that inherits from sim.Lab"),
        ({"researcher": Lab}, "researcher is .*: must be a class that inherits from sim.Researcher"),
        ({"scenario": 7}, "scenario is 7: must be a scenario"),
    ],
)
def test_what_is_no_argument_is_refused_in_a_sentence(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TalentMarket(**{"scenario": SMALL, **given})


@pytest.fixture
def no_start_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mesa's batches change how every later process of this one starts; not here."""
    monkeypatch.setattr("multiprocessing.set_start_method", lambda *_, **__: None)


@pytest.mark.usefixtures("no_start_method")
def test_a_batch_without_seeds_has_replicates_that_differ_and_say_their_seed() -> None:
    rows = mesa.batch_run(
        TalentMarket, {"scenario": SMALL}, rng=[None] * 3, max_steps=2, display_progress=False
    )
    frame = pd.DataFrame(rows)
    assert frame.groupby("RunId").seed.nunique().tolist() == [1, 1, 1]
    assert frame.seed.nunique() == 3


@pytest.mark.usefixtures("no_start_method")
def test_a_batch_with_seeds_runs_those_markets() -> None:
    rows = mesa.batch_run(
        TalentMarket, {"scenario": SMALL}, rng=[4, np.int64(9)], max_steps=6, display_progress=False
    )
    frame = pd.DataFrame(rows)
    for seed in (4, 9):
        alone = TalentMarket(SMALL, seed=seed)
        alone.run_for(6)
        due = [lab.headcount for lab in alone.agents_by_type[Lab]]
        assert frame[frame.seed == seed].headcount.tolist() == due


@pytest.mark.parametrize("own", [["rich"], ["rich", "tight"], list(SMALL.labs)])
def test_labs_of_every_class_are_collected_once(own: list[str]) -> None:
    model = TalentMarket(SMALL, seed=4, labs=dict.fromkeys(own, Saver))
    model.run_for(2)
    kinds = [Lab, Saver] if len(own) < len(SMALL.labs) else [Lab]
    collected = [model.datacollector.get_agenttype_vars_dataframe(kind) for kind in kinds]
    last = pd.concat(collected).loc[2.0]
    assert sorted(last["name"]) == sorted(SMALL.labs)
    assert last.headcount.sum() == model.employed


# ---- removal


def books_agree(model: TalentMarket) -> None:
    """Heads, people and promises are the same whoever counts them."""
    headcounts = {lab.name: lab.headcount for lab in model.agents_by_type.get(Lab, [])}
    assert sum(headcounts.values()) == model.employed
    people = [person for person in model.agents if isinstance(person, Researcher)]
    assert sum(person.employed for person in people) == model.employed
    assert sum(person.lab == "outside" for person in people) == model.outside
    assert (model.market.promised >= 0).all()
    assert (model.market.pending >= 0).all()
    assert not model.market.ledger.drift().any()


def flows_add_up(model: TalentMarket) -> None:
    """Each lab's headcount is that of the week before, and who came less who left."""
    labs = model.tables()["labs"].to_pandas()
    for _, rows in labs.groupby("lab", observed=True):
        grown = rows.headcount.diff().dropna().to_numpy()
        assert grown.tolist() == (rows.hires - rows.departures).iloc[1:].tolist()


def test_who_is_removed_leaves_the_market_and_every_book_agrees() -> None:
    model = TalentMarket(SMALL, seed=5)
    for week in range(8):
        people = [person for person in model.agents if isinstance(person, Researcher)]
        busy = {int(row) for row in model.market.offers.row}  # offers that lapse are the hard case
        chosen = [person for person in people if person.row in busy or person.row % 40 == week]
        left = {person.lab for person in chosen}
        for person in chosen:
            person.remove()
            person.remove()  # a second time changes nothing
        assert {person.lab for person in chosen} == {"left the field"}
        assert week < 2 or left - {"outside"}
        books_agree(model)
        model.step()
        books_agree(model)
    flows_add_up(model)
    ended = model.tables()["spells"].to_pandas()
    assert model.tables()["labs"].to_pandas().left_field.sum() == (ended.cause == "field").sum() > 8


def test_who_is_removed_never_comes_back() -> None:
    model = TalentMarket(scenario(hard_times(weeks=16)), seed=5)
    model.step()
    gone = [person for person in model.agents if isinstance(person, Researcher)][::3]
    for person in gone:
        person.remove()
    model.run_for(15)
    assert {person.lab for person in gone} == {"left the field"}


def test_a_lab_that_is_removed_releases_its_staff() -> None:
    model = TalentMarket(SMALL, seed=5)
    model.step()
    lab = next(lab for lab in model.agents_by_type[Lab] if lab.name == "rich")
    before, outside = lab.headcount, model.outside
    lab.remove()
    assert (lab.headcount, model.outside) == (0, outside + before)
    books_agree(model)
    model.run_for(10)
    books_agree(model)
    flows_add_up(model)
    labs = model.tables()["labs"].to_pandas().query("lab == 'rich' and week > 0")
    assert labs.headcount.tolist() == [0] * 10
    assert labs.left_released.tolist() == [before] + [0] * 9


def test_all_agents_can_be_removed_in_any_week_and_the_market_goes_on_empty() -> None:
    model = TalentMarket(SMALL, seed=5)
    model.run_for(2)
    model.remove_all_agents()
    assert (len(model.agents), model.employed, model.outside) == (0, 0, 0)
    books_agree(model)
    model.run_for(3)
    flows_add_up(model)
    assert model.tables()["labs"].to_pandas().query("week > 1").headcount.sum() == 0


def test_after_the_last_week_the_books_are_closed() -> None:
    model = TalentMarket(SMALL, seed=5)
    model.run_for(SMALL.horizon)
    tables = hashes_of(model.tables())
    with pytest.raises(ValueError, match="researcher 0 cannot be removed after the last week: the books"):
        next(person for person in model.agents if isinstance(person, Researcher)).remove()
    model.remove_all_agents()
    assert len(model.agents) == 0
    assert hashes_of(model.tables()) == tables


# ---- copies


class Saver(Lab):
    """A lab with a memory of its own, and a rule that uses it."""

    def __init__(self, model: TalentMarket, index: int) -> None:
        super().__init__(model, index)
        self.asked: list[int] = []

    def price(self, rows, targets, multiplier):
        self.asked.append(len(rows))
        return super().price(rows, targets, multiplier) * (1 + 0.01 * len(self.asked))


class Counting(Researcher):
    """A researcher who counts her choices, and tires of them."""

    def __init__(self, model: TalentMarket, row: int) -> None:
        super().__init__(model, row)
        self.choices = {"made": 0}

    def choose(self, offers, stay, go):
        self.choices["made"] += 1
        return super().choose(offers, stay + 0.1 * self.choices["made"], go)


COPIES = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "cloudpickle": lambda model: pickle.loads(cloudpickle.dumps(model)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.mark.parametrize("kept", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("week", [0, 1, 7])
def test_a_copy_lives_on_as_the_original_would(week: int, kept: Any) -> None:
    own: dict[str, Any] = {"labs": {"rich": Saver}, "researcher": Counting}
    original, undisturbed = (TalentMarket(SMALL, seed=5, **own) for _ in range(2))
    original.run_for(week) if week else None
    other = kept(original)
    original.run_for(SMALL.horizon - week)
    assert other.week == week  # what the original lives does not touch it
    other.run_for(SMALL.horizon - week)
    undisturbed.run_for(SMALL.horizon)
    assert hashes_of(other.tables()) == hashes_of(original.tables()) == hashes_of(undisturbed.tables())
    for model in (other, original):
        assert model.agents_by_type[Saver].get("asked") == undisturbed.agents_by_type[Saver].get("asked")
        made = [person.choices["made"] for person in model.agents_by_type[Counting]]
        assert made == [person.choices["made"] for person in undisturbed.agents_by_type[Counting]]
        assert sum(made) > 0
        assert all(agent.model is model for agent in model.agents)
    frames = [model.datacollector.get_model_vars_dataframe() for model in (other, undisturbed)]
    assert frames[0].equals(frames[1])


@pytest.mark.parametrize("kept", [COPIES["cloudpickle"], COPIES["deepcopy"]])
def test_a_copy_holds_classes_that_were_made_in_a_function(kept: Any) -> None:
    class Local(Saver):
        note = staticmethod(lambda: "local")

    other = kept(TalentMarket(SMALL, seed=5, labs={"rich": Local}))
    other.run_for(2)
    (lab,) = [agent for agent in other.agents if isinstance(agent, Lab) and agent.name == "rich"]
    assert lab.note() == "local"


def test_a_copy_can_be_reset() -> None:
    model = TalentMarket(SMALL, seed=5)
    model.run_for(2)
    assert same_opening(reset(COPIES["pickle"](model), {}), TalentMarket(SMALL, seed=5))


# ---- rules of one's own that answer what is no answer


def answering(rule: str, answer: Any) -> type[Lab]:
    """A class of labs one of whose rules answers so, given how many people it is asked about."""
    return type("Broken", (Lab,), {rule: lambda self, rows, *_: answer(len(rows))})


WRONG = {
    "shortlist": [
        (lambda n: np.full(n, np.nan), "values of type float64"),
        (lambda n: np.arange(n), "values of type int64"),
        (lambda n: np.ones(n + 1, np.bool_), "an array of shape"),
        (lambda n: None, "values of type object"),
    ],
    "price": [
        (lambda n: np.full(n, np.nan), "nan for one of the people"),
        (lambda n: np.full(n, -np.inf), "-inf for one of the people"),
        (lambda n: np.full(n, 1e13), r"1e\+13 USD for one of the people: due is at most"),
        (lambda n: np.full((n, 1), 1e6), "an array of shape"),
        (lambda n: np.full(n + 1, 1e6), "an array of shape"),
        (lambda n: ["1e6"] * n, "values of type <U3"),
        (lambda n: np.full(n, 1e6 + 1j), "values of type complex128"),
        (lambda n: np.ones(n, np.bool_), "values of type bool"),
    ],
    "counter": [
        (lambda n: np.full(n, np.inf), "inf for one of the people"),
        (lambda n: np.full(n, -1.0), "-1 USD for one of the people: due is 0 or more"),
        (lambda n: np.zeros(n + 2), "an array of shape"),
        (lambda n: np.full(n, None), "values of type object"),
    ],
}


@pytest.mark.parametrize(
    ("rule", "answer", "words"), [(rule, *case) for rule in WRONG for case in WRONG[rule]]
)
def test_a_lab_that_answers_what_is_no_answer_is_refused_by_name(rule: str, answer: Any, words: str) -> None:
    model = TalentMarket(SMALL, seed=5, labs=dict.fromkeys(SMALL.labs, answering(rule, answer)))
    with pytest.raises(ValueError, match=rf"^Broken\.{rule}, of the lab \w+, answers .*{words}"):
        model.run_for(SMALL.horizon)


@pytest.mark.parametrize("answer", [np.nan, -1, 99, True, 0.0, "0"])
def test_a_researcher_who_takes_no_offer_that_is_there_is_refused_by_name(answer: Any) -> None:
    broken = type("Broken", (Researcher,), {"choose": lambda *_: answer})
    said = rf"^Broken\.choose, of researcher \d+ at the lab .*, answers {re.escape(repr(answer))}: due is the"
    with pytest.raises(ValueError, match=said):
        TalentMarket(SMALL, seed=5, researcher=broken).run_for(SMALL.horizon)


def test_numpy_s_whole_numbers_lists_and_single_values_are_answers() -> None:
    class Plain(Lab):
        def price(self, rows, targets, multiplier):
            return list(super().price(rows, targets, multiplier))

        def counter(self, *arguments):
            return pd.Series(super().counter(*arguments))

    class Choosy(Researcher):
        def choose(self, offers, stay, go):
            taken = super().choose(offers, stay, go)
            return taken if taken is None else np.int64(taken)

    own, plain = (
        TalentMarket(SMALL, seed=5, labs={"rich": Plain}, researcher=Choosy),
        TalentMarket(SMALL, seed=5),
    )
    for model in (own, plain):
        model.run_for(SMALL.horizon)
    assert hashes_of(own.tables()) == hashes_of(plain.tables())
