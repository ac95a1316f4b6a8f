"""The page `docs/theory.md` and its pictures, made of what `theory.verify` and the twin found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from sim.report import style
from sim.report.pictures import save
from sim.theory.checks import LARGEST_Z, Check
from sim.theory.mean_field import Distance
from sim.theory.verify import ORACLES, headlines

TITLE = "# The market against theory"
SEED = 1


@dataclass(frozen=True)
class About:
    """What the page says of an oracle, and how its picture is labelled."""

    source: str
    assumes: str
    formula: str
    reached: str
    seen: str
    axis: str
    remark: str = ""


ABOUT = {
    "T1": About(
        "Kaplan and Meier 1958; Aalen and Johansen 1978, *Scandinavian Journal of Statistics* 5",
        "nobody makes offers; constant hazards a, b, c of leaving to found, for academia, out of the field",
        "`S(t) = e^(-Λt)`, `CIF_k(t) = λ_k/Λ (1 - e^(-Λt))`, `Λ = a + b + c`",
        "scenario `theory/survival`",
        "Everybody leaves by the hazards that were put in",
        "weeks since the start: share still there, share gone by cause",
        "Exact at whole weeks: a week's chance is `1 - e^(-rate/52.18)`, never `rate/52.18`.",
    ),
    "T2": About(
        "McFadden 1974, in *Frontiers in Econometrics*",
        "one choice, independent Gumbel tastes, no counter-offer; `u = α ln(pay)` and `stay` the attachment",
        "`P_k = e^(V_k) / Σ e^V`; `P_1/P_2` does not change when a third option is deleted",
        "scenario `theory/choice`: campaigns that offer everybody the cap",
        "Acceptance rises with pay as the logit says",
        "offered pay over present pay: share who accept",
        "No discrete time: one choice in one week.",
    ),
    "T3": About(
        "Burdett and Mortensen 1998, *International Economic Review* 39",
        "Poisson offers at rate λ in work or not, matches end at rate δ, a higher wage is always taken",
        "`u = 1/(1+κ)`, `G = F/(1 + κ(1-F))`, `κ = λ/δ`; by the week `κ' = (l/d)(1-d)` replaces κ at work, "
        "`l`, `d` the weekly chances",
        "scenario `theory/job-ladder`: twenty labs post the equilibrium wages, tastes vanish",
        "Workers climb the job ladder",
        "quantile F of offered wages: share of workers G paid no more",
        "Textbook: continuous time, the same twenty labs. It ignores that who is dismissed this week climbs "
        "no more, and that two offers in a week are one.",
    ),
    "T4": About(
        "Postel-Vinay and Robin 2002, *Econometrica* 70, with workers who do not look ahead",
        "labs know each other's values and bid: pay is the loser's value, `b` when hired from outside",
        "`L(p) = F/(1 + κF̄)`, `G(q|p) = ((1 + κF̄(p))/(1 + κF̄(q)))²`; together "
        "`P(pay ≤ q) = (1 + 2κF̄ - κF̄²)/(1 + κF̄)²`; by the week the balance of flows, lab by lab",
        "scenario `theory/auction`: pricing and counter-offers `second_price`",
        "Pay is what the loser of the auction would have paid",
        "pay, M USD a year: share of workers paid no more",
        "Textbook: continuous time, the same twenty labs.",
    ),
    "T5": About(
        "Shapley and Shubik 1971, *International Journal of Game Theory* 1",
        "one researcher, three labs, values common knowledge",
        "the lowest core salary is the second-highest value",
        "the rules `pricing.bid` and `counteroffers.matched` alone",
        "One researcher and several labs: pay is the second-highest value",
        "second-highest value: pay",
        "Exact, up to the trifle by which the winning bid is higher. With several researchers the core needs "
        "an auction, which the market does not hold.",
    ),
    "T10": About(
        "first-order condition of `(v - w) P(w)`; Corless et al. 1996 for Lambert's W",
        "acceptance `P = w^α/(w^α + r^α)`; `v` the researcher's value, `r` the reservation",
        "α = 1: `w = √(r² + vr) - r`; linear utility: `w = v - σ(1 + W(e^((v-r)/σ - 1)))`; under a budget "
        "`v/(1+μ)` with one μ",
        "the rule `worth.best_price` alone, and `pricing.price_within_budgets`",
        "Labs offer the best price",
        "reservation pay: best offer (theory by search over a grid)",
        "Exact. Linear utility is the limit of pay far above its differences.",
    ),
    "T11": About(
        "Borel 1942; Dwass 1969, *Journal of Applied Probability* 6",
        "each mover asks each of 16 ties with chance m/16, everybody follows, no two movers share a tie",
        "`P(n) = C(16n, n-1) p^(n-1) (1-p)^(16n-n+1)/n`, `p = m/16`; mean `1/(1-m)`",
        "scenario `theory/cascade`: 3,000 runs, one first mover each",
        "One mover draws others after her",
        "people who move in all: share of runs",
        "Textbook: Borel's law, the limit of infinitely many ties.",
    ),
    "T12": About(
        "present value of a step function",
        "monthly vesting with a cliff; discount r and hazard h of leaving",
        "`K = (c/T) e^(-kc/12) + Σ_{m>c} e^(-km/12)/T`, `k = r + h`; continuous "
        "`(c/T) e^(-kc) + (e^(-kc) - e^(-kT))/(kT)`",
        "the rules `worth.vested_share` and `worth.grant_kernel` alone",
        "A grant vests in steps",
        "months since the grant: share vested",
        "Textbook: vesting in continuous time. By the month a grant is worth less: parts vest at month ends.",
    ),
    "T13": About(
        "McFadden 1974, in *Frontiers in Econometrics*: the logit, asked twice",
        "tastes are the same at interest and at the choice; D the gap in utils at the known pay `Y~`, s the "
        "slack, `Δ = α ln(Y/Y~)`",
        "interested `q = L(D + s)`; `P(accept | interview) = min(1, L(D + Δ)/L(D + s))`; where attachment is "
        "Normal, the means of both by quadrature",
        "scenario `theory/interest`: one campaign with interviews of a week",
        "People who went to interviews often accept",
        "gap D at the known pay: share of the interviewed who accept",
        "Textbook: `e^-(s - Δ)`, the limit of rare interest. No discrete time.",
    ),
    "T14": About(
        "first-order condition of `(v - w) P(w)`, `P = L(ln(w/R^)/ρ)`",
        "interviews show the reservation pay but for logistic noise, `ln R^ = ln R* + ρ z`; offers are never "
        "below present pay r",
        "`v/w = 1 + ρ/(1 - P)`; of those with `R* > r` a share of `1 - ρ R*/(v - R*)` accepts, or nobody if "
        "that is below 0",
        "the rule `pricing.price` alone; scenario `theory/interest` with everybody interested",
        "Interviews tell labs what to offer",
        "worth v over what was shown, or over present pay: chance of acceptance",
        "The rule is exact. The market's share is an integral over a logistic `ln(R*/r)` of slope 2.",
    ),
    "T15": About(
        "double-entry accounts",
        "no base pay, no refreshers, one package for all, grants charged; more people willing than money",
        "hires a year = inflow / package, to one package",
        "scenario `theory/money`: a lab that posts its pay, a year",
        "Money buys hires in proportion",
        "factor on the inflow: hires a year",
        "No chance: hires are whole, so between nothing and a package is left; theory takes half of one, and "
        "|z| is 4 at either end. Textbook: nothing is left.",
    ),
    "T16": About(
        "cumulative hazard",
        "hazard `h e^(-β(x - 1))`, x the vests of the next 12 months over the normal: `1 + t` before the "
        "cliff of a year, 1 after it, `4 - t` in the last of four years, then 0",
        "`S(1) = exp(-h (1 - e^-β)/β)`, `S(2) = S(1) e^-h`; the hazard jumps by `e^β` at the cliff; by the "
        "week, x at each week's tenure",
        "scenario `theory/cliff`: no offers, no refreshers, five years",
        "People wait for the cliff, and leave when all has vested",
        "years of tenure: hazard of leaving a year, by quarter",
        "Textbook: continuous time; of the jump, its height at the cliff itself.",
    ),
    "T17": About(
        "Lotka's stable age distribution, 1907, *Science* 26",
        "a lab of age `a_max` has lost staff at h and grown at g, `k = h + g`",
        "density `e^(-ka)` up to `a_max`; mean `1/k - a_max/(e^(k a_max) - 1)`",
        "scenario `theory/growth` at its opening",
        "Labs that grow are young in tenure",
        "years: share of the opening staff with less tenure",
        "Tenure is whole weeks; the half week by which these fall short is added to the mean.",
    ),
    "T18": About(
        "a mixture of two draws",
        "everybody outside was at a lab; an approach comes from there with chance p, else from any lab by "
        "its planned hires",
        "`p + (1 - p) share_j`",
        "scenario `theory/alumni`: five labs whose plans grow by `ratio`, without money to hire",
        "Former labs call more often",
        "share of all planned hires: share of the alumni's approaches that come from their lab",
        "No discrete time: one draw an approach.",
    ),
    "T19": About(
        "McFadden's logit, shifted by what ties lost",
        "half of a lab leaves in a week; those who stay lose d for each of their 4 ties that moved, 3 utils "
        "at most, and get one offer k weeks later; D the gap without",
        "`P = L(D + n d e^(-k/fade))`, n ties moved",
        "scenario `theory/ties-shaken`: two campaigns",
        "Colleagues' moves shake those who stay, for a while",
        "weeks since the move: share who accept",
        "Exact at whole weeks.",
    ),
}


def page(checks: Sequence[Check], alike: Sequence[Distance], unlike: Sequence[Distance]) -> str:
    """The whole page.

    Args:
        checks: of all oracles at their defaults.
        alike: distances from the mean field of people who are alike.
        unlike: the same of people who are not.
    """
    intro = f"""{TITLE}

