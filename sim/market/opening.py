"""The opening market: everybody in their place in week 0, and every account as it is then.

Opening staff are people who have stayed until now: tenure is exponential at the lab's hazard and
truncated at its age, attachment is drawn given survival to that tenure against the ordinary stream
of offers, and past refresh grants are on the books. Ids run through the labs' opening staff in the
order of the scenario, then the outsiders, then the graduates by the week in which they will enter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.market import appraisal, exits, segments, spells, survivors, worth
from sim.market.columns import UNSET
from sim.market.constants import compile_constants, graduation_weeks, units_of
from sim.market.draws import Keys, Purpose, normals, purpose_keys, run_keys, uniforms
from sim.market.ledger import Ledger
from sim.market.money import MOST_FOR_ONE, reckoning, whole
from sim.market.offers import Offers
from sim.market.state import (
    COUNTER_POLICIES,
    FROM_OPENING,
    NEVER,
    OUTSIDE,
    STRATEGIES,
    UNBORN,
    Labs,
    Log,
    Market,
    Researchers,
    Tally,
)
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.scenario.schema import Scenario
from sim.system.arrays import Floats, Integers


@reckoning("the opening market")
def open_market(scenario: Scenario, seed: int, runs: Integers, keep_all: bool = True) -> Market:
    """The market of the given runs of a scenario, ready for its first week.

    Args:
        scenario: what the market is like.
        seed: seed of the ensemble; the key of run r is a mix of (seed, r).
        runs: numbers of the runs, shape (R,); results never depend on which runs stand together.
        keep_all: whether every offer and posting is kept, or only campaigns' offers, and balances.
    """
    constants = compile_constants(scenario)
    keys, entry_weeks = run_keys(seed, runs), graduation_weeks(scenario)
    staff = [lab.staff for lab in scenario.labs.values()]
    people = sum(staff) + scenario.market.entry.outside + len(entry_weeks)
    shape = (len(runs), len(staff))
    campaigns, plans = len(constants.campaigns), len(constants.plans)
    names = [event.body.name for event in constants.campaigns]
    ties = draw_ties(scenario, keys, people, entry_weeks)
    symmetric = scenario.market.ties.graph == "ring"
    market = Market(
        scenario=scenario, constants=constants, runs=runs, keys=keys, people=people, week=0,
        researchers=Researchers.empty(len(runs) * people),
        labs=Labs.empty(*shape, len(constants.unit_names)),
        valuations=[], contacted=[], approaches={},
        offers=Offers.new(0),
        ledger=Ledger.open(len(runs), list(scenario.labs), names, keep_all),
        tally=Tally.zero(*shape), log=Log(keep_all),
        budget=np.zeros((len(runs), len(staff) + campaigns), np.int64),
        promised=np.zeros((len(runs), len(staff) + campaigns), np.int64),
        pending=np.zeros(shape, np.int64),
        started=Offers.new(0),
        plan_week=np.full((len(runs), plans), int(NEVER), np.int64),
        happened=np.zeros((len(runs), len(scenario.events)), np.bool_),
        campaign_week=np.full((len(runs), campaigns), -1, np.int64),
        campaign_reached=np.zeros((len(runs), campaigns), np.int64),
        campaign_committed=np.zeros((len(runs), campaigns), np.int64),
        campaign_closed=np.zeros((len(runs), campaigns), np.bool_),
        salary_cap=np.full(len(runs), np.inf),
        founding=np.zeros(len(runs)), seed=np.zeros(len(runs), np.int64),
        ties=ties, known_by=ties if symmetric else reverse(ties),
        ties_there=np.zeros((len(ties) + 1, len(staff) - UNBORN), np.int8),
    )  # fmt: skip
    _set_up_labs(market)
    _people_the_market(market, staff, entry_weeks)
    _fund_labs(market)
    return market


def draw_ties(scenario: Scenario, keys: Keys, people: int, entry_weeks: Integers) -> npt.NDArray[np.int32]:
    """The ties of each researcher: a graph of colleagues, (R x N, K) rows.

    Researchers stand in blocks: the opening staff of a lab, the outsiders, the graduates of a year.
    Ties lead to one's block, and across the whole market. In a ring, i is tied to i + d and i - d for
    a few distances d drawn once a run, counted round the end, so the graph is symmetric; in a random
    graph each person draws her own. Somebody who stands alone is tied to herself.
    """
    ties = scenario.market.ties
    years = (entry_weeks / WEEKS_PER_YEAR).astype(np.int64)
    classes = np.bincount(years) if len(years) else np.zeros(0, np.int64)
    sizes = [lab.staff for lab in scenario.labs.values()] + [scenario.market.entry.outside, *classes]
    size = np.array(sizes, np.int64)
    start = np.cumsum(size) - size
    block = np.repeat(np.arange(len(size)), size)
    person, key = np.arange(people), purpose_keys(keys, Purpose.TIES)
    ring, count = ties.graph == "ring", ties.within + ties.across
    sides: list[npt.NDArray[Any]] = []
    for slot in range(count // 2 if ring else count):
        inside = slot < (ties.within // 2 if ring else ties.within)
        first, length = (start[block], size[block]) if inside else (np.int64(0), np.int64(people))
        # keyed by a block's first id, so that a lab without staff shifts no other block's draw
        shared = start[block] if inside else np.full(people, people)
        u = uniforms(key[:, None], ((shared if ring else people + 1 + person) * 64 + slot)[None, :])
        distance = 1 + np.floor(u * np.maximum(length - 1, 0)).astype(np.int64)
        sides += [
            first + (person - first + d) % length for d in ((distance, -distance) if ring else (distance,))
        ]
    rows = np.empty((len(keys) * people, len(sides)), np.int32)
    for tied, side in zip(rows.T, sides, strict=True):
        tied[:] = (side + people * np.arange(len(keys))[:, None]).ravel()
    return rows


def reverse(ties: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The rows of those who know each person, from those whom each knows, (n, K); filled up with n."""
    known, knowing = ties.ravel().astype(np.int64), np.repeat(np.arange(len(ties)), ties.shape[1])
    order = segments.in_order(known)
    slot = segments.position(known[order])
    found = np.full((len(ties), slot.max(initial=-1) + 1), len(ties), np.int32)
    found[known[order], slot] = knowing[order]
    return found


