"""The pictures: no text upon another or off the page, marks, bands, headlines that say what is seen."""

from __future__ import annotations

import warnings
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_markets
import synthetic
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.testing import assert_allclose
from scipy.stats import binomtest
from small_results import article, quiet

from sim.analysis.places import is_outside
from sim.experiments import results
from sim.experiments.results import Result
from sim.report import budget_pictures, market_pictures, pictures, style
from sim.report.event_marks import event_marks, numbered
from sim.scenario.loading import load_scenario
from sim.system.tables import empty

WEEKS = 156
HAPPENED = [
    (104, "model_release", "meta", "meta"),
    (105, "plan", "emergency", "meta"),
    (106, "leadership_change", "meta", "meta"),
    (110, "acquihire", "scale", "meta"),
    (111, "campaign", "meta-at-openai", "meta"),
    (113, "budget_change", "google-deepmind", "google-deepmind"),
    (113, "budget_change", "microsoft", "microsoft"),
    (113, "budget_change", "amazon", "amazon"),
]


@pytest.fixture(scope="module")
def meta():
    return load_scenario("meta-2025")


def labs_table(
    names: list[str], weekly: list[float], runs: int = 4, weeks: int = WEEKS, *, steady: bool = False
) -> Any:
    rng = np.random.default_rng(31)
    run, week, place = (a.ravel() for a in np.indices((runs, weeks, len(names))))
    mean = np.array(weekly)[place]
    return synthetic.table(
        "labs",
        len(run),
        run=run,
        week=week,
        date=np.datetime64("2023-05-01") + 7 * week,
        lab=np.array(names)[place],
        hires=mean.astype(int) if steady else rng.poisson(mean),
    )


def spells_table(names: list[str], stay: list[float], runs: int = 4, size: int = 6000) -> Any:
    """Hires of a year who leave at such hazards that so many are there after two years."""
    rng = np.random.default_rng(37)
    place = rng.integers(0, len(names), size)
    waits = rng.exponential(-104 / np.log(np.array(stay)[place])).astype(int)
    start = rng.integers(0, 52, size)
    end = start + 1 + waits
    causes = np.where(end < WEEKS, "field", None)
    return synthetic.spells(
        start,
        np.minimum(end, WEEKS),
        list(causes),
        run=rng.integers(0, runs, size),
        lab=np.array(names)[place],
    )


def events_table(runs: int = 4, happened: list[Any] = HAPPENED) -> Any:
    rows = [(run, *row) for run in range(runs) for row in happened]
    columns = dict(zip(("run", "week", "kind", "name", "lab"), zip(*rows, strict=True), strict=True))
    return synthetic.table("events", len(rows), **columns)


def texts(axes: Axes) -> list[Text]:
    """Every text that is drawn; tick labels only where their tick is in view."""
    found = [*axes.texts, *(t for t in axes.get_children() if isinstance(t, Text) and t not in axes.texts)]
    found += axes.get_legend().get_texts() if axes.get_legend() else []
    for axis in (axes.xaxis, axes.yaxis):
        found.append(axis.label)
        low, high = sorted(axis.get_view_interval())
        found += [t.label1 for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def boxes(axes: Axes) -> list[tuple[str, Any]]:
    """Text and its rectangle in pixels, without the leader line of an annotation."""
    axes.figure.draw_without_rendering()  # places everything and paints nothing
    renderer = FigureCanvasAgg(axes.figure).get_renderer()
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in texts(axes)]


def assert_legible(axes: Axes) -> None:
    axes.figure.set_dpi(80)  # as legible as at any size, and quicker
    page = axes.figure.bbox
    placed = [found for each in axes.figure.axes for found in boxes(each)]
    for text, box in placed:
        assert page.x0 <= box.x0 < box.x1 <= page.x1, f"{text!r} leaves the page sideways"
        assert page.y0 <= box.y0 < box.y1 <= page.y1, f"{text!r} leaves the page"
    for (one, first), (other, second) in combinations(placed, 2):
        assert not first.overlaps(second), f"{one!r} lies upon {other!r}"


def all_words(axes: Axes) -> str:
    return "\n".join(text.get_text() for text in texts(axes))


