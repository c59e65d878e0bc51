"""What is known of an archived hour of a recording: WFDB records, stretches, files with checksums; as JSON too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from storage.archive_spans import Span, from_runs, to_runs


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """An object of the archive."""

    key: str
    size: int
    sha256: str

    def holds(self, data: bytes) -> bool:
        """Whether `data` is what was put there."""
        return len(data) == self.size and sha256(data).hexdigest() == self.sha256


def archived_file(key: str, data: bytes) -> ArchivedFile:
    return ArchivedFile(key, len(data), sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """One WFDB record: samples [first_index, end_index) of a recording, of which `spans` tell what is there."""

    name: str
    first_index: int
    end_index: int
    spans: tuple[Span, ...]
    files: tuple[ArchivedFile, ...]
    """The header, the signal files in the order of their leads, the annotations."""

    @property
    def signals(self) -> list[ArchivedFile]:
        return [file for file in self.files if file.key.endswith(".dat")]

    def as_json(self, rate_hz: float) -> dict[str, Any]:
        return {
            "name": self.name,
            "first_index": self.first_index,
            "end_index": self.end_index,
            "stretches": to_runs(self.spans, rate_hz),
            "files": [{"key": file.key, "bytes": file.size, "sha256": file.sha256} for file in self.files],
        }


def part_from_json(told: Mapping[str, Any], rate_hz: float) -> ArchivedPart:
    return ArchivedPart(
        name=told["name"],
        first_index=told["first_index"],
        end_index=told["end_index"],
        spans=tuple(from_runs(told["stretches"], rate_hz)),
        files=tuple(ArchivedFile(file["key"], file["bytes"], file["sha256"]) for file in told["files"]),
    )


@dataclass(frozen=True, slots=True)
class HotState:
    """Rows of ecg_waveforms at one moment: how many, their samples per lead, SHA-256 of what they hold."""

    rows: int
    samples: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class ArchivedHour:
    """An hour of a recording as it rests in the object store, and the hot rows that it was last made of."""

    recording_id: UUID
    device_id: UUID
    hour_at: datetime
    generation: int
    started_at: datetime
    ended_at: datetime
    hot: HotState
    parts: tuple[ArchivedPart, ...]
    state: str = "verified"

    @property
    def files(self) -> list[ArchivedFile]:
        return [file for part in self.parts for file in part.files]

    @property
    def sample_count(self) -> int:
        return sum(span.count for part in self.parts for span in part.spans)

    @property
    def first_index(self) -> int:
        return min(part.first_index for part in self.parts)

    @property
    def end_index(self) -> int:
        return max(part.end_index for part in self.parts)
