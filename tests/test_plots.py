"""The two pictures: no text upon another or off the page, marks, bands, headlines that say what is seen."""

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
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.testing import assert_allclose
from small_results import article, quiet

from sim import results
from sim.report import plots, style
from sim.results import Result
from sim.scenario.loading import load_scenario
from sim.tables import empty

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
    for axis in (axes.xaxis, axes.yaxis):
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
    placed = boxes(axes)
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
    assert_legible(plots.plot_hiring(meta, labs_table(list(meta.labs), GROWTH[case]), events_table()))


@pytest.mark.parametrize("case", STAY)
def test_retention_is_legible(meta, case):
    assert_legible(plots.plot_retention(meta, spells_table(list(meta.labs), STAY[case])))


def test_one_run_and_few_weeks_are_legible(meta):
    names = list(meta.labs)
    for weeks in (1, 9):
        labs = labs_table(names, GROWTH["all alike"], runs=1, weeks=weeks)
        assert_legible(plots.plot_hiring(meta, labs, empty("events")))
    assert_legible(
        plots.plot_retention(meta, spells_table(names, STAY["as in the article"], runs=1, size=300))
    )


def test_hiring_tells_what_it_shows(meta):
    labs = labs_table(list(meta.labs), GROWTH["as in the article"])
    axes = plots.plot_hiring(meta, labs, events_table())
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
    axes = plots.plot_hiring(meta, labs, empty("events"))
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
    ],
)
def test_hiring_headline(meta, weekly, weeks, headline):
    labs = {name: meta.labs[name] for name in ("openai", "google-deepmind")}
    table = labs_table(list(labs), weekly, runs=1, weeks=weeks, steady=True)
    axes = plots.plot_hiring(meta.model_copy(update={"labs": labs}), table, empty("events"))
    assert axes.get_title(loc="left") == headline


def test_an_event_of_few_runs_is_not_marked(meta):
    labs = labs_table(list(meta.labs), GROWTH["all alike"])
    rare = synthetic.table(
        "events", 1, run=[0], week=[111], kind=["campaign"], name=["meta-at-openai"], lab=["meta"]
    )
    assert "offers at" not in all_words(plots.plot_hiring(meta, labs, rare))


def test_retention_reads_as_the_share_that_stays(meta):
    names = list(meta.labs)
    axes = plots.plot_retention(meta, spells_table(names, [0.5] + [0.9] * 10, size=20_000))
    label = next(text.get_text() for text in texts(axes) if text.get_text().startswith("OpenAI"))
    assert abs(float(label.split()[1]) - 50) <= 3
    assert "Kaplan-Meier" in all_words(axes)
    assert axes.get_ylim()[1] > 100


def test_given_axes_are_drawn_on_and_returned(meta):
    given = style.new_axes()
    labs = labs_table(list(meta.labs), GROWTH["all alike"])
    assert plots.plot_hiring(meta, labs, empty("events"), given) is given
    assert plots.plot_retention(meta, spells_table(list(meta.labs), STAY["all alike"]), given) is given


def test_words_with_dollars_are_not_mathematics(meta):
    lab = meta.labs["openai"].model_copy(update={"label": "A$x^2$ & <b>"})
    odd = meta.model_copy(update={"labs": meta.labs | {"openai": lab}})
    axes = plots.plot_hiring(odd, labs_table(list(meta.labs), GROWTH["all alike"]), empty("events"))
    assert all(not text.get_parse_math() for text in texts(axes) if "$" in text.get_text())
    assert any("A$x^2$ & <b>" in text.get_text() for text in texts(axes))


def test_save_writes_the_same_bytes_twice_and_nothing_else(meta, tmp_path):
    for name in ("a.png", "b.png"):
        axes = plots.plot_retention(meta, spells_table(list(meta.labs), STAY["all alike"]))
        plots.save(axes, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_pyplot_is_never_used():
    """pyplot keeps figures alive and is not safe in threads."""
    for module in (plots, style):
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
    """The two pictures of a result, drawn without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # people would read it on the screen
        return [result.plot_hiring(), result.plot_retention()]


def test_the_article_s_pictures_are_legible():
    for axes in both(article()):
        assert_legible(axes)


def test_one_run_of_the_article_is_legible():
    one = article(runs=1)
    for axes in both(one):
        assert_legible(axes)
        assert "one run" in all_words(axes)
        assert "percentile" not in all_words(axes)


@pytest.mark.parametrize("weeks", [1, 2, 20])
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
    assert_legible(plots.plot_hiring(odd, labs_table(names, GROWTH["as in the article"]), empty("events")))
    assert_legible(plots.plot_retention(odd, spells_table(names, STAY["as in the article"])))


def test_bands_hold_the_medians_and_single_runs_have_none():
    """The shaded polygon of each lab encloses its line: 5th percentile, median, 95th percentile."""
    axes = article().plot_hiring()
    bands = [band.get_paths()[0].vertices for band in axes.collections]
    assert len(bands) == len(style.COLOURS)
    final = {float(line.get_ydata()[-1]) for line in axes.lines if len(line.get_xdata()) == 130}
    last = [band[band[:, 0] == band[:, 0].max()][:, 1] for band in bands]
    assert all(any(edge.min() <= value <= edge.max() for value in final) for edge in last)
    assert not article(runs=1).plot_hiring().collections


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
