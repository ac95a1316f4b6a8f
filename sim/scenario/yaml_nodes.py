"""YAML text to a small tree of nodes that know where they stand; every limit is kept here.

The parser is ruamel.yaml's, read event by event, so that a limit stops a hostile file before it
costs anything. Of YAML 1.2 this takes: one document, mappings with text keys, lists, scalars of the
core schema (section 10.3.2 of its specification: `NO` is text, `2025-06-12` is text, `1e6` is a
number), anchors and aliases. It refuses: tags, directives, further documents, duplicate keys, merge
keys, recursion, and numbers that are not finite. What YAML 1.1 takes
for true, the key `on` of an event, is taken for `on` (`older_yaml`).

Limits: 256 KiB, UTF-8, 10,000 lines, 50 levels, 10,000 nodes (keys and values), an alias being all it
stands for. What can be seen before the parser, which is slow, is refused before it: `limits.refuse_bombs`.
"""

from __future__ import annotations

import io
import math
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Never

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from sim.scenario.errors import Place, Problem, ScenarioError, failure, shown
from sim.scenario.limits import (
    LIMITS,
    NOT_TEXT,
    Limits,
    place_after,
    refuse_bombs,
    stray_character,
    stray_hint,
)
from sim.scenario.locating import likely_line
from sim.scenario.older_yaml import key_hint, key_meant, tag_hint

MAX_DIGITS = 30
MOST_EXACT = 2**53  # floats up to here hold every whole number


type Scalar = str | int | float | bool | None
type Content = Scalar | dict[str, Node] | list[Node]

_WORDS: dict[str, Scalar] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# words of the parser's complaint, and what people usually did
_HINTS = {
    r"'\t' that cannot start": "indent with blanks, not with tabs",
    "cannot start any token": "put the text in quotes",
    "mapping values are not allowed": "mind the margins; text with a colon in it needs quotes",
    "could not find expected ':'": "write key: value, with a blank after the colon",
    "expected <block end>": "the keys of one section stand at one margin",
    "unexpected end of stream": "the quotes are not closed",
    "expected ',' or": "a bracket is not closed, or a comma is missing",
}
# what was being read when the parser stumbled, of which the beginning tells nothing of the mistake
_LATE = {
    "", "None", "while parsing a block mapping", "while parsing a block collection",
    "while parsing a flow node",
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Node:
    """A value of a file and where it stands; a mapping also knows where its keys stand.

    `size` counts the node and all below it, `depth` the levels from it down, aliases expanded.
    """

    content: Content
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)
    size: int = field(init=False)
    depth: int = field(init=False)

    def __post_init__(self) -> None:
        below = [child for _, child in self.children()]
        self.size = 1 + len(self.keys) + sum(child.size for child in below)
        self.depth = 1 + max((child.depth for child in below), default=0)

    def children(self) -> Iterator[tuple[str | int, Node]]:
        """The nodes one level down, each with its key or index."""
        if isinstance(self.content, dict):
            yield from self.content.items()
        elif isinstance(self.content, list):
            yield from enumerate(self.content)


