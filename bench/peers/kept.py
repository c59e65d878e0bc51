"""Answers of peers kept on disk: a peer says the same of the same samples, and all of mitdb takes them half an hour."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from bench.accuracy.records import Record

FOLDER: Final = Path(".cache/peers")
_CALLERS: Final = tuple(Path(__file__).with_name(name) for name in ("detectors.py", "delineators.py"))
"""How the peers are called; when this changes nothing kept is of use."""


def read(peer: str, version: str, record: Record, lead: int | None) -> dict[str, Any] | None:
    """What `keep` was given for this version of the peer, these samples and this lead."""
    path = _path(peer, version, record, lead)
    if not path.exists():
        return None
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return told


def keep(peer: str, version: str, record: Record, lead: int | None, told: dict[str, Any]) -> None:
    path = _path(peer, version, record, lead)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told), "utf-8")


def _path(peer: str, version: str, record: Record, lead: int | None) -> Path:
    about = repr((record.rate_hz, record.uv_per_lsb, record.samples.shape, lead)).encode()
    digest = hashlib.sha256(_callers() + about + record.samples.tobytes()).hexdigest()[:24]
    return FOLDER / f"{peer} {version}".replace(" ", "-") / f"{record.name}-{digest}.json"


@cache
def _callers() -> bytes:
    return b"".join(path.read_bytes() for path in _CALLERS)
