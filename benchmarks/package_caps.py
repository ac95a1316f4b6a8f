"""What a cap on packages does at pay elasticities 1, 2 and 3, with priced offers and with offers at the cap.

    python -m benchmarks.package_caps [--runs 100] [--jobs 2]

Pay elasticity is not identified by the public figures, so every answer about package size is shown at
three. At each, contacts and the worth of the median researcher are those of the joint fit, and mean
attachment is set so that the campaign of meta-2025, priced and capped at 100M USD, is accepted by 4 of 46.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.optimize import brentq

from sim.market import simulate
from sim.scenario.loading import load_scenario

Acceptance = Callable[[float, str, str], np.ndarray]
TARGET = 4 / 46
CAPS = ("20M USD", "100M USD", "300M USD")
# Contacts a year and the worth of the median researcher (2.3, 1.9 and 1.7 times her pay) at each elasticity.
JOINT = {
    1.0: ("2.6 /year", "1.84M USD/year"),
    2.0: ("2.5 /year", "1.52M USD/year"),
    3.0: ("4.8 /year", "1.36M USD/year"),
}


def acceptance(
    runs: int, jobs: int, elasticity: float, attachment: float, cap: str, pricing: str
) -> np.ndarray:
    """Share of the campaign's offers accepted in each run."""
    contacts, worth = JOINT[elasticity]
    scenario = load_scenario(
        "meta-2025",
        [
            f"market.choice.pay_elasticity={elasticity}", f"market.choice.attachment_mean={attachment}",
            f"market.contact.rate={contacts}", f"market.value.median={worth}",
            f"events.campaign.package_cap={cap}", f"events.campaign.pricing={pricing}", "horizon=130 weeks",
        ],
    )  # fmt: skip
    offers = simulate.simulate(scenario, 1, range(runs), jobs, log=False)["offers"].to_pandas()
    written = offers[(offers["campaign"] == "meta-at-openai") & offers["offer_week"].notna()]
    return (written["outcome"] == "accepted").groupby(written["run"]).mean().to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    print("alpha  attachment  pricing  " + "".join(f"{cap:>18}" for cap in CAPS))
    for elasticity in JOINT:
        mean = partial(acceptance, options.runs, options.jobs, elasticity)

        def excess(a: float, mean: Acceptance = mean) -> float:
            return float(mean(a, CAPS[1], "priced").mean()) - TARGET

        attachment = brentq(excess, 2.0, 8.0, xtol=0.05)
        for pricing in ("priced", "at_cap"):
            found = [mean(round(attachment, 2), cap, pricing) for cap in CAPS]
            cells = "".join(f"{x.mean():10.3f} ± {x.std(ddof=1) / np.sqrt(len(x)):.3f}" for x in found)
            print(f"{elasticity:5.0f} {attachment:11.2f}  {pricing:7}  {cells}", flush=True)


if __name__ == "__main__":
    main()
