"""Files that are there whole or not at all: temporary name, sync, rename.

A process killed at any instant leaves the old file or the new one under the final name, never a
part of either. An error or an interruption also takes the temporary file away.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

_MOST_OF_A_NAME = 200  # bytes; a name has 255 at most, and ours is longer than what it stands for
_TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.tmp", re.DOTALL)


class ForeignFile(OSError):
    """What a folder should hold as a file of its own is a link, or no file, or lies outside."""


def temporary_sibling(path: Path) -> Path:
    """A fresh hidden name beside `path`, on the same disk, so that a rename is one step."""
    name = os.fsencode(path.name)[:_MOST_OF_A_NAME].decode("utf-8", "ignore")
    return path.with_name(f".{name or 'x'}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def is_temporary(path: Path) -> bool:
    """Whether a path has a name that `temporary_sibling` gives."""
    return _TEMPORARY.fullmatch(path.name) is not None


def remove_temporaries(folder: Path) -> None:
    """Take away what a process that was killed left half written, anywhere below a folder."""
    for path in folder.rglob(".*.tmp"):
        if is_temporary(path):
            path.unlink(missing_ok=True)


def own_file(folder: Path, name: str) -> Path:
    """The path of a file of a folder, by its name there (`variants/a/labs.parquet`).

    Raises:
        ForeignFile: if the name leads out of the folder or through a link, or what stands there is no file.
        FileNotFoundError: if nothing stands there.
    """
    place = PurePosixPath(name)
    path = folder / place
    if place.is_absolute() or ".." in place.parts or "\0" in name:
        raise ForeignFile(None, "its name leads out of the folder", os.fspath(folder))
    for part in (*reversed([folder / above for above in place.parents][:-1]), path):
        mode = part.lstat().st_mode
        if not (stat.S_ISREG(mode) if part == path else stat.S_ISDIR(mode)):
            raise ForeignFile(None, "is a link, or no file", os.fspath(part))
    return path


def typed(path: Path) -> str:
    """A path as one types it in a shell, also where it begins as an option does."""
    text = os.fspath(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def sync_file(path: Path) -> None:
    """Return only when the bytes of `path` are on the disk; OSError if they cannot be."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Return only when the names in `folder` are on the disk (a no-op where folders cannot be synced)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; on leaving, sync it and rename it to `path`.

    The file at `path` stays as it was if the body raises, and the temporary one is removed.
    """
    temporary = temporary_sibling(path)
    try:
        yield temporary
        sync_file(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 with plain newlines to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))
