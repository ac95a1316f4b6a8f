"""What a folder says of itself: a manifest that vouches for every file by size and digest, and is sealed.

A folder of variants vouches for their manifests, and each of these for the files beside it. A seal finds
what was changed by mistake or by an editor; it is no signature, which only who holds a key could make.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.experiments.request import FORMAT, sha256
from sim.system.files import ForeignFile, own_file, typed, write_text

MANIFEST = "manifest.json"
UNFINISHED, COMPLETE = "unfinished", "complete"
FILES, SEAL = "files", "seal"
MISSING, CUT, CHANGED = "is missing", "is cut", "was changed since it was written"


class ResultError(Exception):
    """A run folder cannot be read or written; the message is one line."""


class ManifestChanged(ResultError):
    """A manifest is not the text that was written."""


@dataclass(frozen=True)
class Finding:
    """A file, by its name in the folder, and what is wrong with it."""

    file: str
    what: str


# ---- written


def write_manifest(
    folder: Path, content: dict[str, Any], files: Iterable[str] = (), drawn: Path | None = None
) -> None:
    """Write a manifest that vouches for files, here or where pictures were drawn; whole or not at all."""
    vouched = {
        name: _measure(folder / name if drawn is None or (folder / name).exists() else drawn / name)
        for name in sorted(files)
    }
    write_text(folder / MANIFEST, sealed(content | {FILES: vouched}))


def sealed(content: dict[str, Any]) -> str:
    """The text of a manifest, which ends with the digest of all that it says."""
    bare = {key: value for key, value in content.items() if key != SEAL}
    return _text(bare | {SEAL: sha256(_text(bare))})


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _measure(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


# ---- read


def any_manifest(folder: Path) -> dict[str, Any]:
    """What a folder says of itself, complete or not.

    Raises:
        ResultError: if it says nothing, or nothing that this version understands.
        ManifestChanged: if it does not say what was written.
    """
    text = _manifest_text(folder)
    try:
        content = json.loads(text)
        intact = isinstance(content, dict) and text == sealed(content)
    except (ValueError, RecursionError):
        content, intact = None, False
    found = content.get("format") if isinstance(content, dict) else None
    if isinstance(content, dict) and SEAL not in content and isinstance(found, int) and found != FORMAT:
        raise ResultError(_of_format(folder, found))  # older folders had no seal
    if not intact:
        raise ManifestChanged(f"{folder / MANIFEST}: {CHANGED}; the folder cannot be used")
    if found != FORMAT:
        raise ResultError(_of_format(folder, found))
    manifest: dict[str, Any] = content
    return manifest


def _of_format(folder: Path, found: object) -> str:
    return f"{folder}: is of format {found}, this version reads {FORMAT}; choose another --out to run it anew"


def _manifest_text(folder: Path) -> str:
    try:
        return own_file(folder, MANIFEST).read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ResultError(f"{folder}: holds no run (no {MANIFEST})") from None
    except UnicodeDecodeError:
        raise ManifestChanged(f"{folder / MANIFEST}: {CHANGED}; the folder cannot be used") from None
    except OSError as error:
        raise ResultError(f"{folder / MANIFEST}: cannot be read ({error.strerror})") from error


def findings(folder: Path) -> Iterator[Finding]:
    """Each file of a folder and what is wrong with it (nothing: empty), those of its variants too.

    Raises:
        ResultError: if the folder is not complete, or holds nothing of the kind.
        OSError: if a file cannot be read.
    """
    try:
        manifest = any_manifest(folder)
    except ManifestChanged:
        yield Finding(MANIFEST, CHANGED)
        return
    if manifest.get("status") != COMPLETE:
        raise ResultError(f"{folder}: is not complete; talentsim resume {typed(folder)} goes on")
    yield Finding(MANIFEST, "")
    try:
        for name, due in manifest[FILES].items():
            what = _fault(folder, name, due)
            if what or not name.endswith(f"/{MANIFEST}"):
                yield Finding(name, what)
            else:
                below = name.removesuffix(MANIFEST)
                yield from (Finding(below + fault.file, fault.what) for fault in findings(folder / below))
    except (KeyError, TypeError, AttributeError) as error:  # sealed, but not by this program
        raise ResultError(f"{folder / MANIFEST}: is damaged") from error


def _fault(folder: Path, name: str, due: dict[str, Any]) -> str:
    try:
        path = own_file(folder, name)
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    except ForeignFile as error:
        return str(error.strerror)
    if path.stat().st_size < due["bytes"]:
        return CUT
    return "" if _measure(path) == due else CHANGED


def refuse_damaged(folder: Path) -> None:
    """Refuse a complete folder of which a file is missing, cut or changed. Raises ResultError, naming it."""
    if (fault := next((file for file in findings(folder) if file.what), None)) is not None:
        raise ResultError(
            f"{folder / fault.file}: {fault.what}; talentsim check names every such file, "
            "another --out runs it anew"
        )