def _set_up_labs(market: Market) -> None:
    """What events may change during a run starts as the scenario says; the same in every run."""
    labs, described = market.labs, list(market.scenario.labs.values())
    labs.process[:] = [lab.process for lab in described]
    labs.non_compete[:] = [lab.non_compete for lab in described]
    labs.counter_policy[:] = [COUNTER_POLICIES.index(lab.counter_policy) for lab in described]
    labs.detection[:] = market.scenario.market.counter.detection
    labs.answering[:] = market.scenario.market.counter.probability
    labs.strategy[:] = [STRATEGIES.index(lab.strategy) for lab in described]
    labs.failed[:] = market.constants.reserved
    labs.born[:] = np.where(market.constants.reserved, -1, 0)
    for number, (lab, _, unit) in enumerate(units_of(market.scenario)):
        mission = unit.mission or market.scenario.labs[lab].mission
        labs.unit_share[:, number] = unit.share
        labs.unit_mission[:, number] = [mission.openness, mission.safety, mission.product]


def _people_the_market(market: Market, staff: list[int], entry_weeks: Integers) -> None:
    """Talent, mission, place, tenure, pay, attachment and first events of everybody."""
    scenario, people = market.scenario, market.researchers
    rows = np.arange(len(people.talent))
    run, person = market.run_of(rows), market.id_of(rows)
    talent = scenario.market.talent
    people.talent[:] = worth.talent_quantile(
        uniforms(market.key_of(run, Purpose.TALENT), person), talent.tail_exponent, talent.cap
    )
    exponent = scenario.market.contact.visibility_exponent
    # visibility has mean 1
    people.visibility[:] = people.talent**exponent / worth.mean_talent(
        talent.tail_exponent, talent.cap, exponent
    )
    for axis in range(3):
        people.mission[:, axis] = normals(market.key_of(run, Purpose.MISSION, axis), person)
    place = np.full(market.people, UNBORN)
    place[: sum(staff)] = np.repeat(np.arange(len(staff)), staff)
    place[sum(staff) : sum(staff) + scenario.market.entry.outside] = OUTSIDE
    people.place[:] = np.tile(place, len(market.runs))
    for tied in market.ties.T:
        cells = market.tie_cells(rows, people.place[tied])
        segments.add(market.ties_there.reshape(-1, copy=False), (cells,), 1)
    people.origin[:] = FROM_OPENING
    people.exit_week[:] = NEVER
    people.contact_week[:] = NEVER
    _people_the_pools(market, rows[people.place < 0])
    waiting = np.concatenate([np.full(market.people - len(entry_weeks), NEVER), entry_weeks])
    people.exit_week[:] = np.tile(waiting, len(market.runs))
    _staff_the_labs(market, rows[people.place >= 0])
    present = rows[people.place != UNBORN]
    spells.schedule_contact(market, present, 0)


