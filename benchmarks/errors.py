"""Would anybody notice? Deliberate errors in the market's rules, one at a time, against the tests.

    python -m benchmarks.errors [--only NAME] [--jobs 2]

Each error is one replacement in a copy of the package. It is caught if a test fails, or if `talentsim verify`
does. The tests are those named with the error, then the others of the market; the last resort is verify.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKET = ("test_rules", "test_worth", "test_appraisal", "test_market", "test_events", "test_happenings",
          "test_metamorphic", "test_reproducible", "test_opening", "test_fields")  # fmt: skip


@dataclass(frozen=True)
class Error:
    """One replacement, and the test file most likely to notice."""

    name: str
    file: str
    right: str
    wrong: str
    first: str = "test_rules"


ERRORS = (
    Error("the cliff is skipped", "market/worth.py", "np.where(whole < cliff, 0.0, whole / length)", "whole / length", "test_worth"),
    Error("discounting the wrong way", "market/worth.py", "np.exp(-(discount + hazard) * vest_months", "np.exp((discount + hazard) * vest_months", "test_worth"),
    Error("tenure loosens", "market/worth.py", "attachment + tenure_effect * np.log1p(tenure_years)", "attachment - tenure_effect * np.log1p(tenure_years)", "test_worth"),
    Error("price ignores the reservation", "market/worth.py", "goal, constant = np.log(target / rho)", "goal, constant = np.log(target / np.maximum(rho, np.max(rho)))", "test_worth"),
    Error("acceptance falls with pay", "market/worth.py", "odds_against = elasticity * np.log(np.asarray(reservation) / worth)", "odds_against = -elasticity * np.log(np.asarray(reservation) / worth)", "test_worth"),
    Error("ties lower the worth", "market/worth.py", "(1 + np.asarray(ties_term))", "(1 - np.asarray(ties_term))", "test_worth"),
    Error("a counter ignores its cap", "market/rules/counteroffers.py", "np.minimum(gap, value - present_cost)", "gap"),
    Error("counters are written to everybody again", "market/rules/counteroffers.py", "& ~(people.countered[rows] & (policy == MATCH_ONCE))", "", "test_market"),
    Error("the incumbent answers what it has not heard of", "market/rules/counteroffers.py", "((Purpose.DETECTION, labs.detection), (Purpose.ANSWER, labs.answering))", "((Purpose.ANSWER, labs.answering),)", "test_market"),
    Error("the loser's offer wins", "market/rules/choice.py", "winner = (offer == highest) & (offer > stay)", "winner = (offer == highest) & (offer < stay)"),
    Error("the second best offer wins ties over", "market/rules/choice.py", "np.maximum.reduceat(offer", "np.minimum.reduceat(offer"),
    Error("moving costs nothing", "market/rules/choice.py", "batch.terms - choice.moving_cost", "batch.terms", "test_fields"),
    Error("fresh taste for a repeated offer", "market/appraisal.py", "drawn = gumbels(market.key_of(market.run_of(rows), Purpose.TASTE), key)", "drawn = gumbels(market.key_of(market.run_of(rows), Purpose.TASTE, market.week), key)", "test_appraisal"),
    Error("attachment pulls away", "market/rules/choice.py", "batch.stay_terms + people.attachment[rows]", "batch.stay_terms - people.attachment[rows]", "test_market"),
    Error("a hazard applied twice", "market/spells.py", "hazard = np.where(at_lab, hazard, np", "hazard = np.where(at_lab, 2 * hazard, np", "test_events"),
    Error("kind labs lose more", "market/constants.py", "base * np.exp(-slope * conditions[:, None])", "base * np.exp(slope * conditions[:, None])", "test_opening"),
    Error("the acqui-hired stay like others", "market/spells.py", "early = np.where(acquired, hazard * market", "early = np.where(acquired, hazard + 0 * market", "test_events"),
    Error("nobody claws back", "market/spells.py", "owing = (served < window)", "owing = (served > window)", "test_market"),
    Error("the whole account may be offered", "market/rules/budget.py", "np.floor(share * free)", "np.floor(free)"),
    Error("promises are forgotten", "market/rules/budget.py", "balance - committed - runway * payroll", "balance - runway * payroll"),
    Error("escrow is never held", "market/rules/pricing.py", "segments.add(market.promised, (run, market.line_of(batch)), batch.escrow)", "pass", "test_market"),
    Error("the budget does not bind", "market/rules/pricing.py", "binds = (over > 0)", "binds = (over > 70)", "test_worth"),
    Error("offers above the cap", "market/rules/pricing.py", "np.clip(best, targets.base, targets.cap)", "np.maximum(best, targets.base)", "test_worth"),
    Error("the worst candidates first", "market/segments.py", "falling = np.argsort(-merit)", "falling = np.argsort(merit)"),
    Error("contacts by headcount plan alone", "market/rules/contact.py", "gap_weight * np.maximum(plan - staff, 0.0) + replacement * staff", "gap_weight * np.maximum(plan - staff, 0.0)"),
    Error("referrals go astray", "market/rules/contact.py", "excess[unsure] < referral", "excess[unsure] > referral", "test_market"),
    Error("movers hold half of their grant", "market/rules/moves.py", "people.grant[rows] = appraisal.shares_of(market, batch.grant, run, lab)", "people.grant[rows] = appraisal.shares_of(market, batch.grant // 2, run, lab)", "test_market"),
    Error("a campaign pays no first year", "market/rules/moves.py", "Ledger.talent(batch.lab[theirs]), batch.first_year_base[theirs]", "Ledger.talent(batch.lab[theirs]), 0 * batch.first_year_base[theirs]", "test_market"),
    Error("twice as many are asked to follow", "market/rules/liftouts.py", "u < invitations / ties", "u < 2 * invitations / ties"),
    Error("the overpaid are slighted", "market/rules/pay_equity.py", "np.where(ratio < threshold * (1 - 1e-6)", "np.where(ratio > threshold * (1 - 1e-6)"),
    Error("standing never returns", "market/rules/standing.py", "weekly * ln_standing + (1 - weekly) * target", "ln_standing"),
    Error("noise too large by the week", "market/rules/standing.py", "sd * np.sqrt(1 - weekly**2) * z", "sd * z"),
    Error("inflows ignore standing", "market/rules/payroll.py", "* factor * np.exp(elasticity * ln_standing)", "* factor"),
    Error("an envelope is lost", "market/events/campaigns.py", 'market.ledger.post(market.week, "returned"', '0 and market.ledger.post(market.week, "returned"', "test_happenings"),
    Error("founders raise no seed", "market/rules/births.py", "market.seed[run])", "0 * market.seed[run])", "test_happenings"),
    Error("a refused offer is made again for ever", "market/rules/repeats.py", "attempt < repeats", "attempt <= repeats + 99", "test_rules"),
)  # fmt: skip

NONE = Error("no error at all", "market/worth.py", "SMALLEST = 1e-9", "SMALLEST = 1e-9")


def tested(error: Error) -> tuple[Error, str]:
    """The error and the test that caught it, or an empty text."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(ROOT / "sim", root / "sim", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("scenarios", "seeds", "pyproject.toml"):
            (root / name).symlink_to(ROOT / name)
        path = root / "sim" / error.file
        source = path.read_text("utf-8")
        if source.count(error.right) != 1:
            raise SystemExit(f"{error.name}: {error.file} does not hold once: {error.right}")
        path.write_text(source.replace(error.right, error.wrong), "utf-8")
        environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        for name in dict.fromkeys((error.first, *MARKET)):
            (file,) = (ROOT / "tests").rglob(f"{name}.py")
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-qx",
                "-n0",
                "-m",
                "not slow",
                "-p",
                "no:cacheprovider",
                str(file),
            ]
            if _fails(command, root, environment):
                return error, name
        return error, "verify" if _fails([sys.executable, "-m", "sim", "verify"], root, environment) else ""


def _fails(command: list[str], root: Path, environment: dict[str, str]) -> bool:
    # run where the copy is: Python looks for packages there first
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, timeout=900, check=False)
    return done.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="the errors whose names hold these words")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    chosen = [error for error in ERRORS if (options.only or "") in error.name]
    if not options.only and (caught := tested(NONE)[1]):
        raise SystemExit(f"without any error {caught} fails already")
    with ThreadPoolExecutor(options.jobs) as pool:
        found = []
        for error, caught in pool.map(tested, chosen):
            found.append(caught)
            print(f"{'caught by ' + caught if caught else 'SURVIVED':28} {error.name}", flush=True)
    print(f"{sum(map(bool, found))} of {len(found)} caught")
    return 0 if all(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
