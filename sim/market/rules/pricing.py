"""Step 5, pricing: what each lab offers, under its budget and with every promise covered.

People at rivals are priced at the optimum against the choice rule, max (v - w) P(w); people from
outside at the lab's own pay for their talent. Where a line's expected cost is above its budget, one
multiplier mu, the hurdle rate, lowers v to v / (1 + mu) for all its offers. Somebody who was interviewed has
shown her reservation pay but for some noise. Escrow holds a sign-on and a year of base
for every live offer; offers go out in order of surplus per dollar until it is full, the rest wait.
Source: MODEL step 5; T10. Unit of time: the week; pay in USD a year, promises in cents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sim.market import appraisal, calendar, grants, segments, worth
from sim.market.columns import UNSET
from sim.market.draws import Purpose, uniforms
from sim.market.entities import option_of
from sim.market.offers import Approaches, Offers
from sim.market.state import OUTSIDE, Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Booleans, Floats, Integers

STEPS = 10  # of false position: spend comes within 3e-8 of the budget
TINY = 1e-6  # an excess that is as good as none
LARGEST_LN_MULTIPLIER = 5.0
TRIFLE = 1e-6  # by which a winning bid beats the loser's value
CENT_A_WEEK = WEEKS_PER_YEAR / 100  # USD a year: base pay is whole cents a week, so no bid is higher by less


@dataclass(frozen=True)
class Targets:
    """What pricing needs to know of each offer; columns of one length, USD a year.

    `value` v, `base` b, `kappa` worth of a dollar of package, `reservation` R, `cap` on w,
    `posted` whether w is fixed at `scale` (people from outside, or a campaign that pays the cap);
    `slope` of the chance of acceptance in ln Y: alpha / sigma, or 1 / rho for somebody who was interviewed;
    `least` is the floor of w; `rationed` whether a posted offer goes out only while v / (1 + mu) covers it;
    `exempt` whether an offer is written whatever surplus it promises.
    """

    value: Floats
    base: Floats
    kappa: Floats
    reservation: Floats
    cap: Floats
    posted: Booleans
    scale: Floats
    slope: Floats
    least: Floats
    rationed: Booleans
    exempt: Booleans

    def where(self, chosen: Integers) -> Targets:
        """The targets at some positions."""
        return Targets(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def acceptance(self, cost: Floats) -> Floats:
        """Chance of acceptance at a yearly cost."""
        return worth.acceptance(self.base + self.kappa * (cost - self.base), self.reservation, self.slope)


def price(targets: Targets, multiplier: Floats, offer_cost: float = 0.0) -> tuple[Floats, Floats]:
    """Yearly cost w and chance of acceptance P of each offer, at v / (1 + mu); P = 0: it is not written.

    An offer is written if (v / (1 + mu) - w) P >= c_o w, where writing one costs anything at all.
    """
    value = targets.value / (1 + multiplier)
    best = worth.best_price(value, targets.base, targets.kappa, targets.reservation, targets.slope)
    cost = np.where(targets.posted, targets.scale, np.clip(best, targets.least, targets.cap))
    chance = targets.acceptance(cost)
    written = ~targets.rationed | (value >= cost)
    if offer_cost > 0:
        written &= targets.exempt | ((value - cost) * chance >= offer_cost * cost)
    return cost, np.where(written, chance, 0.0)


def price_within_budgets(
    targets: Targets,
    line: Integers,
    budget: Floats,
    horizon: float,
    offer_cost: float = 0.0,
    base_years: float | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Prices so that the sum of P times cost over the offers of a budget line is at most its budget.

    Args:
        targets: what pricing needs to know of each offer, (n,).
        line: (n,), budget line of each offer.
        budget: (lines,), USD.
        horizon: H, years of cost.
        offer_cost: c_o, in years of pay.
        base_years: years of base that count; H if absent.

    Returns:
        Cost w a year (n,), chance of acceptance (n,), and mu of each line (lines,): 0 where the budget
        does not bind, the smallest found that keeps it where it does, the largest where none is enough;
        where there is no budget at all nothing goes out, and prices stay as they are.
    """
    uncounted = horizon - (horizon if base_years is None else base_years)

    def bill(which: Targets, cost: Floats) -> Floats:
        """What an offer costs if it is accepted: base for the years that count, and the whole package."""
        return cost * horizon - which.base * uncounted

    cost, chance = price(targets, np.zeros(len(line)), offer_cost)
    over = excess(line, chance * bill(targets, cost), budget)
    multiplier = np.where(over > 0, np.expm1(LARGEST_LN_MULTIPLIER), 0.0)
    binds = (over > 0) & (budget > 0)
    bound = np.flatnonzero(binds[line])
    if not len(bound):
        return cost, chance, multiplier
    some, theirs = targets.where(bound), (np.cumsum(binds) - 1)[line[bound]]

    def excess_at(ln_multiplier: Floats) -> Floats:
        """The excess at other multipliers, of the lines that bind."""
        cost, chance = price(some, np.expm1(ln_multiplier)[theirs], offer_cost)
        return excess(theirs, chance * bill(some, cost), budget[binds])

    multiplier[binds] = np.expm1(smallest_enough(excess_at, over[binds]))
    cost[bound], chance[bound] = price(some, multiplier[line[bound]], offer_cost)
    return cost, chance, multiplier


