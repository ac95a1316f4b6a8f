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
    """Researchers whom a lab has contacted and not yet written to."""

    lab = whole("number of the lab that approaches", np.int16)
    unit = whole("number of the unit that would receive her", np.int16)
    campaign = whole("number of the campaign; -1: an ordinary approach", np.int16)
    origin = whole("her place when contacted", np.int16)
    origin_unit = whole("her unit when contacted, or her pool", np.int16)
    spell = whole("her spell when contacted; in another one the approach is void")
    title = whole("steps of title offered")
    inviter = whole("id of the colleague who asked her to follow; -1: nobody", np.int32)
    follows = whole("campaign that the inviter was hired by or followed; -1: none", np.int16)
    attempt = whole("offers of the campaign that she has refused before")
    contact_week = whole("week of the first approach", np.int16)
    interest_week = whole("week in which she was interested; -1: not asked", np.int16)
    interview_week = whole("week of the interviews; -1: none", np.int16)
    value = real("what the lab thinks she is worth, USD a year")


def of_campaigns(campaign: npt.NDArray[np.integer], follows: npt.NDArray[np.integer]) -> Booleans:
    """Whether each offer is a campaign's, or to somebody who follows one whom a campaign hired."""
    return np.asarray((campaign >= 0) | (follows >= 0))


class Offers(Approaches):
    """Written offers until they are settled or the person starts; pay and terms are those of its week."""

    outcome = whole("a number of OUTCOMES; -1: not decided", np.int16)
    offer_week = whole("week in which it is written", np.int16)
    expires = whole("week in which it is decided")
    counter_week = whole("week of the incumbent's answer; -1: none", np.int16)
    decision_week = whole("week of the decision; -1: none yet", np.int16)
    start_week = whole("week in which she starts; -1: she does not", np.int16)
    weekly_base = whole("base pay a week, cents", np.int64)
    sign_on = whole("sign-on, cents", np.int64)
    grant = whole("face of the grant, cents", np.int64)
    escrow = whole("money held for it: sign-on, a year of base and, where charged, the grant, cents")
    counter = whole("the incumbent's retention package, cents; 0: none", np.int64)
    raised_base = whole("weekly base to which the incumbent raises instead, cents; -1: it does not")
    pay = real("Y of the offer, USD a year")
    terms = real("utility of the offer but for pay, utils")
    stay_pay = real("Y of staying before any counter-offer, USD a year")
    stay_terms = real("utility of staying but for pay, counter-offer and attachment, utils")

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
