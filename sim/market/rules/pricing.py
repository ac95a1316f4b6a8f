"""Step 5, pricing: what each lab offers, under its budget and with every promise covered.

People at rivals are priced at the optimum against the choice rule, max (v - w) P(w); people from
outside at the lab's own pay for their talent. Where a line's expected cost is above its budget, one
multiplier mu lowers v to v / (1 + mu) for all its offers. Escrow holds a sign-on and a year of base
for every live offer; offers go out in order of surplus per dollar until it is full, the rest wait.
Source: MODEL step 5; T10. Unit of time: the week; pay in USD a year, promises in cents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sim.market import appraisal, segments, worth
from sim.market.offers import LAPSED, Approaches, Offers
from sim.market.state import OUTSIDE, Market
from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Booleans, Floats, Integers

STEPS = 10  # of false position: spend comes within 3e-8 of the budget
TINY = 1e-6  # an excess that is as good as none
LARGEST_LN_MULTIPLIER = 5.0
TRIFLE = 1e-6  # by which a winning bid beats the loser's value
MONEY = ("weekly_base", "sign_on", "grant", "counter")


@dataclass(frozen=True)
class Targets:
    """What pricing needs to know of each offer; columns of one length, USD a year.

    `value` v, `base` b, `kappa` worth of a dollar of package, `reservation` R, `cap` on w,
    `posted` whether w is fixed at `scale` (people from outside, or a campaign that pays the cap).
    """

    value: Floats
    base: Floats
    kappa: Floats
    reservation: Floats
    cap: Floats
    posted: Booleans
    scale: Floats

    def where(self, chosen: Integers) -> Targets:
        """The targets at some positions."""
        return Targets(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def acceptance(self, cost: Floats, elasticity: float) -> Floats:
        """Chance of acceptance at a yearly cost."""
        return worth.acceptance(self.base + self.kappa * (cost - self.base), self.reservation, elasticity)


def price(targets: Targets, multiplier: Floats, elasticity: float) -> tuple[Floats, Floats]:
    """Yearly cost w and chance of acceptance P of each offer, at v / (1 + mu)."""
    value = targets.value / (1 + multiplier)
    best = worth.best_price(value, targets.base, targets.kappa, targets.reservation, elasticity)
    cost = np.where(targets.posted, targets.scale, np.clip(best, targets.base, targets.cap))
    return cost, targets.acceptance(cost, elasticity)


def price_within_budgets(
    targets: Targets, line: Integers, budget: Floats, elasticity: float, horizon: float
) -> tuple[Floats, Floats, Floats]:
    """Prices so that the sum of P times cost over the offers of a budget line is at most its budget.

    Args:
        targets: what pricing needs to know of each offer, (n,).
        line: (n,), budget line of each offer.
        budget: (lines,), USD.
        elasticity: alpha / sigma.
        horizon: H, years of cost.

    Returns:
        Cost w a year (n,), chance of acceptance (n,), and mu of each line (lines,): 0 where the budget
        does not bind, the smallest found that keeps it where it does, the largest where none is enough;
        where there is no budget at all nothing goes out, and prices stay as they are.
    """
    cost, chance = price(targets, np.zeros(len(line)), elasticity)
    over = excess(line, chance * cost * horizon, budget)
    multiplier = np.where(over > 0, np.expm1(LARGEST_LN_MULTIPLIER), 0.0)
    binds = (over > 0) & (budget > 0)
    bound = np.flatnonzero(binds[line])
    if not len(bound):
        return cost, chance, multiplier
    some, theirs = targets.where(bound), (np.cumsum(binds) - 1)[line[bound]]

    def excess_at(ln_multiplier: Floats) -> Floats:
        """The excess at other multipliers, of the lines that bind."""
        cost, chance = price(some, np.expm1(ln_multiplier)[theirs], elasticity)
        return excess(theirs, chance * cost * horizon, budget[binds])

    multiplier[binds] = np.expm1(smallest_enough(excess_at, over[binds]))
    cost[bound], chance[bound] = price(some, multiplier[line[bound]], elasticity)
    return cost, chance, multiplier


def excess(line: Integers, expected: Floats, budget: Floats) -> Floats:
    """ln (spend / budget) of each line, from what each offer is expected to cost."""
    spend = np.bincount(line, weights=expected, minlength=len(budget))
    return np.log(np.maximum(spend, worth.SMALLEST) / np.maximum(budget, worth.SMALLEST))


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
    """Price the approaches that are due and write the offers that can be paid."""
    found = Approaches.joined(market.approaches.pop(market.week, []))
    if not len(found):
        return
    wanted, others = _still_wanted(market, found)
    _drop(market, found.where(others))
    batch = _drafts(market, found.where(wanted))
    line = market.run_of(batch.row) * market.budget.shape[1] + market.line_of(batch)
    targets = _targets(market, batch)
    choice, horizon = market.scenario.market.choice, market.scenario.market.equity.horizon
    slope = choice.pay_elasticity / choice.taste_scale
    budget = market.budget.ravel() / 100
    cost, chance, multiplier = price_within_budgets(targets, line, budget, slope, horizon)
    for own in market.behaviours.get("price", []):
        theirs = np.flatnonzero(own.applies[batch.lab])
        if len(theirs):
            some = targets.where(theirs)
            asked = own.decide(batch.row[theirs], some, multiplier[line[theirs]])
            cost[theirs] = np.maximum(asked, some.base)  # no package is negative
            chance[theirs] = some.acceptance(cost[theirs], slope)
    batch.weekly_base[:] = np.rint(targets.base * 100 / WEEKS_PER_YEAR)
    share = market.scenario.market.equity.sign_on_share
    package = appraisal.package_cents(market, (cost - targets.base) * horizon, batch.lab)
    batch.sign_on[:], batch.grant[:] = appraisal.split_package(package, share)
    base = batch.weekly_base * WEEKS_PER_YEAR / 100
    batch.pay[:] = appraisal.package_pay(market, base, batch.sign_on, batch.grant, batch.lab)
    fits = _affordable(market, batch, line, (targets.value - cost) * chance / np.maximum(cost, 1.0))
    _send(market, batch if fits.all() else batch.where(fits))
    _wait(market, found.where(wanted[~fits]))


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


def _drop(market: Market, batch: Approaches) -> None:
    """Approaches end without an offer: outsiders leave their vacancy to others, a campaign's are logged."""
    theirs = batch.where(batch.campaign >= 0)
    if len(theirs):
        market.log_offers(Offers.drafted(theirs, outcome=LAPSED, **dict.fromkeys(MONEY, 0)))
    gone = batch.origin == OUTSIDE
    segments.add(market.pending, (market.run_of(batch.row[gone]), batch.lab[gone]), -1)


