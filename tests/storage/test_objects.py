"""One suite for the folder and for S3: what is put is what is got, whole or not at all."""

import hashlib
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest

from schemas.errors import Misconfigured, NotFound
from schemas.settings import DEVELOPMENT_SECRET, HttpSettings, ObjectSettings, SecuritySettings
from storage.object_streams import CHUNK_BYTES, OpenObject
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
    for asked in (store.get, store.stat, store.open):
        with pytest.raises(NotFound, match="no file a/b"):
            await asked("a/b")


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


async def whole(opened: OpenObject) -> list[bytes]:
    return [chunk async for chunk in opened.chunks]


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, 11 * 2**20 + 7])
async def test_a_file_put_from_disk_is_read_back_in_small_chunks(store: Objects, tmp_path: Path, size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    (tmp_path / "source").write_bytes(data)
    await store.put_file("uploads/a.pdf", tmp_path / "source", "application/pdf")
    opened = await store.open("uploads/a.pdf")
    chunks = await whole(opened)
    assert (opened.size, opened.content_type) == (size, "application/pdf")
    assert hashlib.sha256(b"".join(chunks)).digest() == hashlib.sha256(data).digest()
    assert max(map(len, chunks), default=0) <= CHUNK_BYTES


@pytest.mark.parametrize(
    ("first", "end"), [(0, 1), (5, None), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (999_999, 1_000_000)]
)
async def test_a_part_of_a_file_is_read_alone(store: Objects, first: int, end: int | None) -> None:
    data = np.random.default_rng(1).bytes(1_000_000)
    await store.put("a.csv", data, "text/csv")
    opened = await store.open("a.csv", first, end)
    assert b"".join(await whole(opened)) == data[first:end]
    assert opened.size == len(data)


async def test_a_file_says_how_large_it_is_and_what(store: Objects) -> None:
    await store.put("a/b.csv", b"1,2", "text/csv")
    found = await store.stat("a/b.csv")
    assert (found.size, found.content_type) == (3, "text/csv")


async def test_a_read_may_be_given_up(store: Objects) -> None:
    await store.put("a/b", b"x" * 2 * CHUNK_BYTES, "text/plain")
    opened = await store.open("a/b")
    assert len(await anext(opened.chunks)) <= CHUNK_BYTES
    await opened.chunks.aclose()
    assert len(await store.get("a/b")) == 2 * CHUNK_BYTES


async def test_a_location_names_the_key_and_opens_nothing(store: Objects) -> None:
    told = store.location("uploads/a.pdf")
    assert told.endswith("uploads/a.pdf")
    assert "signature" not in told.lower()


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
