"""Scenario files with one mistake each, made from the shipped ones, and where loading says the mistake is.

    python tests/mutations.py 100000 [seed]

tries so many and prints how many were refused, how often on the mistaken line or its parent, and every
input that ended otherwise than in a scenario or in a `ScenarioError` with file, line and column.
"""

from __future__ import annotations

import random
import re
import shutil
import string
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from sim.scenario import composing
from sim.scenario.errors import ScenarioError
from sim.scenario.figures import data_folder
from sim.scenario.loading import load_scenario

Rng = random.Random
Lines = list[str]
WORDS = [
    "[]",
    "{}",
    "-1",
    "~",
    "x",
    "true",
    "1e999",
    ".nan",
    "0",
    "1.5",
    "9" * 40,
    "'",
    "2025-02-30",
    "5 EUR",
    "5",
]
SPECIAL = [*":{}[]&*!|>'\"%#,?-@`0x\t.~ ", "\0", "\x1b", "\u202e", "\x85", "ع"]
COMPLETED_BY = {"plain.yaml": "survival.yaml"}  # it has no labs of its own
PAIR = re.compile(r"([\w-]+)(: +)(?=\S)([^#]*)$")


@dataclass(frozen=True)
class Mutant:
    """A file with a mistake, and the lines, from 1, on which one may rightly say that it is."""

    kind: str
    text: bytes
    lines: frozenset[int]


def _delete(rng: Rng, lines: Lines, i: int) -> Lines:
    return []


def _duplicate(rng: Rng, lines: Lines, i: int) -> Lines:
    return [lines[i], lines[i]]


def _indent(rng: Rng, lines: Lines, i: int) -> Lines:
    return [" " * rng.choice((1, 2, 3)) + lines[i]]


def _dedent(rng: Rng, lines: Lines, i: int) -> Lines:
    return [lines[i].removeprefix(" " * rng.choice((1, 2)))]


def _delete_character(rng: Rng, lines: Lines, i: int) -> Lines:
    j = rng.randrange(len(lines[i]))
    return [lines[i][:j] + lines[i][j + 1 :]]


def _insert_character(rng: Rng, lines: Lines, i: int) -> Lines:
    j = rng.randrange(len(lines[i]) + 1)
    return [lines[i][:j] + rng.choice(SPECIAL) + lines[i][j:]]


def _misspell(rng: Rng, lines: Lines, i: int) -> Lines:
    """A letter of a word replaced."""
    places = [j for j, c in enumerate(lines[i]) if c.isalpha()] or [0]
    j = rng.choice(places)
    return [lines[i][:j] + rng.choice(string.ascii_lowercase) + lines[i][j + 1 :]]


def _retype(rng: Rng, lines: Lines, i: int) -> Lines:
    """The value of the line's last key replaced by something else."""
    return [PAIR.sub(lambda m: m[1] + m[2] + rng.choice(WORDS), lines[i])]


def _insert_key(rng: Rng, lines: Lines, i: int) -> Lines:
    margin = re.match(r"[ -]*", lines[i])
    return [
        lines[i],
        " " * len(margin[0] if margin else "") + rng.choice(("colour: red", "- 5", "? [a]", "x")),
    ]


def _not_utf8(rng: Rng, lines: Lines, i: int) -> Lines:
    j = rng.randrange(len(lines[i]) + 1)
    return [lines[i][:j] + "\udcff" + lines[i][j:]]


def _cut(rng: Rng, lines: Lines, i: int) -> Lines:
    return [lines[i][: rng.randrange(len(lines[i]) + 1)]]


MUTATIONS: list[Callable[[Rng, Lines, int], Lines]] = [
    _delete, _duplicate, _indent, _dedent, _delete_character, _insert_character, _misspell, _retype,
    _insert_key, _not_utf8, _cut,
]  # fmt: skip


