"""A commented starter: a new scenario file that extends another one and changes nothing yet."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sim.scenario.composing import PLAIN_NAME, find_scenario, scenario_names
from sim.scenario.dumping import ONE_LINE, to_yaml
from sim.scenario.errors import Place, ScenarioError, failure, printable, shown
from sim.scenario.figures import data_folder
from sim.scenario.loading import load_scenario
from sim.scenario.schema import Scenario

SCHEMA_FILE = "schema.json"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d")  # no file of Windows may be called so

_STARTER = """\
{pointer}# What is the question that this scenario answers? Say it here, for those who read it later.
name: {name}
{title}{description}extends: {parent}

# Below stands what differs from {parent}. Any value is written plain, or with its source:
#   {{value: 5B USD/year, source: assumption, note: why}}
# talentsim show {parent}     prints all that there is to change, and where it stands
# talentsim sources {parent}  tells where each number comes from
# talentsim validate {file}   says what is wrong in here, with line and column
#
# Labs and market: write only the keys that differ.
#
# labs:
#   {lab}:
#     talent_factor: {{value: 1.5, source: assumption, note: half as much money again}}
#
# Events: these follow those of {parent}.
#
# events:
#   - on: {day}
#     hiring_freeze: {{lab: {lab}, weeks: 8 weeks}}
#
# Events of {parent}, or any one value of it: by dotted path; null takes an event away.
#
# overrides:
#   {example}
"""


def starter(name: str, parent: str, file: Path) -> str:
    """The text of a new scenario file.

    Args:
        name: the new scenario's name.
        parent: the scenario to extend: a shipped name, or the path of a file beside the new one.
        file: where the text is to stand.

    Raises:
        ScenarioError: if the name cannot be one, or the parent cannot be extended from there.
    """
    _refuse_name(name)
    extended = load_scenario(parent)
    parent_file = find_scenario(parent)
    shipped = parent in scenario_names()
    if not shipped and parent_file.resolve().parent != file.resolve().parent:
        raise _refused(
            f"{shown(parent)} does not stand beside {printable(str(file))}",
            "a scenario extends a file beside it",
        )
    if not shipped and not PLAIN_NAME.fullmatch(parent_file.name):
        raise _refused(f"{shown(parent)} cannot be extended", "its file must have a plain name")
    title = f"{name}: {extended.title}"[:200]
    return _STARTER.format(
        pointer=_pointer(file),
        name=name,
        title=to_yaml({"title": title}, ONE_LINE),
        description=to_yaml({"description": f"As {extended.name}, but for what stands below."}, ONE_LINE),
        parent=parent if shipped else parent_file.stem,
        file=printable(str(file)),
        lab=next(iter(extended.labs)),
        day=extended.start,
        example=_example(extended),
    )


def _refuse_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        hint = "write lower-case letters, digits and hyphens, a letter first, such as meta-cap-20m"
        raise _refused(f"{shown(name)} cannot be a scenario's name", hint)
    if name in scenario_names():
        raise _refused(f"{shown(name)} is the name of a shipped scenario", "choose another")
    if _RESERVED.fullmatch(name):
        raise _refused(f"{shown(name)} cannot be a file on every system", "choose another")


def _refused(message: str, hint: str) -> ScenarioError:
    return failure(Place("new"), "", message, hint)


def _pointer(file: Path) -> str:
    """The line by which editors find the JSON Schema; empty where it is out of reach."""
    schema = data_folder("scenarios") / SCHEMA_FILE
    try:
        path = Path(os.path.relpath(schema, file.resolve().parent)).as_posix()
    except ValueError:  # on another drive
        return ""
    return f"# yaml-language-server: $schema={path}\n" if path.isprintable() else ""


def _example(scenario: Scenario) -> str:
    """An override that the scenario can take."""
    for event in scenario.events:
        if event.campaign is not None:
            return f"events.{event.campaign.name}.package_cap: 20M USD"
    return f"labs.{next(iter(scenario.labs))}.process: 2 weeks"