GROWTH = {
    "as in the article": [3.7, 1.1, 1.5, 2.9, 0.9, 0.6, 0.3, 1.1, 0.2, 0.3, 1.5],
    "all alike": [1.0] * 11,
    "all but one tiny": [9.0] + [0.02] * 10,
    "nobody hires": [0.0] * 11,
}
STAY = {
    "as in the article": [0.67, 0.78, 0.64, 0.8, 0.72, 0.71, 0.66, 0.7, 0.6, 0.64, 0.6],
    "all alike": [0.7] * 11,
    "the longest names": [0.7, 0.95, 0.7, 0.7, 0.3, *[0.7] * 6],
    "one loses nearly all": [0.02] + [0.9] * 10,
}


@pytest.mark.parametrize("case", GROWTH)
def test_hiring_is_legible(meta, case):
    assert len(meta.labs) == 11
    assert_legible(pictures.plot_hiring(meta, labs_table(list(meta.labs), GROWTH[case]), events_table()))


@pytest.mark.parametrize("case", GROWTH)
def test_small_hiring_is_legible_and_numbers_the_days(meta, case):
    figure = Figure(figsize=(10, 4.4))
    labs = labs_table(list(meta.labs), GROWTH[case])
    axes = pictures.plot_hiring(
        meta, labs, events_table(), figure.add_axes((0.055, 0.15, 0.72, 0.64)), small=True
    )
    assert_legible(axes)
    days = numbered(event_marks(meta, events_table(), 4))
    assert len(days) > 3
    written = [text.get_text() for text in axes.texts]
    assert [words for words in written if words.isdigit()] == [str(n + 1) for n in range(len(days))]
    assert not any("Meta releases" in words for words in written)
    assert any("Meta releases" in words for words in next(iter(days.values())))


@pytest.mark.parametrize("case", STAY)
def test_retention_is_legible(meta, case):
    assert_legible(pictures.plot_retention(meta, spells_table(list(meta.labs), STAY[case])))


def test_one_run_and_few_weeks_are_legible(meta):
    names = list(meta.labs)
    for weeks in (1, 9):
        labs = labs_table(names, GROWTH["all alike"], runs=1, weeks=weeks)
        assert_legible(pictures.plot_hiring(meta, labs, empty("events")))
    assert_legible(
        pictures.plot_retention(meta, spells_table(names, STAY["as in the article"], runs=1, size=300))
    )


def test_hiring_tells_what_it_shows(meta):
    labs = labs_table(list(meta.labs), GROWTH["as in the article"])
    axes = pictures.plot_hiring(meta, labs, events_table())
    words = all_words(axes)
    assert "median of 4 runs" in words
    assert "5th to 95th percentile" in words
    for lab in meta.labs.values():
        assert lab.label in words
    assert meta.labs["openai"].label in axes.get_title(loc="left")
    totals = labs.to_pandas().query("lab == 'openai'").groupby("run").hires.sum()
    assert f"{totals.median():,.0f}" in axes.get_title(loc="left")
    for mark in ("29 Apr", "14.3B USD", "46 offers at OpenAI"):
        assert mark in words


def test_lines_are_the_medians_of_cumulative_hires(meta):
    labs = labs_table(list(meta.labs), GROWTH["as in the article"])
    axes = pictures.plot_hiring(meta, labs, empty("events"))
    by_run = labs.to_pandas().groupby(["lab", "run"], observed=True).hires.sum()
    due = sorted(by_run.groupby("lab", observed=True).median())
    drawn = sorted(line.get_ydata()[-1] for line in axes.lines if len(line.get_xdata()) == WEEKS)
    assert_allclose(drawn, due)


@pytest.mark.parametrize(
    ("weekly", "weeks", "headline"),
    [
        ([0.0, 0.0], WEEKS, "Nobody hires in 3 years"),
        ([9.0, 0.0], 1, "OpenAI hires most: 9 in 1 week"),
        ([9.0, 5.0], 2, "OpenAI and Google DeepMind hire most: 18 and 10 in 2 weeks"),
        ([1.0, 0.0], 52, "OpenAI hires most: 52 in 1 year"),
        ([1.0, 0.0], 80, "OpenAI hires most: 80 in 80 weeks"),
        ([1.0, 0.0], 130, "OpenAI hires most: 130 in 130 weeks"),
    ],
)
def test_hiring_headline(meta, weekly, weeks, headline):
    labs = {name: meta.labs[name] for name in ("openai", "google-deepmind")}
    table = labs_table(list(labs), weekly, runs=1, weeks=weeks, steady=True)
    axes = pictures.plot_hiring(meta.model_copy(update={"labs": labs}), table, empty("events"))
    assert axes.get_title(loc="left") == headline


