"""The cited figures: all there, faithful to their sources, and refused when malformed."""

import csv
import dataclasses
import math
from pathlib import Path

import pytest

from sim.scenario.figures import (
    COLUMNS,
    CONFIDENCES,
    Figure,
    FigureError,
    Figures,
    UnknownFigureError,
    data_folder,
    load_figures,
)

ARTICLE = """
release_flop emergency_plan scale_investment scale_team leader_dismissed perplexity_talks offers_made
offer_cap offers_accepted llama_divest llama_commit rivals_invest fair genai_unit stars
"""
SOURCES = """
R1 R2 R3 R4 R5 R6 R7 R8 R10 R11 R12 R24 O1 O3 O12 O13 O14 O15 O16 O18 O19 O20 O21 O22 M1 M8
P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 P15 P16 P17 P18 P19 P20 D1 D2 D3 D4 D5 D6 D7 D8 S1 S2 S4
H1 H2 H3 H4 H5 H6 H7 H8 H9 H10 H11 H12 H13 H14 H15 F1 F4 F5 L1 L2 L3 L4 L5 L6 L7 L8 L9 L10 L11
K1 K2 K3 K4 K5 K6 K7 K8 K9 K10 K11
"""
UNITS = """
%, %/month, %/year, GBP/year, USD, USD/person, USD/year, days, elasticity, estimates, exponent, hours, logit,
months, offers, papers, people, people/day, per year, rank, ratio, share, studies, weeks, years
"""
NO_NUMBER = {"claim", "event", "parts", "policy"}

GOOD = {
    "id": "H15",
    "value": "10",
    "low": "9",
    "high": "11",
    "unit": "USD/year",
    "date": "2025-12",
    "measures": "a budget",
    "source": "somebody",
    "url": "https://example.org/a ; https://example.org/b",
    "confidence": "quoted-S",
    "note": "",
}


@pytest.fixture(scope="module")
def figures() -> Figures:
    return load_figures()


def write(path: Path, *rows: dict[str, str], header: tuple[str, ...] = COLUMNS) -> Path:
    """Write a file of figures to `path`; give its folder back."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path.parent


def hazard(survival: float, years: float) -> float:
    return -math.log(survival) / years


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval as the two roots of (p - share)^2 = z^2 p (1 - p) / trials."""
    z2 = 1.959963984540054**2
    a, b, c = 1 + z2 / trials, -(2 * successes + z2) / trials, (successes / trials) ** 2
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def test_the_figures_of_the_article_are_all_there(figures: Figures) -> None:
    shipped = {figure.id for figure in figures.values() if figure.group == "article"}
    assert shipped == {f"article.{name}" for name in ARTICLE.split()} | {"article.acceptance"}
    assert all(figures[f"article.{name}"].confidence == "article" for name in ARTICLE.split())


def test_the_two_key_figures_are_exact(figures: Figures) -> None:
    assert figures.number("article.scale_investment") == 14.3e9
    assert figures.number("article.offer_cap") == 100e6
    assert figures["article.scale_investment"].unit == figures["article.offer_cap"].unit == "USD"


def test_the_campaign_of_the_article(figures: Figures) -> None:
    offers = figures["article.offers_made"]
    assert (offers.value, offers.low, offers.high) == (46, 46, None)
    assert figures.number("article.offers_accepted") == 4


def test_every_source_resolves_and_none_is_unlisted(figures: Figures) -> None:
    assert [id for id in SOURCES.split() if id not in figures] == []
    assert {figure.group for figure in figures.values()} == set(SOURCES.split()) | {"article"}


def test_a_row_that_points_to_parts_has_parts(figures: Figures) -> None:
    for figure in figures.values():
        points = figure.note.endswith(f"the values are in the rows {figure.id}.*")
        assert points or figure.unit != "parts", figure.id
        assert not points or (figure.value is None and figures.parts(figure.id)), figure.id


def test_every_row_tells_its_source_and_a_known_unit(figures: Figures) -> None:
    units = {unit.strip() for unit in UNITS.split(",")} | NO_NUMBER
    for figure in figures.values():
        assert figure.source and figure.measures, figure.id
        assert figure.unit in units, figure.id
        if figure.unit in NO_NUMBER:
            assert figure.value is figure.low is figure.high is None, figure.id


