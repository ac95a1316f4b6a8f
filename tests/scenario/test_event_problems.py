"""Events that make no sense are refused, with the file, line and column of the word at fault."""

import warnings
from pathlib import Path

import pytest

from sim.market.simulate import simulate
from sim.scenario.errors import ScenarioError
from sim.scenario.loading import load_scenario

LAB = "{staff: 20, label: L, founded: 2016-01-01, median_pay: 1M USD/year, star_pay: 5M USD/year"
MARKET = f"""\
name: small
title: A small market
start: 2025-05-05
horizon: 20 weeks
labs:
  a: {LAB}, leader: Ann, units: {{old: {{share: 1, leader: Bob}}, new: {{share: 1}}}}}}
  b: {LAB}}}
  c: {LAB}}}
events:
"""
ROOM = MARKET.replace(
    "\nevents:", f"\n  r: {LAB.replace('staff: 20', 'staff: 0')}, reserved: true}}\nevents:"
)
LINE = MARKET.count("\n") + 1  # of the first event
HALF = "name: x, lab: a, target: b, researchers: 2, package_cap: 1M USD"


def refused(text: str, tmp_path: Path) -> list[str]:
    """The problems of a scenario, each as line, column and what follows; [] if it is read."""
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        load_scenario(str(file))
    except ScenarioError as error:
        lines = str(error).splitlines()
        assert all(line.startswith(f"{file}:") for line in lines)
        return [line.removeprefix(f"{file}:") for line in lines]
    return []


def at(word: str, *events: str) -> str:
    """Line and column of a word that stands once in the events, which begin with two blanks and a dash."""
    found = [(i, f"  - {event}".find(word)) for i, event in enumerate(events) if word in event]
    assert len(found) == 1
    assert sum(event.count(word) for event in events) == 1
    return f"{LINE + found[0][0]}:{found[0][1] + 1}"


def write(*events: str, market: str = MARKET) -> str:
    return market + "".join(f"  - {event}\n" for event in events)


