"""A scenario as YAML: every default written out, every number with its unit and its source.

What is written reads back as an equal scenario, with equal sources.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from sim.scenario.errors import Citation, Place
from sim.scenario.older_yaml import reads_otherwise
from sim.scenario.provenance import Plain
from sim.scenario.yaml_nodes import Node, Scalar, reads_as_text
from sim.system.interrupts import interrupts

_WIDTH = 110
ONE_LINE = 2**31
_TAG = "tag:yaml.org,2002:"
_TAGS = {bool: "bool", int: "int", float: "float", type(None): "null"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def plain_data(section: BaseModel, citations: Mapping[str, Citation]) -> Plain:
    """A model as plain data, with `{value, source, targets, note}` where a path has a citation.

    A field that is None by default and in fact is left out.
    """
    return _plain(section, section.model_dump(mode="json"), "", citations)


def _plain(value: object, written: Any, path: str, citations: Mapping[str, Citation]) -> Plain:
    """A value of the model, which pydantic wrote as `written`, as plain data."""

    def below(key: str | int, item: object) -> Plain:
        return _plain(item, written[key], f"{path}.{key}" if path else str(key), citations)

    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        given = {name: getattr(value, name) for name in fields}
        return {k: below(k, v) for k, v in given.items() if v is not None or fields[k].default is not None}
    if isinstance(value, Mapping):
        return {str(key): below(str(key), item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [below(index, item) for index, item in enumerate(value)]
    plain = cast(Scalar, written)
    citation = citations.get(path)
    if citation is None:
        return plain
    said: dict[str, Plain] = {
        "source": citation.source, "targets": list(citation.targets), "note": citation.note,
    }  # fmt: skip
    return {"value": plain, **{key: text for key, text in said.items() if text}}


def tree_of(data: Plain, place: Place) -> Node:
    """Plain data as a tree of nodes that all stand at one place."""
    if isinstance(data, dict):
        content = {key: tree_of(item, place) for key, item in data.items()}
        return Node(content, place, dict.fromkeys(content, place))
    return Node([tree_of(item, place) for item in data] if isinstance(data, list) else data, place)


def to_yaml(data: Plain, width: int = _WIDTH) -> str:
    """Plain data as YAML that `yaml_nodes` reads back as the same data; longer lines are broken."""
    yaml = YAML(typ="safe", pure=True)
    yaml.width = width
    yaml.allow_unicode = True
    stream = io.StringIO()
    with interrupts(held=True):  # interrupted while it writes, ruamel prints what it was about to write
        yaml.serialize(_yaml_node(data), stream)
    return stream.getvalue()


def _yaml_node(data: Plain, flow: bool = False) -> MappingNode | SequenceNode | ScalarNode:
    if isinstance(data, dict):
        cited = "value" in data and not isinstance(data["value"], dict | list)
        items = [(_yaml_node(key), _yaml_node(item, flow=cited)) for key, item in data.items()]
        return MappingNode(_TAG + "map", items, flow_style=cited or not data)
    if isinstance(data, list):
        return SequenceNode(_TAG + "seq", [_yaml_node(item) for item in data], flow_style=flow or not data)
    if isinstance(data, str):
        quoted = not reads_as_text(data) or not data.isprintable() or reads_otherwise(data)
        tag = "timestamp" if _DATE.fullmatch(data) else "str"
        return ScalarNode(_TAG + tag, data, style='"' if quoted else None)
    return ScalarNode(_TAG + _TAGS[type(data)], json.dumps(data))
