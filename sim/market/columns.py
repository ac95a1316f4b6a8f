"""Tables of the week: equally long named columns, whose rows are picked and joined in one call."""

from __future__ import annotations

from typing import Any, ClassVar, Self, cast

import numpy as np
import numpy.typing as npt

from sim.system.arrays import Floats, Integers


class Column[T]:
    """A named row of one of the two matrices of `Columns`."""

    def __init__(self, matrix: str, gloss: str, kept: type[np.signedinteger] | None = None) -> None:
        self.matrix = matrix
        self.gloss = gloss
        self.kept = kept
        self.index = 0

    def __set_name__(self, owner: type[Columns], name: str) -> None:
        self.name = name

    def __get__(self, table: Columns, owner: type[Columns] | None = None) -> T:
        matrix: Any = getattr(table, self.matrix)
        view = table.__dict__[self.name] = matrix[self.index]  # found there from now on
        return cast(T, view)


def whole(gloss: str, kept: type[np.signedinteger] | None = None) -> Column[Integers]:
    """A column of int64 and what it says; what the log keeps of it is as narrow as `kept`, or nothing."""
    return Column[Integers]("integers", gloss, kept)


def real(gloss: str) -> Column[Floats]:
    """A column of float64 and what it says."""
    return Column[Floats]("floats", gloss)


UNSET = -1


class Columns:
    """Equally long named columns, one entry a researcher, kept as two matrices (columns, n).

    So picking and joining rows is one call whatever the number of columns. Columns are views:
    `table.grant[:] = ...` writes. Subclasses list their columns as `whole(...)` and `real(...)`.
    """

    columns: ClassVar[dict[str, Column[Any]]] = {}

    row = whole("row of the researcher", np.int32)

    def __init_subclass__(cls) -> None:
        known = [c for base in reversed(cls.__mro__) for c in vars(base).values() if isinstance(c, Column)]
        cls.columns = {column.name: column for column in known}
        for matrix in ("integers", "floats"):
            for index, column in enumerate(c for c in known if c.matrix == matrix):
                column.index = index

    def __init__(self, integers: Integers, floats: Floats) -> None:
        self.integers = integers
        self.floats = floats

    @classmethod
    def new(cls, count: int, **values: Any) -> Self:
        """`count` rows; a column not given is `UNSET`. KeyError for a name that is no column."""
        real_columns = sum(column.matrix == "floats" for column in cls.columns.values())
        integers = np.full((len(cls.columns) - real_columns, count), UNSET, np.int64)
        table = cls(integers, np.full((real_columns, count), float(UNSET)))
        for name, given in values.items():
            column = cls.columns[name]
            getattr(table, column.matrix)[column.index] = given
        return table

    @classmethod
    def joined(cls, tables: list[Self]) -> Self:
        """Tables one after another, in order."""
        if len(tables) <= 1:
            return tables[0] if tables else cls.new(0)
        integers = np.concatenate([table.integers for table in tables], axis=1)
        return cls(integers, np.concatenate([table.floats for table in tables], axis=1))

    def where(self, chosen: npt.NDArray[Any]) -> Self:
        """The rows picked by a mask or by indices, as copies."""
        if chosen.dtype == np.bool_:
            chosen = np.flatnonzero(chosen)
        # clipping costs less than checking each index
        integers = self.integers.take(chosen, axis=1, mode="clip")
        return type(self)(integers, self.floats.take(chosen, axis=1, mode="clip"))

    def between(self, begin: int, end: int) -> Self:
        """The rows from `begin` up to `end`, as views."""
        return type(self)(self.integers[:, begin:end], self.floats[:, begin:end])

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A copy whose columns are views of its own matrices."""
        return type(self)(self.integers.copy(), self.floats.copy())

    def __len__(self) -> int:
        return int(self.integers.shape[1])