def test_the_headline_claims_no_more_than_all_runs_show(meta):
    one, *others = list(meta.labs)
    alike = labs_table(list(meta.labs), [1.0] * 11, runs=1, weeks=9, steady=True)
    assert pictures.plot_hiring(meta, alike, empty("events")).get_title(loc="left") == (
        "11 labs hire most: 9 each in 9 weeks"
    )
    alone = meta.model_copy(update={"labs": {one: meta.labs[one]}})
    table = labs_table([one], [1.0], runs=1, weeks=9, steady=True)
    assert pictures.plot_hiring(alone, table, empty("events")).get_title(loc="left") == (
        "OpenAI hires 9 in 9 weeks"
    )
    rare = labs_table([one, *others], [0.02] + [0.0] * 10, runs=9, weeks=9)  # somebody, in some run
    assert rare.to_pandas().hires.sum() > 0
    assert pictures.plot_hiring(meta, rare, empty("events")).get_title(loc="left") == (
        "In the median run nobody hires in 9 weeks"
    )


def test_retention_of_few_is_no_headline(meta):
    names = list(meta.labs)
    nobody = spells_table(names, STAY["all alike"], size=0)
    assert pictures.plot_retention(meta, nobody).get_title(loc="left") == "Nobody was hired"
    few = spells_table(names, STAY["all alike"], size=11)  # about one hire a lab
    assert pictures.plot_retention(meta, few).get_title(loc="left") == "How long new hires stay"


def test_labs_that_fail_are_named_with_their_runs(meta):
    labs = labs_table(list(meta.labs), GROWTH["as in the article"])
    fails = [(0, 31, "scale"), (2, 40, "scale"), (3, 35, "scale"), (1, 9, "perplexity"), (2, 9, "xai")]
    run, week, lab = zip(*fails, strict=True)
    columns = {"run": run, "week": week, "lab": lab, "name": lab, "kind": ["failure"] * len(lab)}
    axes = pictures.plot_hiring(meta, labs, synthetic.table("events", len(lab), **columns))
    words = all_words(axes)
    assert "Scale AI fails in 3 of 4 runs, " in words
    assert "in 1 of 4 runs, 1 other lab too" in words
    assert_legible(axes)
    assert "fails" not in all_words(pictures.plot_hiring(meta, labs, events_table()))


def test_the_longest_names_fail_legibly(meta):
    label = "W" * 60
    long = {name: lab.model_copy(update={"label": label}) for name, lab in meta.labs.items()}
    lab = [name for name in meta.labs for _ in range(4)]
    columns = {"run": [0, 1, 2, 3] * 11, "week": [9] * 44, "lab": lab, "name": lab, "kind": ["failure"] * 44}
    events = synthetic.table("events", 44, **columns).slice(0, 4 * 3)
    axes = pictures.plot_hiring(
        meta.model_copy(update={"labs": long}), labs_table(list(meta.labs), GROWTH["all alike"]), events
    )
    subtitle = next(text for text in axes.texts if text.get_text().startswith("Cumulative"))
    axes.figure.set_dpi(80)
    axes.figure.draw_without_rendering()
    assert subtitle.get_window_extent().x1 <= axes.figure.bbox.x1


def test_the_source_says_what_was_fitted_and_nothing_that_is_not_known(meta):
    names = list(meta.labs)
    labs, spells = labs_table(names, GROWTH["all alike"]), spells_table(names, STAY["all alike"])
    fitted = "Simulated; fitted to public figures: retention, flows, moves to rivals, acceptance of offers"
    own = meta.model_copy(update={"name": "mine"})
    own._sources = {}  # the same numbers, of which nothing is said
    for scenario, due in ((meta, fitted), (own, "talentsim, scenario mine. Simulated.")):
        hiring = pictures.plot_hiring(scenario, labs, empty("events"))
        for words in map(all_words, (hiring, pictures.plot_retention(scenario, spells))):
            assert due in words
            assert ("fitted" in words) == (scenario is meta)