def test_a_quoted_figure_has_an_address_unless_the_page_was_not_kept(figures: Figures) -> None:
    bare = {f.group for f in figures.values() if f.confidence.startswith("quoted") and not f.url}
    assert bare == {"K1", "K7"}  # K7's parts have theirs
    assert all(part.url for part in figures.parts("K7"))


def test_derived_rows_name_rows_that_exist(figures: Figures) -> None:
    for figure in figures.values():
        if figure.confidence == "derived" and figure.source.startswith("arithmetic on "):
            named = (
                figure.source.removeprefix("arithmetic on ")
                .replace(" and ", " ")
                .replace(" to ", " ")
                .replace(",", "")
            )
            assert all(id in figures for id in named.split()), figure.id


def test_what_is_from_memory_says_so(figures: Figures) -> None:
    for figure in figures.values():
        if figure.confidence == "from memory":
            assert "check before citing" in figure.note or "sweep" in figure.note, figure.id


def test_the_folklore_about_counter_offers_cannot_be_used(figures: Figures) -> None:
    folklore = figures["O21"]
    assert folklore.value is folklore.low is folklore.high is None
    assert figures.parts("O21") == ()
    with pytest.raises(FigureError, match="must not be used"):
        figures.number("O21")


# Derived rows recompute


@pytest.mark.parametrize(
    ("lab", "source"), [("anthropic", "R1"), ("deepmind", "R2"), ("openai", "R3"), ("meta", "R4")]
)
def test_the_hazards_follow_from_the_retention(figures: Figures, lab: str, source: str) -> None:
    expected = hazard(figures.number(source) / 100, 2)
    assert figures.number(f"R5.{lab}") == pytest.approx(expected, abs=5e-7)
    assert figures.number(f"R5.{lab}_probability") == pytest.approx(100 * (1 - math.exp(-expected)), abs=0.05)


@pytest.mark.parametrize("id", ["O1", "article.acceptance"])
def test_the_acceptance_is_4_of_45_with_wilson_interval(figures: Figures, id: str) -> None:
    figure = figures[id]
    assert figure.value == pytest.approx(4 / 45, abs=5e-7)
    assert (figure.low, figure.high) == pytest.approx(wilson(4, 45), abs=5e-7)
    assert figures.number("article.offers_accepted") / figures.number("article.offers_made") < 4 / 45


@pytest.mark.parametrize(
    ("id", "high", "low"), [("K3", "K3.acquired", "K3.hired"), ("K4", "K4.after", "K4.before")]
)
def test_hazard_ratios_and_logit_shifts(figures: Figures, id: str, high: str, low: str) -> None:
    p, q = figures.number(high) / 100, figures.number(low) / 100
    assert figures.number(f"{id}.hazard_ratio") == pytest.approx(math.log(1 - p) / math.log(1 - q), abs=5e-4)
    shift = math.log(p / (1 - p)) - math.log(q / (1 - q))
    assert figures.number(f"{id}.logit_shift") == pytest.approx(shift, abs=5e-4)


@pytest.mark.parametrize(("start", "months"), [("2023-11", 28), ("2025-08", 7)])
def test_the_growth_of_openai_follows_from_its_headcount(figures: Figures, start: str, months: int) -> None:
    growth = 100 * math.log(figures.number("H7.2026-03") / figures.number(f"H7.{start}")) / months
    assert figures.number(f"H8.since_{start}") == pytest.approx(growth, abs=0.05)


@pytest.mark.parametrize("month", ["2022-07", "2023-07"])
def test_movers_for_each_offer(figures: Figures, month: str) -> None:
    share = 100 * figures.number(f"L2.{month}") / figures.number(f"L3.{month}")
    assert figures.number(f"L4.{month}") == pytest.approx(share, abs=0.5)


def test_deals_sums_and_shares_agree(figures: Figures) -> None:
    number = figures.number
    assert number("D1") == number("D1.licence") + number("D1.waiver")
    assert number("D8.inflection") == pytest.approx(number("D1") / number("D1.people"), rel=0.005)
    assert number("D8.windsurf") == pytest.approx(number("D6") / number("D6.people"))
    people = number("D3.founders") + number("D3.researchers")
    assert figures["D8.character"].low == pytest.approx(number("D3") / people, rel=0.005)
    assert figures["D8.character"].high == pytest.approx(number("D3") / number("D3.researchers"), rel=0.005)
    # and other sums and shares
    assert number("D5") == number("article.scale_investment")
    assert number("P14") == number("P14.base") + number("P14.equity")
    assert number("P7.take_up") == pytest.approx(100 * number("P7.sold") / number("P7.authorised"), abs=0.5)
    assert number("P20.2022") == number("P20.2023") - 231e6
    assert number("H7.2025-08") == pytest.approx(
        number("P3.people") / number("P3.staff_share") * 100, rel=0.005
    )
    assert number("P2.2025") == pytest.approx(number("P1") * number("P1.staff"))


