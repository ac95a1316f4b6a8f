"""The rooms of the package: each imports only from rooms below it, and no rule from another rule."""

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the ground up. A room that is not here fails the test: give it its place.
ROOMS = (
    "sim.system",  # what touches the machine
    "sim.scenario",  # YAML to a Scenario
    "sim.market",  # the market; its inner rooms are below
    "sim.model",  # the market as a Mesa model
    "sim.analysis",  # tables in, tables out
    "sim.theory",  # closed forms and the market beside them
    "sim.report",  # pictures, words, documents
    "sim.experiments",  # work that survives, and its folders
    "sim.page",  # the browser page
    "sim.cli",  # the command line
)

# Inside the market: no rule imports another, no event a rule, and the week alone imports rules.
RULES, EVENTS, WEEK = "sim.market.rules", "sim.market.events", "sim.market.week"

# Outside the order: the first gives the public names on demand, the second calls the command line.
EXEMPT = {"sim", "sim.__main__"}

# The market itself needs arrays and nothing more. Its door, where runs become tables, is another matter.
CORE, DOOR = "sim.market", "sim.market.simulate"
NOT_IN_CORE = {"mesa", "pandas", "pyarrow", "matplotlib"}


def module_name(path: Path, root: Path) -> str:
    """`sim/market/week.py` is sim.market.week; `sim/market/__init__.py` is sim.market."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def inside(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def floor(module: str) -> int | None:
    """The place of a module's room in ROOMS, None where it has none."""
    return next((i for i, room in enumerate(ROOMS) if inside(module, room)), None)


def imports(source: str, known: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line and module of every import, inside functions and type-checking blocks too.

    `from sim.market import worth` imports the module sim.market.worth; `from sim.market.worth import value`
    imports sim.market.worth.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import; write it from `sim`"
            base = node.module or ""
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield node.lineno, inner if inner in known else base


def wrong_imports(modules: dict[str, str]) -> list[str]:
    """Every break of the rules above among modules (name to source), in words."""
    found = {
        module: sorted(set(imports(source, modules)))
        for module, source in modules.items()
        if module not in EXEMPT
    }
    homeless = [f"{module} is in no room of ROOMS" for module in found if floor(module) is None]
    wrong = [
        f"{module}, line {line}: {why}"
        for module, names in found.items()
        if floor(module) is not None
        for line, name in names
        if (why := fault(module, name))
    ]
    return homeless + wrong + circles(found)


def fault(module: str, name: str) -> str:
    """Why module may not import name; empty where it may."""
    top = name.partition(".")[0]
    if top != "sim":
        core = inside(module, CORE) and module != DOOR
        return f"imports {name}; the market itself does without {top}" if core and top in NOT_IN_CORE else ""
    if name == "sim":
        return "" if module == "sim.cli" else "imports `sim` itself; import the module that is meant"
    here, there = floor(module), floor(name)
    if there is None:
        return f"imports {name}, which is in no room of ROOMS"
    assert here is not None
    if there > here:
        return f"imports {name}, which is in a room above"
    return inner_fault(module, name) if here == there and inside(module, CORE) else ""


def inner_fault(module: str, name: str) -> str:
    """Why one module of the market may not import another; empty where it may."""
    if not inside(name, RULES) or module in (WEEK, RULES):
        return ""
    why = "rules never import one another" if inside(module, RULES) else "only the week imports rules"
    return f"imports {name}, but {why}"


def circles(found: dict[str, list[tuple[int, str]]]) -> list[str]:
    """The first circle of modules that import one another, in words; none where there is none."""
    graph = {
        module: {name for _, name in names if name in found} - {module} for module, names in found.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"modules import one another in a circle: {' <- '.join(error.args[1])}"]
    return []


def sources(root: Path) -> dict[str, str]:
    """Every module of the package, name to source."""
    return {
        module_name(path, root): path.read_text(encoding="utf-8")
        for path in sorted((root / "sim").rglob("*.py"))
    }


def test_imports_go_one_way() -> None:
    modules = sources(ROOT)
    assert "sim" in modules, f"no package found under {ROOT}"
    wrong = wrong_imports(modules)
    assert not wrong, "imports against the direction:\n  " + "\n  ".join(wrong)


def test_every_room_says_what_it_is_for_and_what_goes_in_and_out() -> None:
    for room in (*ROOMS, RULES, EVENTS):
        path = ROOT / Path(*room.split("."), "__init__.py")
        if not path.exists():
            assert path.parent.with_suffix(".py").exists()  # a room of one page
            continue
        lines = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").splitlines()
        assert [line.split(":")[0] for line in lines[-2:]] == ["In", "Out"], room


def test_no_page_of_code_is_longer_than_400_lines() -> None:
    long = {name: n for name, source in sources(ROOT).items() if (n := source.count("\n")) > 400}
    assert not long, long


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("sim.market.worth", "from sim.cli import main", "line 1: imports sim.cli, which is in a room above"),
        ("sim.market.worth", "def f():\n    import sim.cli", "line 2: imports sim.cli, which is in a room"),
        ("sim.market.worth", "from sim import cli", "imports sim.cli, which is in a room above"),
        ("sim.market.rules.choice", "from sim.market.rules import pricing", "rules never import one another"),
        ("sim.market.rules.choice", "from sim.market.rules.pricing import price", "rules never import one"),
        ("sim.market.events.deals", "from sim.market.rules import pricing", "only the week imports rules"),
        ("sim.market.ledger", "def f():\n    import pandas as pd", "does without pandas"),
        ("sim.market.record", "from mesa.time import Schedule", "does without mesa"),
        ("sim.gossip", "import numpy", "sim.gossip is in no room of ROOMS"),
        ("sim.market.worth", "from sim import __version__", "imports `sim` itself"),
        ("sim.market.worth", "from sim.market import week", "in a circle"),
    ],
)
def test_wrong_import_is_told(module: str, source: str, complaint: str) -> None:
    others = dict.fromkeys(["sim", "sim.cli", "sim.market.rules.pricing"], "")
    others["sim.market.week"] = "from sim.market import worth"
    wrong = wrong_imports({"sim.market.worth": "", **others, module: source})
    assert len(wrong) == 1
    assert complaint in wrong[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sim.market.rules.choice", "import numpy as np\nfrom sim.market import worth"),
        ("sim.market.week", "from sim.market.rules import pricing"),
        ("sim.market.simulate", "import pyarrow as pa\nfrom sim.market.record import CAUSES"),
        ("sim.cli", "from sim import __version__"),
        ("sim", "def __getattr__(name):\n    from sim.experiments.results import run"),
    ],
)
def test_right_import_passes(module: str, source: str) -> None:
    assert wrong_imports({"sim.market.worth": "", "sim.market.rules.pricing": "", module: source}) == []
