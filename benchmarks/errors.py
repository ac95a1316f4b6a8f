"""Would anybody notice? Deliberate errors in the package, one at a time, against the tests.

    python -m benchmarks.errors [--only WORDS]... [--room NAME]... [--jobs 2]

Each error is one replacement in a copy of the package. It is caught if a test fails, or, in the market, if
`talentsim verify` does. The test file named with the error is tried first, then the others of its room.
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
COPIED = ("sim", "tests", "benchmarks")
LINKED = ("scenarios", "seeds", "docs", "notebooks", "README.md", "pyproject.toml")
MOST_SECONDS = 900  # of a test file; one that goes on for longer has failed
QUICK = ("-qx", "-n0", "-m", "not slow and not browser", "-p", "no:cacheprovider")
TESTS = {
    "market": ("test_rules", "test_worth", "test_appraisal", "test_market", "test_events", "test_happenings",
               "test_metamorphic", "test_reproducible", "test_opening", "test_fields", "test_ledger", "test_money"),
    "analysis": ("test_ensemble", "test_side_by_side", "test_summary", "test_compare", "test_sweep", "test_curves"),
    "experiments": ("test_finishing", "test_same_code", "test_results", "test_runner", "test_sweep", "test_compare"),
    "system": ("test_lock", "test_executors", "test_tables", "test_interrupts", "test_runner"),
    "page": ("test_downloads", "test_beside", "test_gate", "test_parts"),
}  # fmt: skip
"""The test files that may notice an error in a room."""


@dataclass(frozen=True)
class Error:
    """One replacement in a file of `sim/`, and the test file most likely to notice; by default its room's first."""

    name: str
    file: str
    right: str
    wrong: str
    first: str = ""

    @property
    def room(self) -> str:
        return self.file.split("/")[0]

    @property
    def tests(self) -> list[str]:
        """The test files to try, the likeliest first."""
        names = TESTS[self.room]
        return list(dict.fromkeys((self.first or names[0], *names)))


