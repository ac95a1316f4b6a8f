"""Every number of a scenario at its bounds and beyond, alone and in pairs.

Each draw is refused at the door with a place, or runs, or its run fails in one sentence: there is no warning
of numpy's, no negative package or balance, and no other exception. The fields are those of the schema.
"""

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any, get_args, get_origin

import annotated_types
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from small_markets import lab, market_of, scenario

from sim.experiments.chunks import measure
from sim.market.ledger import Overdraft
from sim.market.money import OutOfRange
from sim.market.opening import open_market
from sim.market.record import Recorder
from sim.market.simulate import collect
from sim.market.week import advance
from sim.scenario.annotations import quantity_at
from sim.scenario.cautions import ScenarioWarning
from sim.scenario.errors import ScenarioError
from sim.scenario.events import KINDS
from sim.scenario.loading import change_scenario
from sim.scenario.schema import Scenario

MAGNITUDES = (
    "0", "-1", "1", "0.5", "2", "1e-300", "1e-9", "0.001", "0.01", "100", "1e4", "1e6", "1e9", "1e12", "1e14",
    "1e17", "1e18", "1e19", "1e300", "1e999", "-1e18",
)  # fmt: skip
MOST_PEOPLE, MOST_WEEKS = 2_000, 60  # what is larger is accepted, but not lived through here
WEEKS = 6

BODIES: dict[str, dict[str, Any]] = {
    "model_release": {"lab": "a", "surprise": -1.5},
    "acquihire": {"buyer": "a", "target": "b", "price": "1M USD", "team_share": 0.2},
    "talks": {"lab": "a", "target": "b", "price": "1M USD", "asking": "2M USD", "weeks": "1 week"},
    "investment": {"target": "b", "amount": "1M USD", "investor": "a"},
    "campaign": {"name": "push", "lab": "a", "target": "b", "researchers": 4, "package_cap": "20M USD",
                 "weeks": "2 weeks", "interviews": "skip", "repeats": 1, "repeat_after": "1 week"},
    "leadership_change": {"lab": "b", "shock": 0.3},
    "new_unit": {"lab": "a", "unit": "new", "share": 1.0, "researchers": 2, "culture": 0.1,
                 "working_conditions": 0.1, "mission": {"openness": 0.1}},
    "transfer": {"lab": "a", "unit": "two", "from_unit": "one", "researchers": 2},
    "strategy_change": {"lab": "b", "strategy": "rent", "provider": "a", "fee": "1M USD/year"},
    "hiring_freeze": {"lab": "b", "weeks": "1 week"},
    "budget_change": {"lab": "a", "talent_inflow": 1.2, "growth": "10 %/year"},
    "layoff": {"lab": "b", "share": 0.1},
    "retention_grant": {"lab": "a", "package": "1M USD", "share": 0.5},
    "process_change": {"lab": "a", "process": "1 week"},
    "non_compete_rule": {"lab": "b", "weeks": "1 week"},
    "counter_rule": {"lab": "b", "policy": "match_every"},
    "salary_cap": {"pay": "500M USD/year"},
    "revaluation": {"lab": "a", "factor": 1.1},
    "founding_boom": {"probability": 0.5, "seed": "10M USD"},
}  # fmt: skip


@cache
def whole_market() -> Scenario:
    """A tiny market in which everything there is happens."""
    units = {"one": {"share": 1.0, "culture": 0.1, "working_conditions": 0.1}, "two": {"share": 1.0}}
    plan = [{"date": "2023-06-05", "staff": 30}]
    labs = {
        "a": lab(14, units=units, headcount_plan=plan, counter_title=1),
        "b": lab(12, counter_policy="second_price", pricing="second_price"),
        "c": lab(8, pricing="posted"),
        "spare": lab(0, reserved=True),
    }
    events = [{"on": "2023-05-15", kind: body} for kind, body in BODIES.items()]
    events.append({"plan": "panic", "lab": "c", "when": {"standing_below": 5.0, "after": "1 week"}})
    given = market_of(labs, weeks=WEEKS, events=events)
    given["market"]["contact"] = {"rate": "20 /year", "outside_rate": "20 /year"}
    given["market"]["exits"] = {"found": "1 /year"}
    return scenario(given)


@cache
def fields() -> dict[str, tuple[str, ...]]:
    """Every field that holds a number, by dotted path, and the texts to try there."""
    return {path: tuple(dict.fromkeys(texts)) for path, texts in _numbers(whole_market(), ())}