@pytest.mark.parametrize(
    ("id", "value", "unit"),
    [
        ("R6", 8, "ratio"),
        ("O13.equity", 20e6, "USD"),
        ("O19.accepted", 73, "%"),
        ("P5.2025-12", 0, "months"),
        ("D6", 2.4e9, "USD"),
        ("H13.2025", 72.2e9, "USD/year"),
        ("H15", 10e9, "USD/year"),
        ("L8", -10, "elasticity"),
        ("K1.meta", 4.3, "%/year"),
        ("K7.webber", 1.08, "elasticity"),
        ("K11", 10, "%/year"),
    ],
)
def test_figures_that_the_model_leans_on(figures: Figures, id: str, value: float, unit: str) -> None:
    assert (figures.number(id), figures[id].unit) == (value, unit)


def test_a_group_has_its_parts_in_order(figures: Figures) -> None:
    assert [part.id for part in figures.parts("P8")] == ["P8.2025", "P8.2025-10", "P8.2026-03"]
    assert all(part.group == "P8" for part in figures.parts("P8"))
    assert figures.parts("P1")[0].id == "P1.staff"  # not P10.2025


@pytest.mark.parametrize(
    ("id", "likely"),
    [("article.offer_caps", "article.offer_cap"), ("h15", "H15"), ("K3.hazard-ratio", "K3.hazard_ratio")],
)
def test_an_unknown_id_names_a_likely_one(figures: Figures, id: str, likely: str) -> None:
    with pytest.raises(UnknownFigureError) as caught:
        figures[id]
    message = str(caught.value)
    assert message.startswith(f"no figure has the id '{id}'; did you mean ")
    assert likely in message.split("did you mean ")[1].rstrip("?").split(" or ")


def test_an_unknown_id_like_no_other_gets_no_guess(figures: Figures) -> None:
    with pytest.raises(KeyError) as caught:
        figures.parts("zzzzzzzz")
    assert str(caught.value) == "no figure has the id 'zzzzzzzz'"
    assert figures.get("zzzzzzzz") is None
    assert "zzzzzzzz" not in figures


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("H13", "figure H13 has no value: cite one of its parts: H13.2024, H13.2025, H13.2026"),
        ("P15", "figure P15 has no value: it is a range, 700000 to 900000 USD/year"),
        ("article.stars", "figure article.stars has no value: Enters as heavy-tailed pay"),
    ],
)
def test_a_figure_without_a_value_says_why(figures: Figures, id: str, message: str) -> None:
    with pytest.raises(FigureError) as caught:
        figures.number(id)
    assert str(caught.value).startswith(message)


def test_figures_are_read_once_and_cannot_be_changed(figures: Figures) -> None:
    assert load_figures() is figures
    assert load_figures(str(data_folder("seeds"))) is figures
    with pytest.raises(dataclasses.FrozenInstanceError):
        figures["R1"].value = 99  # type: ignore[misc]
    with pytest.raises(TypeError):
        figures["R1"] = figures["R2"]  # type: ignore[index]
    with pytest.raises(FigureError, match="two figures have the id R1"):
        Figures([figures["R1"], figures["R1"]])


def test_the_data_folders_are_found() -> None:
    assert (data_folder("seeds") / "article.csv").is_file()
    with pytest.raises(FileNotFoundError, match="'no-such-folder' of talentsim is missing"):
        data_folder("no-such-folder")


# Files that are refused


def test_a_good_file_is_read(tmp_path: Path) -> None:
    only = load_figures(write(tmp_path / "own.csv", GOOD))["H15"]
    assert only == Figure(
        id="H15", value=10, low=9, high=11, unit="USD/year", date="2025-12", measures="a budget",
        source="somebody", url=GOOD["url"], confidence="quoted-S",
    )  # fmt: skip


