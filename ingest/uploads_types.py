"""What an uploaded file is, told from its content and never from its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from schemas.errors import WrongType
from schemas.files import ENDINGS, FileType

_HEAD_BYTES: Final = 64 * 1024
_PIECE_BYTES: Final = 256 * 1024
_CSV_LINES: Final = 10

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
"""No text has these; tab, line feed, form feed and carriage return it may have."""

_PROLOGUE: Final = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^<>\[]*(?:\[.*?\]\s*)?>)*", re.DOTALL)
_ROOT: Final = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>]")
_RUN_BY_BROWSERS: Final = {b"html", b"svg", b"script", b"body", b"head", b"iframe"}
_EDF_NUMBER: Final = re.compile(rb"\d+ *")


def sniff(path: Path) -> FileType:
    """The type of the file at `path`. Reads it, so call it in a thread. Raises WrongType for any that is not taken."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    found = _by_signature(head) or _by_text(path, head)
    if found is None:
        taken = ", ".join(kind.upper() for kind in ENDINGS if kind != "bin")
        raise WrongType(f"the content is of no type that is taken here, whatever its name says; send one of {taken}")
    return found


def _by_signature(head: bytes) -> FileType | None:
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[128:132] == b"DICM":
        return "dicom"
    return "edf" if _is_edf(head) else None


def _is_edf(head: bytes) -> bool:
    """Version 0, a header of printable ASCII, and its own length where EDF says it."""
    return (
        head.startswith(b"0       ")
        and len(head) >= 256
        and all(32 <= byte < 127 for byte in head[:256])
        and _EDF_NUMBER.fullmatch(head[184:192]) is not None
    )


def _by_text(path: Path, head: bytes) -> FileType | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text or not _is_text(path):
        return None
    if text.startswith(b"<"):
        return "xml" if _is_xml(text) else None
    if text[:1] in (b"{", b"["):
        return "json" if _is_json(path, text[:1]) else None
    return "csv" if _is_csv(text) else None


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            if _CONTROL.search(piece):
                return False
    return True


def _is_xml(text: bytes) -> bool:
    """It has a root element, and not one of a page that a browser would run."""
    prologue = _PROLOGUE.match(text)
    root = _ROOT.match(text, prologue.end() if prologue else 0)
    return root is not None and root[1].lower() not in _RUN_BY_BROWSERS


def _is_json(path: Path, opened: bytes) -> bool:
    """It ends with what it began with. Parsing all of it would hold all of it in memory."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _HEAD_BYTES))
        end = file.read().rstrip()
    return end.endswith(b"}" if opened == b"{" else b"]")


def _is_csv(text: bytes) -> bool:
    """Its first lines are cut by one separator into the same number of columns, two at least."""
    lines = text.splitlines()
    whole = lines if len(text) < _HEAD_BYTES // 2 else lines[:-1]  # the last one may have been cut off
    first = [line for line in whole[:_CSV_LINES] if line.strip()]
    counts = [{line.count(separator) for line in first} for separator in (b",", b";", b"\t")]
    return len(first) > 1 and any(len(count) == 1 and min(count) > 0 for count in counts)
