"""One suite for the folder and for S3: what is put is what is got, whole or not at all."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from schemas.errors import Misconfigured, NotFound
from schemas.settings import DEVELOPMENT_SECRET, HttpSettings, ObjectSettings, SecuritySettings
from storage.objects import Objects, objects
from tests.servers.minio import S3Address

FOLDER = pytest.param("folder", marks=pytest.mark.embedded)
S3 = pytest.param("s3", marks=pytest.mark.s3)


def made(**settings: object) -> Objects:
    security = SecuritySettings.model_validate({"LEADWIRE_ENV": "development", "SECRET_KEY": DEVELOPMENT_SECRET})
    return objects(ObjectSettings.model_validate(settings), security, HttpSettings.model_validate({}))


def on_s3(address: S3Address, **others: object) -> Objects:
    settings: dict[str, object] = {
        "LEADWIRE_OBJECTS_DIR": None,
        "LEADWIRE_S3_ENDPOINT": address.url,
        "AWS_ACCESS_KEY_ID": address.access_key,
        "AWS_SECRET_ACCESS_KEY": address.secret_key,
        "AWS_S3_BUCKET": f"leadwire-{uuid4()}",
    }
    return made(**(settings | others))


@pytest.fixture(params=[FOLDER, S3])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    on_folder = request.param == "folder"
    opened = (
        made(LEADWIRE_OBJECTS_DIR=tmp_path / "objects") if on_folder else on_s3(request.getfixturevalue("s3_server"))
    )
    await opened.ensure()
    return opened


async def test_what_is_put_is_what_is_got(store: Objects) -> None:
    data = bytes(range(256)) * 5000
    await store.put("reports/2026/x.pdf", data, "application/pdf")
    assert await store.get("reports/2026/x.pdf") == data


async def test_putting_again_replaces(store: Objects) -> None:
    await store.put("a/b", b"long and old", "text/plain")
    await store.put("a/b", b"new", "text/plain")
    assert await store.get("a/b") == b"new"


async def test_an_empty_file_is_a_file(store: Objects) -> None:
    await store.put("empty", b"", "text/plain")
    assert await store.get("empty") == b""


async def test_what_is_not_there_is_not_found(store: Objects) -> None:
    with pytest.raises(NotFound, match="no file a/b"):
        await store.get("a/b")


async def test_deleting_twice_is_deleting(store: Objects) -> None:
    await store.put("a/b", b"1", "text/plain")
    await store.delete("a/b")
    await store.delete("a/b")
    with pytest.raises(NotFound):
        await store.get("a/b")


async def test_a_key_that_climbs_is_refused_everywhere(store: Objects) -> None:
    with pytest.raises(ValueError, match="is not an object key"):
        await store.put("../x", b"", "text/plain")
    with pytest.raises(ValueError, match="is not an object key"):
        await store.get("../x")
    with pytest.raises(ValueError, match="is not an object key"):
        await store.delete("../x")
    with pytest.raises(ValueError, match="is not an object key"):
        await store.presigned_url("../x", 60, "x")


async def test_ensuring_twice_and_asking_whether_it_is_there(store: Objects) -> None:
    await store.ensure()
    await store.ping()


@pytest.mark.s3
async def test_a_presigned_link_opens_the_file_under_its_name(s3_server: S3Address) -> None:
    store = on_s3(s3_server)
    await store.ensure()
    await store.put("reports/x.pdf", b"%PDF", "application/pdf")
    async with httpx.AsyncClient() as client:
        answer = await client.get(await store.presigned_url("reports/x.pdf", 60, "Ada.pdf"))
    assert (answer.status_code, answer.content) == (200, b"%PDF")
    assert answer.headers["content-type"] == "application/pdf"
    assert "Ada.pdf" in answer.headers["content-disposition"]


@pytest.mark.s3
async def test_wrong_keys_are_misconfigured(s3_server: S3Address) -> None:
    with pytest.raises(Misconfigured, match="check AWS_ACCESS_KEY_ID"):
        await on_s3(s3_server, AWS_SECRET_ACCESS_KEY="wrong-secret").put("a", b"", "text/plain")