def test_verbs_agree_with_those_who_do_it(meta):
    def told(*labs: str, kind: str = "failure") -> str:
        columns = {"run": [0] * len(labs), "week": [9] * len(labs), "lab": labs, "name": ["x"] * len(labs)}
        table = synthetic.table("events", len(labs), kind=[kind] * len(labs), **columns)
        return event_marks(meta, table, 1)[0][1]

    assert told("meta") == "Meta fails"
    assert told("meta", "openai") == "Meta and OpenAI fail"
    assert told("meta", kind="hiring_freeze") == "Meta freezes hiring"
    assert told("", kind="layoff") == "All labs lay off staff"
    assert told("meta", "xai", kind="revaluation") == "Meta and xAI are worth more or less"
    assert told("meta", "xai", kind="strategy_change") == "Meta and xAI change their strategy"


def test_an_event_of_few_runs_is_not_marked(meta):
    labs = labs_table(list(meta.labs), GROWTH["all alike"])
    rare = synthetic.table(
        "events", 1, run=[0], week=[111], kind=["campaign"], name=["meta-at-openai"], lab=["meta"]
    )
    assert "offers at" not in all_words(pictures.plot_hiring(meta, labs, rare))


def test_retention_reads_as_the_share_that_stays(meta):
    names = list(meta.labs)
    axes = pictures.plot_retention(meta, spells_table(names, [0.5] + [0.9] * 10, size=20_000))
    label = next(text.get_text() for text in texts(axes) if text.get_text().startswith("OpenAI"))
    assert abs(float(label.split()[1]) - 50) <= 3
    assert "Kaplan-Meier" in all_words(axes)
    assert axes.get_ylim()[1] > 100


def test_given_axes_are_drawn_on_and_returned(meta):
    given = style.new_axes()
    labs = labs_table(list(meta.labs), GROWTH["all alike"])
    assert pictures.plot_hiring(meta, labs, empty("events"), given) is given
    assert pictures.plot_retention(meta, spells_table(list(meta.labs), STAY["all alike"]), given) is given


def test_words_with_dollars_are_not_mathematics(meta):
    lab = meta.labs["openai"].model_copy(update={"label": "A$x^2$ & <b>"})
    odd = meta.model_copy(update={"labs": meta.labs | {"openai": lab}})
    axes = pictures.plot_hiring(odd, labs_table(list(meta.labs), GROWTH["all alike"]), empty("events"))
    assert all(not text.get_parse_math() for text in texts(axes) if "$" in text.get_text())
    assert any("A$x^2$ & <b>" in text.get_text() for text in texts(axes))


def test_save_writes_the_same_bytes_twice_and_nothing_else(meta, tmp_path):
    for name in ("a.png", "b.png"):
        axes = pictures.plot_retention(meta, spells_table(list(meta.labs), STAY["all alike"]))
        pictures.save(axes, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_pyplot_is_never_used():
    """pyplot keeps figures alive and is not safe in threads."""
    for module in (pictures, market_pictures, style):
        assert "pyplot" not in Path(str(module.__file__)).read_text("utf-8")


# --- labels that make room for one another ------------------------------------------------------


def test_labels_far_apart_stay_where_they_are():
    assert style.spread_apart([5.0, 1.0, 9.0], 2, 0, 10) == [5, 1, 9]


def test_labels_too_close_move_apart_evenly_and_keep_their_order():
    assert_allclose(style.spread_apart([5.0, 5.1], 2, 0, 10), [4.05, 6.05])


@pytest.mark.parametrize("seed", range(20))
def test_labels_keep_gap_order_and_bounds(seed):
    rng = np.random.default_rng(seed)
    wanted = rng.choice([0.0, 1.0, 5.0, 9.0, 10.0], 9) + rng.normal(0, 0.3, 9)
    placed = np.array(style.spread_apart(list(wanted), 1.0, 0, 10))
    assert (np.diff(np.sort(placed)) >= 1 - 1e-9).all()
    assert placed.min() >= -1e-9
    assert placed.max() <= 10 + 1e-9
    assert (np.argsort(placed, kind="stable") == np.argsort(wanted, kind="stable")).all()


def test_too_many_labels_share_the_room():
    assert_allclose(sorted(style.spread_apart([1.0] * 5, 10, 0, 4)), [0, 1, 2, 3, 4])


def test_colours_are_distinct_and_then_grey():
    found = style.colours([str(i) for i in range(11)])
    own = [colour for colour in found.values() if colour != style.GREY]
    assert len(set(own)) == len(own) >= 5


FLOATS = st.floats(-100, 100, allow_nan=False, width=32)


@given(st.lists(FLOATS, min_size=1, max_size=12), st.floats(0, 5), st.floats(-50, 50), st.floats(0.1, 100))
def test_labels_keep_order_gap_and_bounds_whatever_is_wanted(wanted, gap, low, height):
    placed = style.spread_apart(wanted, gap, low, low + height)
    fits = min(gap, height / max(len(wanted) - 1, 1))  # with too little room the gap shrinks
    slack = 1e-9 * (1 + abs(low) + height)
    assert len(placed) == len(wanted)
    assert min(placed) >= low - slack
    assert max(placed) <= low + height + slack
    in_order = [
        position for _, position in sorted(zip(wanted, placed, strict=True), key=lambda pair: pair[0])
    ]
    assert all(later - earlier >= fits - slack for earlier, later in pairwise(in_order))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12, unique=True), st.floats(0, 1))
