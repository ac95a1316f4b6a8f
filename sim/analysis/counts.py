"""From recorded tables to arrays: panels by run, week and lab, and the counts that curves are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sim.scenario.quantities import WEEKS_PER_YEAR
from sim.system.arrays import Floats, Integers
from sim.system.tables import CAUSES, codes, numbers

Who = Literal["hires", "entry_cohort", "opening", "acquihires", "all"]

ENTRY_WEEKS = 13
"""The entry cohort starts in weeks 0 to 12, the first quarter."""
FLOW_WEEKS = 104
"""Flows between labs are counted over weeks 0 to 103."""

_COUNTED = ("run", "start_week", "entry_week", "end_week", "cause", "censored")
SPELL = ("run", "researcher", "lab", "start_week")
"""Columns that name a spell."""
_GROUPED = ("lab", "unit", "origin")
_ORIGINS: dict[str, tuple[str, ...]] = {
    "hires": ("outside", "rival"),
    "entry_cohort": ("outside", "rival"),
    "opening": ("opening",),
    "acquihires": ("acquihire",),
    "all": ("opening", "outside", "rival", "acquihire"),
}


@dataclass(frozen=True)
class Panel:
    """The table `labs` as dense arrays of shape (runs R, weeks W, labs L); what is not recorded reads 0."""

    table: Any
    runs: Integers
    weeks: Integers
    dates: npt.NDArray[np.datetime64]
    labs: tuple[str, ...]
    cell: Integers

    @classmethod
    def of(cls, table: Any, labs: Sequence[str] | None = None) -> Panel:
        """Index the table `labs`; `labs` fixes the order of the labs (by name if not given)."""
        lab, names = codes(table.column("lab"))
        order = tuple(labs) if labs is not None else tuple(names)
        runs, run = np.unique(numbers(table.column("run")).astype(np.int64), return_inverse=True)
        weeks, first, week = np.unique(
            numbers(table.column("week")).astype(np.int64), return_index=True, return_inverse=True
        )
        dates = numbers(table.column("date"))[first].astype("datetime64[D]")
        place = np.array([order.index(name) for name in names], dtype=np.int64)
        cell = (run * len(weeks) + week) * len(order) + place[lab] if len(lab) else lab
        return cls(table, runs, weeks, dates, order, cell)

    def column(self, name: str) -> npt.NDArray[Any]:
        """One column as (R, W, L), in the column's own unit."""
        values = numbers(self.table.column(name))
        dense = np.zeros(len(self.runs) * len(self.weeks) * len(self.labs), dtype=values.dtype)
        dense[self.cell] = values
        return dense.reshape(len(self.runs), len(self.weeks), len(self.labs))


@dataclass(frozen=True)
class SpellCounts:
    """Counts by tenure week d = 0 .. T-1, the input of `sim.analysis.curves`.

    `at_risk` has shape (G, T) or, by run, (R, G, T); `ends_by_cause` has (G, C, T) or (R, G, C, T),
    C the causes of `sim.system.tables.CAUSES` in their order. G are the groups.
    """

    groups: tuple[str, ...]
    runs: Integers
    at_risk: Integers
    ends_by_cause: Integers

    @property
    def ends(self) -> Integers:
        """Departures of any cause, in the shape of `at_risk`."""
        total: Integers = self.ends_by_cause.sum(axis=-2)
        return total

    def pooled(self) -> SpellCounts:
        """The same counts added up over runs; counts that are pooled already come back as they are."""
        if self.at_risk.ndim == 2:
            return self
        return SpellCounts(self.groups, self.runs, self.at_risk.sum(axis=0), self.ends_by_cause.sum(axis=0))