ERRORS = (
    Error("the cliff is skipped", "market/worth.py", "np.where(whole < cliff, 0.0, whole / length)", "whole / length", "test_worth"),
    Error("discounting the wrong way", "market/worth.py", "np.exp(-(discount + hazard) * vest_months", "np.exp((discount + hazard) * vest_months", "test_worth"),
    Error("tenure loosens", "market/worth.py", "attachment + tenure_effect * np.log1p(tenure_years)", "attachment - tenure_effect * np.log1p(tenure_years)", "test_worth"),
    Error("price ignores the reservation", "market/worth.py", "goal, constant = np.log(target / rho)", "goal, constant = np.log(target / np.maximum(rho, np.max(rho)))", "test_worth"),
    Error("acceptance falls with pay", "market/worth.py", "odds_against = elasticity * np.log(", "odds_against = -elasticity * np.log(", "test_worth"),
    Error("ties lower the worth", "market/worth.py", "(1 + np.asarray(ties_term))", "(1 - np.asarray(ties_term))", "test_worth"),
    Error("a counter ignores its cap", "market/rules/counteroffers.py", "np.minimum(gap, value - present_cost)", "gap"),
    Error("counters are written to everybody again", "market/rules/counteroffers.py", "& ~(people.countered[rows] & (policy == MATCH_ONCE))", "", "test_market"),
    Error("the incumbent answers what it has not heard of", "market/rules/counteroffers.py", "((Purpose.DETECTION, labs.detection), (Purpose.ANSWER, labs.answering))", "((Purpose.ANSWER, labs.answering),)", "test_happenings"),
    Error("the loser's offer wins", "market/rules/choice.py", "winner = (offer == highest) & (offer > stay)", "winner = (offer == highest) & (offer < stay)"),
    Error("the second best offer wins ties over", "market/rules/choice.py", "np.maximum.reduceat(offer", "np.minimum.reduceat(offer"),
    Error("moving costs nothing", "market/rules/choice.py", "batch.terms - choice.moving_cost", "batch.terms", "test_metamorphic"),
    Error("fresh taste for a repeated offer", "market/appraisal.py", "drawn = gumbels(market.key_of(market.run_of(rows), Purpose.TASTE), key)", "drawn = gumbels(market.key_of(market.run_of(rows), Purpose.TASTE, market.week), key)", "test_appraisal"),
    Error("attachment pulls away", "market/rules/choice.py", "batch.stay_terms + people.attachment[rows]", "batch.stay_terms - people.attachment[rows]", "test_market"),
    Error("a hazard applied twice", "market/exits.py", "hazard = np.where(at_lab, hazard, np", "hazard = np.where(at_lab, 2 * hazard, np", "test_events"),
    Error("kind labs lose more", "market/constants.py", "base * np.exp(-slope * conditions[:, None])", "base * np.exp(slope * conditions[:, None])", "test_opening"),
    Error("the acqui-hired stay like others", "market/exits.py", "early = np.where(acquired, hazard * market", "early = np.where(acquired, hazard + 0 * market", "test_events"),
    Error("nobody claws back", "market/spells.py", "owing = (served < window)", "owing = (served > window)", "test_market"),
    Error("the whole account may be offered", "market/rules/budget.py", "np.floor(share * free)", "np.floor(free)"),
    Error("promises are forgotten", "market/rules/budget.py", "balance - committed - reserve", "balance - reserve"),
    Error("escrow is never held", "market/rules/pricing.py", "segments.add(market.promised, (run, market.line_of(batch)), batch.escrow)", "pass", "test_market"),
    Error("the budget does not bind", "market/rules/pricing.py", "binds = (over > 0)", "binds = (over > 70)", "test_worth"),
    Error("offers above the cap", "market/rules/pricing.py", "np.clip(best, targets.least, targets.cap)", "np.maximum(best, targets.least)", "test_worth"),
    Error("the worst candidates first", "market/segments.py", "falling = np.argsort(-merit)", "falling = np.argsort(merit)"),
    Error("contacts by headcount plan alone", "market/rules/contact.py", "gap_weight * np.maximum(plan - staff, 0.0) + replacement * staff", "gap_weight * np.maximum(plan - staff, 0.0)"),
    Error("referrals go astray", "market/rules/contact.py", "excess[unsure] < referral", "excess[unsure] > referral", "test_market"),
    Error("movers hold half of their grant", "market/rules/moves.py", "appraisal.shares_of(market, batch.grant, run, lab)", "appraisal.shares_of(market, batch.grant // 2, run, lab)", "test_market"),
    Error("a campaign pays no first year", "market/rules/moves.py", "Ledger.talent(batch.lab[theirs]), batch.first_year_base[theirs]", "Ledger.talent(batch.lab[theirs]), 0 * batch.first_year_base[theirs]", "test_happenings"),
    Error("twice as many are asked to follow", "market/rules/liftouts.py", "old_lab.shape)[:, None] / ties", "old_lab.shape)[:, None] * 2 / ties"),
    Error("the overpaid are slighted", "market/rules/pay_equity.py", "np.where(ratio < threshold * (1 - 1e-6)", "np.where(ratio > threshold * (1 - 1e-6)"),
    Error("standing never returns", "market/rules/standing.py", "weekly * ln_standing + (1 - weekly) * target", "ln_standing"),
    Error("noise too large by the week", "market/rules/standing.py", "sd * np.sqrt(1 - weekly**2) * z", "sd * z"),
    Error("inflows ignore standing", "market/rules/payroll.py", "elasticity * ln_standing, worth", "0 * ln_standing, worth"),
    Error("an envelope is lost", "market/events/campaigns.py", 'market.ledger.post(market.week, "returned"', '0 and market.ledger.post(market.week, "returned"', "test_happenings"),
    Error("founders raise no seed", "market/rules/births.py", "market.seed[run])", "0 * market.seed[run])", "test_happenings"),
    Error("a refused offer is made again for ever", "market/rules/repeats.py", "attempt < repeats", "attempt <= repeats + 99", "test_rules"),
    Error("a later freeze shortens an earlier one", "market/events/policies.py", "np.maximum(market.labs.frozen_until[cells], market.week + body.weeks)", "market.week + body.weeks", "test_events"),
    Error("accounts never drift", "market/ledger.py", "MOST_HELD), exact)", "MOST_HELD), 0 * exact)", "test_ledger"),
    Error("amounts beyond every limit are cast to cents", "market/money.py", "if bad.any():", "if False:", "test_money"),
    Error("a sum that has wrapped is no drift", "market/ledger.py", "np.abs(about) > MOST_HELD", "np.abs(about) < 0", "test_money"),
    Error("nobody hopes for more than is known", "market/rules/interest.py", "np.log(known_pay) + pull + slack >= 0", "np.log(known_pay) + pull >= 0", "test_trade"),
    Error("interviews show the contrary", "market/rules/pricing.py", "np.exp(error - pull /", "np.exp(error + pull /", "test_trade"),
    Error("offers are written whatever they bring", "market/rules/pricing.py", "((value - cost) * chance >= offer_cost * cost)", "(chance >= 0)", "test_trade"),
    Error("outsiders are never rationed", "market/rules/pricing.py", "written = ~targets.rationed | (value >= cost)", "written = ~targets.rationed | (value >= 0)", "test_trade"),
    Error("the floor of pay is forgotten", "market/rules/pricing.py", "np.clip(best, targets.least, targets.cap)", "np.clip(best, targets.base, targets.cap)", "test_trade"),
    Error("grants are not held in escrow", "market/rules/pricing.py", "batch.first_year_base, batch.grant)", "batch.first_year_base, 0 * batch.grant)", "test_trade"),
    Error("all of a grant is forfeited", "market/grants.py", "people.grant_face[rows] * (1 - _vested(market, rows, 0))", "people.grant_face[rows] * 1.0", "test_trade"),
    Error("withheld refreshers are granted all the same", "market/rules/refreshers.py", "people.not_refreshed[rows[~covered]] |=", "people.not_refreshed[rows[:0]] |=", "test_trade"),
    Error("a plan without replacement costs the same", "market/constants.py", "rise + lab.opening_hazard * planned[j]", "rise", "test_trade"),
    Error("money by plan has no factor", "market/rules/payroll.py", "labs.talent_factor * market.constants.talent_factor),", "labs.talent_factor),", "test_trade"),
    Error("rivals do not matter", "market/appraisal.py", "labs.ln_standing - omega * rise", "labs.ln_standing - 0 * rise", "test_trade"),
    Error("one is one's own best rival", "market/constants.py", "np.where(ln >= best, second, best)", "best + 0 * second", "test_trade"),
    Error("nobody leaves the fallen", "market/rules/separations.py", "np.expm1(sensitivity * fall)", "0 * np.expm1(sensitivity * fall)", "test_trade"),
    Error("a gap fires no plan", "market/rules/shocks.py", "[:, lab] > event.when.standing_gap", "[:, lab] > 100 + event.when.standing_gap", "test_trade"),
    Error("all pools pay alike", "market/spells.py", "talent ** pools.power[pool]", "talent ** 0", "test_trade"),
    Error("leavers enter the last pool", "market/spells.py", "market.constants.pools.of_cause[cause]", "market.constants.pools.of_cause[-1]", "test_trade"),
    Error("nobody remembers where she was", "market/spells.py", "np.where(before >= 0, before, people.last_lab[rows])", "people.last_lab[rows]", "test_trade"),
    Error("a shake never fades", "market/appraisal.py", "people.shake[rows] * np.exp(-weeks / fade)", "people.shake[rows] * np.exp(-0 * weeks / fade)", "test_trade"),
    Error("stars shake like anybody", "market/rules/contagion.py", "shake * (talent / mean) ** power", "shake * (talent / mean) ** 0", "test_trade"),
    Error("regret costs nothing", "market/spells.py", "people.attachment[rows] -= contagion.regret_loss", "people.attachment[rows] -= 0", "test_trade"),
    Error("the clock of exits has no cliff", "market/constants.py", "np.exp(-beta * (ahead / normal - 1))", "np.exp(0 * (ahead / normal - 1))", "test_trade"),
    Error("notice is not served", "market/rules/choice.py", "np.maximum(leave, market.scenario.market.hiring.notice)", "leave", "test_trade"),
    Error("retention holds nobody", "market/exits.py", "ratio = np.exp(-beta * more)", "ratio = np.exp(-0 * more)", "test_trade"),
    Error("worth does not grow with pay", "market/appraisal.py", "value.median / 100 * growth_of_pay(market)", "value.median / 100", "test_trade"),
    Error("pay at scale stands still", "market/appraisal.py", "factor = constants.unit_pay[unit] * grown", "factor = constants.unit_pay[unit]", "test_trade"),
    Error("stars are the best tenth", "analysis/ensemble.py", "STAR_SHARE = 0.05", "STAR_SHARE = 0.1"),
    Error("followers are counted whatever they answered", "analysis/ensemble.py", 'pc.equal(offers.column("outcome"), "accepted")', 'pc.is_valid(offers.column("outcome"))'),
    Error("who got no offer has a package", "analysis/ensemble.py", "package[written & (run == r)]", "package[run == r]"),
    Error("the last week of an event is its first", "analysis/ensemble.py", "np.fmin.at", "np.fmax.at"),
    Error("an event counts as often as it comes", "analysis/summary.py", "len(np.unique(run))", "len(run)"),
    Error("a standard error seven times too large", "analysis/compare.py", "counted.std(ddof=1) / np.sqrt(runs)", "7 * counted.std(ddof=1) / np.sqrt(runs)", "test_side_by_side"),
    Error("open offers keep their outcome when cut", "analysis/compare.py", '"outcome": (undecided, "lapsed")', '"outcome": (unwritten, "lapsed")', "test_side_by_side"),
    Error("offers of the week after are there when cut", "analysis/compare.py", 'pc.field("contact_week") < weeks', 'pc.field("contact_week") <= weeks', "test_side_by_side"),
    Error("runs are paired by their place", "analysis/compare.py", "values[there] for key", "values[: len(there)] for key", "test_side_by_side"),
    Error("what one run cannot tell spoils the mean", "analysis/compare.py", "known = np.isfinite(base) & np.isfinite(other)", "known = np.isfinite(other)", "test_side_by_side"),
    Error("the band of a difference holds half of the runs", "analysis/compare.py", "(5, 50, 95), axis=0", "(25, 50, 75), axis=0", "test_side_by_side"),
    Error("another first day goes untold", "analysis/compare.py", "if len(starts) > 1:", "if len(starts) > 2:", "test_side_by_side"),
    Error("what no gain was had for has a price", "analysis/compare.py", "if clearly_positive(gained):", "if True:", "test_compare"),
    Error("the manifest is moved first", "experiments/runner.py", "path.name == MANIFEST)", "path.name != MANIFEST)"),
    Error("names may reach the disk after the manifest", "experiments/runner.py", "                sync_folder(self.folder)\n            entry", "                pass\n            entry"),
    Error("half written files come along", "experiments/runner.py", "remove_temporaries(staged)", "sync_folder(staged)"),
    Error("progress starts anew", "experiments/runner.py", "self.experiment.runs - sum(len(chunk.runs) for chunk in missing)", "0"),
    Error("the log that was asked for is forgotten", "experiments/runner.py", '("runs", "seed", "only_run", "log")}', '("runs", "seed", "only_run")}'),
    Error("numpy's version is not compared", "experiments/runner.py", '"numpy": np.__version__,\n    }\n    changed', "}\n    changed", "test_same_code"),
    Error("workers are not told the code", "experiments/runner.py", "first.full, measured, code)", 'first.full, measured, "")', "test_same_code"),
    Error("a worker with other code is accepted", "experiments/chunks.py", "if code and code != code_hash():", "if False:", "test_same_code"),
    Error("the code hash is blind to the analysis", "experiments/chunks.py", '"page/", "report/")', '"page/", "report/", "analysis/")', "test_same_code"),
    Error("one variant after another", "experiments/chunks.py", "sorted(found, key=lambda chunk: chunk.runs[0])", "found"),
    Error("the picture of retention is of the opening staff", "experiments/folder.py", "ensemble.pooled[HIRES]", 'ensemble.pooled["opening_staff"]'),
    Error("a comparison is opened as a run", "experiments/folder.py", 'manifest.get("kind", RUN) != kind', 'manifest.get("kind", RUN) is None'),
    Error("a lock follows a link", "system/lock.py", "if path.is_symlink():", "if False:", "test_tampering"),
    Error("a manifest's seal is not looked at", "experiments/manifest.py", "and text == sealed(content)", "", "test_tampering"),
    Error("a changed file of equal size is taken", "experiments/manifest.py", 'return "" if _measure(path) == due else CHANGED', 'return ""', "test_tampering"),
    Error("a lock of a folder just finished is taken", "system/lock.py", "if not _is_at(path, descriptor):", "if False:"),
    Error("half an answer is waited for without end", "system/executors.py", "answers._writer.close()", "pass", "test_executors"),
    Error("names of columns are formulas", "page/downloads.py", "names=[_quoted(name) for name in table.column_names]", "names=table.column_names"),
    Error("the sides change their titles", "page/pairs.py", '("With your changes", "Unchanged")', '("Unchanged", "With your changes")', "test_beside"),
    Error("the page's ensembles may have any number of labs", "page/many_runs.py", "runs * scenario.horizon * len(scenario.labs) > MOST_ROWS", "runs * scenario.horizon > MOST_ROWS", "test_beside"),
    Error("the address may say any change", "page/address.py", " or len(text) > LONGEST_CHANGE", "", "test_beside"),
    Error("any website may open a page", "page/gate.py", "if not all(_is_of(origin, host) for", "if not all(origin for", "test_gate"),
    Error("any name may point here", "page/gate.py", "if host is None or not self._is_ours(host):", "if host is None:", "test_gate"),
)  # fmt: skip