def _numbers(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, list[str]]]:
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            below, at = getattr(value, name), (*path, name)
            if isinstance(below, BaseModel | dict | tuple):
                yield from _numbers(below, at)
            elif _is_number(field.annotation) and not isinstance(below, bool):
                yield ".".join(map(str, at)), _texts(at, field.annotation, field.metadata)
    elif isinstance(value, dict | tuple):
        pairs: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in pairs:
            yield from _numbers(below, (*path, key))


def _is_number(annotation: Any) -> bool:
    return annotation in (int, float) or any(_is_number(part) for part in get_args(annotation))


def _limits(annotation: Any, metadata: Sequence[Any]) -> Iterator[float]:
    for one in metadata:
        if isinstance(one, annotated_types.Ge | annotated_types.Gt | annotated_types.Le | annotated_types.Lt):
            yield float(
                next(iter(vars(one).values())) if hasattr(one, "__dict__") else getattr(one, one.__slots__[0])
            )
    for part in get_args(annotation):
        if get_origin(part) is Annotated or get_args(part):
            yield from _limits(part, getattr(part, "__metadata__", ()))
    if get_origin(annotation) is Annotated:
        for one in annotation.__metadata__:
            yield from _limits(None, getattr(one, "metadata", (one,)))


def _texts(path: tuple[str | int, ...], annotation: Any, metadata: Sequence[Any]) -> list[str]:
    """Numbers to try: all sizes there are, and the field's own bounds, a bit within and a bit beyond."""
    quantity = quantity_at(Scenario, path)
    limits = list(_limits(annotation, metadata))
    if quantity is None:
        kind = int if int in (annotation, *get_args(annotation)) else float
        around = [kind(x) for limit in limits for x in (limit, limit - 1, limit + 1)]
        return [*map(repr, around), *MAGNITUDES]
    unit = quantity.forms[-1].lstrip("$0123456789.M ")
    unit = {"cents": " USD", "cents a year": " USD/year"}.get(quantity.unit, f" {unit}" if unit else "")
    around = [quantity.exact(type_(limit)) for limit in limits for type_ in (_held(quantity.unit),)]
    return [*around, *(f"{size}{unit}" for size in MAGNITUDES)]


def _held(unit: str) -> type[float]:
    return float if unit in ("1/year", "years", "1") else int


def lived(changes: Sequence[str]) -> str:
    """How a market with changed numbers fares: refused, too large, failed or lived."""
    try:
        changed = change_scenario(whole_market(), changes)
    except ScenarioError as error:
        assert all(problem.file and problem.message for problem in error.problems)
        return "refused"
    if changed.people > MOST_PEOPLE or changed.horizon > MOST_WEEKS:
        return "too large"
    try:
        market = open_market(changed, 1, np.array([0]))
        recorder = Recorder.ready()
        for _ in range(changed.horizon):
            advance(market)
            assert (market.ledger.balances[:, 1:] >= 0).all()
            assert (market.ledger.drift() == 0).all()
            assert (market.promised >= 0).all() and (market.labs.weekly_payroll >= 0).all()
            recorder.observe(market)
        tables = collect(market, recorder)
    except (OutOfRange, Overdraft) as error:
        assert "\n" not in str(error) and str(error).startswith(("week ", "the opening market"))
        return "failed"
    offers = tables["offers"].to_pandas()
    assert (offers[["base_cents", "sign_on_cents", "grant_cents", "counter_cents"]] >= 0).all(axis=None)
    measure(changed, tables)
    return "lived"


@st.composite
def changes(draw: st.DrawFn) -> list[str]:
    """One or two fields, each with a number to try."""
    chosen = draw(st.lists(st.sampled_from(sorted(fields())), min_size=1, max_size=2, unique=True))
    return [f"{path}={draw(st.sampled_from(fields()[path]))}" for path in chosen]


def check(changed: list[str]) -> None:
    """Let every warning be an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ScenarioWarning)  # that a lab is short of money is for people to read
        assert lived(changed) in ("refused", "too large", "failed", "lived")


QUICK = settings(max_examples=200, suppress_health_check=list(HealthCheck))


@given(changed=changes())
@QUICK
def test_every_number_is_refused_or_lived_through_or_fails_in_a_sentence(changed: list[str]) -> None:
    check(changed)


@pytest.mark.slow
@given(changed=changes())
@settings(QUICK, max_examples=2_000)
def test_two_thousand_numbers_and_pairs(changed: list[str]) -> None:
    check(changed)


def test_everything_there_is_happens_in_the_market_tried() -> None:
    assert BODIES.keys() == KINDS.keys()
    assert lived([]) == "lived"
    assert len(fields()) > 150