def spell_counts(
    spells: Any,
    *,
    by: str | None = "lab",
    who: Who = "hires",
    per_run: bool = False,
    runs: Sequence[int] | Integers | None = None,
    groups: Sequence[str] | None = None,
    weeks: int | None = None,
) -> SpellCounts:
    """Count who is at risk and who leaves in each tenure week.

    Args:
        spells: table `spells`; for curves by unit that of `stays`, where a spell leads through several.
        by: text column to group by (lab, unit, origin), or None for one group "all".
        who: which spells. `hires` come from outside or a rival; `entry_cohort` are the hires of weeks
            0 to 12; `opening` are those on the staff at the start, watched from their tenure then on.
        per_run: keep a run axis.
        runs: the runs of that axis; those that occur if not given.
        groups: the groups and their order; those that occur, sorted, if not given.
        weeks: number T of tenure weeks; the longest tenure watched if not given.

    Raises:
        ValueError: if a spell ends before it is first watched, or for no known cause, or if there is no
            such column or no such set of spells.
    """
    if who not in _ORIGINS:
        raise ValueError(f"who is {who!r}; there are {', '.join(_ORIGINS)}")
    if by is not None and by not in _GROUPED:
        raise ValueError(f"by is {by!r}; there are {', '.join(_GROUPED)}")
    axis = np.unique(numbers(spells.column("run")) if runs is None else np.asarray(runs)).astype(np.int64)
    read = spells.select(dict.fromkeys([*_COUNTED, *([by] if by else [])]))
    chosen = read.filter(_mask(spells, who) & np.isin(numbers(spells.column("run")), axis))
    run = np.searchsorted(axis, numbers(chosen.column("run")))
    group, names = _groups(chosen, by, groups)
    enter, leave, left = _tenures(chosen)
    length = weeks if weeks is not None else int(leave.max(initial=0))
    row = run * len(names) + group if per_run else group
    rows = len(axis) * len(names) if per_run else len(names)
    at_risk = np.cumsum(_tally(row, enter, rows, length) - _tally(row, leave, rows, length), axis=1)
    cause = _place(chosen.column("cause"), CAUSES)[left]
    if np.any(cause < 0):
        raise ValueError("a spell ended for no known cause")
    ended = _tally(row[left] * len(CAUSES) + cause, (leave - 1)[left], rows * len(CAUSES), length)
    shape = (len(axis), len(names)) if per_run else (len(names),)
    return SpellCounts(
        names,
        axis,
        at_risk[:, :length].reshape(*shape, length),
        ended[:, :length].reshape(*shape, len(CAUSES), length),
    )


def stays(spells: Any, transfers: Any) -> Any:
    """The table `spells` with a row for each stay in one unit of a lab, not for each spell.

    Who moves to another unit of the lab in week w is watched in the old one to the close of week w - 1
    (censored there) and in the new one from week w on (late entry, at the tenure that the spell has by
    then). So in every tenure week each spell is at risk in one unit, and the units' counts add up to
    the lab's.

    Args:
        spells: table `spells`, which names the unit that a spell ends in.
        transfers: table `transfers` of the same runs.
    """
    if not transfers.num_rows:
        return spells
    import pandas as pd

    key = [*SPELL]
    whole, moves = (_plain(table) for table in (spells, transfers))
    moves = moves.merge(whole, on=key, how="inner", validate="many_to_one")
    to_next = moves.groupby(key).week.shift(-1)
    moved_on = to_next.notna()
    first = moves[~moves.duplicated(key)]
    left = first.assign(unit=first.from_unit, end_week=first.week, censored=True, cause=None, next_lab=None)
    joined = moves.assign(
        unit=moves.to_unit,
        entry_week=moves.week,
        end_week=to_next.fillna(moves.end_week),
        censored=moves.censored | moved_on,
        cause=moves.cause.mask(moved_on, None),
        next_lab=moves.next_lab.mask(moved_on, None),
    )
    settled = whole.merge(first[key], on=key, how="left", indicator=True)
    settled = settled[settled["_merge"] == "left_only"]
    rows = pd.concat([settled, left, joined])[spells.column_names]
    rows = rows.sort_values([*key, "entry_week"], kind="stable")
    return pa.Table.from_pandas(rows, schema=spells.schema, preserve_index=False)


def before(spells: Any, transfers: Any) -> Any:
    """The table `spells` as it was before some last transfers: each spell in the unit of that time."""
    if not transfers.num_rows:
        return spells
    key = [*SPELL]
    earlier = _plain(transfers).drop_duplicates(key)[[*key, "from_unit"]]
    frame = _plain(spells).merge(earlier, on=key, how="left", validate="one_to_one")
    return _in_units(spells, frame.from_unit.fillna(frame.unit))


def units_apart(spells: Any) -> Any:
    """The table with units of one name at several labs told apart: `lab/unit`."""
    frame = _plain(spells.select(["lab", "unit"]))
    labs = frame.groupby("unit").lab.nunique()
    shared = frame.unit.isin(labs.index[labs > 1])
    if not shared.any():
        return spells
    name = frame.unit.mask(shared, frame.lab + "/" + frame.unit)
    return _in_units(spells, name)


def _in_units(spells: Any, units: Any) -> Any:
    """The table with other units, row by row."""
    place = spells.column_names.index("unit")
    return spells.set_column(place, spells.schema.field(place), pa.array(units).dictionary_encode())


def _plain(table: Any) -> Any:
    """A recorded table as a DataFrame whose words are objects."""
    frame = table.to_pandas()
    words = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(words, object))


def _tenures(spells: Any) -> tuple[Integers, Integers, npt.NDArray[np.bool_]]:
    """First tenure week at risk, first no longer at risk, and whether the spell ended; each (n,)."""
    start, entry, end = (
        numbers(spells.column(f"{c}_week")).astype(np.int64) for c in ("start", "entry", "end")
    )
    if np.any(end < entry):
        raise ValueError("a spell ends before the week in which it is first watched")
    left = ~numbers(spells.column("censored"))
    enter = np.maximum(entry - start - 1, 0)  # the start week itself is lived through at tenure 0
    return enter, np.maximum(end - start - 1 + left, enter + left), left