NONE = tuple(Error(f"none in {room}", f"{room}/__init__.py", '\n"""\n', '\n"""\n') for room in TESTS)


def tested(error: Error) -> tuple[Error, str]:
    """The error and the test that caught it, or an empty text."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _copy_with(error, root)
        # the copy comes before the package that is installed, in the tests' own processes too
        environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        for name in error.tests:
            (file,) = (root / "tests").rglob(f"{name}.py")
            if _fails(["-m", "pytest", *QUICK, str(file)], root, environment):
                return error, name
        last = error.room == "market" and _fails(["-m", "sim", "verify"], root, environment)
        return error, "verify" if last else ""


def _copy_with(error: Error, root: Path) -> None:
    """Copy the project into a folder, with the error made."""
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        (root / name).symlink_to(ROOT / name)
    path = root / "sim" / error.file
    source = path.read_text("utf-8")
    if source.count(error.right) != 1:
        raise SystemExit(f"{error.name}: {error.file} does not hold once: {error.right}")
    path.write_text(source.replace(error.right, error.wrong), "utf-8")


def _fails(words: list[str], root: Path, environment: dict[str, str]) -> bool:
    command = [sys.executable, *words]
    try:
        done = subprocess.run(
            command, env=environment, cwd=root, capture_output=True, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=[], help="the errors whose names hold these words")
    parser.add_argument(
        "--room", action="append", default=[], choices=TESTS, help="the errors in these rooms"
    )
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    whole = not (options.only or options.room)
    chosen = [
        e for e in ERRORS if whole or e.room in options.room or any(words in e.name for words in options.only)
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        for error, caught in pool.map(tested, [none for none in NONE if whole or none.room in options.room]):
            if caught:
                raise SystemExit(f"without any error {caught} fails already in {error.room}")
        found = []
        for error, caught in pool.map(tested, chosen):
            found.append(caught)
            print(f"{'caught by ' + caught if caught else 'SURVIVED':28} {error.name}", flush=True)
    print(f"{sum(map(bool, found))} of {len(found)} caught")
    return 0 if all(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