def test_labels_far_apart_stay_exactly(wanted, gap):
    assert style.spread_apart([float(value) for value in wanted], gap, 0, 50) == wanted


@given(st.lists(FLOATS, min_size=1, max_size=8), st.floats(0, 5))
def test_labels_that_have_been_spread_stay(wanted, gap):
    once = style.spread_apart(wanted, gap, -50, 50)
    assert_allclose(style.spread_apart(once, gap, -50, 50), once, atol=1e-6)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=8), st.floats(0, 3))
def test_labels_of_a_picture_upside_down_are_upside_down(wanted, gap):
    up = style.spread_apart(wanted, gap, -60, 60)
    down = style.spread_apart([-value for value in wanted], gap, -60, 60)
    assert_allclose(sorted(-value for value in down), sorted(up), atol=1e-6)


# --- real runs ----------------------------------------------------------------------------------


def both(result: Result) -> list[Axes]:
    """The two curves of a result, drawn without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # people would read it on the screen
        return [result.plot_hiring(), result.plot_retention()]


def other_pictures(result: Result) -> dict[str, Axes]:
    """The other pictures of a result, drawn without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {
            "flows": result.plot_flows(),
            "pay by lab": result.plot_pay(),
            "pay by origin": result.plot_pay(by="origin"),
            "acceptance": result.plot_acceptance(),
            "origins": result.plot_origins(),
            "budget": result.plot_budget(),
            "statement": result.plot_budget(lab=next(iter(result.scenario.labs))),
        }


def test_the_article_s_pictures_are_legible():
    for axes in both(article()):
        assert_legible(axes)


def test_one_run_of_the_article_is_legible():
    one = article(runs=1)
    for axes in both(one):
        assert_legible(axes)
        assert "one run" in all_words(axes)
        assert "percentile" not in all_words(axes)


@pytest.mark.parametrize("weeks", [1, 4, 20])  # notice is 3 weeks
@pytest.mark.parametrize("runs", [1, 2])
def test_short_horizons_are_legible(weeks, runs):
    for axes in both(quiet(weeks, runs)):
        assert_legible(axes)


@pytest.mark.parametrize("outside", [0, 40], ids=["there is nobody to hire", "some are hired"])
def test_one_lab_alone_is_legible(outside):
    plan = [{"date": "2023-09-04", "staff": 70}]
    solo = small_markets.lab(25, label="The only lab", headcount_plan=plan)
    entry = {"outside": outside, "graduates": f"{outside} /year"}
    entry |= dict.fromkeys(("graduates_growth", "return_rate"), "0 /year")
    data = small_markets.market_of({"solo": solo}, weeks=30, market={"entry": entry})
    result = results.run(small_markets.scenario(data), runs=2)
    hired = int(result.labs.hires.sum())
    assert (hired > 0) == (outside > 0)
    hiring, retention = both(result)
    for axes in (hiring, retention):
        assert_legible(axes)
    assert "The only lab" in all_words(hiring)
    assert ("The only lab" in all_words(retention)) == (hired > 0)


