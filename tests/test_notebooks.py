"""Every notebook runs from top to bottom, and says again what it was kept with."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))


def texts(notebook: Any) -> list[str]:
    """What each code cell printed and showed, as text; a picture counts as its description.

    Joined, since what is printed at once may come in one piece or in several.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = ((o.get("text") or o.get("data", {}).get("text/plain", "") for o in c.outputs) for c in cells)
    return ["".join(parts) for parts in shown]


def test_there_are_notebooks() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_says_again_what_it_was_kept_with(path: Path, tmp_path: Path) -> None:
    """Every figure printed is that of the API today: runs repeat bit for bit."""
    kept = nbformat.read(path, as_version=4)
    before = texts(kept)
    assert any(before), "saved without its outputs"
    NotebookClient(
        kept, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert texts(kept) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_uses_the_public_names_alone(path: Path) -> None:
    code = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
    assert "import sim" in code
    assert "from sim" not in code and "import sim." not in code
