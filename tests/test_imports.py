"""The direction of imports: only from what comes earlier in ORDER, and from one rule to another never."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each imports only from those before it. A package's own name stands for its `__init__`, which may gather
# what the package holds. A module that is not here fails the test: give it its place.
ORDER = [
    "sim.version",
    "sim.quantities",
    "sim.files",
    "sim.interrupts",
    "sim.figures",
    "sim.scenario.errors",
    "sim.scenario.annotations",
    "sim.scenario.sections",
    "sim.scenario.events",
    "sim.scenario.schema",
    "sim.scenario.limits",
    "sim.scenario.locating",
    "sim.scenario.yaml_nodes",
    "sim.scenario.provenance",
    "sim.scenario.dumping",
    "sim.scenario.overrides",
    "sim.scenario.composing",
    "sim.scenario.validation",
    "sim.scenario.loading",
    "sim.scenario.excerpts",
    "sim.scenario.listing",
    "sim.scenario.json_schema",
    "sim.scenario.starting",
    "sim.scenario",
    "sim.draws",
    "sim.segments",
    "sim.ledger",
    "sim.columns",
    "sim.offers",
    "sim.worth",
    "sim.constants",
    "sim.state",
    "sim.appraisal",
    "sim.spells",
    "sim.opening",
    "sim.shared_past",
    "sim.events.*",
    "sim.events",
    "sim.market.*",  # one place for all: no rule imports another
    "sim.market",
    "sim.week",
    "sim.record",
    "sim.tables",
    "sim.executors",
    "sim.simulate",
    "sim.request",
    "sim.designs",
    "sim.analysis.curves",
    "sim.analysis.counts",
    "sim.analysis.ensemble",
    "sim.lock",
    "sim.chunks",
    "sim.runner",
    "sim.model",
    "sim.analysis.summary",
    "sim.analysis.compare",
    "sim.analysis.checks",
    "sim.analysis.theory",
    "sim.analysis.mean_field",
    "sim.analysis.accounts",
    "sim.analysis.tracing",
    "sim.analysis.telling",
    "sim.analysis.explain",
    "sim.analysis",
    "sim.report.style",
    "sim.report.event_marks",
    "sim.report.plots",
    "sim.report.plots_market",
    "sim.report.differences",
    "sim.report.screen",
    "sim.report.prose",
    "sim.report.lab_week",
    "sim.report.biography",
    "sim.report",
    "sim.folder",
    "sim.results",
    "sim.comparison",
    "sim.experiments",
    "sim.oracles",
    "sim.verify",
    "sim.report.theory_page",
    "sim.report.parameters",
    "sim.report.documents",
    "sim.report.serve",
    "sim.report.ticker",
    "sim.report.market_map",
    "sim.report.page_state",
    "sim.report.page_parameters",
    "sim.report.page_compare",
    "sim.report.page_downloads",
    "sim.report.page_ensemble",
    "sim.report.inputs",
    "sim.report.page_widgets",
    "sim.report.page_tabs",
    "sim.report.app",
    "sim.cli.options",
    "sim.cli.performing",
    "sim.cli.running",
    "sim.cli.comparing",
    "sim.cli.explaining",
    "sim.cli.scenarios",
    "sim.cli.checking",
    "sim.cli.page",
    "sim.cli.door",
    "sim.cli",
]

# Outside the order: the first gives the public names on demand, the second calls the command line.
EXEMPT = {"sim", "sim.__main__"}

# The market itself needs arrays and nothing more: not Mesa's agents, nor tables, nor pictures.
CORE = ("sim.draws", "sim.record")
NOT_IN_CORE = {"mesa", "pandas", "pyarrow", "matplotlib"}

Imports = list[tuple[int, str]]


def module_name(path: Path, root: Path) -> str:
    """`sim/market/choice.py` is sim.market.choice; `sim/market/__init__.py` is sim.market."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def place(module: str) -> int | None:
    """The place of a module in ORDER, None where it has none."""
    for name in (module, module.rpartition(".")[0] + ".*"):
        if name in ORDER:
            return ORDER.index(name)
    return None


def imports(source: str, known: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line and module of every import, inside functions and type-checking blocks too.

    `from sim import worth` imports the module sim.worth; `from sim.worth import value` imports sim.worth.
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
    wrong = []
    for module, source in modules.items():
        if module in EXEMPT:
            continue
        here = place(module)
        if here is None:
            wrong.append(
                f"{module} has no place in ORDER (tests/test_imports.py): put it after all that it imports"
            )
            continue
        found = sorted(set(imports(source, modules)))
        wrong += [f"{module}, line {line}: {why}" for line, name in found if (why := fault(module, name))]
    return wrong


def fault(module: str, name: str) -> str:
    """Why module may not import name; empty where it may."""
    here = place(module)
    assert here is not None
    top = name.partition(".")[0]
    if top != "sim":
        in_core = ORDER.index(CORE[0]) <= here <= ORDER.index(CORE[1])
        return (
            f"imports {name}, but the market itself does without {top}"
            if in_core and top in NOT_IN_CORE
            else ""
        )
    if name == "sim":
        return "" if here == len(ORDER) - 1 else "imports `sim` itself; import the module that is meant"
    there = place(name)
    if there is None:
        return f"imports {name}, which has no place in ORDER (tests/test_imports.py)"
    if here == there and module != name:
        return f"imports {name}, but rules never import one another"
    return "" if there < here else f"imports {name}, which comes later in ORDER"


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


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        (
            "sim.worth",
            "from sim.week import advance",
            "sim.worth, line 1: imports sim.week, which comes later",
        ),
        (
            "sim.worth",
            "def f():\n    import sim.cli",
            "sim.worth, line 2: imports sim.cli, which comes later",
        ),
        ("sim.worth", "from sim import week", "imports sim.week, which comes later"),
        ("sim.market.choice", "from sim.market import pricing", "rules never import one another"),
        ("sim.market.choice", "from sim.market.pricing import price", "rules never import one another"),
        ("sim.ledger", "def f():\n    import pandas as pd", "does without pandas"),
        ("sim.record", "from mesa.time import Schedule", "does without mesa"),
        ("sim.gossip", "import numpy", "sim.gossip has no place in ORDER"),
        ("sim.worth", "from sim import __version__", "imports `sim` itself"),
    ],
)
def test_wrong_import_is_told(module: str, source: str, complaint: str) -> None:
    others = dict.fromkeys(["sim", "sim.week", "sim.cli", "sim.market.pricing"], "")
    wrong = wrong_imports({**others, module: source})
    assert len(wrong) == 1
    assert complaint in wrong[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sim.market.choice", "import numpy as np\nfrom sim import worth\nfrom sim.state import Market"),
        ("sim.market", "from sim.market import pricing"),
        ("sim.tables", "import pyarrow as pa\nfrom sim.record import CAUSES"),
        ("sim.cli", "from sim import __version__"),
        ("sim", "def __getattr__(name):\n    from sim.results import run"),
    ],
)
def test_right_import_passes(module: str, source: str) -> None:
    assert wrong_imports({"sim.worth": "", "sim.market.pricing": "", module: source}) == []
