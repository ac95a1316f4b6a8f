"""The state says what its columns are, and nobody is left without what lies ahead of her."""

from dataclasses import fields

import numpy as np
import pytest
from small_markets import everybody_moves, scenario, weeks_of

from sim.market.offers import Offers
from sim.market.rules.shocks import APPLIERS
from sim.market.state import NEVER, Labs, Researchers, Tally
from sim.scenario.events import KINDS


@pytest.mark.parametrize("table", [Researchers, Labs, Tally])
def test_every_column_of_the_state_has_its_gloss(table) -> None:
    glosses = [f.metadata.get("gloss", "") for f in fields(table)]
    assert all(glosses)
    assert len(set(glosses)) == len(glosses)


def test_every_column_of_offers_has_its_gloss() -> None:
    glosses = [column.gloss for column in Offers.columns.values()]
    assert all(glosses)
    assert len(set(glosses)) == len(glosses)


def test_columns_are_of_the_kind_that_they_say() -> None:
    people = Researchers.empty(5)
    assert {f.name: getattr(people, f.name).dtype for f in fields(people)} == {
        f.name: np.dtype(f.metadata["kind"]) for f in fields(people)
    }
    assert people.mission.shape == (5, 3)
    labs = Labs.empty(2, 3, 4)
    assert (labs.valuation == 1).all()
    assert labs.unit_mission.shape == (2, 4, 3)
    assert Tally.zero(2, 3).left.shape == (2, 3, 6)


def test_every_kind_of_event_has_words_and_an_applier() -> None:
    assert set(APPLIERS) == set(KINDS)
    assert all(kind.words for kind in KINDS.values())


def test_whoever_arrives_somewhere_has_an_approach_before_her_when_the_week_is_over() -> None:
    arrived = 0
    for market in weeks_of(scenario(everybody_moves()), [0, 1]):
        people = market.researchers
        here = (people.start_week == market.week - 1) & (people.place >= 0)
        arrived += int(here.sum())
        assert not market.newcomers
        assert (people.contact_week[here] < NEVER).all()
    assert arrived > 5