# the events, a word at whose place the problem stands, and what is said of it
MON, THU = "on: 2025-05-12", "on: 2025-05-15"
CASES = [
    ([f"{{{MON}, acquihire: {{buyer: a, price: 1M USD, target: a}}}}"], "a}}",
     "events.0.acquihire.target: a cannot be the target of itself"),
    ([f"{{{MON}, talks: {{lab: a, price: 1M USD, asking: 1M USD, target: a}}}}"], "a}}",
     "events.0.talks.target: a cannot be the target of itself"),
    ([f"{{{MON}, investment: {{investor: b, amount: 1M USD, target: b}}}}"], "b}}",
     "events.0.investment.target: b cannot be the target of itself"),
    ([f"{{{MON}, campaign: {{name: x, lab: b, researchers: 2, package_cap: 1M USD, target: b}}}}"], "b}}",
     "events.0.campaign.target: b cannot be the target of itself"),
    ([f"{{{MON}, campaign: {{name: x, lab: a, target: b, package_cap: 1M USD, researchers: 21}}}}"], "21",
     "events.0.campaign.researchers: the campaign wants 21 researchers, but b has about 20"),
    ([f"{{{MON}, leadership_change: {{lab: b, dismissed: true}}}}"], "true",
     "events.0.leadership_change.dismissed: b has no leader to dismiss; name one: leader: ..."),
    ([f"{{{MON}, leadership_change: {{lab: b, unit: b, dismissed: true}}}}"], "true",
     "events.0.leadership_change.dismissed: unit b has no leader to dismiss; name one: leader: ..."),
    ([f"{{{MON}, leadership_change: {{lab: b, unit: later, dismissed: true}}}}",
      f"{{{MON}, new_unit: {{lab: b, unit: later}}}}"], "true",
     "events.0.leadership_change.dismissed: unit later has no leader to dismiss; name one: leader: ..."),
    (["{plan: alarm, lab: a, when: {standing_gap: 0.8}}"], "0.8",
     "events.0.when.standing_gap: the gap can never open: a falls by 0.49 at the very most; lower it, or let "
     "a model_release of the lab disappoint, or a rival's impress"),
    ([f"{{{MON}, leadership_change: {{lab: a, unit: third}}}}"], "third",
     "events.0.leadership_change.unit: a has no unit 'third' by then; it has old, new"),
    ([f"{{{MON}, leadership_change: {{lab: b, unit: x1}}}}"], "x1",
     "events.0.leadership_change.unit: b has no unit 'x1' by then; it has b"),
    ([f"{{{MON}, leadership_change: {{lab: a, unit: later}}}}",
      "{on: 2025-05-19, new_unit: {lab: a, unit: later}}"], "later}}",
     "events.0.leadership_change.unit: a has no unit 'later' by then; it has old, new"),
    ([f"{{{MON}, new_unit: {{lab: a, unit: old}}}}"], "old",
     "events.0.new_unit.unit: a has a unit 'old' from the start"),
    ([f"{{{MON}, new_unit: {{lab: b, unit: b}}}}"], "b}}",
     "events.0.new_unit.unit: b has a unit 'b' from the start"),
    ([f"{{{MON}, transfer: {{lab: a, from_unit: old, researchers: 2, unit: old}}}}"], "old}}",
     "events.0.transfer.unit: nobody moves from old to old"),
    ([f"{{{MON}, transfer: {{lab: a, from_unit: old, researchers: 2, unit: x1}}}}"], "x1",
     "events.0.transfer.unit: a has no unit 'x1' by then"),
    ([f"{{{MON}, transfer: {{lab: a, from_unit: x1, researchers: 2, unit: old}}}}"], "x1",
     "events.0.transfer.from_unit: a has no unit 'x1' by then"),
    ([f"{{{MON}, strategy_change: {{lab: a, strategy: open, provider: b}}}}"], "b}}",
     "events.0.strategy_change.provider: a lab that rents names its provider, and no other does"),
    ([f"{{{MON}, strategy_change: {{strategy: rent, lab: a, provider: a}}}}"], "a}}",
     "events.0.strategy_change.provider: a cannot rent from itself"),
    ([f"{{{MON}, founding_boom: {{seed: 1M USD, probability: 0.5}}}}"], "0.5",
     "events.0.founding_boom.probability: no lab is reserved for founders; give one staff: 0 and "
     "reserved: true"),
    ([f"{{{MON}, part_of: alarm, layoff: {{share: 0.1}}}}"], "alarm",
     "events.0.part_of: unknown plan 'alarm'; there are no plans here"),
    (["{plan: alarm, lab: a, when: {plan: alarm2}}"], "alarm2",
     "events.0.when.plan: unknown plan 'alarm2'; did you mean 'alarm'? plans here: alarm"),
    (["{plan: alarm, lab: x9, when: {standing_below: 0.5}}"], "x9",
     "events.0.lab: unknown lab 'x9'; labs here: a, b, c"),
    ([f"{{{MON}, talks: {{lab: a, target: x9, price: 1M USD, asking: 1M USD}}}}"], "x9",
     "events.0.talks.target: unknown lab 'x9'; labs here: a, b, c"),
    ([f"{{{MON}, strategy_change: {{lab: a, strategy: rent, provider: x9}}}}"], "x9",
     "events.0.strategy_change.provider: unknown lab 'x9'; labs here: a, b, c"),
    (["{on: 2026-05-12, layoff: {share: 0.1}}"], "2026",
     "events.0.on: 2026-05-12 lies outside the horizon, 2025-05-05 to 2025-09-22"),
]  # fmt: skip


@pytest.mark.parametrize(("events", "word", "message"), CASES)
def test_what_makes_no_sense_is_refused_at_its_place(events, word, message, tmp_path: Path) -> None:
    assert refused(write(*events), tmp_path) == [f"{at(word, events[0])}: {message}"]


def test_talks_with_a_lab_that_founders_may_open_are_refused(tmp_path: Path) -> None:
    event = f"{{{MON}, talks: {{lab: a, price: 1M USD, asking: 1M USD, target: r}}}}"
    place = f"{LINE + 1}:{f'  - {event}'.index('r}}') + 1}"
    said = "events.0.talks.target: r is not there to talk with: it is reserved for founders"
    assert refused(write(event, market=ROOM), tmp_path) == [f"{place}: {said}"]


def test_a_boom_is_read_where_a_lab_is_reserved(tmp_path: Path) -> None:
    boom = f"{{{MON}, founding_boom: {{seed: 1M USD, probability: 0.5}}}}"
    assert refused(write(boom, market=ROOM), tmp_path) == []
    staffed = ROOM.replace("r: {staff: 0", "r: {staff: 3")
    said = "labs.r.reserved: a lab reserved for founders has no staff at the start: staff: 0"
    (problem,) = refused(write(market=staffed) + "  []\n", tmp_path)
    assert problem.endswith(said)
    assert problem.startswith(f"{LINE - 1}:")


