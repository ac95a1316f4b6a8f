"""What YAML 1.1 makes of words and numbers, and hints that lead back to what was meant.

Scenarios are read by YAML 1.2, in which `on`, `no` and `12:30:45` are text. PyYAML reads and writes YAML
1.1, where they are true, false and 45045: so a file that went through it may say something else than its
author did. Only the key `on` of an event is taken back, since nothing else can be meant there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_WORDS = {True: ("on", "yes", "true"), False: ("off", "no", "false")}
_TRUTH = {word: truth for truth, words in _WORDS.items() for word in words} | {"y": True, "n": False}
_EVENT = re.compile(r"events\.\d+|overrides\.events\.[^.]+")
_SIXTIES = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?")
_OCTAL = re.compile(r"[-+]?0[\d_]+")
_PLAIN = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt]|[ \t]+)\d\d?:\d\d.*")
_PARTED = re.compile(r"[-+]?(\d[\d_]*(\.[\d_]*)?|0b[01_]+|0x[\da-fA-F_]+)")


def key_meant(key: object, path: str) -> object:
    """The key that was meant in the mapping at a dotted path: true in an event is `on`."""
    return "on" if key is True and _EVENT.fullmatch(path) else key


def key_hint(key: object, text: str) -> str:
    """What to write instead of a key that is no text."""
    if isinstance(key, bool):
        return f"write the word that is meant in quotes: {_quoted(_WORDS[key])}"
    if key is None and not text.isalpha():
        return "write a name before the colon"
    return f'write it in quotes: "{text}"'


def tag_hint(tag: str) -> str:
    """What to write instead of a tag."""
    if "python" in tag:
        return "write the plain value that is meant; PyYAML's safe_dump writes no such tags"
    return "remove the tag"


def word_hint(value: object, allowed: Iterable[str] = ()) -> str:
    """What to write where a word is due and something else stands; empty if nothing is likely."""
    if isinstance(value, bool):
        known = set(allowed or _WORDS[value])
        words = [word for word in _WORDS[value] if word in known]
        if not words:
            return ""
        return f"YAML 1.1 takes words for {str(value).lower()}; write {_quoted(words)} in quotes"
    if isinstance(value, int | float) and not allowed:
        return "put it in quotes"
    return ""


def truth_hint(text: object) -> str:
    """What to write where true or false is due and a text stands; empty if neither is likely."""
    truth = _TRUTH.get(text.casefold()) if isinstance(text, str) else None
    return "" if truth is None else f"write {str(truth).lower()}"


def number_hint(text: object) -> str:
    """What to write where a number is due and the text of one by YAML 1.1, or in quotes, stands."""
    if not isinstance(text, str):
        return ""
    text = text.strip()
    if _SIXTIES.fullmatch(text):
        return f"write {_of_sixties(text.replace('_', ''))}, as numbers to the base of sixty are not read"
    if "_" in text and not _OCTAL.fullmatch(text) and _PARTED.fullmatch(text):
        return f"write {text.replace('_', '')}"
    if re.fullmatch(r"[-+]?0b[01_]+", text):
        return f"write {int(text.replace('_', ''), 2)}"
    return f"write {text}, without quotes" if _PLAIN.fullmatch(text) else ""


def _of_sixties(text: str) -> str:
    total = 0.0
    for part in text.lstrip("+-").split(":"):
        total = total * 60 + float(part)
    return f"{'-' if text.startswith('-') else ''}{total:.15g}"


def day_hint(text: object) -> str:
    """What to write where a day is due and a moment stands; empty if it is none."""
    moment = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    return f"write {moment[1]}, without the time" if moment else ""


def reads_otherwise(text: str) -> bool:
    """Whether a plain text is something else by YAML 1.1; the key `on` is understood all the same."""
    word = text.casefold() in _TRUTH and text != "on"
    return word or any(form.fullmatch(text) for form in (_SIXTIES, _OCTAL, _PARTED))


def _quoted(words: Sequence[str]) -> str:
    listed = [f'"{word}"' for word in words]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"
