"""The generated documents say what the code says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from sim.report import documents, parameters, theory_page
from sim.report.pictures import save
from sim.scenario.parameters import Choice
from sim.scenario.quantities import MoneyRate, Weeks
from sim.scenario.schema import Scenario, parameter
from sim.theory.checks import Check
from sim.theory.mean_field import Distance
from sim.theory.verify import ORACLES, verify

DOCS = Path(__file__).resolve().parents[2] / "docs"
ALIKE = [Distance(1000, 4, 0.02, 0.01), Distance(4000, 4, 0.01, 0.001)]
UNLIKE = [Distance(1000, 4, 0.06, 0.05), Distance(4000, 4, 0.05, 0.05)]


# ---- parameters


def test_parameters_page_is_that_of_the_schema() -> None:
    written = (DOCS / "parameters.md").read_text(encoding="utf-8")
    assert written == parameters.page(), "docs/parameters.md is not what the schema says: run make docs"


def test_every_parameter_has_one_row() -> None:
    paths = re.findall(r"^\| `([^`]+)` \|", parameters.page(), re.MULTILINE)
    assert len(paths) == len(set(paths))
    assert {
        "horizon",
        "market.choice.pay_elasticity",
        "labs.<name>.vesting.cliff",
        "labs.<name>.units.<name>.mission.safety",
        "labs.<name>.headcount_plan.<n>.staff",
        "events.<n>.campaign.package_cap",
        "events.<n>.on",
    } <= set(paths)
    topics = Scenario.model_fields["market"].annotation
    assert topics is not None
    for topic, field in topics.model_fields.items():
        for name in field.annotation.model_fields:
            below = f"market.{topic}.{name}"
            assert any(path == below or path.startswith(f"{below}.") for path in paths), below


def row(path: str, section: type[BaseModel] = Choice) -> parameters.Row:
    return next(row for row in parameters.rows_of(path.rpartition(".")[0], section) if row.path == path)


def test_a_row_says_what_the_field_says() -> None:
    found = row("market.choice.pay_elasticity")
    assert (found.symbol, found.source, found.default) == ("alpha", "L7", "2")
    assert found.bounds == "≥ 0.1, ≤ 20"
    assert "rules/choice.py" in found.read_by


class Example(BaseModel):
    """A section as a schema might have one."""

    cap: Annotated[MoneyRate | None, Field(ge=100)] = parameter(None, "a cap | on pay", source="L1")
    wait: Weeks = parameter("2 weeks", "a wait", symbol="w")
    mode: Literal["one", "two"] = parameter("one", "a choice")
    plain: int = 3
    needed: bool


def test_rows_of_any_kind_of_field() -> None:
    cap, wait, mode, plain, needed = parameters.rows_of("x", Example)
    assert (cap.unit, cap.default, cap.bounds, cap.source) == ("USD/year", "none", "≥ 1 USD/year", "L1")
    assert cap.markdown.count(" | ") == 7  # a bar in the text must not make a cell
    assert (wait.unit, wait.default, wait.bounds, wait.symbol) == ("weeks", "2 weeks", "≥ 0", "w")
    assert (mode.unit, mode.bounds) == ("choice", "`one`, `two`")
    assert (plain.unit, plain.default, plain.meaning) == ("count", "3", "plain")
    assert (needed.unit, needed.default) == ("yes or no", "*required*")


# ---- theory


def test_theory_page_has_a_section_and_a_picture_for_each_oracle() -> None:
    page = (DOCS / "theory.md").read_text(encoding="utf-8")
    assert set(theory_page.ABOUT) == set(ORACLES)
    for name, oracle in ORACLES.items():
        assert f"## {name}: {oracle.title}\n" in page
    pictures = re.findall(r"!\[[^\]]+\]\((theory/[^)]+)\)", page)
    assert pictures == [f"theory/{name}.png" for name in (*ORACLES, "mean-field")]
    assert {f"theory/{path.name}" for path in (DOCS / "theory").iterdir()} == set(pictures)
    assert all((DOCS / path).read_bytes().startswith(b"\x89PNG") for path in pictures)


@pytest.mark.parametrize("name", ["T5", "T10", "T12"])
def test_theory_page_has_what_verify_says_of_pure_rules(name: str) -> None:
    page = (DOCS / "theory.md").read_text(encoding="utf-8")
    expected = [row for row in theory_page.section(verify([name]), name).splitlines() if row.startswith("| ")]
    missing = [row for row in expected if _rounded(row) not in map(_rounded, page.splitlines())]
    assert not missing, f"docs/theory.md does not say what verify says of {name}: run make docs"


def _rounded(row: str) -> list[str]:
    """The figure and the numbers compared; z of what is equal but for rounding errors may differ."""
    return [cell.strip() for cell in row.split("|")[1:4]]


def test_theory_page_says_that_all_agree_and_where_the_textbook_is_off() -> None:
    page = (DOCS / "theory.md").read_text(encoding="utf-8")
    tables = re.findall(r"\| figure \| theory .*?\n\n", page, re.DOTALL)
    rows = [[c.strip() for c in line.split("|")[1:-1]] for t in tables for line in t.splitlines()[2:] if line]
    assert all(abs(float(cells[4])) < 4 for cells in rows)
    moves = next(cells for cells in rows if cells[0] == "moves a week")
    assert abs(float(moves[6])) > 4  # in continuous time a correct weekly market would fail
    assert abs(float(moves[6])) == pytest.approx(
        abs(float(moves[5]) - float(moves[1])) / float(moves[3]), rel=0.05
    )


def test_rows_of_a_table() -> None:
    points = [
        Check("G 1", 0.5, 0.51, 0.01, 0.52, "G", 1.0),
        Check("G 2", 0.6, 0.60, 0.01, 0.65, "G", 2.0),
        Check("u", 0.2, 0.2, 0.01),
    ]
    assert theory_page.table(points).splitlines()[2:] == [
        "| G 1, 2 points | 0.50000 | 0.51000 | 1.0e-02 | 1.00 | 0.52000 | +2.0 |",
        "| u | 0.20000 | 0.20000 | 1.0e-02 | 0.00 |  |  |",
        "| G 2 | 0.60000 | 0.60000 | 1.0e-02 | 0.00 | 0.65000 | +5.0 |",
    ]
    assert "textbook" not in theory_page.table(points[2:])


def test_picture_shows_theory_points_and_textbook(tmp_path: Path) -> None:
    points = [
        Check(f"G {x}", 0.1 * x, 0.11 * x, 0.01, 0.12 * x, "G", x, "T3", "p 1") for x in (3.0, 1.0, 2.0)
    ]
    axes = theory_page.draw_oracle(points, "T3")
    theory_line, textbook, market = axes.get_lines()
    assert list(theory_line.get_xdata()) == [1.0, 2.0, 3.0]
    assert list(theory_line.get_ydata()) == pytest.approx([0.1, 0.2, 0.3])
    assert list(textbook.get_ydata()) == pytest.approx([0.12, 0.24, 0.36])
    assert textbook.get_linestyle() == "--"
    assert list(market.get_ydata()) == pytest.approx([0.11, 0.22, 0.33])
    save(axes, tmp_path / "T3.png")
    assert (tmp_path / "T3.png").stat().st_size > 1000


def test_mean_field_table_and_picture() -> None:
    text = theory_page.mean_field_section(ALIKE, UNLIKE)
    assert "| 4,000 | 4 | 0.01000 | 0.632 | 0.05000 | 0.05000 |" in text
    assert "varies by a factor of 1.00" in text
    line = theory_page.draw_mean_field(ALIKE, UNLIKE).get_lines()[0]
    assert line.get_ydata()[0] / line.get_ydata()[-1] == pytest.approx(2.0)  # type: ignore[index]


# ---- the command behind make docs


def test_documents_are_written_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert documents.main(["parameters"], tmp_path) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["parameters.md"]
    assert documents.main(["poems"], tmp_path) == 2
    assert "no document poems; there are parameters, theory" in capsys.readouterr().err
