"""Every notebook runs from top to bottom, and is kept with its outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_keeps_its_outputs(path: Path, tmp_path: Path) -> None:
    kept = nbformat.read(path, as_version=4)
    code = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in code), "a code cell was saved without its output"
    assert not any("error" in output.output_type for cell in code for output in cell.outputs)
    NotebookClient(
        kept, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    again = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert [len(cell.outputs) > 0 for cell in again] == [True] * len(again)
