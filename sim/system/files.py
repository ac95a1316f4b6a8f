"""Files that are there whole or not at all: temporary name, sync, rename.

A process killed at any instant leaves the old file or the new one under the final name, never a
part of either. An error or an interruption also takes the temporary file away.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def temporary_sibling(path: Path) -> Path:
    """A fresh hidden name beside `path`, on the same disk, so that a rename is one step."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def remove_temporaries(folder: Path) -> None:
    """Take away what a process that was killed left half written, anywhere below a folder."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


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
