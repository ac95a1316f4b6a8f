"""Step 4, interest: people who are approached go to interviews if the lab might win them as things are known.

Somebody who is approached knows her own tastes and attachment, but of the package only what the lab is known
to pay for her talent, Y~; a campaign's signal is that times its value factor. She goes to interviews if
alpha ln Y~ + terms - c_move + taste + s >= alpha ln Y_stay + terms of staying + A + taste of staying, with
the tastes by which she will choose; s is what she hopes for beyond. People whom a mover asks to follow are
asked too; a process of no weeks, and a campaign without interviews, send their offers unasked.
Source: McFadden's logit; Faberman, Mueller, Sahin and Topa on offers (L5); s is fitted. Weeks, utils.
"""

from __future__ import annotations

import numpy as np

from sim.market import appraisal, calendar, segments
from sim.market.columns import UNSET
from sim.market.offers import Approaches
from sim.market.state import Market
from sim.system.arrays import Booleans, Floats, Integers


def goes_to_interviews(known_pay: Floats, pull: Floats, slack: Floats, elasticity: float) -> Booleans:
    """Whether each is interested: alpha ln Y~ + pull + s >= 0.

    Args:
        known_pay: Y~, (n,), USD a year.
        pull: (n,), utility of the offer but for its pay, less that of staying.
        slack: s, (n,), utils.
        elasticity: alpha.
    """
    return np.asarray(elasticity * np.log(known_pay) + pull + slack >= 0)


def respond(market: Market) -> None:
    """Keep, of those found this week and those asked to follow, the interested."""
    found = Approaches.joined(market.contacted)
    market.contacted.clear()
    if len(found) and market.scenario.market.interviews.interest == "on":
        asked = np.flatnonzero(is_asked(market, found))
        interested = np.ones(len(found), np.bool_)
        interested[asked] = _interested(market, found.where(asked))
        found.interest_week[asked] = market.week
        calendar.log_unmade(market, found.where(~interested))
        found = found.where(interested)
    segments.add(market.tally.interested, (market.run_of(found.row), found.lab), 1)
    market.contacted.append(found)


def is_asked(market: Market, found: Approaches) -> Booleans:
    """Whether each is asked before anything is offered: where there are interviews, or a colleague asks."""
    process = segments.at(market.labs.process, market.run_of(found.row), found.lab)
    screened = (process > 0) & ~market.constants.unscreened[found.campaign]
    return np.asarray(screened | (found.inviter != UNSET))


def signal(market: Market, found: Approaches) -> Floats:
    """Y~ of each approach: the lab's known pay, times a campaign's value factor."""
    known = appraisal.known_pay(market, found.row, found.lab, found.unit)
    return known * market.constants.signal_factor[found.campaign]


def slack_of(market: Market, rows: Integers) -> Floats:
    """s of each person: one of those at labs, another of those outside."""
    rule = market.scenario.market.interviews
    return np.where(market.researchers.place[rows] >= 0, rule.slack, rule.outside_slack)


def _interested(market: Market, found: Approaches) -> Booleans:
    rows, elasticity = found.row, market.scenario.market.choice.pay_elasticity
    pull = appraisal.pull(market, rows, found.lab, found.unit, found.title)
    known, slack = signal(market, found), slack_of(market, rows)
    interested = goes_to_interviews(known, pull, slack, elasticity)
    for own in market.behaviours.get("interest", []):
        gap = elasticity * np.log(known) + pull
        for i in np.flatnonzero(own.applies[rows]):
            interested[i] = own.decide(int(rows[i]), found.where(np.array([i])), float(gap[i]))
    return interested
