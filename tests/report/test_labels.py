"""Labels are drawn and written as they are, whatever matplotlib, rich, YAML or a spreadsheet make of them."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text
from rich.console import Console
from small_markets import lab, market_of, scenario

import sim
from sim.page.downloads import as_csv
from sim.page.market_map import market_map, plot_market_map
from sim.report import pictures, style
from sim.report.screen import print_summary

LABELS = ("_hidden", "$x$of$y$", "=1+1", "@home", r"\alpha", "[red]b[/]")
FURTHER = (
    "<b>bold</b>", "+plus", "-minus", "{curly}", ":smile:", "#1", "%p", "*s", "&a", "!t", "|", ">", "- a",
    "null", "1.0", "yes", "`tick", "a: b", "^up", "'q", '"q',
)  # fmt: skip


@pytest.fixture(scope="module")
def result() -> sim.Result:
    labs = {f"l{number}": lab(25) | {"label": label} for number, label in enumerate(LABELS)}
    return sim.run(scenario(market_of(labs, weeks=40)), runs=2, seed=1)


def drawn(axes: Axes) -> Iterator[Text]:
    """Every text of a picture that is shown."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    yield from (found for found in figure.findobj(Text) if isinstance(found, Text) and found.get_visible())


def pictures_of(result: sim.Result) -> dict[str, Axes]:
    """Every picture that names labs."""
    changed = sim.change_scenario(result.scenario, ["labs.l0.talent_inflow=900M USD/year"])
    market = market_map(result.scenario, result.table("labs"), result.table("spells"))
    on_map = style.new_axes()
    plot_market_map(result.scenario, market, on_map)
    return {
        "hiring": result.plot_hiring(),
        "retention": result.plot_retention(),
        "flows": result.plot_flows(),
        "pay": result.plot_pay(),
        "pay by origin": result.plot_pay(by="origin"),
        "budget": result.plot_budget(),
        "difference": sim.compare(result.scenario, changed, runs=2).plot(),
        "map": on_map,
    }


def test_every_picture_names_every_lab_as_it_is_called(result: sim.Result, tmp_path: Path) -> None:
    for name, axes in pictures_of(result).items():
        texts = list(drawn(axes))
        for label in LABELS:
            said = [text for text in texts if label in text.get_text()]
            assert said, (name, label)
            assert not any(text.get_parse_math() for text in said), (name, label)
        pictures.save(axes, tmp_path / f"{name}.png")


def test_the_screen_names_every_lab_as_it_is_called(result: sim.Result) -> None:
    out = Console(file=io.StringIO(), width=120, force_terminal=False)
    print_summary(result.scenario, result.summary, None, out)
    said = out.file.getvalue()  # type: ignore[attr-defined]
    assert all(label in said for label in LABELS)


def test_swept_values_are_no_mathematics(result: sim.Result) -> None:
    from sim.report import differences

    design = {"labs.l1.talent_inflow": ["$200M/year", "$800M/year"], "labs.l2.staff": [12, 15]}
    for paths in (["labs.l1.talent_inflow"], [*design]):
        found = sim.sweep(result.scenario, {path: design[path] for path in paths}, runs=1)
        axes = differences.plot_sweep(result.scenario, found.rows, paths)
        assert axes is not None
        said = [text for text in drawn(axes) if "$" in text.get_text()]
        assert {"$200M/year", "$800M/year"} <= {text.get_text() for text in said}
        assert not any(text.get_parse_math() for text in said)


@pytest.mark.parametrize("label", [*LABELS, *FURTHER])
def test_a_label_is_written_and_read_as_it_is(label: str, tmp_path: Path) -> None:
    written = scenario(market_of({"a": lab(12) | {"label": label}, "b": lab(12)}, weeks=4))
    (tmp_path / "x.yaml").write_text(sim.dump_scenario(written), "utf-8")
    assert sim.load_scenario(tmp_path / "x.yaml") == written


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_a_spreadsheet_computes_nothing_of_a_download(kind: pa.DataType) -> None:
    words = ["=1+1", "+2", "-3", "@x", "\tx", "plain", "_x", "$y$", "<b>", 'a "b", c']
    head = "=HYPERLINK()"
    text = as_csv(pa.table({head: pa.array(words, pa.string()).cast(kind)})).decode()
    first, *rows = csv.reader(io.StringIO(text, newline=""))
    assert first == [f"'{head}"]
    assert [row[0] for row in rows] == [f"'{word}" if word[0] in "=+-@\t" else word for word in words]