def excess(line: Integers, expected: Floats, budget: Floats) -> Floats:
    """ln (spend / budget) of each line, from what each offer is expected to cost; at most 1 either way.

    Where offers drop out one by one spend falls in steps, perhaps to nothing: then how far it falls says
    nothing of where, and the search halves.
    """
    spend = np.bincount(line, weights=expected, minlength=len(budget))
    over = spend / np.maximum(budget, worth.SMALLEST)
    return np.clip(np.log(np.maximum(over, worth.SMALLEST)), -1.0, 1.0)


def smallest_enough(excess_at: Callable[[Floats], Floats], excess_at_zero: Floats) -> Floats:
    """ln (1 + mu) of each line at which its excess, which falls in it, is 0 or just below.

    False position with the Illinois rule (Dowell and Jarratt 1971): the excess is the logarithm of
    a sum of powers, so it is nearly straight in ln (1 + mu). The number of steps is fixed, so that no
    line's prices depend on which others are priced beside it. The largest where nothing is enough.
    """
    low, high = np.zeros(len(excess_at_zero)), np.full(len(excess_at_zero), LARGEST_LN_MULTIPLIER)
    # floors, so that a line that does not bind or cannot be brought down divides by something
    above, below = np.maximum(excess_at_zero, TINY), np.minimum(excess_at(high), -TINY)
    moved = np.zeros(len(low), np.int64)  # 1 or -1: the end that the last step moved
    for _ in range(STEPS):
        middle = low + (high - low) * above / (above - below)
        excess = excess_at(middle)
        over = excess > 0
        low, high = np.where(over, middle, low), np.where(over, high, middle)
        side = np.where(over, 1, -1)
        idle = np.where(side == moved, 0.5, 1.0)  # an end that stays twice counts half
        above, below = np.where(over, excess, above * idle), np.where(over, below * idle, excess)
        moved = side
    return high


def within_limits(
    line: Integers, merit: Floats, tie_break: Integers, limits: list[tuple[Integers, Integers]]
) -> Booleans:
    """Offers that go out: in each line by falling merit while every running total keeps its limit.

    `limits` is a list of (amount of each offer, limit of its line repeated for each offer), in cents.
    """
    fits = np.ones(len(line), np.bool_)
    for amount, limit in limits:
        rows = np.flatnonzero(segments.totals(line, amount) > limit)  # elsewhere the order does not matter
        order = rows[segments.by_merit(line[rows], merit[rows], tie_break[rows])]
        fits[order] &= segments.running_total(line[order], amount[order]) <= limit[order]
    return fits