def parents(lines: Lines, i: int) -> set[int]:
    """The lines from 1 below which line i, from 0, stands: the nearest with a smaller margin, or none."""
    margin = _margin(lines[i])
    for above in range(i - 1, -1, -1):
        if (
            lines[above].strip()
            and not lines[above].lstrip().startswith("#")
            and _margin(lines[above]) < margin
        ):
            return {above + 1}
    return {1, next((j for j, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")), 1)}


def _margin(line: str) -> int:
    """Blanks before the first word; a dash before a key of an item counts for half."""
    return len(line) - len(line.lstrip(" "))


def mutate(rng: Rng, text: str) -> Mutant:
    """One line of a file, comments and empty ones apart, changed in one way."""
    lines = text.split("\n")
    while True:
        i = rng.randrange(len(lines))
        if lines[i].strip() and not lines[i].lstrip().startswith("#"):
            break
    mutation = rng.choice(MUTATIONS)
    new = mutation(rng, lines, i)
    changed = [*lines[:i], *new, *lines[i + 1 :]]
    allowed = {i + 1, *range(i + 1, i + 1 + len(new)), *parents(lines, i)}
    for j, line in enumerate(new, i):  # its margin may have changed, and so its parent
        if line.strip():
            allowed |= parents(changed, j)
    if not new:  # a gap lies between two lines
        allowed.add(next((j for j in range(i, 0, -1) if lines[j - 1].strip()), 1))
    encoded = "\n".join(changed).encode("utf-8", "surrogateescape")
    return Mutant(mutation.__name__.strip("_"), encoded, frozenset(allowed))


@dataclass
class Tally:
    """What came of many mutants."""

    tried: int = 0
    refused: int = 0
    there: int = 0
    elsewhere: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)


def scenario_files() -> list[Path]:
    """Every shipped scenario file, those of theory too."""
    return sorted(data_folder("scenarios").rglob("*.yaml"))


def attempt(folder: Path, original: Path, mutant: Mutant, tally: Tally) -> None:
    """Load a mutant in a folder that holds what it may extend, and note what came of it."""
    file = folder / original.name
    file.write_bytes(mutant.text)
    file = folder / COMPLETED_BY.get(original.name, original.name)
    tally.tried += 1
    began = time.process_time()
    try:
        load_scenario(file)
    except ScenarioError as error:
        first = error.problems[0]
        tally.refused += 1
        if not all(p.file and p.line and p.column for p in error.problems):
            tally.wrong.append(f"{original.name}: {mutant.kind}: no place: {error}\n{mutant.text!r}")
        if first.line in mutant.lines and Path(first.file).name == original.name:
            tally.there += 1
        else:
            tally.elsewhere.append(f"{mutant.kind} {sorted(mutant.lines)}: {first}")
            tally.kinds[mutant.kind] += 1
    except Exception as error:
        tally.wrong.append(f"{original.name}: {mutant.kind}: {error!r}\n{mutant.text!r}")
    tally.slowest = max(tally.slowest, time.process_time() - began)


@contextmanager
def shipped_read_once() -> Iterator[None]:
    """Within, the trees of shipped files are kept: what extends them is then loaded much quicker."""
    read = composing.read_file
    keep = lru_cache(maxsize=None)(read)
    shipped = data_folder("scenarios")
    composing.read_file = lambda path, *rest: (keep if path.is_relative_to(shipped) else read)(path, *rest)
    try:
        yield
    finally:
        composing.read_file = read


def prepare(folder: Path, original: Path) -> None:
    """Empty a folder of scenario files, but for those that the original may extend from beside it."""
    for left in folder.glob("*.yaml"):
        left.unlink()
    if original.parent.name == "theory":
        for other in original.parent.glob("*.yaml"):
            shutil.copy(other, folder)


def try_mutants(folder: Path, original: Path, count: int, rng: Rng, tally: Tally) -> None:
    """Mutants of a scenario file, one after another, loaded in a folder."""
    text = original.read_text(encoding="utf-8")
    prepare(folder, original)
    with shipped_read_once():
        for _ in range(count):
            attempt(folder, original, mutate(rng, text), tally)


def main(count: int, seed: int) -> int:
    """Try so many mutants of all shipped files, and say what came of them."""
    originals, tally = scenario_files(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        for original in originals:
            rng = random.Random(f"{seed} {original.name}")
            try_mutants(Path(folder).resolve(), original, -(-count // len(originals)), rng, tally)
    print(f"{tally.tried} tried, {tally.refused} refused, slowest {tally.slowest:.2f} s")
    print(f"{tally.there / tally.refused:.2%} of the refused on the line or its parent; else {tally.kinds}")
    print(*random.Random(seed).sample(tally.elsewhere, min(20, len(tally.elsewhere))), sep="\n")
    print(f"{len(tally.wrong)} wrong", *tally.wrong[:5], sep="\n")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