def test_the_longest_labels_that_a_scenario_may_have_are_legible(meta):
    label = "The Institute for Advanced Studies of Intelligence, Cambridge"[:60]
    labs = meta.labs | {
        name: meta.labs[name].model_copy(update={"label": label.replace("The", word)})
        for name, word in (("openai", "One"), ("anthropic", "An"))
    }
    odd, names = meta.model_copy(update={"labs": labs}), list(meta.labs)
    assert_legible(pictures.plot_hiring(odd, labs_table(names, GROWTH["as in the article"]), empty("events")))
    assert_legible(pictures.plot_retention(odd, spells_table(names, STAY["as in the article"])))


def test_bands_hold_the_medians_and_single_runs_have_none():
    """The shaded polygon of each lab encloses its line: 5th percentile, median, 95th percentile."""

    def shaded(axes: Axes) -> list[Any]:
        return [band for band in axes.collections if isinstance(band, PolyCollection)]

    axes = article().plot_hiring()
    bands = [band.get_paths()[0].vertices for band in shaded(axes)]
    assert len(bands) == len(style.COLOURS)
    final = {float(line.get_ydata()[-1]) for line in axes.lines if len(line.get_xdata()) == 130}
    last = [band[band[:, 0] == band[:, 0].max()][:, 1] for band in bands]
    assert all(any(edge.min() <= value <= edge.max() for value in final) for edge in last)
    assert not shaded(article(runs=1).plot_hiring())


def test_axes_of_a_reader_s_own_figure_are_used():
    figure = Figure(figsize=(12, 5))
    left, right = figure.subplots(1, 2)
    result = article()
    assert result.plot_hiring(left) is left
    assert result.plot_retention(ax=right) is right
    assert figure.axes == [left, right]
    assert left.lines
    assert right.lines


def test_drawing_leaves_the_tables_as_they_were():
    result = article()
    before = result.hashes()
    both(result)
    assert result.hashes() == before


# --- the market: moves, pay, acceptance, budgets --------------------------------------------------


@pytest.mark.parametrize("runs", [1, 4])
def test_the_market_s_pictures_are_legible(runs):
    for axes in other_pictures(article(runs=runs)).values():
        assert_legible(axes)
        assert ("one run" in all_words(axes)) == (runs == 1)


@pytest.mark.parametrize("weeks", [1, 20])
def test_the_market_s_pictures_of_short_horizons_are_legible(weeks):
    for axes in other_pictures(quiet(weeks)).values():
        assert_legible(axes)


def test_the_market_s_pictures_hold_the_longest_labels(meta):
    label = "Institute for Advanced Studies of Intelligence, Cambridge"[:52]
    labs = {
        name: lab.model_copy(update={"label": f"$n^{i}$ {label}"})
        for i, (name, lab) in enumerate(meta.labs.items())
    }
    odd, result = meta.model_copy(update={"labs": labs}), article()
    for draw, table in (
        (market_pictures.plot_flows, "spells"),
        (market_pictures.plot_pay, "offers"),
        (market_pictures.plot_origins, "spells"),
        (budget_pictures.plot_budget, "labs"),
    ):
        axes = draw(odd, result.table(table))
        assert all(not text.get_parse_math() for text in texts(axes) if "$" in text.get_text())
        assert_legible(axes)


def test_all_text_contrasts_with_the_page():
    drawn = other_pictures(article())
    for name in ("flows", "origins"):
        del drawn[name]  # numbers stand on coloured cells; see below
    for axes in (*both(article()), *drawn.values()):
        for text in texts(axes):
            assert style.contrast(text.get_color()) >= 4.5, text.get_text()


def test_numbers_contrast_with_their_cells():
    axes = article().plot_flows()
    image = axes.images[0]
    cells = [text for text in axes.texts if text.get_text().replace(".", "").isdigit()]
    assert len(cells) > 50
    for text in cells:
        column, row = text.get_position()
        ground = image.cmap(image.norm(image.get_array()[row, column]))
        assert style.contrast(text.get_color(), ground) >= 4.5


@pytest.mark.parametrize(
    ("colour", "ground", "ratio"),
    [("black", "white", 21), ("white", "black", 21), ("#777777", "white", 4.48), ("#0000ff", "white", 8.59)],
)
def test_contrast_is_that_of_the_web_s_guidelines(colour, ground, ratio):
    """Published values of WCAG 2 contrast checkers."""
    assert style.contrast(colour, ground) == pytest.approx(ratio, abs=0.005)


