"""Archived samples answer as rows did, and 503 while the archive can't be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from api.routes.samples import PROTOBUF
from processors.archive import ArchiveService
from schemas.clock import to_datetime
from schemas.settings import Settings
from schemas.settings_store import ArchiveSettings
from storage import samples
from storage.objects import objects
from tests.api.ward import Ward
from tests.storage import made

pytestmark = pytest.mark.embedded

FIRST_US = 978_307_200_000_000  # 2001: what is archived here is nobody else's
PATH = "/api/v1/ecg/samples"


async def recorded(ward: Ward) -> made.Patient:
    """A patient of long ago, not archived yet."""
    async with ward.database.transaction() as conn:
        patient = await made.a_patient(conn, FIRST_US)
        stretches = [made.a_stretch(patient.recording, first, 2500) for first in (0, 2500, 7500)]
        await samples.write_stretches(conn, stretches)
    return patient


async def archive(ward: Ward, settings: Settings) -> None:
    store = objects(settings.objects, settings.security, settings.http)
    at_once = ArchiveSettings.model_validate({"LEADWIRE_ARCHIVE": True, "LEADWIRE_HOT_DAYS": 0})
    now = to_datetime(FIRST_US) + timedelta(days=1)
    await ArchiveService(ward.database, store, at_once, now=lambda: now).round()


async def test_every_kind_of_answer_is_the_same_from_the_archive(
    client: httpx.AsyncClient, ward: Ward, settings: Settings
) -> None:
    patient = await recorded(ward)

    async def answers() -> list[httpx.Response]:
        wanted = {"recording_id": str(patient.recording.recording_id)}
        headers = ward.root.headers
        return [
            await client.get(PATH, params=wanted, headers=headers),
            await client.get(PATH, params=wanted | {"first_index": 2000, "end_index": 8000}, headers=headers),
            await client.get(PATH, params=wanted | {"points": 3}, headers=headers),
            await client.get(PATH, params=wanted | {"points": 500, "leads": "V1"}, headers=headers),
            await client.get(PATH, params=wanted, headers=headers | {"Accept": PROTOBUF}),
        ]

    before = await answers()
    await archive(ward, settings)
    after = await answers()
    assert [answer.status_code for answer in after] == [200] * 5
    assert [answer.content for answer in after] == [answer.content for answer in before]


async def test_a_store_that_lacks_a_file_is_busy_and_says_when_to_come_again(
    client: httpx.AsyncClient, ward: Ward, settings: Settings
) -> None:
    patient = await recorded(ward)
    await archive(ward, settings)
    assert isinstance(settings.objects.folder, Path)
    for file in settings.objects.folder.rglob(f"*{patient.recording.recording_id}*.dat"):
        file.unlink()
    answer = await client.get(
        PATH, params={"recording_id": str(patient.recording.recording_id)}, headers=ward.root.headers
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "archive verify" in answer.json()["detail"]