def _wait(market: Market, batch: Approaches) -> None:
    """What could not be paid this week is tried again next week, as long as patience lasts."""
    process = segments.at(market.labs.process, market.run_of(batch.row), batch.lab)
    weeks = process + market.scenario.market.hiring.patience
    waiting = market.week - batch.contact_week < weeks
    _drop(market, batch.where(~waiting))
    if waiting.any():
        market.approaches.setdefault(market.week + 1, []).append(batch.where(waiting))


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
    """The estimates on which a lab prices: it guesses the mean attachment, and knows the rest."""
    choice, equity = market.scenario.market.choice, market.scenario.market.equity
    constants, rows, lab = market.constants, batch.row, batch.lab
    base, package = appraisal.scale_pay(market, rows, lab, batch.unit)
    outside = batch.origin == OUTSIDE
    current = market.researchers.weekly_base[rows] * WEEKS_PER_YEAR / 100
    on_scale = outside | (constants.posted[lab] & (batch.campaign < 0))
    base = np.where(on_scale, base, np.maximum(base, current))
    kernel = constants.new_kernel[constants.kernel_terms[lab]]
    kappa = worth.package_worth(equity.sign_on_share, constants.equity_value[lab], kernel)
    bond = np.where(outside, 0.0, choice.attachment_mean)
    against = batch.stay_terms + bond + choice.moving_cost - batch.terms
    floor = worth.reservation(batch.stay_pay, against, choice.pay_elasticity)
    cap, at_cap, factor = _campaign_terms(market, batch)
    cap = base + cap / equity.horizon
    scale = np.where(on_scale, base + package / equity.horizon, cap)
    targets = Targets(batch.value * factor, base, kappa, floor, cap, on_scale | at_cap, scale)
    bids = np.flatnonzero(constants.auctions[lab] & (batch.campaign < 0))
    targets = _with_bids(market, batch, targets, bids) if len(bids) else targets
    ceiling = market.salary_cap[market.run_of(rows)]
    return _under_cap(targets, ceiling) if np.isfinite(ceiling).any() else targets


def _under_cap(targets: Targets, ceiling: Floats) -> Targets:
    """The same targets where no cost a year may be above a ceiling, USD."""
    low = {name: np.minimum(getattr(targets, name), ceiling) for name in ("base", "cap", "scale")}
    return replace(targets, **low)


def bid(own_value: Floats, incumbent_value: Floats) -> Floats:
    """Bertrand with full information: the loser's value, a trifle above it for the winner (T4)."""
    return np.minimum(own_value, incumbent_value * (1 + TRIFLE))


def _with_bids(market: Market, batch: Offers, targets: Targets, bids: Integers) -> Targets:
    """The same targets, with the offers `bids` of labs that bid against the incumbent's value."""
    rows, talent = batch.row[bids], market.scenario.market.talent
    place = market.researchers.place[rows].astype(np.int64)
    worth_to_incumbent = appraisal.observed_value(market, rows, np.maximum(place, 0))
    current = market.researchers.weekly_base[rows] * WEEKS_PER_YEAR / 100
    cost = bid(batch.value[bids], np.where(place >= 0, worth_to_incumbent, current))
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
