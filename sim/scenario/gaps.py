"""How far a lab can fall among its rivals: a plan that waits for more than that never fires.

Events move ln standing by steps that fade; noise and the talent that labs win or lose move it a little.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.scenario.errors import Issue
from sim.scenario.world import World

_SDS = 6.0  # of the noise of ln standing: beyond, nothing is ever seen
_HINT = "lower it, or let a model_release of the lab disappoint, or a rival's impress"


def by_events(world: World, lab: str) -> float:
    """The fall of a lab's ln standing among its rivals if every event that widens it happened at once."""
    rise = dict.fromkeys(world.labs, 0.0)
    fall = 0.0
    for event in world.events:
        release = event.model_release
        whose = getattr(event.body, "buyer", None) or getattr(event.body, "lab", None)
        step = getattr(event.body, "standing", 0.0)
        if release is not None:
            step = release.reception * world.market.standing.release_sd
        if whose == lab:
            fall += max(-step, 0.0)
        elif whose in rise:
            rise[whose] += max(step, 0.0)
    best_rival = max((rise[name] for name in rise if name != lab), default=0.0)
    return float(fall + world.market.standing.rivalry * best_rival)


def widest(world: World, lab: str) -> float:
    """The fall of a lab's ln standing among its rivals at most, with noise and talent against it too."""
    rule, talent = world.market.standing, world.market.talent
    least = (2 - talent.cap**-talent.tail_exponent) ** (-1 / talent.tail_exponent)  # of a median of 1
    drift = _SDS * rule.noise + rule.talent_weight * math.log(talent.cap / least)
    return float(by_events(world, lab) + (1 + rule.rivalry) * drift)


def _waiting(world: World) -> Iterator[tuple[str, str, float]]:
    """Path, lab and gap of each plan that waits for one."""
    for i, event in enumerate(world.events):
        if event.when is not None and event.when.standing_gap is not None and event.lab in world.labs:
            yield f"events.{i}.when.standing_gap", event.lab, event.when.standing_gap


def never_open(world: World) -> Iterator[Issue]:
    """Plans that wait for a gap which can never open."""
    for path, lab, gap in _waiting(world):
        if len(world.labs) < 2:
            yield Issue(path, "the gap can never open: there is no rival")
        elif gap >= (most := widest(world, lab)):
            yield Issue(path, f"the gap can never open: {lab} falls by {most:.2f} at the very most", _HINT)


def opened_by_chance(world: World) -> Iterator[Issue]:
    """A caution about plans that wait for a gap which no event opens."""
    for path, lab, gap in _waiting(world):
        if gap >= (fall := by_events(world, lab)):
            said = f"the plan may never fire: by events alone {lab} falls by {fall:.2f} at most"
            yield Issue(path, said, _HINT)