@pytest.mark.parametrize("day", [MON, THU])
def test_two_strategies_of_a_lab_in_one_week_contradict_each_other(day: str, tmp_path: Path) -> None:
    other = f"{{{day}, strategy_change: {{lab: a, strategy: open}}}}"
    one = f"{{{MON}, strategy_change: {{lab: a, strategy: dual}}}}"
    said = "strategy_change.strategy: two strategies of a begin in the same week"
    assert refused(write(one, other), tmp_path) == [
        f"{at('dual', one)}: events.0.{said}",
        f"{LINE + 1}:{f'  - {other}'.index('open') + 1}: events.1.{said}",
    ]
    assert refused(write(one, other.replace("lab: a", "lab: b")), tmp_path) == []
    assert refused(write(one, other.replace(day, "on: 2025-05-19")), tmp_path) == []


def test_a_lab_that_rents_needs_somebody_to_rent_from(tmp_path: Path) -> None:
    """The key is missing, so the problem stands at its section."""
    event = f"{{{MON}, strategy_change: {{lab: a, strategy: rent}}}}"
    (problem,) = refused(write(event), tmp_path)
    assert problem.startswith(f"{LINE}:")
    assert problem.endswith("a lab that rents names its provider, and no other does")


def test_one_unit_is_not_opened_in_two_ways(tmp_path: Path) -> None:
    one, other = (f"{{{MON}, new_unit: {{lab: a, share: {share}, unit: x}}}}" for share in (1, 2))
    found = refused(write(one, other), tmp_path)
    assert [problem.split(": ", 1)[1] for problem in found] == [
        f"events.{i}.new_unit.unit: a opens a unit 'x' in two ways" for i in (0, 1)
    ]
    assert refused(write(one, one), tmp_path) == []


def test_a_plan_may_not_wait_for_itself_even_by_way_of_others(tmp_path: Path) -> None:
    alone = "{plan: p1, lab: a, when: {plan: p1}}"
    column = f"  - {alone}".rindex("p1") + 1
    assert refused(write(alone), tmp_path) == [
        f"{LINE}:{column}: events.0.when.plan: plan p1 waits for itself"
    ]
    ring = [f"{{plan: p{i}, lab: a, when: {{plan: p{(i + 1) % 3}}}}}" for i in range(3)]
    found = refused(write(*ring), tmp_path)
    assert [problem.split(": ", 1)[1] for problem in found] == [
        f"events.{i}.when.plan: plan p{i} waits for itself" for i in range(3)
    ]
    tail = "{plan: p3, lab: b, when: {plan: p0}}"  # it waits for them, but not for itself
    assert len(refused(write(*ring, tail), tmp_path)) == 3
    root = "{plan: p2, lab: a, when: {standing_below: 0.5}}"
    assert refused(write(*ring[:2], root, tail), tmp_path) == []


@pytest.mark.parametrize(
    ("known", "nobody"),
    [
        ("new_unit: {lab: b, unit: later, leader: Cy}", "new_unit: {lab: b, unit: later}"),
        (
            "acquihire: {buyer: b, target: c, price: 1M USD, unit: later}",
            "acquihire: {buyer: b, target: c, price: 1M USD, unit: later, founder: false}",
        ),
    ],
)
def test_a_leader_may_come_with_the_unit(known: str, nobody: str, tmp_path: Path) -> None:
    """Named with a unit that opens, or the founder of a lab that is bought."""
    dismissal = f"{{{THU}, leadership_change: {{lab: b, unit: later, dismissed: true}}}}"
    assert refused(write(f"{{{MON}, {known}}}", dismissal), tmp_path) == []
    (problem,) = refused(write(f"{{{MON}, {nobody}}}", dismissal), tmp_path)
    assert "unit later has no leader to dismiss" in problem


CALM = "market: {standing: {noise: 0, talent_weight: 0, rivalry: 0.5}}\n"


@pytest.mark.parametrize(("gap", "fires"), [(0.99, True), (1.0, None), (1.01, None)])
def test_a_gap_opens_up_to_what_events_open_together(gap: float, fires: bool | None, tmp_path: Path) -> None:
    """Without noise a rival's release of two and one's own of minus one: 0.5 (1 + 0.5 * 2), and no more."""
    sizes = {"a": -1, "b": 2}
    releases = [f"{{{MON}, model_release: {{lab: {k}, surprise: {x}}}}}" for k, x in sizes.items()]
    plan = f"{{plan: answer, lab: a, when: {{standing_gap: {gap}, after: 0 days}}}}"
    text = write(*releases, plan).replace("labs:", CALM + "labs:", 1)
    text = text.replace("star_pay:", "talent_inflow: 100M USD/year, star_pay:")
    if fires is None:
        (problem,) = refused(text, tmp_path)
        assert "the gap can never open: a falls by 1.00 at the very most" in problem
        return
    file = tmp_path / "calm.yaml"
    file.write_text(text, encoding="utf-8")
    events = simulate(load_scenario(str(file)), 1, range(2))["events"].to_pandas()
    assert (events["kind"] == "plan").sum() == 2