def _people_the_pools(market: Market, rows: Integers) -> None:
    """Pool, pay and past of those outside the labs."""
    people, pools, entry = market.researchers, market.constants.pools, market.scenario.market.entry
    run, person = market.run_of(rows), market.id_of(rows)
    if len(pools.names) > 1:
        u = uniforms(market.key_of(run, Purpose.POOL), person)
        people.pool[rows] = np.minimum(np.searchsorted(pools.until, u, side="right"), len(pools.names) - 1)
    if entry.alumni > 0:
        until = np.cumsum([float(lab.staff) for lab in market.scenario.labs.values()])
        u = uniforms(market.key_of(run, Purpose.ALUMNI), person)
        past = np.searchsorted(until, u / entry.alumni * until[-1], side="right")  # a lab by its size
        someones = (u < entry.alumni) & (people.place[rows] == OUTSIDE) & (past < len(until))
        people.last_lab[rows] = np.where(someones, past, UNSET)
    people.weekly_base[rows] = spells.outside_pay(market, rows).weekly_base


def _staff_the_labs(market: Market, rows: Integers) -> None:
    """Unit, tenure, pay, grants and attachment of the opening staff."""
    people, constants = market.researchers, market.constants
    lab = people.place[rows].astype(np.int64)
    run, person = market.run_of(rows), market.id_of(rows)
    people.unit[rows] = appraisal.draw_units(market, rows, lab, Purpose.OPENING_UNIT)
    years = opening_tenure(market, lab, uniforms(market.key_of(run, Purpose.TENURE), person))
    people.start_week[rows] = -1 - exits.whole_weeks(years)
    base, package = appraisal.scale_pay(market, rows, lab, people.unit[rows].astype(np.int64))
    held = market.tenure_weeks(rows) / WEEKS_PER_YEAR
    length = constants.vesting_years[lab]
    refresh = market.scenario.market.equity.refresh_share
    yearly = package / market.scenario.market.equity.horizon
    people.weekly_base[rows] = np.rint(base * 100 / WEEKS_PER_YEAR)
    vesting = worth.vesting_now(held, length, refresh)  # 0: all has vested, and nothing was granted since
    grant = np.divide(yearly * length * 100, vesting, out=np.zeros(len(rows)), where=vesting > 0)
    people.grant[rows] = whole(
        grant, MOST_FOR_ONE, "an opening grant", constants.lab_names, lab,
        "market.equity.refresh_share and labs.{lab}.vesting.length", "shares",
    )  # fmt: skip
    spells.count(market, rows, +1)
    start_standing(market)
    people.attachment[rows] = survivors.surviving_attachment(market, rows)
    exits.schedule_exit(market, rows, 0)


def opening_tenure(market: Market, lab: Integers, u: Floats) -> Floats:
    """Tenure in years, exponential at the lab's opening hazard and growth, truncated at the lab's age."""
    labs, start = list(market.scenario.labs.values()), market.scenario.start
    hazard = np.maximum(np.array([v.opening_hazard for v in labs]), 1e-9)[lab]
    if market.scenario.market.growth.opening_tenure == "on":  # density e^(-(h + g) a): more are young
        hazard = hazard + market.constants.opening_growth[lab]
    age = np.array([(start - v.founded).days / 365.25 for v in labs])[lab]
    return np.asarray(-np.log1p(-u * -np.expm1(-hazard * age)) / hazard)


def start_standing(market: Market) -> None:
    """Standing at its long-run level, and the mean talent that it is measured against."""
    labs = market.labs
    labs.ln_standing[:] = market.constants.base_ln_standing
    labs.opening_talent[:] = labs.talent_sum / np.maximum(labs.headcount, 1) / spells.TALENT_UNIT
    labs.opening_talent[labs.headcount == 0] = 1.0


def _fund_labs(market: Market) -> None:
    """Opening balances come from outside."""
    runs = np.arange(len(market.runs))
    for j, lab in enumerate(market.scenario.labs.values()):
        for account, cents in (
            (Ledger.treasury(j), lab.treasury.opening),
            (Ledger.talent(j), lab.talent_opening + _opening_by_plan(market, j)),
        ):
            market.ledger.post(0, "opening", runs, Ledger.OUTSIDE, account, np.array(cents))


def _opening_by_plan(market: Market, lab: int) -> int:
    """Opening balance of a lab whose money follows its plan: so many weeks' inflow as it may carry; cents."""
    constants = market.constants
    weekly = float(constants.inflow_by_plan[lab, 0] * constants.talent_factor[lab]) / WEEKS_PER_YEAR
    return round(weekly * market.scenario.market.hiring.carry)
