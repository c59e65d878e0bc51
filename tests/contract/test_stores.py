"""A file's whole way over HTTP, on each of the four stores: sent, listed, downloaded, linked to, deleted, gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_api
from ingest.gateway import create_gateway
from leadwire import doctor
from schemas.errors import NotFound
from schemas.settings import Settings
from storage.objects import Objects, objects
from tests.contract.scene import PDF, Scene
from tests.storage.object_stores import NOTHING, Shelf, in_azure, in_folder, in_gcs, in_s3

MAKERS: dict[str, Callable[[Any], Shelf]] = {"local": in_folder, "s3": in_s3, "azure": in_azure, "gcs": in_gcs}
STORES = [
    pytest.param("local", marks=pytest.mark.embedded),
    pytest.param("s3", marks=[pytest.mark.embedded, pytest.mark.s3]),
    pytest.param("azure", marks=[pytest.mark.embedded, pytest.mark.azure]),
    pytest.param("gcs", marks=[pytest.mark.embedded, pytest.mark.gcs]),
]


@pytest.fixture(params=STORES)
async def on_store(
    scene: Scene, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """Both applications anew, their objects in that store."""
    is_local = request.param == "local"
    at: Any = tmp_path / "objects" if is_local else request.getfixturevalue(f"{request.param}_server")
    shelf = MAKERS[request.param](at)
    for name, value in {**NOTHING, "LEADWIRE_OBJECTS": request.param, **shelf.settings}.items():
        monkeypatch.setenv(name, "" if value is None else str(value))
    monkeypatch.setenv("LEADWIRE_PUBLIC_URL", "http://origin")
    settings = Settings()
    settings.__dict__.update({"rates": scene.settings.rates})
    api, gateway = create_api(settings), create_gateway(settings)
    await store_of(settings).ensure()
    async with AsyncExitStack() as running:
        for app in (gateway, api):
            await running.enter_async_context(app.router.lifespan_context(app))
        yield Scene(settings, api, gateway, scene.database)


def store_of(settings: Settings) -> Objects:
    return objects(settings.objects, settings.security, settings.http)


async def get(scene: Scene, url: str) -> httpx.Response:
    """As a browser follows a link: ours at the origin, another's where it listens."""
    if url.startswith("http://origin"):
        async with scene.client() as at_origin:
            return await at_origin.get(url)
    async with httpx.AsyncClient() as elsewhere:
        return await elsewhere.get(url)


async def test_a_report_comes_back_whole_in_part_and_by_its_link(on_store: Scene) -> None:
    service = on_store.settings.objects.service
    person = await on_store.person("user")
    async with on_store.client(person.headers) as http:
        sent = await http.post(
            f"{on_store.prefix}/ecg/reports/upload", files={"file": ("Ada Ä.pdf", PDF, "application/pdf")}
        )
        assert sent.status_code == 201, sent.text
        report = f"{on_store.prefix}/ecg/reports/{sent.json()['report_id']}"
        whole = await http.get(f"{report}/download")
        part = await http.get(f"{report}/download", headers={"Range": "bytes=2-5"})
        told = (await http.get(report)).json()
        link = (await http.get(f"{report}/url")).json()["url"]
    assert (whole.status_code, whole.content) == (200, PDF)
    assert (part.status_code, part.content) == (206, PDF[2:6])
    assert told["cloud_service"] == service
    followed = await get(on_store, link)
    assert (followed.status_code, followed.content) == (200, PDF)
    assert "filename*=UTF-8''Ada%20%C3%84.pdf" in followed.headers["content-disposition"]


async def test_a_file_that_is_deleted_leaves_its_store(on_store: Scene) -> None:
    admin = await on_store.person("admin")
    async with on_store.client(admin.headers) as http:
        sent = await http.post(f"{on_store.prefix}/cloud/upload", files={"file": ("a.pdf", PDF, "application/pdf")})
        file_id = sent.json()["file_id"]
        async with on_store.database.transaction() as conn:
            cursor = await conn.execute("SELECT file_path_s3 FROM cloud_files WHERE file_id = %s", [file_id])
            row = await cursor.fetchone()
        assert row is not None
        assert await store_of(on_store.settings).get(row[0]) == PDF
        gone = await http.delete(f"{on_store.prefix}/cloud/files/{file_id}")
    assert gone.status_code in (200, 204), gone.text
    with pytest.raises(NotFound):
        await store_of(on_store.settings).get(row[0])


async def test_the_doctor_names_the_store(on_store: Scene) -> None:
    found = {finding.name: finding for finding in await doctor.examine(on_store.settings)}["objects"]
    assert (found.problem, found.detail.split(",")[0]) == (None, on_store.settings.objects.service)
