"""Manifests: what is archived of a device's day, with checksums, beside the files; from them the index can be made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from schemas.clock import to_datetime, to_us
from schemas.samples import Recording
from storage.archive_records import ArchivedHour, HotState, part_from_json

FORMAT: Final = "leadwire-archive"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """A device's day: its hours, and the recordings that they are of (whose user is not told here)."""

    device_id: UUID
    day: datetime
    recordings: tuple[Recording, ...]
    hours: tuple[ArchivedHour, ...]


def dump(manifest: Manifest) -> bytes:
    """As JSON; `sha256` is of everything else, as it is written with sorted keys and no spaces."""
    told = {
        "format": FORMAT,
        "version": VERSION,
        "device_id": str(manifest.device_id),
        "day": f"{manifest.day:%Y-%m-%d}",
        "recordings": [_recording(recording) for recording in manifest.recordings],
        "hours": [_hour(hour, manifest.recordings) for hour in manifest.hours],
    }
    return json.dumps(told | {"sha256": sha256(_canonical(told)).hexdigest()}, indent=1).encode()


def load(data: bytes) -> Manifest:
    """Raises ValueError for what is no manifest, is damaged, or of a later version."""
    try:
        told = json.loads(data)
        checksum = told.pop("sha256")
        if told["format"] != FORMAT or told["version"] != VERSION:
            raise ValueError(f"a manifest of version {told['version']} is unknown here; upgrade Leadwire to read it")
        if checksum != sha256(_canonical(told)).hexdigest():
            raise ValueError("a manifest does not fit its checksum; restore it from a backup, or archive the day again")
        recordings = tuple(_recording_of(each, UUID(told["device_id"])) for each in told["recordings"])
        rates = {recording.recording_id: recording.rate_hz for recording in recordings}
        hours = tuple(_hour_of(each, UUID(told["device_id"]), rates) for each in told["hours"])
        return Manifest(UUID(told["device_id"]), datetime.fromisoformat(f"{told['day']}T00:00Z"), recordings, hours)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no manifest of the archive ({error!r}); restore it from a backup") from error


def _canonical(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def _recording(recording: Recording) -> dict[str, Any]:
    return {
        "recording_id": str(recording.recording_id),
        "started_at_us": recording.started_at_us,
        "rate_hz": recording.rate_hz,
        "leads": list(recording.leads),
        "uv_per_lsb": list(recording.uv_per_lsb),
    }


def _recording_of(told: Mapping[str, Any], device_id: UUID) -> Recording:
    return Recording(
        recording_id=UUID(told["recording_id"]),
        device_id=device_id,
        user_id=None,
        started_at_us=told["started_at_us"],
        rate_hz=told["rate_hz"],
        leads=tuple(told["leads"]),
        uv_per_lsb=tuple(told["uv_per_lsb"]),
    )


def _hour(hour: ArchivedHour, recordings: Sequence[Recording]) -> dict[str, Any]:
    [rate_hz] = [each.rate_hz for each in recordings if each.recording_id == hour.recording_id]
    return {
        "recording_id": str(hour.recording_id),
        "hour": hour.hour_at.isoformat(),
        "generation": hour.generation,
        "started_at_us": to_us(hour.started_at),
        "ended_at_us": to_us(hour.ended_at),
        "hot": {"rows": hour.hot.rows, "samples": hour.hot.samples, "digest": hour.hot.digest.hex()},
        "records": [part.as_json(rate_hz) for part in hour.parts],
    }


def _hour_of(told: Mapping[str, Any], device_id: UUID, rates: Mapping[UUID, float]) -> ArchivedHour:
    recording_id = UUID(told["recording_id"])
    hot = told["hot"]
    return ArchivedHour(
        recording_id=recording_id,
        device_id=device_id,
        hour_at=datetime.fromisoformat(told["hour"]),
        generation=told["generation"],
        started_at=to_datetime(told["started_at_us"]),
        ended_at=to_datetime(told["ended_at_us"]),
        hot=HotState(hot["rows"], hot["samples"], bytes.fromhex(hot["digest"])),
        parts=tuple(part_from_json(part, rates[recording_id]) for part in told["records"]),
    )
