"""Approaches and the offers they become: the tables that labs, incumbents and researchers pass on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.market.columns import Columns, real, whole
from sim.system.arrays import Booleans, Integers

OUTCOMES = ("accepted", "declined", "lapsed")
ACCEPTED, DECLINED, LAPSED = range(len(OUTCOMES))


class Approaches(Columns):
    """Researchers whom a lab has contacted and not yet written to.

    `campaign` is -1 for an ordinary approach, `origin` the place when contacted, `spell` the spell
    then; `value` is what the lab thinks the person is worth, USD a year. Who was asked by a colleague
    has her id as `inviter`, and as `follows` the campaign that the colleague was hired by or followed.
    `attempt` counts the offers of the campaign that were refused before.
    """

    lab = whole(np.int16)
    unit = whole(np.int16)
    campaign = whole(np.int16)
    origin = whole(np.int16)
    spell = whole()
    title = whole()
    inviter = whole(np.int32)
    follows = whole(np.int16)
    attempt = whole()
    contact_week = whole(np.int16)
    interview_week = whole(np.int16)
    value = real()


def of_campaigns(campaign: npt.NDArray[np.integer], follows: npt.NDArray[np.integer]) -> Booleans:
    """Which offers are campaigns', or to those who follow somebody whom one hired."""
    return np.asarray((campaign >= 0) | (follows >= 0))


class Offers(Approaches):
    """Written offers until they are settled or the person starts.

    Money in cents: `sign_on`, `grant` (its face), `counter` (the incumbent's retention package).
    `raised_base` is the weekly base to which the incumbent raises instead, -1 if it does not.
    `outcome` is -1 until it is decided. `pay` is Y of the offer and `terms` its other terms;
    `stay_pay` and `stay_terms` are those of staying, before any counter-offer and attachment: all as
    of the week in which the offer is written, in USD a year and utils.
    """

    outcome = whole(np.int16)
    offer_week = whole(np.int16)
    expires = whole()
    counter_week = whole(np.int16)
    decision_week = whole(np.int16)
    start_week = whole(np.int16)
    weekly_base = whole(np.int64)
    sign_on = whole(np.int64)
    grant = whole(np.int64)
    counter = whole(np.int64)
    raised_base = whole()
    pay = real()
    terms = real()
    stay_pay = real()
    stay_terms = real()

    @classmethod
    def drafted(cls, found: Approaches, **values: Any) -> Offers:
        """Offers to the people approached, with the further columns given."""
        offers = cls.new(len(found), **values)
        offers.integers[: len(found.integers)] = found.integers  # the columns of an approach come first
        offers.floats[: len(found.floats)] = found.floats
        return offers

    def kept(self, week: int) -> dict[str, npt.NDArray[Any]]:
        """What stays of offers that came to their end in a week: columns as narrow as their values allow."""
        columns = {name: column.kept for name, column in self.columns.items() if column.kept is not None}
        found = {name: getattr(self, name).astype(kind) for name, kind in columns.items()}
        return found | {"closed": np.full(len(self), week, np.int16)}

    @property
    def campaigns(self) -> Booleans:
        """Offers of campaigns, and to those who follow somebody whom one hired."""
        return of_campaigns(self.campaign, self.follows)

    @property
    def accepted(self) -> Booleans:
        """Offers accepted, whose people have not yet started."""
        return np.asarray(self.outcome == ACCEPTED)

    @property
    def package(self) -> Integers:
        """Sign-on and face of the grant, cents."""
        return self.sign_on + self.grant

    @property
    def first_year_base(self) -> Integers:
        """52 weeks of base, cents."""
        return 52 * self.weekly_base

    @property
    def escrow(self) -> Integers:
        """Cash held for an offer: sign-on and a year of base, cents."""
        return self.sign_on + self.first_year_base
