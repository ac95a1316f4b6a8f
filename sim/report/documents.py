"""Write the generated documents into `docs/`: `python -m sim.report.documents [parameters] [theory]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

DOCUMENTS = ("parameters", "theory")


def main(chosen: Sequence[str] = (), folder: Path = Path("docs")) -> int:
    """Write the chosen documents, all if none is named; the exit code."""
    if unknown := set(chosen) - set(DOCUMENTS):
        print(f"no document {', '.join(sorted(unknown))}; there are {', '.join(DOCUMENTS)}", file=sys.stderr)
        return 2
    wanted = chosen or DOCUMENTS
    if "parameters" in wanted:
        write_parameters(folder)
    if "theory" in wanted:
        write_theory(folder)
    return 0


def write_parameters(folder: Path) -> None:
    """The table of parameters; a moment."""
    from sim.report import parameters

    (folder / "parameters.md").write_text(parameters.page(), encoding="utf-8")


def write_theory(folder: Path) -> None:
    """The market against theory, with pictures; some minutes."""
    from sim.report import theory_page
    from sim.theory.mean_field import distances
    from sim.theory.verify import verify

    alike, unlike = list(distances()), list(distances(heterogeneous=True))
    theory_page.write(folder, verify(seed=theory_page.SEED), alike, unlike)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
