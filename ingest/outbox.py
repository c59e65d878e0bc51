"""Reports and metrics on a client's own disk, from before they are sent until Leadwire has them."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Awaitable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Protocol
from uuid import uuid4

from schemas.errors import Busy, Duplicate, LeadwireError, Malformed, TooFast, Unauthenticated

Detail = str | int | float | None

_LATER: Final = (Busy, TooFast, Unauthenticated)
"""What passes by itself, or with the next login; everything else the server will say again."""


class Uploads(Protocol):
    """What an outbox sends to: an AsyncClient."""

    def upload_report(self, file: Path, *, filename: str | None = None, **details: Detail) -> Awaitable[object]: ...

    def upload_metrics(self, **figures: Detail) -> Awaitable[object]: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """How many left the outbox, how many the server refused for good, and how many wait still, and why."""

    sent: int
    refused: int
    waiting: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: Literal["report", "metrics"]
    details: dict[str, Detail]
    filename: str = ""


class Outbox:
    """A folder of uploads that wait, for one program at a time.

    What was put is on the disk (fsync) when the call returns. `send` goes from the oldest to the newest and may be
    called as often as one likes: a report that the server has already is taken as sent, and so is a moment's metrics.
    What the server refuses for good moves to the folder `refused`, beside a text that says why.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused = folder / "refused"

    def put_report(self, file: Path, **details: Detail) -> None:
        """Keep a copy of `file`; `details` as upload_report takes them. Raises Malformed when it can't be read."""
        stem = self._new_name()
        try:
            shutil.copyfile(file, stem.with_suffix(".file"))
        except OSError as error:
            raise Malformed(f"{file} can't be kept for sending ({error}); name a file that can be read") from error
        _sync(stem.with_suffix(".file"))
        self._write(stem, _Entry("report", details, file.name))

    def put_metrics(self, **figures: Detail) -> None:
        """Keep one moment's figures; without `recorded_at` the moment is now."""
        at = datetime.now(UTC).isoformat()
        self._write(self._new_name(), _Entry("metrics", {"recorded_at": at, **figures}))

    def waiting(self) -> int:
        """How many have not been sent."""
        return sum(1 for _ in self._entries())

    async def send(self, client: Uploads) -> Sent:
        """Send what waits, until all is sent or the server is away; what it refused stays beside, with its reason."""
        sent = refused = 0
        for path in self._entries():
            try:
                await _send(client, path, _entry(path))
                sent += 1
                _remove(path)
            except _LATER as error:
                return Sent(sent, refused, self.waiting(), str(error))
            except LeadwireError as error:
                refused += 1
                self._put_aside(path, error)
        return Sent(sent, refused, self.waiting())

    def _entries(self) -> Iterator[Path]:
        yield from sorted(self.folder.glob("*.json"))

    def _new_name(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{time.time_ns():020d}-{uuid4().hex[:8]}"

    def _write(self, stem: Path, entry: _Entry) -> None:
        """Under another name first: an entry is there whole, or not at all."""
        half = stem.with_suffix(".new")
        half.write_text(json.dumps(asdict(entry)), "utf-8")
        _sync(half)
        half.replace(stem.with_suffix(".json"))
        _sync(self.folder)

    def _put_aside(self, path: Path, error: LeadwireError) -> None:
        self.refused.mkdir(exist_ok=True)
        (self.refused / path.name).with_suffix(".txt").write_text(f"{error}\n", "utf-8")
        for part in (path.with_suffix(".file"), path):
            if part.exists():
                part.replace(self.refused / part.name)


def _entry(path: Path) -> _Entry:
    return _Entry(**json.loads(path.read_text("utf-8")))


async def _send(client: Uploads, path: Path, entry: _Entry) -> None:
    if entry.kind == "metrics":
        await client.upload_metrics(**entry.details)
        return
    try:
        await client.upload_report(path.with_suffix(".file"), filename=entry.filename, **entry.details)
    except Duplicate:
        return  # an earlier try arrived, and its answer did not


def _remove(path: Path) -> None:
    """The entry first: a file without one is never sent."""
    path.unlink()
    path.with_suffix(".file").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
