"""How far a play of a recording has come, kept in a file so that a later run can go on from there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from ingest.player import Progress
from ingest.sources import RecordSource, Take
from schemas.errors import Malformed

_KEEP_EVERY_S: Final = 0.5
"""What is acknowledged between two writes may be sent once more after a crash, which changes nothing."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A play that did not come to its end: the take, and the first sample that was not acknowledged."""

    take: Take
    acknowledged_index: int


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where programs of this user keep state (XDG Base Directory Specification)."""
    given = environment.get("XDG_STATE_HOME")
    return (Path(given) if given else Path.home() / ".local" / "state") / "leadwire"


class PlayFile:
    """The state of one serial's play at one Leadwire, in a file of `folder`."""

    def __init__(self, folder: Path, url: str, serial: str, source: RecordSource) -> None:
        name = sha256(f"{url}\n{serial}".encode()).hexdigest()[:16]
        self.path = folder / f"play-{name}.json"
        self._digest = _digest(source)
        self._kept_at_s = -_KEEP_EVERY_S

    def load(self) -> Interrupted | None:
        """What was kept, if anything. Raises Malformed when it is of another signal or can't be read."""
        try:
            told = json.loads(self.path.read_text())
            take = Take(UUID(told["device_id"]), UUID(told["recording_id"]), int(told["started_at_us"]))
            found, index = str(told["digest"]), int(told["acknowledged_index"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise Malformed(f"{self.path} can't be read ({error}); remove it, or go without --resume") from error
        if found != self._digest:
            raise Malformed(f"{self.path} is of a play of another signal; go without --resume to play this one anew")
        return Interrupted(take, index)

    def keep(self, progress: Progress, *, now: bool = False) -> None:
        """Write the progress, at most every _KEEP_EVERY_S unless `now`."""
        if not now and time.monotonic() - self._kept_at_s < _KEEP_EVERY_S:
            return
        take = progress.take
        told = {
            "device_id": str(take.device_id),
            "recording_id": str(take.recording_id),
            "started_at_us": take.started_at_us,
            "acknowledged_index": progress.acknowledged_index,
            "digest": self._digest,
        }
        _write(self.path, json.dumps(told))
        self._kept_at_s = time.monotonic()

    def forget(self) -> None:
        """The play came to its end."""
        self.path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    """The old file or the new one, whatever happens in between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _digest(source: RecordSource) -> str:
    """Tells one signal from another: rate, leads, gains and every sample."""
    facts = f"{source.rate_hz} {source.leads} {source.uv_per_lsb} {source.samples.shape}".encode()
    return sha256(facts + source.samples.tobytes()).hexdigest()