Written by `make docs`. The same figures on your machine: `talentsim verify` (`--only T3`, `--set lambda=2`).

- Each oracle is a limiting case of the market that has an exact answer.
- z is the distance in standard errors under the theory; a figure passes if |z| < {LARGEST_Z:g}.
- The s.e. of a figure without chance is its tolerance.
- A curve has one row, the point farthest from theory; `--json` has them all.
- *Theory* is exact for the weekly clock and the number of labs and ties. Where the textbook's formula
  differs, it has a column, and the last one says how wrong it would be here.
- Pictures: lines are theory, points the market with two standard errors, dashes the textbook.
"""
    sections = [section(checks, name) for name in ORACLES]
    return "\n".join([intro, *sections, mean_field_section(alike, unlike)])


def section(checks: Sequence[Check], name: str) -> str:
    """What the page says of one oracle."""
    about, mine = ABOUT[name], [check for check in checks if check.oracle == name]
    lines = [
        f"## {name}: {ORACLES[name].title}\n",
        f"![{about.seen}](theory/{name}.png)\n",
        f"- **Source**: {about.source}.",
        f"- **Assumes**: {about.assumes}.",
        f"- **Formula**: {about.formula}.",
        f"- **Reached by**: {about.reached}, at {mine[0].setting}.",
        *([f"- {about.remark}"] if about.remark else []),
        "",
        table(mine),
    ]
    return "\n".join(lines)


def table(checks: Sequence[Check]) -> str:
    """Theory beside the market, a row a figure or curve."""
    limited = any(check.textbook is not None for check in checks)
    head = ["figure", "theory", "market", "s.e.", "z"] + (
        ["textbook says", "off by (s.e.)"] if limited else []
    )
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for check in _rows(checks):
        cells = [
            check.figure, f"{check.expected:.5f}", f"{check.simulated:.5f}",
            f"{check.standard_error:.1e}", f"{round(check.z, 2) + 0.0:.2f}",
        ]  # fmt: skip
        if limited:
            cells += ["", ""] if check.textbook is None else [f"{check.textbook:.5f}", _off(check)]
        rows.append(cells)
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _rows(checks: Sequence[Check]) -> list[Check]:
    """One row a figure or curve, and of each curve also the point at which the textbook is most wrong."""
    rows = headlines(checks)
    for curve in dict.fromkeys(check.curve for check in checks if check.curve and check.textbook is not None):
        rows.append(max((c for c in checks if c.curve == curve), key=lambda c: abs(c.textbook_z or 0.0)))
    return rows


def _off(check: Check) -> str:
    """Distance of the textbook's form; of an exact figure in its own unit, since its error is a tolerance."""
    if check.standard_error < 1e-6 and check.textbook is not None:
        return f"{check.textbook - check.expected:+.5f} exactly"
    return f"{check.textbook_z:+.1f}"