def test_columns_may_stand_in_any_order_after_a_byte_order_mark(tmp_path: Path) -> None:
    folder = write(tmp_path / "own.csv", GOOD, header=tuple(reversed(COLUMNS)))
    path = tmp_path / "own.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_figures(folder).number("H15") == 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "14,3e9"}, "value '14,3e9' is not a plain number"),
        ({"value": "10B USD"}, "value '10B USD' is not a plain number"),
        ({"high": "nan"}, "high 'nan' is not a plain number"),
        ({"low": "1e999", "value": "", "high": ""}, "H15 has a number that is not finite"),
        ({"low": "12"}, "low, value and high of H15 are not in order: 12 > 10 > 11"),
        ({"value": "", "low": "12"}, "low, value and high of H15 are not in order: 12 > 11"),
        ({"confidence": "quoted-p"}, "confidence 'quoted-p' is not one of "),
        ({"confidence": "quoted-p"}, "did you mean quoted-P"),
        ({"confidence": ""}, "confidence '' is not one of "),
        ({"source": "  "}, "source of H15 is empty"),
        ({"unit": ""}, "unit of H15 is empty"),
        ({"measures": ""}, "measures of H15 is empty"),
        ({"id": "the budget"}, "id 'the budget' is not of the form"),
        ({"id": ""}, "id '' is not of the form"),
        ({"date": "Dec 2025"}, "date 'Dec 2025' is not a year, month or day"),
        ({"date": "2025-13"}, "date '2025-13' is not a year, month or day"),
        ({"url": "example.org"}, "url 'example.org' is not a web address"),
        ({"id": "H16.2025"}, "H16.2025 is a part of H16, which has no row of its own"),
    ],
)
def test_a_bad_row_is_refused_with_file_and_line(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    first = GOOD | {"id": "R1", "note": "over\ntwo lines"}
    folder = write(tmp_path / "own.csv", first, GOOD | change)
    with pytest.raises(FigureError) as caught:
        load_figures(folder)
    assert str(caught.value).startswith(f"{tmp_path / 'own.csv'}:4: ")
    assert message in str(caught.value)


def test_an_id_in_two_files_is_refused_with_both_places(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", GOOD)
    write(tmp_path / "b.csv", GOOD | {"id": "R1"}, GOOD)
    with pytest.raises(FigureError) as caught:
        load_figures(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'b.csv'}:3: id H15 is there already, at {tmp_path / 'a.csv'}:2"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ((*COLUMNS, "sources"), "unknown column 'sources'; did you mean source"),
        (COLUMNS[1:], "column 'id' is missing"),
        ((*COLUMNS, "id"), "column 'id' is there twice"),
    ],
)
def test_a_bad_header_is_refused(tmp_path: Path, header: tuple[str, ...], message: str) -> None:
    folder = write(tmp_path / "own.csv", GOOD, header=header)
    with pytest.raises(FigureError) as caught:
        load_figures(folder)
    assert str(caught.value).startswith(f"{tmp_path / 'own.csv'}:1: {message}")


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "column 'id' is missing"),
        (b"H15,10,9,11,USD,2025,a, b,c,,given,\n", 2, "12 cells where the header has 11"),
        (b'R1,1,,,%,,a,b,,given,\n"H15,10\n', 3, "unexpected end of data"),
        (b"R1,1,,,%,,a,b,,given,\nH15,1,,,%,,caf\xe9,b,,given,\n", 3, "byte 0xe9 is not UTF-8"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes, line: int, message: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(((",".join(COLUMNS) + "\n").encode() if content else b"") + content)
    with pytest.raises(FigureError) as caught:
        load_figures(tmp_path)
    assert str(caught.value).startswith(f"{path}:{line}: {message}")


def test_a_folder_without_figures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FigureError, match="holds no CSV file of figures"):
        load_figures(tmp_path)
    (tmp_path / "own.csv").mkdir()
    with pytest.raises(FigureError, match=r"own\.csv: cannot be read"):
        load_figures(tmp_path)


def test_the_confidences_are_those_that_the_figures_use(figures: Figures) -> None:
    assert {figure.confidence for figure in figures.values()} == set(CONFIDENCES)


def test_the_files_are_plain_utf_8_with_the_header_and_no_stray_spaces() -> None:
    for path in data_folder("seeds").glob("*.csv"):
        text = path.read_bytes().decode("utf-8")
        assert text.startswith(",".join(COLUMNS) + "\n") and text.endswith("\n")
        for record in csv.reader(text.splitlines()):
            assert [cell.strip() for cell in record] == record
