"""The wheel carries everything a run needs: the code, the shipped scenarios and their cited figures."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def find_uv() -> str | None:
    """The uv that runs the tests, one on the PATH, or the one that the Makefile fetched."""
    places = [os.environ.get("UV"), shutil.which("uv"), shutil.which(ROOT / ".tools" / "bin" / "uv")]
    return next((uv for uv in places if uv and starts(uv)), None)


def starts(command: str) -> bool:
    """Whether command runs here; a version manager's stand-in may not."""
    return subprocess.run([command, "--version"], cwd=ROOT, capture_output=True, check=False).returncode == 0


def files(folder: Path) -> set[str]:
    """Every file under folder, as paths within it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The built wheel."""
    uv = find_uv()
    if uv is None:
        pytest.skip("uv is not to be found")
    out = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [uv, "build", "--wheel", "--out-dir", str(out)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    (path,) = out.glob("talentsim-*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["scenarios", "seeds"])
def test_wheel_carries_data(wheel: zipfile.ZipFile, folder: str) -> None:
    inside = f"sim/_data/{folder}/"
    carried = {name.removeprefix(inside): name for name in wheel.namelist() if name.startswith(inside)}
    assert files(ROOT / folder), f"{folder}/ is empty"
    assert set(carried) == files(ROOT / folder)
    for name, stored in carried.items():
        assert wheel.read(stored) == (ROOT / folder / name).read_bytes()


@pytest.mark.slow
def test_installed_package_finds_its_own_data(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    code = "from sim.scenario.figures import data_folder as f; print(f('seeds'), f('scenarios'), sep='\\n')"
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    data = tmp_path / "sim" / "_data"
    assert found.stdout.splitlines() == [str(data / "seeds"), str(data / "scenarios")]


@pytest.mark.slow
def test_wheel_carries_code_and_command(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sim").rglob("*.py")}
    assert modules | {"sim/py.typed"} <= names
    (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
    assert "talentsim = sim.cli:main" in wheel.read(entry_points).decode()
    assert any(name.endswith("licenses/LICENSE") for name in names)