def mean_field_section(alike: Sequence[Distance], unlike: Sequence[Distance]) -> str:
    """What the page says of the mean-field twin."""
    lines = [
        "## The mean-field twin\n",
        "![Distance from the mean field by size](theory/mean-field.png)\n",
        "- **Source**: Kurtz 1970, *Journal of Applied Probability* 7.",
        "- **Assumes**: people alike; two labs post pay and approach people in proportion to their staff; "
        "constant hazard of leaving; no ties, no binding budgets (scenario `theory/mean-field`, 104 weeks).",
        "- **Formula**: weekly difference equations for headcounts, with tastes that last a year of tenure "
        "([`sim/theory/mean_field.py`](../sim/theory/mean_field.py)).",
        "- **Error**: root mean square over runs, weeks and labs of headcount/N less the twin's. Alike, it "
        "falls with 1/√N. Where talent (up to 12), visibility and attachment (sd 2) differ, the twin of the "
        "average person stays wrong by the floor.",
        "",
        "| N | runs | error, people alike | error × √N | error, people differ | floor: of the runs' mean |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for same, other in zip(alike, unlike, strict=True):
        lines.append(
            f"| {same.people:,} | {same.runs} | {same.error:.5f} | {same.scaled:.3f} "
            f"| {other.error:.5f} | {other.bias:.5f} |"
        )
    scaled = [found.scaled for found in alike]
    lines.append(f"\nError × √N varies by a factor of {max(scaled) / min(scaled):.2f} over these sizes.\n")
    return "\n".join(lines)


def draw_oracle(checks: Sequence[Check], name: str) -> Axes:
    """The curves of one oracle: theory as lines, the market as points, the textbook dashed."""
    about, mine = ABOUT[name], [check for check in checks if check.oracle == name and check.curve]
    axes, ends = style.new_axes(), []
    names = list(dict.fromkeys(check.curve for check in mine))
    palette = style.colours(names)
    for curve in names:
        points = sorted((c for c in mine if c.curve == curve), key=lambda c: c.x or 0.0)
        x, colour = [point.x or 0.0 for point in points], palette[curve]
        axes.plot(x, [point.expected for point in points], color=colour, linewidth=1.6)
        if points[0].textbook is not None:
            said = [point.textbook if point.textbook is not None else np.nan for point in points]
            axes.plot(x, said, color=style.GREY, linewidth=1.2, linestyle="--")
        errors = [2 * point.standard_error for point in points]
        axes.errorbar(
            x, [point.simulated for point in points], yerr=errors, fmt="o", markersize=4.5,
            color=colour, elinewidth=1.0, markerfacecolor="white",
        )  # fmt: skip
        ends.append((curve.removesuffix(", wk"), points[-1].expected, colour, True))
    if len(names) > 1:
        style.label_ends(axes, ends)
    subtitle = f"{about.axis}. Line: theory; points: market, two standard errors"
    if any(check.textbook is not None for check in mine):
        subtitle += "; dashed: textbook"
    style.dress(axes, about.seen, subtitle, f"talentsim verify --only {name}, {mine[0].setting}")
    return axes


def draw_mean_field(alike: Sequence[Distance], unlike: Sequence[Distance]) -> Axes:
    """Error against N, both on a logarithmic scale."""
    axes, people = style.new_axes(), [found.people for found in alike]
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    level = float(np.exp(np.mean([np.log(found.scaled) for found in alike])))
    axes.plot(people, [level / np.sqrt(n) for n in people], color=style.COLOURS[0], linewidth=1.6)
    ends = []
    for found, colour, words in ((alike, 0, "people alike"), (unlike, 2, "people differ")):
        axes.plot(people, [d.error for d in found], "o", color=style.COLOURS[colour], markersize=6)
        ends.append((words, found[-1].error, style.COLOURS[colour]))
    axes.plot(people, [d.bias for d in unlike], color=style.COLOURS[2], linewidth=1.2, linestyle="--")
    for words, y, colour_name in ends:
        axes.annotate(
            words, (people[-1], y), (10, 0), textcoords="offset points", va="center", color=colour_name
        )
    axes.set_xticks(people, [f"{n:,}" for n in people])
    axes.set_yticks((0.002, 0.005, 0.01, 0.02, 0.05, 0.1), ("0.002", "0.005", "0.01", "0.02", "0.05", "0.1"))
    axes.minorticks_off()
    style.dress(
        axes,
        "Alike, the crowd follows its mean field; different, it does not",
        "people N: error of headcount/N. Line: 1/√N; dashed: error of the runs' mean",
        "talentsim, scenario theory/mean-field",
    )
    return axes


def write(
    folder: Path, checks: Sequence[Check], alike: Sequence[Distance], unlike: Sequence[Distance]
) -> None:
    """Write the page and its pictures into the folder of documents."""
    pictures = folder / "theory"
    pictures.mkdir(parents=True, exist_ok=True)
    for name in ORACLES:
        save(draw_oracle(checks, name), pictures / f"{name}.png")
    save(draw_mean_field(alike, unlike), pictures / "mean-field.png")
    (folder / "theory.md").write_text(page(checks, alike, unlike), encoding="utf-8")