def make_offers(market: Market) -> None:
    """Price the approaches that are due and write the offers that are worth it and can be paid."""
    found = Approaches.joined(market.approaches.pop(market.week, []))
    if not len(found):
        return
    wanted, others = _still_wanted(market, found)
    calendar.drop(market, found.where(others))
    found = found.where(wanted)
    batch = _drafts(market, found)
    line = market.run_of(batch.row) * market.budget.shape[1] + market.line_of(batch)
    targets = _targets(market, batch)
    cost, chance, multiplier = _priced(market, batch, targets, line)
    written = chance > 0
    if not written.all():
        _leave_unwritten(market, found.where(~written), multiplier[line[~written]] > 0)
        found, batch, line = found.where(written), batch.where(written), line[written]
        targets, cost, chance = targets.where(np.flatnonzero(written)), cost[written], chance[written]
    _write_terms(market, batch, targets.base, cost)
    fits = _affordable(market, batch, line, (targets.value - cost) * chance / np.maximum(cost, 1.0))
    _send(market, batch if fits.all() else batch.where(fits))
    _wait(market, found.where(~fits))


def _priced(market: Market, batch: Offers, targets: Targets, line: Integers) -> tuple[Floats, Floats, Floats]:
    """Cost, chance of acceptance and multiplier, as the rule prices and as a user's own labs do."""
    equity, offer_cost = market.scenario.market.equity, market.scenario.market.interviews.offer_cost
    base_years = 1.0 if equity.charged else equity.horizon  # what meets the budget is what escrow holds
    budget = market.budget.ravel() / 100
    cost, chance, multiplier = price_within_budgets(
        targets, line, budget, equity.horizon, offer_cost, base_years
    )
    _record_hurdles(market, line, multiplier)
    for own in market.behaviours.get("price", []):
        theirs = np.flatnonzero(own.applies[batch.lab])
        if len(theirs):
            some = targets.where(theirs)
            asked = np.maximum(own.decide(batch.row[theirs], some, multiplier[line[theirs]]), some.base)
            # a price of one's own is always written; the rule's own price, as the rule has it
            chance[theirs] = np.where(asked == cost[theirs], chance[theirs], some.acceptance(asked))
            cost[theirs] = asked
    return cost, chance, multiplier


def _record_hurdles(market: Market, line: Integers, multiplier: Floats) -> None:
    """How many offers each lab's own line priced this week, and at which hurdle rate."""
    labs = market.shape[1]
    priced = np.bincount(line, minlength=market.budget.size).reshape(market.budget.shape)[:, :labs]
    market.tally.priced += priced
    market.tally.hurdle[:] = np.where(priced > 0, multiplier.reshape(market.budget.shape)[:, :labs], 0.0)


def _write_terms(market: Market, batch: Offers, base: Floats, cost: Floats) -> None:
    """Base, sign-on and grant of each offer, in whole cents, and the Y that they give."""
    equity = market.scenario.market.equity
    batch.weekly_base[:] = np.rint(base * 100 / WEEKS_PER_YEAR)
    package = appraisal.package_cents(market, (cost - base) * equity.horizon, batch.lab)
    batch.sign_on[:], batch.grant[:] = appraisal.split_package(package, equity.sign_on_share)
    batch.escrow[:] = grants.charge(market, batch.sign_on + batch.first_year_base, batch.grant)
    yearly = batch.weekly_base * WEEKS_PER_YEAR / 100
    batch.pay[:] = appraisal.package_pay(market, yearly, batch.sign_on, batch.grant, batch.lab)


def _leave_unwritten(market: Market, batch: Approaches, short: Booleans) -> None:
    """No offer is worth writing: for want of money it is tried again, otherwise that is the end."""
    _wait(market, batch.where(short))
    calendar.drop(market, batch.where(~short))


