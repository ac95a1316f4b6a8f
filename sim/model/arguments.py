"""What a model was asked for, in the form in which Mesa hands it on when its page is reset.

Mesa builds the next model as `type(model)(scenario=type(model.scenario)(**what the page says))`. So the
class of `model.scenario` carries what the model was asked for, and Reset gives the same market at week 0
but for what the page says.
"""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from mesa.experimental.scenarios import Scenario as MesaScenario

from sim.system.whole_numbers import LARGEST_SEED, seed_number

DEFAULTS = {"scenario": "meta-2025", "run": 0, "agents": True}
NAMES = ("scenario", "seed", "run", "rng", "agents", "labs", "researcher")
SEED_BITS = 53  # of a seed that is drawn: spreadsheets and JSON keep so large a number exactly


class Arguments(MesaScenario):  # type: ignore[type-arg]
    """The arguments of a model, by name; the defaults of each class of its own are those of one model."""

    def __init__(self, *, rng: Any = None, **changed: Any) -> None:
        super().__init__(rng=rng, _scenario_id=0, **changed)  # Mesa's numbers would keep every class alive
        if rng is not None and "seed" not in changed:
            self.__dict__["seed"] = None

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is copied and pickled: its class is made anew."""
        return (
            arguments_like,
            (dict(self._scenario_defaults),),
            {"values": self.__dict__, "model": self.model},
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state["values"])
        object.__setattr__(self, "model", state["model"])


def arguments_like(given: dict[str, Any]) -> Arguments:
    """Arguments of a class of its own, whose defaults are those given."""
    own = type("Arguments", (Arguments,), {})
    own._scenario_defaults = given  # type: ignore[attr-defined]
    return own()  # type: ignore[no-any-return]


def arguments_of(scenario: Any, **explicit: Any) -> dict[str, Any]:
    """What a model is asked for: what is said explicitly, then what a Mesa scenario says, then defaults.

    Args:
        scenario: a scenario of ours, a name, a path, None, or a Mesa scenario with arguments as attributes.
        explicit: the other arguments; None is not said.

    Raises:
        ValueError: if the Mesa scenario says what no model takes, or two seeds are given.
    """
    said = dict(scenario) if isinstance(scenario, MesaScenario) else {"scenario": scenario}
    if unknown := sorted(set(said) - set(NAMES)):
        raise ValueError(f"a TalentMarket takes no {', '.join(unknown)}; it takes {', '.join(NAMES)}")
    given = {name: value for name, value in explicit.items() if value is not None}
    if given.keys() & {"seed", "rng"}:
        said = {name: value for name, value in said.items() if name not in ("seed", "rng")}
    found = DEFAULTS | {name: value for name, value in said.items() if value is not None} | given
    if "seed" in found and "rng" in found:
        raise ValueError("give either seed or rng, not both: they are two words for one thing")
    return found


def seed_from(value: Any) -> int:
    """The seed that is meant: a whole number, one drawn from a source of randomness, or a fresh one.

    Args:
        value: None for a fresh seed; a whole number; or what numpy makes a generator of: a Generator,
            a BitGenerator, a SeedSequence, or a list of whole numbers.

    Raises:
        ValueError: if it is nothing of these.
    """
    if value is None:
        return secrets.randbits(SEED_BITS)
    if isinstance(value, np.random.Generator | np.random.BitGenerator):
        return int(np.random.default_rng(value).integers(LARGEST_SEED, dtype=np.uint64, endpoint=True))
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim == 1):
        value = np.random.SeedSequence([seed_number(part, "a part of the seed") for part in value])
    if isinstance(value, np.random.SeedSequence):
        return int(value.generate_state(1, np.uint64)[0])
    return seed_number(value)
