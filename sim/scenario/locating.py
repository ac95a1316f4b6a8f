"""Which line a parser's complaint is about: it stumbles where the text stops making sense, often a line late.

A file of people is mostly keys and margins. So the lines near the stumble are tried one by one: the one
without which the parser gets furthest is the likely culprit. Only a few lines are parsed for each trial,
with the lines above them under which they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_WITH_VALUE = re.compile(r" *(- )?[\w.-]+: +\S")
_ENTRY = re.compile(r" *(- +)*[\w.-]+:( |$)")
_BEFORE, _AFTER = 4, 6  # lines near the stumble that are looked at

type Lines = Sequence[str]
type Stumble = Callable[[str], int | None]  # the line, from 0, at which the parser stumbles over a text


def likely_line(lines: Lines, failing: int, stumble: Stumble) -> int:
    """The line, from 0, that is likely wrong, where the parser stumbles at line `failing`."""
    written = [i for i in range(max(failing - 40, 0), failing + 1) if _is_written(lines[i])]
    near = written[-_BEFORE:]
    if not near:
        return failing
    above = _above(lines, near[0])
    window = [*above, *range(near[0], min(failing + _AFTER, len(lines)))]

    def progress(text: dict[int, str]) -> float:
        stop = stumble("\n".join(text.get(i, lines[i]) for i in window))
        return float("inf") if stop is None else stop

    here = progress({})
    if here != window.index(failing):
        return failing  # the stumble has a cause further away
    gains = {i: max(progress({i: text}) for text in _without(lines, i)) for i in reversed(near)}
    furthest = max(gains.values())
    if furthest <= here:
        return failing
    margins = [_margin(lines[i]) for i in window if _is_written(lines[i])]

    def oddity(i: int) -> tuple[bool, int]:
        """Of several lines, the likely one is no entry at all, or its margin is the odd one out."""
        return bool(_ENTRY.match(lines[i])), margins.count(_margin(lines[i]))

    return min((i for i in gains if gains[i] == furthest), key=oddity)


def _without(lines: Lines, i: int) -> list[str]:
    """What may stand in the place of a line: nothing, or a key at its margin or its neighbours'.

    Where the line has a key with a value, the stand-in has one too; else it may be the head of what follows.
    """
    margins = {_margin(lines[j]) for j in (i - 1, i, i + 1) if 0 <= j < len(lines) and _is_written(lines[j])}
    value = " 1" if _WITH_VALUE.match(lines[i]) else ""
    return ["", *(f"{' ' * margin}stand-in-{i}:{value}" for margin in sorted(margins))]


def _above(lines: Lines, i: int) -> list[int]:
    """The lines under which line i stands, outermost first: each the nearest with a smaller margin."""
    found: list[int] = []
    margin = _margin(lines[i])
    for j in range(i - 1, -1, -1):
        if margin == 0:
            break
        if _is_written(lines[j]) and _margin(lines[j]) < margin:
            found.append(j)
            margin = _margin(lines[j])
    return found[::-1]


def _is_written(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