def flows(
    spells: Any, labs: Sequence[str], runs: Sequence[int] | Integers, weeks: int = FLOW_WEEKS
) -> Integers:
    """Moves to rivals in weeks 0 .. weeks-1, counted by run, lab left and lab joined: (R, L, L)."""
    cause, end = spells.column("cause"), numbers(spells.column("end_week"))
    moved = (_place(cause, CAUSES) == CAUSES.index("rival")) & (end >= 0) & (end < weeks)
    origin = _place(spells.column("lab"), labs)[moved]
    goal = _place(spells.column("next_lab"), labs)[moved]
    run = np.searchsorted(np.asarray(runs), numbers(spells.column("run"))[moved])
    cell = (run * len(labs) + origin) * len(labs) + goal
    shape = (len(runs), len(labs), len(labs))
    return np.bincount(cell[(origin >= 0) & (goal >= 0)], minlength=int(np.prod(shape))).reshape(shape)


def origins(
    spells: Any, places: Sequence[str], labs: Sequence[str], runs: Sequence[int] | Integers
) -> Integers:
    """People who joined a lab, counted by run, place that they came from and lab: (R, P, L).

    Args:
        spells: recorded table; those on the staff at the start came from nowhere.
        places: as tables write them, labs among them; people from elsewhere are not counted.
        labs: the labs joined.
        runs: the runs of that axis.
    """
    origin, goal = _place(spells.column("came_from"), places), _place(spells.column("lab"), labs)
    run = np.searchsorted(np.asarray(runs), numbers(spells.column("run")))
    shape = (len(runs), len(places), len(labs))
    cell = (run * len(places) + origin) * len(labs) + goal
    return np.bincount(cell[(origin >= 0) & (goal >= 0)], minlength=int(np.prod(shape))).reshape(shape)


def staff_years(panel: Panel, weeks: int | None = None) -> Floats:
    """Years worked at each lab in weeks 0 .. weeks-1 (all if None), (R, L): headcounts / weeks a year."""
    headcount = panel.column("headcount")
    counted = headcount if weeks is None else headcount[:, panel.weeks < weeks]
    years: Floats = counted.sum(axis=1) / WEEKS_PER_YEAR
    return years


def moves_to_rivals_per_year(panel: Panel) -> Floats:
    """Moves to rivals for each researcher and year on the staff: sum of left_rival / staff years, (R, L).

    nan where a lab had no staff.
    """
    years = staff_years(panel)
    moves = panel.column("left_rival").sum(axis=1)
    rate: Floats = np.divide(moves, years, out=np.full(years.shape, np.nan), where=years > 0)
    return rate


def cumulative_hires(panel: Panel) -> Integers:
    """Hires up to and including each week, acqui-hires among them: (R, W, L)."""
    total: Integers = np.cumsum(panel.column("hires"), axis=1, dtype=np.int64)
    return total


def _mask(spells: Any, who: Who) -> npt.NDArray[np.bool_]:
    origin, names = codes(spells.column("origin"))
    wanted = np.array([name in _ORIGINS[who] for name in names] + [False])
    mask: npt.NDArray[np.bool_] = wanted[origin]
    if who == "entry_cohort":
        start = numbers(spells.column("start_week"))
        mask &= (start >= 0) & (start < ENTRY_WEEKS)
    return mask


def _groups(chosen: Any, by: str | None, groups: Sequence[str] | None) -> tuple[Integers, tuple[str, ...]]:
    if by is None:
        return np.zeros(chosen.num_rows, dtype=np.int64), ("all",)
    names = tuple(groups) if groups is not None else tuple(codes(chosen.column(by))[1])
    place = _place(chosen.column(by), names)
    if np.any(place < 0):
        raise ValueError(f"a spell's {by} is not among {', '.join(names)}")
    return place, names


def _place(column: Any, names: Sequence[str]) -> Integers:
    """Place of each text in `names`, -1 where it is missing or none of them."""
    code, words = codes(column)
    known = {name: i for i, name in enumerate(names)}
    table = np.array([known.get(word, -1) for word in words] + [-1], dtype=np.int64)
    place: Integers = table[code]
    return place


def _tally(row: Integers, tenure: Integers, rows: int, weeks: int) -> Integers:
    """Number of spells by row and tenure, (rows, weeks + 1); later tenures fall into the last column."""
    cell = row * (weeks + 1) + np.minimum(tenure, weeks)
    return np.bincount(cell, minlength=rows * (weeks + 1)).reshape(rows, weeks + 1)
