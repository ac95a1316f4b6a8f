"""What is asked for: a run, or several that are compared or swept, and what makes two requests the same."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sim.market.shared_past import world_of
from sim.market.simulate import LOGGED_RUNS, TOGETHER
from sim.scenario.loading import change_scenario, dump_scenario, load_scenario
from sim.scenario.schema import Scenario
from sim.system.version import __version__
from sim.system.whole_numbers import seed_number, whole_number

FORMAT = 3  # of a folder and its manifest
MOST_RUNS = 1_000_000
RUN, COMPARE, SWEEP = "run", "compare", "sweep"
OWN_CLASSES = "own_classes"


@dataclass(frozen=True)
class Request:
    """What is to be run: a scenario, a seed and the runs of the ensemble.

    `own_classes` names the classes of one's own by what they stand for, a lab or `researcher`. `origin` is
    the name or path the scenario was loaded from, and what was overridden in it.
    """

    scenario: Scenario
    seed: int
    runs: int
    only_run: int | None = None
    log: bool | None = None
    origin: tuple[str, tuple[str, ...]] | None = field(default=None, compare=False)
    own_classes: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        scenario: Scenario | str | os.PathLike[str],
        overrides: Sequence[str] = (),
        *,
        runs: int = 200,
        seed: int = 1,
        only_run: int | None = None,
        log: bool | None = None,
    ) -> Request:
        """A request, loading the scenario if a name or path is given.

        Raises:
            ScenarioError: if the scenario cannot be read.
            ValueError: if `runs`, `seed` or `only_run` is no whole number within its limits.
        """
        runs, seed = whole_number(runs, "runs", 1, MOST_RUNS), seed_number(seed)
        if only_run is not None:
            only_run = whole_number(only_run, "only_run", 0, runs - 1)
        log = None if log is None else bool(log)
        if isinstance(scenario, Scenario):
            changed = change_scenario(scenario, overrides) if overrides else scenario
            return cls(changed, seed, runs, only_run, log)
        loaded = load_scenario(scenario, overrides)
        return cls(loaded, seed, runs, only_run, log, (os.fspath(scenario), tuple(overrides)))

    @property
    def run_numbers(self) -> range:
        """Numbers of the runs to compute."""
        return range(self.runs) if self.only_run is None else range(self.only_run, self.only_run + 1)

    @property
    def full(self) -> bool:
        """Whether every offer and posting is kept: as asked, else with few runs."""
        return len(self.run_numbers) <= LOGGED_RUNS if self.log is None else self.log

    @cached_property
    def scenario_yaml(self) -> str:
        """The scenario as composed."""
        return dump_scenario(self.scenario)

    @property
    def scenario_hash(self) -> str:
        """SHA-256 of the scenario as composed."""
        return sha256(self.scenario_yaml)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two requests the same: their results are then equal bit for bit."""
        return {
            "format": FORMAT,
            "talentsim": __version__,
            "scenario": self.scenario.name,
            "scenario_sha256": self.scenario_hash,
            "seed": self.seed,
            "runs": self.runs,
            "only_run": self.only_run,
            "log": self.full,
        } | ({OWN_CLASSES: dict(self.own_classes)} if self.own_classes else {})

    @property
    def folder_name(self) -> str:
        """<scenario>-<first 8 digits of the identity's hash>."""
        return f"{self.scenario.name}-{short_hash(self.identity)}"


@dataclass(frozen=True)
class Experiment:
    """One run, a comparison or a sweep: requests of equal seed and runs by the name of the variant.

    Attributes:
        kind: run, compare or sweep.
        variants: by name; the first is the one that others are compared with.
        design: for a sweep, the values set in each variant by dotted path, in the variants' order.
    """

    kind: str
    variants: dict[str, Request]
    design: tuple[dict[str, str], ...] = ()

    @classmethod
    def of_run(cls, request: Request) -> Experiment:
        """A single run."""
        return cls(RUN, {RUN: request})

    @property
    def first(self) -> Request:
        """The request of the first variant."""
        return next(iter(self.variants.values()))

    @property
    def runs(self) -> int:
        """How many runs there are to compute, all variants together."""
        return sum(len(request.run_numbers) for request in self.variants.values())

    @cached_property
    def together(self) -> list[list[str]]:
        """Variants by task: those of one world, which may share a past, a few at a time."""
        worlds: dict[str, list[str]] = {}
        for name, request in self.variants.items():
            worlds.setdefault(world_of(request.scenario), []).append(name)
        return [names[i : i + TOGETHER] for names in worlds.values() for i in range(0, len(names), TOGETHER)]

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two experiments the same."""
        if self.kind == RUN:
            return self.first.identity
        shared = {key: self.first.identity[key] for key in ("format", "talentsim", "seed", "runs", "log")}
        hashes = {name: request.scenario_hash for name, request in self.variants.items()}
        return {**shared, "kind": self.kind, "variants": hashes, "design": [dict(p) for p in self.design]}

    @property
    def folder_name(self) -> str:
        """As a run's; `compare-<hash>` or `sweep-<scenario>-<hash>`."""
        if self.kind == RUN:
            return self.first.folder_name
        name = f"-{self.first.scenario.name}" if self.kind == SWEEP else ""
        return f"{self.kind}{name}-{short_hash(self.identity)}"


def difference(manifest: dict[str, Any], identity: dict[str, Any]) -> str:
    """The first thing in which a folder differs from what is asked for, in words; empty if in nothing."""
    for key in dict.fromkeys((OWN_CLASSES, *identity)):
        value, other = identity.get(key), manifest.get(key)
        if other == value:
            continue
        if key == OWN_CLASSES:
            return f"with {classes_told(other)}, not with {classes_told(value)}"
        if key == "scenario_sha256":
            return "another version of the scenario"
        if key in ("variants", "design"):
            return f"other {key}" if key == "variants" else "another design"
        return f"{key} {other}, not {value}"
    return ""


def classes_told(own: Any) -> str:
    """Classes of one's own by what they stand for, in words."""
    if not isinstance(own, dict) or not own:
        return "the plain labs and researchers"
    return "classes of one's own: " + ", ".join(f"{name} {kind}" for name, kind in own.items())


def sha256(text: str) -> str:
    """SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def short_hash(identity: dict[str, Any]) -> str:
    """The first 8 digits of the hash of an identity."""
    return sha256(json.dumps(identity, sort_keys=True))[:8]
