"""A lock on a folder, which the system takes back when the process that holds it ends."""

from __future__ import annotations

import os
import platform
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = ".lock"
_HOLDER = re.compile(rb"(process \d+ on [^\x00-\x1f]*)?")
_MOST_SAID = 512  # bytes that name a holder


class WorkError(Exception):
    """A working folder cannot be used; the message is for people."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made if need be.

    Raises:
        WorkError: if another process holds it, or what stands under its name is no lock of ours.
        OSError: if it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    with _opened(path) as descriptor:
        said = _said(descriptor)
        if said is None:
            raise WorkError(f"{path}: is no lock of ours; move it or choose another --out")
        if not _take(descriptor):
            raise WorkError(f"{folder}: {said or 'another process'} is working on it")
        if not _is_at(path, descriptor):
            raise WorkError(f"{folder}: another process has just finished it")
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        holder = f"process {os.getpid()} on {platform.node() or 'this machine'}"
        os.write(descriptor, holder.encode("utf-8", "replace"))
        yield


def remove_lock(folder: Path) -> None:
    """Take the lock's file away, by whom holds it."""
    with suppress(OSError):  # some systems remove no open file
        (folder / LOCK).unlink()


def is_lock(path: Path) -> bool:
    """Whether a path is that of a lock which a process of ours made, or left."""
    if path.name != LOCK or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return _said(file.fileno()) is not None


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The file of a lock; never one that a link leads to, nor a pipe that waits for a writer."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    if path.is_symlink():
        raise WorkError(f"{path}: is a link; remove it or choose another --out")
    descriptor = os.open(path, flags, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _said(descriptor: int) -> str | None:
    """Who a lock says holds it; None if the file is none that `locked` could have written."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or status.st_size > _MOST_SAID:
        return None
    os.lseek(descriptor, 0, os.SEEK_SET)
    said = os.read(descriptor, _MOST_SAID)
    return said.decode("utf-8", "replace") if _HOLDER.fullmatch(said) else None


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _take(descriptor: int) -> bool:
    """Take a lock that the system takes back when this process ends; False if another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
