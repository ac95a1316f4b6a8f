"""Relations between scenarios that must hold whatever the numbers are."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_markets import hard_times, hashes_of, lab, market_of, put, scenario

from sim.market.simulate import run_block
from sim.scenario.annotations import quantity_at
from sim.scenario.loading import load_scenario
from sim.scenario.quantities import MONEY, MONEY_RATE, SIGNED_MONEY, exact_money, exact_money_rate
from sim.scenario.schema import Scenario

FACTOR = 3


def with_money_times(of: Scenario, factor: int) -> Scenario:
    """A scenario all of whose money, whatever it is for, is so many times as much."""
    written, held = of.model_dump(mode="json"), of.model_dump()
    changed: list[str] = []

    def scaled(text: Any, value: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, dict):
            return {key: scaled(text[key], item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [scaled(text[i], item, (*path, i)) for i, item in enumerate(value)]
        quantity = quantity_at(Scenario, path)
        if value is None or quantity not in (MONEY, SIGNED_MONEY, MONEY_RATE):
            return text
        changed.append(".".join(map(str, path)))
        write = exact_money_rate if quantity is MONEY_RATE else exact_money
        return write(factor * value)

    data = scaled(written, held, ())
    assert {"market.value.median", "market.talent.base_cap", "market.entry.outside_pay"} <= set(changed)
    return Scenario.model_validate(data)


def frames(of: Scenario, runs: int) -> dict[str, pd.DataFrame]:
    return {name: table.to_pandas() for name, table in run_block(of, 1, range(runs)).items()}


@pytest.mark.parametrize("name", ["meta-2025", "hard times"])
def test_three_times_all_money_changes_no_move(name: str) -> None:
    """T8: utility is in log pay, so a currency is only a unit.

    Money is rounded to whole cents, so pay is three times as much up to a part in 10^8 or so; a choice
    that hangs by less than that, or a sum of promises that fits its account to the cent, may flip. The
    runs compared make some ten thousand choices, so that is a chance of one in a thousand.
    """
    of = load_scenario("meta-2025", ["horizon=120 weeks"]) if name == "meta-2025" else scenario(hard_times())
    runs = 1 if name == "meta-2025" else 4
    one, three = frames(of, runs), frames(with_money_times(of, FACTOR), runs)
    pd.testing.assert_frame_equal(one["spells"], three["spells"])
    pd.testing.assert_frame_equal(one["events"], three["events"])
    for table in ("labs", "offers"):
        money = [column for column in one[table].columns if column.endswith("_cents")]
        hurdles = [each[table].pop("hurdle") for each in (one, three) if "hurdle" in each[table]]
        for before, after in zip(hurdles[::2], hurdles[1::2], strict=True):
            np.testing.assert_allclose(after, before, rtol=1e-3)  # of a few offers, each rounded to cents
        pd.testing.assert_frame_equal(one[table].drop(columns=money), three[table].drop(columns=money))
        assert len(money) >= 4
        for column in money:
            # a cent rounded is at most half a cent off; a balance sums some thousands of them; and a
            # retention package closes a gap between two pays of up to 10 M USD, each rounded to cents
            # a week (26 cents a year), over four years and at a kappa of some 0.4: some thousands of dollars
            found, expected = three[table][column].to_numpy(), FACTOR * one[table][column].to_numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=20_000_00)


def test_another_seed_gives_another_market_and_the_same_seed_the_same() -> None:
    of = scenario(hard_times(weeks=12))
    one, again, other = (hashes_of(run_block(of, seed, [0])) for seed in (1, 1, 2))
    assert one == again
    assert one["spells"] != other["spells"]


def test_the_order_of_the_events_in_the_file_does_not_matter() -> None:
    """But for two campaigns after the same people, of which the first in the file has the first pick."""
    data = hard_times(weeks=30)
    del data["events"][1]
    turned = data | {"events": data["events"][::-1]}
    one, other = frames(scenario(data), 2), frames(scenario(turned), 2)
    for name in ("labs", "spells"):
        pd.testing.assert_frame_equal(one[name], other[name])


def test_a_plan_without_parts_and_events_without_effect_change_nothing() -> None:
    data = market_of({"a": lab(30), "b": lab(30)})
    nothing = [
        {"on": "2023-05-15", "model_release": {"lab": "a", "surprise": 0}},
        {"on": "2023-05-15", "leadership_change": {"lab": "a", "shock": 0}},
        {"on": "2023-05-15", "budget_change": {"lab": "b"}},
        {"on": "2023-05-15", "investment": {"target": "a", "amount": "0 USD"}},
        {"plan": "idle", "lab": "a", "when": {"standing_below": 50}},
    ]
    one, other = (
        hashes_of(run_block(scenario(data | {"events": events}), 1, [0, 1])) for events in ([], nothing)
    )
    assert one.pop("events") != other.pop("events")
    assert one == other


def mean_of(data: dict[str, Any], table: str, read: Any, runs: int = 12) -> float:
    return float(read(frames(scenario(data), runs)[table]))


HIRED_FROM_RIVALS = ("spells", lambda spells: (spells["origin"] == "rival").sum())


@pytest.mark.parametrize(
    ("path", "low", "high"),
    [
        ("market.choice.attachment_mean", 5.0, 1.0),
        ("market.contact.rate", "1 /year", "20 /year"),
        ("market.choice.moving_cost", 4.0, 0.0),
        ("market.value.median", "300k USD/year", "6M USD/year"),
        ("market.counter.probability", 1.0, 0.0),
    ],
)
def test_moves_to_rivals_answer_in_the_right_direction(path: str, low: Any, high: Any) -> None:
    """Signs that no calibration may turn; the changes are so large that twelve small runs show them.

    Counts of rare moves are near Poisson: a rule without effect would seem to have one of three
    standard errors once in 700 times.
    """
    data = market_of({"a": lab(60), "b": lab(60), "c": lab(60)}, weeks=40)
    data["market"]["contact"] = {"rate": "12 /year"}
    data["market"]["choice"] = {"attachment_mean": 2.0}
    data["market"]["counter"] = {"detection": 1.0}
    data["market"]["value"] = {"median": "3M USD/year"}  # room enough for counter-offers
    few, many = (mean_of(put(data, path, value), *HIRED_FROM_RIVALS) for value in (low, high))
    assert many > few + 3 * np.sqrt(many + few)