def scalar(text: str) -> Scalar:
    """The value of plain scalar text by YAML's core schema; 1e2 is a whole number, 100.0 is none.

    Raises ValueError for numbers that are not finite or have too many digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("must be a finite number")
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"a number of more than {MAX_DIGITS} digits")
        return int(text, 10 if text[:2] not in ("0o", "0x") else 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError("must be a finite number")
        scientific = "e" in text.lower() and abs(number) <= MOST_EXACT
        return int(number) if scientific and number.is_integer() else number
    return text


def reads_as_text(text: str) -> bool:
    """Whether a text written without quotes is read as that text."""
    try:
        return scalar(text) == text and text != "<<"
    except ValueError:
        return False


def without_key(tree: Node, key: str) -> Node:
    """A copy of a mapping without a key; the mapping itself if it has no such key."""
    if not isinstance(tree.content, dict) or key not in tree.content:
        return tree
    content = {name: node for name, node in tree.content.items() if name != key}
    return Node(content, tree.place, {name: tree.keys[name] for name in content})


def read_file(path: Path, name: str, limits: Limits = LIMITS) -> Node:
    """The tree of a file; `name` is how messages call it. Raises ScenarioError."""
    place = Place(name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise failure(place, "", "a folder, not a file" if path.is_dir() else "not an ordinary file")
        with path.open("rb") as file:
            data = file.read(limits.bytes + 1)
    except FileNotFoundError:
        raise failure(place, "", "no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this is no path"  # a NUL in it
        raise failure(place, "", f"cannot be read: {reason.lower()}") from None
    return read_bytes(data, name, limits)


def read_bytes(data: bytes, name: str, limits: Limits = LIMITS) -> Node:
    """The tree of the bytes of a file. Raises ScenarioError."""
    if len(data) > limits.bytes:
        raise failure(
            Place(name), "", f"larger than {limits.bytes // 1024} KiB", "a scenario is a short text"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        raise failure(place_after(before, name), "", message) from None
    return read_text(text, name, limits)


@lru_cache(maxsize=8)  # what many scenarios extend is parsed once; nobody changes a tree
def read_text(text: str, name: str, limits: Limits = LIMITS) -> Node:
    """The tree of YAML text. Raises ScenarioError."""
    stray = NOT_TEXT.search(text)
    if stray:
        place = place_after(text[: stray.start()], name)
        character = f"the character U+{ord(stray[0]):04X}"
        raise failure(place, "", f"{character} is not allowed in a scenario", stray_hint(stray[0]))
    refuse_bombs(text, name, limits)
    builder = _Builder(name, limits)
    try:
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            builder.take(event)
    except ScenarioError:
        raise
    except Exception as error:  # the parser's errors, and whatever a hostile file makes it stumble over
        place = _likely_place(error, text, name) or builder.place
        reason = _reason(error)
        hint = next((hint for words, hint in _HINTS.items() if words in reason), "")
        builder.stop(place, "", f"not YAML: {reason}", hint)
    return builder.finish()


def _likely_place(error: Exception, text: str, name: str) -> Place | None:
    """Where the mistake stands that made the parser stumble: where it began, or the likely line."""
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if context is not None and str(getattr(error, "context", "")) not in _LATE:
        return Place(name, context.line + 1, context.column + 1)
    mark = mark or context
    if mark is None:
        return None
    lines = text.split("\n")
    if mark.line >= len(lines):  # other line breaks
        return Place(name, mark.line + 1, mark.column + 1)
    failing = mark.line
    while failing > 0 and not lines[failing].strip():  # at the end, say
        failing -= 1
    line = likely_line(lines, failing, _stumble)
    column = mark.column if line == mark.line else len(lines[line]) - len(lines[line].lstrip())
    return Place(name, line + 1, column + 1)


def _stumble(text: str) -> int | None:
    """The line, from 0, at which the parser stumbles over a text; None where it does not."""
    line = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            line = event.start_mark.line
    except Exception as error:
        mark = getattr(error, "problem_mark", None)
        return line if mark is None else int(mark.line)
    return None


def _reason(error: Exception) -> str:
    if not isinstance(error, MarkedYAMLError):
        return "the text cannot be parsed"
    said = ", ".join(part for part in (error.context, error.problem) if part)
    return " ".join(said.split()) or "the text cannot be parsed"


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    content: dict[str, Node] | list[Node]
    place: Place
    anchor: str | None
    keys: dict[str, Place] = field(default_factory=dict)
    key: str | None = None  # the key that waits for its value
    broken: int = 0  # numbers the keys that could not be used, so that reading can go on

    def add(self, node: Node) -> None:
        if isinstance(self.content, list):
            self.content.append(node)
        else:
            assert self.key is not None
            self.content[self.key] = node
            self.key = None


class _Builder:
    """Takes parser events one after another and builds the tree, collecting what is wrong."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.place = Place(name, 1, 1)
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node] = {}
        self.documents = 0
        self.nodes = 0

    def take(self, event: Any) -> None:
        """Take one event; raises ScenarioError where going on makes no sense."""
        self.place = Place(self.name, event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, DocumentStartEvent):
            self._document(event)
        elif isinstance(event, CollectionEndEvent):
            done = self.stack.pop()
            self._add(Node(done.content, done.place, done.keys), done.anchor)
        elif isinstance(event, NodeEvent):
            self._node(event)

    def finish(self) -> Node:
        """The tree; raises ScenarioError with all that was wrong."""
        if self.problems:
            raise ScenarioError(self.problems)
        if self.root is None:
            raise failure(Place(self.name, 1, 1), "", "the file is empty")
        return self.root

    def stop(self, place: Place, path: str, message: str, hint: str = "") -> Never:
        """Raise what was found so far and this."""
        raise ScenarioError([*self.problems, Problem.at(place, path, message, hint)])

    def _fault(self, message: str, hint: str = "") -> None:
        self.problems.append(Problem.at(self.place, self._path(), message, hint))

    def _path(self) -> str:
        steps = (o.key if isinstance(o.content, dict) else str(len(o.content)) for o in self.stack)
        return ".".join(step for step in steps if step and step.isprintable())

    def _document(self, event: DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self.stop(self.place, "", "a second document starts here", "remove the line ---")

    def _node(self, event: NodeEvent) -> None:
        self._count(1)
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
            self._fault(f"tags such as {shown(event.tag)} are not read", tag_hint(str(event.tag)))
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.content, dict) and top.key is None:
            self._key(event, top)
        elif isinstance(event, AliasEvent):
            self._alias(event.anchor)
        elif isinstance(event, ScalarEvent):
            self._add(Node(self._scalar(event), self._place_of_value(event, top)), event.anchor)
        elif isinstance(event, CollectionStartEvent):
            self._open(event)

    def _place_of_value(self, event: ScalarEvent, top: _Open | None) -> Place:
        """The place of a scalar; of one that is not there, that of its key."""
        absent = not event.value and event.implicit[0] and top is not None and top.key is not None
        return top.keys[top.key] if absent and top is not None and top.key is not None else self.place

    def _open(self, event: CollectionStartEvent) -> None:
        if len(self.stack) >= self.limits.depth:
            self.stop(self.place, "", f"nested deeper than {self.limits.depth} levels")
        content: dict[str, Node] | list[Node] = {} if isinstance(event, MappingStartEvent) else []
        self.stack.append(_Open(content, self.place, event.anchor))

    def _scalar(self, event: ScalarEvent) -> Scalar:
        stray = stray_character(event.value)
        if stray:  # written as an escape
            self._fault(f"the character U+{ord(stray):04X} is not allowed in a scenario", stray_hint(stray))
            return "?"
        if not event.implicit[0]:  # quoted
            return str(event.value)
        try:
            return scalar(event.value)
        except ValueError as error:
            self._fault(f"{error}, found {shown(event.value)}")
            return 0

    def _key(self, event: NodeEvent, top: _Open) -> None:
        if not isinstance(event, ScalarEvent):
            self.stop(self.place, self._path(), "a key must be plain text", "write key: value")
        key = key_meant(self._scalar(event), self._path())
        fault = ""
        hint = ""
        if not isinstance(key, str):
            fault, hint = f"a key must be text, found {shown(key)}", key_hint(key, event.value)
        elif key == "<<" and event.implicit[0]:
            fault, hint = "merge keys (<<) are not read", "use extends, or repeat the keys"
        elif not key.isprintable():
            fault = f"a key must be printable, found {shown(key)}"
        elif key in top.keys:
            fault, hint = f"the key {shown(key)} stands here twice", f"first in line {top.keys[key].line}"
        if fault:
            self._fault(fault, hint)
            top.broken += 1
            key = f"\0{top.broken}"
        assert isinstance(key, str)
        top.key = key
        top.keys[key] = self.place
        if event.anchor is not None:
            self.anchors[event.anchor] = Node(key, self.place)

    def _alias(self, anchor: str) -> None:
        if any(level.anchor == anchor for level in self.stack):
            self.stop(self.place, self._path(), f"*{anchor} stands inside what it refers to")
        node = self.anchors.get(anchor)
        if node is None:
            self.stop(self.place, self._path(), f"*{anchor} refers to no anchor above it")
        self._count(node.size - 1)
        if len(self.stack) + node.depth > self.limits.depth + 1:
            self.stop(self.place, "", f"nested deeper than {self.limits.depth} levels")
        self._add(node, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if self.stack:
            self.stack[-1].add(node)
        else:
            self.root = node

    def _count(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > self.limits.nodes:
            self.stop(self.place, "", f"more than {self.limits.nodes} keys and values, aliases expanded")
