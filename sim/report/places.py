"""Places outside the labs in words: the pools of a scenario, named by their keys."""

from __future__ import annotations

OUTSIDE_THE_LABS = "outside the labs"
# pools that are no company: the name as a title, and where people of it are
_NO_COMPANIES = {
    "academia": ("academia", "in academia"),
    "industry": ("industry", "in industry"),
    "other": ("elsewhere", "elsewhere"),
    "startups": ("start-ups", "at a start-up"),
    "start-ups": ("start-ups", "at a start-up"),
    "universities": ("universities", "at a university"),
}


def pool_title(pool: str) -> str:
    """The name of a pool as a title: Google, Microsoft engineers, academia, start-ups."""
    return _in_words(pool)[0]


def outside_words(pool: str | None) -> str:
    """Where somebody outside is: "at Google, outside the labs", or "outside the labs" alone."""
    return f"{_in_words(pool)[1]}, {OUTSIDE_THE_LABS}" if pool else OUTSIDE_THE_LABS


def _in_words(pool: str) -> tuple[str, str]:
    if pool in _NO_COMPANIES:
        return _NO_COMPANIES[pool]
    name = pool.replace("-", " ")
    name = name[0].upper() + name[1:]
    return name, f"{'among' if name.endswith('engineers') else 'at'} {name}"