def test_text_colours_are_readable_and_distinct():
    for colour in (style.INK, style.QUIET):
        assert style.contrast(colour) >= 4.5
    shades = [style.readable(colour) for colour in (*style.COLOURS, style.GREY)]
    assert len(set(shades)) == len(shades)
    assert all(style.contrast(shade) >= 4.5 for shade in shades)
    assert style.readable(style.COLOURS[0]) == style.COLOURS[0].lower()  # it contrasts enough as it is


def test_black_or_white_is_readable_on_every_grey():
    for level in np.linspace(0, 1, 101):
        ground = (level, level, level)
        assert style.contrast(style.readable_on(ground), ground) >= 4.5


def test_cells_of_the_heat_map_are_the_moves_of_the_spells():
    result = article()
    axes = result.plot_flows()
    spells = result.spells
    moved = spells[(spells.cause == "rival") & spells.end_week.between(0, 103)]
    assert len(moved) > 100
    names = list(result.scenario.labs)
    drawn = np.ma.filled(axes.images[0].get_array().astype(float), 0)
    drawn = np.nan_to_num(drawn)
    for row, left in enumerate(names):
        for column, joined in enumerate(names):
            moves = ((moved.lab == left) & (moved.next_lab == joined)).sum()
            assert drawn[row, column] * result.runs == pytest.approx(moves), (left, joined)
    assert drawn.sum() * result.runs == pytest.approx(len(moved))
    most = moved.groupby(["lab", "next_lab"], observed=True).size().idxmax()
    labels = [result.scenario.labs[name].label for name in most]
    assert f"from {labels[0]} to {labels[1]}" in axes.get_title(loc="left")


def test_the_pay_curve_is_the_share_of_offers_at_least_so_large():
    result = article()
    axes, offers = result.plot_pay(), result.offers
    written = offers[offers.offer_week.notna()]
    package = (written.sign_on_cents + written.grant_cents) / 100
    for lab in ("openai", "meta"):
        label = result.scenario.labs[lab].label
        line = next(line for line in axes.lines if line.get_label() == label)
        here = np.asarray(package[written.lab == lab])
        assert line.get_xdata()[-1] == here.max()
        for x, share in zip(line.get_xdata()[::29], line.get_ydata()[::29], strict=True):
            assert share == pytest.approx(100 * np.mean(here >= x))
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_pay_by_origin_has_a_curve_for_people_outside():
    assert "outside" in all_words(article().plot_pay(by="origin"))
    assert "outside" not in all_words(article().plot_pay(by="lab"))


@given(st.lists(st.integers(0, 10**6), max_size=1500))
def test_the_tail_falls_from_the_share_with_pay_and_is_exact(values):
    x, share = market_pictures.tail(np.array(values, float))
    assert (np.diff(x) > 0).all()
    assert (np.diff(share) < 0).all()
    assert_allclose(share, [np.mean(np.array(values) >= value) for value in x])
    if any(values):
        assert x[-1] == max(values)
        assert share[0] == pytest.approx(np.mean(np.array(values) > 0)) or len(set(values)) > 400
    else:
        assert not len(x)


def test_the_tail_of_pareto_pay_is_straight():
    """P(X >= x) = x**-1.5 is a line of slope -1.5; its error at the top 1 % is 1.5 / sqrt(1000)."""
    values = np.random.default_rng(41).pareto(1.5, 100_000) + 1
    x, share = market_pictures.tail(values)
    upper = share >= 0.01
    slope = np.polyfit(np.log(x[upper]), np.log(share[upper]), 1)[0]
    assert abs(slope + 1.5) < 4 * 1.5 / np.sqrt(1000)


def offers_table(package: list[float], outcome: list[str], origin: list[str], **columns: Any) -> Any:
    """Written offers with such packages, USD, half as sign-on."""
    half = (np.array(package) * 50).astype(np.int64)
    given = {"offer_week": 5, "sign_on_cents": half, "grant_cents": half} | columns
    return synthetic.table("offers", len(package), outcome=outcome, origin=origin, **given)