def _still_wanted(market: Market, found: Approaches) -> tuple[Integers, Integers]:
    """Positions of the approaches that may become offers, by person, and of the others.

    Wanted are those to people in the same spell who are not leaving, of labs alive, one a person and lab.

    Who leaves by hazard this week decides no more: exits come first, as in discrete-time search theory.
    """
    people, running = market.researchers, market.offers
    same = (people.spell[found.row] == found.spell) & ~people.leaving[found.row]
    same &= people.exit_week[found.row] != market.week
    wanted = same & ~segments.at(market.labs.failed, market.run_of(found.row), found.lab)
    labs, campaigns = market.shape[1], len(market.constants.campaigns)
    pair = found.row * labs + found.lab
    rank = campaigns - 1 - found.campaign  # campaigns first, then as they stand: one key, quickly sorted
    order = np.argsort((pair * (campaigns + 1) + rank) * len(pair) + np.arange(len(pair)))
    wanted[order] &= segments.starts(pair[order])
    if len(running):
        wanted &= ~np.isin(pair, running.row * labs + running.lab)
    return order[wanted[order]], np.flatnonzero(~wanted)


def _wait(market: Market, batch: Approaches) -> None:
    """What could not be paid this week is tried again next week, as long as patience lasts."""
    process = segments.at(market.labs.process, market.run_of(batch.row), batch.lab)
    weeks = process + market.scenario.market.hiring.patience
    waiting = market.week - batch.contact_week < weeks
    calendar.drop(market, batch.where(~waiting))
    calendar.put(market, market.week + 1, batch.where(waiting))


def _drafts(market: Market, found: Approaches) -> Offers:
    """Offers without a price: the terms of going and of staying as of this week."""
    rows, people = found.row, market.researchers
    return Offers.drafted(
        found,
        counter=0,
        terms=appraisal.lab_terms(market, rows, found.lab, found.unit, found.title),
        stay_terms=appraisal.stay_terms(market, rows, people.title[rows].astype(np.int64)),
        stay_pay=appraisal.stay_pay(market, rows),
    )


def _targets(market: Market, batch: Offers) -> Targets:
    """The estimates on which a lab prices: what interviews showed, else a guess at the mean attachment."""
    choice, equity = market.scenario.market.choice, market.scenario.market.equity
    rules, constants, rows, lab = market.scenario.market, market.constants, batch.row, batch.lab
    base, package = appraisal.scale_pay(market, rows, lab, batch.unit)
    outside = batch.origin == OUTSIDE
    current = market.researchers.weekly_base[rows] * WEEKS_PER_YEAR / 100
    on_scale = outside | (constants.posted[lab] & (batch.campaign < 0))
    base = np.where(on_scale, base, np.maximum(base, current))
    kappa = appraisal.new_kappa(market, lab)
    bond = np.where(outside, 0.0, choice.attachment_mean)
    against = batch.stay_terms + bond + choice.moving_cost - batch.terms
    reserved = worth.reservation(batch.stay_pay, against, choice.pay_elasticity)
    slope = np.full(len(rows), choice.pay_elasticity / choice.taste_scale)
    cap, at_cap, factor = _campaign_terms(market, batch)
    cap = base + cap / equity.horizon
    scale = np.where(on_scale, base + package / equity.horizon, cap)
    least = base
    met = np.flatnonzero((batch.interview_week != UNSET) & (batch.interest_week != UNSET) & ~outside)
    if len(met) and rules.interviews.noise > 0:
        reserved[met], slope[met] = _shown(market, batch.where(met)), 1 / rules.interviews.noise
    if len(met) and rules.interviews.pay_floor == "on":
        least = base.copy()
        least[met] = np.minimum(base + package / equity.horizon, cap)[met]
    targets = Targets(
        batch.value * factor, base, kappa, reserved, cap, on_scale | at_cap, scale, slope, least,
        rationed=outside & (rules.hiring.ration_outsiders == "on"),
        exempt=(batch.campaign >= 0) & (batch.interview_week == UNSET),
    )  # fmt: skip
    bids = np.flatnonzero(constants.auctions[lab] & (batch.campaign < 0))
    targets = _with_bids(market, batch, targets, bids) if len(bids) else targets
    ceiling = market.salary_cap[market.run_of(rows)]
    return _under_cap(targets, ceiling) if np.isfinite(ceiling).any() else targets


