"""What a pydantic model expects at a path: the fields of sections and the units of quantities.

Only for hints in messages and for `--set`; whether a value is right, pydantic alone decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, TypeAliasType, Union, get_args, get_origin

from pydantic import BaseModel

from sim.scenario.quantities import Quantity

type Path = Sequence[str | int]


def _alternatives(annotation: Any) -> Iterator[Any]:
    """The bare types, and the quantities, that an annotation stands for."""
    origin = get_origin(annotation)
    if isinstance(annotation, TypeAliasType):
        yield from _alternatives(annotation.__value__)
    elif origin is Annotated:
        yield from (extra for extra in get_args(annotation)[1:] if isinstance(extra, Quantity))
        yield from _alternatives(get_args(annotation)[0])
    elif origin is Union or origin is UnionType:
        for part in get_args(annotation):
            yield from _alternatives(part)
    else:
        yield annotation


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _below(annotation: Any, step: str | int) -> Iterator[Any]:
    """The annotations one step down: of a field, of a mapping's values, of a list's items."""
    for kind in _alternatives(annotation):
        origin, parts = get_origin(kind), get_args(kind)
        if _is_section(kind):
            field = kind.model_fields.get(step)
            if field is not None:
                yield field.annotation
                yield from field.metadata  # quantities stand here
        elif origin is dict:
            yield parts[1]
        elif origin in (list, tuple, set, frozenset):
            yield parts[0]


def _at(model: type[BaseModel], path: Path) -> list[Any]:
    """What may stand at a path: bare types and quantities; empty where the model knows no such path."""
    found: list[Any] = [model]
    for step in path:
        found = [below for annotation in found for below in _below(annotation, step)]
    return [kind for annotation in found for kind in _alternatives(annotation)]


def fields_at(model: type[BaseModel], path: Path) -> list[str]:
    """The names of the fields of the section at a path; empty if there is no section."""
    return [name for kind in _at(model, path) if _is_section(kind) for name in kind.model_fields]


def homes(model: type[BaseModel], name: str) -> list[str]:
    """The dotted paths of the sections with a field of this name, shortest first; * is any name or number."""
    found: list[str] = []
    seen: set[Any] = set()
    level: list[tuple[str, Any]] = [("", model)]
    while level:
        below: list[tuple[str, Any]] = []
        for path, annotation in level:
            for kind in _alternatives(annotation):
                if _is_section(kind) and kind not in seen:
                    seen.add(kind)
                    found.extend([path] if name in kind.model_fields else [])
                    prefix = f"{path}." if path else ""
                    below.extend((prefix + key, field.annotation) for key, field in kind.model_fields.items())
                elif get_origin(kind) in (dict, list, tuple):
                    below.extend((f"{path}.*", part) for part in get_args(kind) if part is not Ellipsis)
        level = below
    return found


def quantity_at(model: type[BaseModel], path: Path) -> Quantity[Any] | None:
    """The quantity at a path, if what stands there has a unit."""
    return next((kind for kind in _at(model, path) if isinstance(kind, Quantity)), None)
