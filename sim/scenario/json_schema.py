"""The JSON Schema of a scenario file as people write it, for the completion and hover of an editor.

Made from the pydantic model, which stays the judge: the schema knows keys, kinds, forms, bounds, words
and defaults, but no relation between two values. Every value may be plain or `{value, source, note}`;
no key is required, since a file may leave any to the one that it extends.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sim.scenario import quantities
from sim.scenario.events import EVENT_KINDS
from sim.scenario.provenance import FITTED
from sim.scenario.quantities import Quantity
from sim.scenario.schema import Scenario

type Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NUMBER = r"(\d{1,3}(,\d{3})+(\.\d+)?|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?)"
_SIZE = "(k|K|thousand|M|million|B|billion|T|trillion)"
_PERIOD = r"\s*(/|per\s)\s*(year|month|week|day)s?"
_DOLLARS = rf"(\$\s*{_NUMBER}\s*{_SIZE}?(\s*USD)?|{_NUMBER}\s*({_SIZE}\s+)?USD|{_NUMBER}\s*{_SIZE}\s+USD)"
# by the name of the kind of quantity: the form of its texts
_FORMS = {
    "an amount of money": rf"[+-]?{_DOLLARS}",
    "money per time": rf"\+?{_DOLLARS}{_PERIOD}",
    "a duration": rf"\+?{_NUMBER}\s*(year|month|week|day)s?",
    "a rate": rf"[+-]?{_NUMBER}\s*%?{_PERIOD}",
    "a fraction": rf"\+?{_NUMBER}\s*%?",
    "a date": r"\d{4}-\d{2}-\d{2}",
}
_CITATION: Schema = {
    "source": {
        "type": "string",
        "description": "Ids of figures, comma-separated, or the word assumption or fitted.",
        "examples": ["assumption", "article.offer_cap", "fitted"],
    },
    "targets": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "description": "Ids of the figures that a fitted value was set to meet.",
        "examples": [["R1", "K1"]],
    },
    "note": {"type": "string", "description": "What a reader should know of the value."},
}


def scenario_json_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a scenario file."""
    schema = Scenario.model_json_schema()
    for section in _merged(schema):
        section.pop("required", None)
    _say_one_kind(schema["$defs"]["Event"])
    for section in (schema, *schema["$defs"].values()):
        fields = section.get("properties", {})
        for name, field in fields.items():
            fields[name] = _field(field)
    schema["$defs"] |= _CITATION
    return {"$schema": _DIALECT, **schema, "properties": schema["properties"] | _composition()}


def schema_text() -> str:
    """The JSON Schema as the text of a file: `scenarios/schema.json`."""
    return json.dumps(scenario_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _merged(schema: Schema) -> list[Schema]:
    """The sections that merge key by key with those of the file that is extended: none that a list holds."""
    found: list[Schema] = []
    names: list[str] = []
    waiting = [schema]
    while waiting:
        section = waiting.pop()
        found.append(section)
        fields = {
            name: field for name, field in section.get("properties", {}).items() if "items" not in field
        }
        for name in re.findall(r'"#/\$defs/(\w+)"', json.dumps(fields)):
            if name not in names:
                names.append(name)
                waiting.append(schema["$defs"][name])
    return found


def _say_one_kind(event: Schema) -> None:
    """An event has exactly one of the keys below which its particulars stand, or is a plan."""
    event["oneOf"] = [{"required": [kind]} for kind in EVENT_KINDS]


def _composition() -> Schema:
    """The keys that are gone once a scenario is composed."""
    return {
        "extends": {
            "type": "string",
            "description": "the scenario that this one changes: a file beside this one, or a shipped name",
            "pattern": r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\.ya?ml)?$",
            "examples": ["baseline", "meta-2025"],
        },
        "overrides": {
            "type": "object",
            "description": "values to replace by dotted path, in what is extended too; an event is named by "
            "its kind, its name or its plan, and null takes it away",
            "examples": [{"events.campaign.package_cap": "20M USD", "events.acquihire": None}],
            "propertyNames": {"pattern": r"^[^.]+(\.[^.]+)*$"},
        },
    }


def _field(field: Schema) -> Schema:
    """The schema of a field: its forms and its words for people, and its value perhaps with a source."""
    about: Schema = {key: field.pop(key) for key in ("description", "default") if key in field}
    symbol, source = field.pop("symbol", ""), field.pop("source", "")
    field.pop("title", None)
    default = about.get("default")
    if default is None or isinstance(default, dict | list):
        about.pop("default", None)
    kinds = field.get("anyOf", [field])
    quantity = next((found for kind in kinds if (found := _quantity(kind))), None)
    if quantity is not None:
        _write_form(kinds, quantity)
    words = [about.get("description", ""), _about_quantity(quantity), symbol and f"Symbol: {symbol}."]
    if "default" in about:
        words.append(f"Default: {about['default']}" + (f" (source: {source})." if source else "."))
    about["description"] = " ".join(_sentence(part) for part in words if part)
    if not about["description"]:
        del about["description"]
    if "patternProperties" in field:
        field["additionalProperties"] = False
        for pattern, kind in field["patternProperties"].items():
            if "$ref" not in kind:
                field["patternProperties"][pattern] = {"anyOf": [kind, _cited([kind])]}
    if {kind.get("type") for kind in kinds} & {None, "object", "array"}:  # None: a reference to a section
        return about | field
    return about | {"anyOf": [*kinds, _cited(kinds)]}


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _quantity(kind: Schema) -> Quantity[Any] | None:
    """The quantity whose text a schema describes; its examples tell."""
    if kind.get("type") != "string" or "examples" not in kind:
        return None
    found = [q for q in vars(quantities).values() if isinstance(q, Quantity)]
    return next((q for q in found if list(q.forms) == kind["examples"]), None)


def _write_form(kinds: list[Schema], quantity: Quantity[Any]) -> None:
    for kind in kinds:
        if kind.get("type") == "string":
            kind["pattern"] = rf"^\s*({_FORMS[quantity.name]})\s*$"
            kind["description"] = _about_quantity(quantity)
        elif kind.get("type") == "number" and quantity.bare:
            kind |= {"minimum": 0, "maximum": 1}


def _about_quantity(quantity: Quantity[Any] | None) -> str:
    if quantity is None:
        return ""
    return f"{quantity.name[:1].upper()}{quantity.name[1:]}, such as {' or '.join(quantity.forms)}."


def _cited(kinds: list[Schema]) -> Schema:
    """A value with its source: `{value: ..., source: ..., targets: ..., note: ...}`."""
    plain = [kind for kind in kinds if kind.get("type") != "null"]
    return {
        "type": "object",
        "description": "The value with its source.",
        "properties": {
            "value": plain[0] if len(plain) == 1 else {"anyOf": plain},
            **{key: {"$ref": f"#/$defs/{key}"} for key in _CITATION},
        },
        "required": ["value"],
        "additionalProperties": False,
        "if": {"required": ["source"], "properties": {"source": {"const": FITTED}}},
        "then": {"required": ["targets"]},
        "else": {"properties": {"targets": False}},
    }