def _shown(market: Market, batch: Offers) -> Floats:
    """R^ as interviews show it: ln R^ = ln R* + rho logistic noise, R* the Y at which she is indifferent."""
    rows, lab = batch.row, batch.lab
    pull = appraisal.pull(market, rows, lab, batch.unit, batch.title)
    key = option_of(market, rows, lab, appraisal.whole_years(market, rows))
    u = uniforms(market.key_of(market.run_of(rows), Purpose.INTERVIEW, market.week), key)
    error = market.scenario.market.interviews.noise * np.log(u / (1 - u))
    return np.asarray(np.exp(error - pull / market.scenario.market.choice.pay_elasticity))


def _under_cap(targets: Targets, ceiling: Floats) -> Targets:
    """The same targets where no cost a year may be above a ceiling, USD."""
    low = {name: np.minimum(getattr(targets, name), ceiling) for name in ("base", "cap", "scale", "least")}
    return replace(targets, **low)


def bid(own_value: Floats, incumbent_value: Floats, least: float = 0.0) -> Floats:
    """Bertrand with full information: the loser's value, a trifle and at `least` so much above it (T4)."""
    higher = np.maximum(incumbent_value * (1 + TRIFLE), incumbent_value + least)
    return np.minimum(own_value, higher)


def _with_bids(market: Market, batch: Offers, targets: Targets, bids: Integers) -> Targets:
    """The same targets, with the offers `bids` of labs that bid against the incumbent's value."""
    rows, talent = batch.row[bids], market.scenario.market.talent
    place = market.researchers.place[rows].astype(np.int64)
    worth_to_incumbent = appraisal.observed_value(market, rows, np.maximum(place, 0))
    current = market.researchers.weekly_base[rows] * WEEKS_PER_YEAR / 100
    loser = np.where(place >= 0, worth_to_incumbent, current)
    cost = bid(batch.value[bids], loser, CENT_A_WEEK)
    targets.posted[bids], targets.scale[bids] = True, cost
    targets.base[bids] = worth.base_of(cost, talent.base_share, talent.base_cap / 100)
    return targets


def _campaign_terms(market: Market, batch: Offers) -> tuple[Floats, Booleans, Floats]:
    """Package cap in USD, whether it is paid to all, and the campaign's factor on value."""
    if (batch.campaign < 0).all():
        return np.full(len(batch), np.inf), np.zeros(len(batch), np.bool_), np.ones(len(batch))
    bodies = [event.body for event in market.constants.campaigns]
    cap = np.array([body.package_cap / 100 for body in bodies] + [np.inf])
    at_cap = np.array([body.pricing == "at_cap" for body in bodies] + [False])
    factor = np.array([body.value_factor for body in bodies] + [1.0])
    raised = np.array([body.raise_factor for body in bodies] + [1.0])[batch.campaign] ** batch.attempt
    return cap[batch.campaign], at_cap[batch.campaign], factor[batch.campaign] * raised


def _affordable(market: Market, batch: Offers, line: Integers, merit: Floats) -> Booleans:
    """Offers that escrow and, for a campaign, what is left of its envelope cover."""
    run, column = market.run_of(batch.row), market.line_of(batch)
    free = market.ledger.of(run, market.account_of(batch)) - segments.at(market.promised, run, column)
    budget = segments.at(market.budget, run, column)
    envelope = np.where(batch.campaign >= 0, budget, np.iinfo(np.int64).max)
    limits = [(batch.escrow, free), (batch.package, envelope)]
    return (budget > 0) & within_limits(line, merit, market.id_of(batch.row), limits)


def _send(market: Market, batch: Offers) -> None:
    """The offers go out, and what they promise is held."""
    batch.offer_week[:] = market.week
    batch.expires[:] = market.week + market.constants.expiry[batch.lab] - 1
    run, theirs = market.run_of(batch.row), batch.campaign >= 0
    segments.add(market.promised, (run, market.line_of(batch)), batch.escrow)
    segments.add(market.campaign_committed, (run[theirs], batch.campaign[theirs]), batch.package[theirs])
    segments.add(market.tally.offers, (run, batch.lab), 1)
    if len(market.offers):
        batch = Offers.joined([market.offers, batch])
        batch = batch.where(np.argsort(batch.row * market.shape[1] + batch.lab))
    market.offers = batch