@pytest.mark.parametrize(("gap", "warned"), [(0.74, False), (0.76, True)])
def test_a_gap_that_no_event_opens_is_warned_of(gap: float, warned: bool) -> None:
    """The flop of meta-2025, 1.5 of 0.5 each, is all that can open one of Meta's."""
    changes = ["events.emergency.when.standing_below=null", f"events.emergency.when.standing_gap={gap}"]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        load_scenario("meta-2025", changes)
    words = "the plan may never fire: by events alone meta falls by 0.75 at most"
    assert [words in str(one.message) for one in said] == [True] * warned


ONE_THING = "a plan waits for one thing: standing_below, standing_gap, or another plan"


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("{}", ONE_THING),
        (
            "{standing_below: 0.5, plan: p2}",
            ONE_THING,
        ),
        ("{standing_below: 0}", "must be at least 1e-06, found 0"),
    ],
)
def test_a_plan_waits_for_one_thing(when: str, message: str, tmp_path: Path) -> None:
    event = f"{{plan: p1, lab: a, when: {when}}}"
    other = "{plan: p2, lab: a, when: {standing_below: 0.5}}"
    (problem,) = refused(write(event, other), tmp_path)
    assert problem.startswith(f"{LINE}:{f'  - {event}'.index('when: {') + 7}: events.0.when") or (
        "at least" in message and problem.startswith(f"{LINE}:")
    )
    assert problem.endswith(message)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("{on: 2025-05-12, name: nothing}", "this one is none"),
        (
            f"{{{MON}, layoff: {{share: 0.1}}, hiring_freeze: {{weeks: 2 weeks}}}}",
            "this one is hiring_freeze and layoff",
        ),
        ("{plan: p1, lab: a}", "has a lab and a when, and neither on nor part_of"),
        ("{plan: p1, when: {standing_below: 0.5}}", "has a lab and a when, and neither on nor part_of"),
        (f"{{plan: p1, lab: a, {MON}, when: {{standing_below: 0.5}}}}", "neither on nor part_of"),
        (f"{{{MON}, lab: a, layoff: {{share: 0.1}}}}", "only a plan has lab and when at this level"),
        ("{layoff: {share: 0.1}}", "an event needs its date: on: 2025-06-12"),
    ],
)  # fmt: skip
def test_an_event_is_one_dated_thing_or_a_plan(event: str, message: str, tmp_path: Path) -> None:
    (problem,) = refused(write(event), tmp_path)
    assert problem.startswith(f"{LINE}:5: events.0: ")
    assert problem.endswith(message)


def test_names_of_plans_and_campaigns_are_given_once_and_campaigns_are_few(tmp_path: Path) -> None:
    plan = "{plan: p1, lab: a, when: {standing_below: 0.5}}"
    column = f"  - {plan}".index("p1") + 1
    assert refused(write(plan, plan), tmp_path) == [
        f"{LINE + i}:{column}: events.{i}.plan: two plans are called 'p1'" for i in (0, 1)
    ]
    push = f"{{{MON}, campaign: {{{HALF}}}}}"
    column = f"  - {push}".index("x,") + 1
    assert refused(write(push, push), tmp_path) == [
        f"{LINE + i}:{column}: events.{i}.campaign.name: two campaigns are called 'x'" for i in (0, 1)
    ]
    many = [push.replace("name: x", f"name: x{i}") for i in range(17)]
    (problem,) = refused(write(*many), tmp_path)
    assert problem.startswith(f"{LINE + 16}:")
    assert problem.endswith("events.16.campaign: a scenario has at most 16 campaigns")
    assert refused(write(*many[:16]), tmp_path) == []


@pytest.mark.parametrize(
    "event",
    [
        "new_unit: {lab: a, unit: x}",
        "acquihire: {buyer: a, target: b, price: 1M USD, unit: x}",
        "talks: {lab: a, target: b, price: 1M USD, asking: 1M USD, unit: x}",
        f"campaign: {{{HALF}, unit: x}}",
    ],
)
def test_a_unit_that_an_earlier_event_opens_may_be_filled_and_lose_its_leader(event: str, tmp_path) -> None:
    later = [f"{{{THU}, {each}}}" for each in (
        "transfer: {lab: a, unit: x, from_unit: old, researchers: 2}",
        "leadership_change: {lab: a, unit: x, dismissed: true}",
    )]  # fmt: skip
    assert refused(write(f"{{{MON}, {event}}}", *later), tmp_path) == []