def test_bins_hold_every_offer_once():
    result = article()
    found, offers = market_pictures.acceptance(result.table("offers")), result.offers
    written = offers[offers.offer_week.notna()]
    package = written.sign_on_cents + written.grant_cents
    assert found.offers.sum() + found.bare.sum() == len(written)
    outside = written.origin.astype(str).map(is_outside)
    for group, here in enumerate((outside, ~outside)):
        accepted = (here & (written.outcome == "accepted") & (package > 0)).sum()
        assert np.nansum(found.shares[group] * found.offers[group]) == pytest.approx(accepted)
        assert found.bare[group] == (here & (package == 0)).sum()
    big = written[outside & (package >= found.edges[-3] * 100 * (1 + 1e-12))]
    assert found.offers[0, -2:].sum() == len(big)


def test_acceptance_is_drawn_where_it_is():
    """Of 20 offers of 2M 15 are accepted, of 10 of 20M at a lab 1, of 7 without a package all."""
    table = offers_table(
        [2e6] * 20 + [2e7] * 10 + [0.0] * 7,
        ["accepted"] * 15 + ["declined"] * 5 + ["accepted"] + ["lapsed"] * 9 + ["accepted"] * 7,
        ["outside"] * 20 + ["meta"] * 10 + ["meta"] * 7,
    )
    found = market_pictures.acceptance(table)
    low, high = found.intervals
    for group, yes, asked, package in ((0, 15, 20, 2e6), (1, 1, 10, 2e7)):
        place = int(np.flatnonzero(found.offers[group])[0])
        assert found.edges[place] <= package < found.edges[place + 1]
        assert found.offers[group].sum() == asked
        due = binomtest(yes, asked).proportion_ci(method="wilson")
        assert_allclose((low[group, place], high[group, place]), due, rtol=1e-5)
    axes = market_pictures.plot_acceptance(load_scenario("meta-2025"), table)
    drawn = {line.get_ydata()[0] for line in axes.lines if len(line.get_ydata())}
    assert {75.0, 10.0} <= drawn
    assert axes.get_xscale() == "log"
    assert "7 without a package" in all_words(axes)


def test_offers_never_written_are_in_no_picture():
    written = offers_table([1e6] * 6, ["accepted"] * 6, ["outside"] * 6)
    never = offers_table([5e9] * 6, ["lapsed"] * 6, ["outside"] * 6, offer_week=None)
    market = load_scenario("meta-2025")
    assert market_pictures.acceptance(never).offers.sum() == 0
    assert "no offers" in all_words(market_pictures.plot_pay(market, never)).lower()
    assert "1M USD" in market_pictures.plot_pay(market, written).get_title(loc="left")


def test_lines_of_the_budget_are_the_medians_of_cash_and_committed():
    result = article()
    axes, labs = result.plot_budget(), result.labs
    last = labs[labs.week == labs.week.max()].groupby("lab", observed=True)
    final = [line.get_ydata()[-1] for line in axes.lines if len(line.get_ydata()) == labs.week.nunique()]
    for cash in last.cash_cents.median() / 100:
        assert any(value == pytest.approx(cash) for value in final)
    ever = labs.groupby("lab", observed=True).committed_cents.max()["meta"]
    assert ever > 0
    assert any(value == pytest.approx(last.committed_cents.median()["meta"] / 100) for value in final)


@pytest.mark.parametrize("name", ["flows", "origins", "pay", "acceptance", "budget"])
def test_an_empty_table_gives_a_picture_that_says_so(meta, name):
    tables = {"flows": "spells", "origins": "spells", "budget": "labs"}
    given, room = style.new_axes(), budget_pictures if name == "budget" else market_pictures
    axes = getattr(room, f"plot_{name}")(meta, empty(tables.get(name, "offers")), given)
    assert axes is given
    assert "nothing to show" in all_words(axes)
    assert not axes.lines
    assert not axes.images
    assert_legible(axes)


def test_offers_of_campaigns_alone_are_called_so(meta):
    table = offers_table([1e6] * 6, ["accepted"] * 6, ["openai"] * 6, campaign="meta-at-openai")
    assert "campaigns' offers" in all_words(market_pictures.plot_pay(meta, table))
    assert "written offers" in all_words(article().plot_pay())


def test_the_market_s_pictures_leave_the_tables_as_they_were():
    result = article()
    before = result.hashes()
    other_pictures(result)
    assert result.hashes() == before
