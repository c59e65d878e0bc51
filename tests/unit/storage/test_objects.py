"""The settings choose the store; a folder never shows half a file."""

import errno
import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from schemas.errors import Busy, Misconfigured
from schemas.settings import DEVELOPMENT_SECRET, HttpSettings, ObjectSettings, SecuritySettings
from storage.object_links import verify_signature
from storage.objects import Objects, objects

NOTHING = {"LEADWIRE_OBJECTS_DIR": None, "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_S3_BUCKET": "bucket"}


def store(**settings: object) -> Objects:
    security = SecuritySettings.model_validate({"LEADWIRE_ENV": "development", "SECRET_KEY": DEVELOPMENT_SECRET})
    http = HttpSettings.model_validate({"LEADWIRE_PUBLIC_URL": "http://ecg.example/", "API_V1_PREFIX": "/api/v1"})
    return objects(ObjectSettings.model_validate(NOTHING | settings), security, http)


def test_a_folder_is_taken_before_s3(tmp_path: Path) -> None:
    assert store(LEADWIRE_OBJECTS_DIR=tmp_path, **KEYS).service == "local"
    assert store(**KEYS).service == "s3"


def test_neither_is_misconfigured() -> None:
    with pytest.raises(Misconfigured, match="set LEADWIRE_OBJECTS_DIR"):
        store()


async def test_a_local_link_is_served_by_the_api_and_carries_its_proof(tmp_path: Path) -> None:
    url = urlsplit(await store(LEADWIRE_OBJECTS_DIR=tmp_path).presigned_url("reports/a.pdf", 60, "Ä b.pdf"))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}{url.path}" == "http://ecg.example/api/v1/files/reports/a.pdf"
    proof = (int(query["expires"]), query["filename"], query["signature"])
    verify_signature([SecretStr(DEVELOPMENT_SECRET)], "reports/a.pdf", *proof, now_s=0)


async def test_an_s3_link_carries_the_public_address() -> None:
    s3 = store(**KEYS, LEADWIRE_S3_ENDPOINT="http://minio:9000", LEADWIRE_S3_PUBLIC_ENDPOINT="https://files.example")
    url = urlsplit(await s3.presigned_url("reports/a.pdf", 60, "Ä b.pdf"))
    assert (url.scheme, url.netloc, url.path) == ("https", "files.example", "/bucket/reports/a.pdf")
    assert parse_qs(url.query)["X-Amz-Expires"] == ["60"]
    assert parse_qs(url.query)["response-content-disposition"] == ["attachment; filename*=UTF-8''%C3%84%20b.pdf"]


async def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = store(LEADWIRE_OBJECTS_DIR=tmp_path)
    await folder.put("a/b", b"old", "text/plain")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Busy, match="no space left"):
        await folder.put("a/b", b"new", "text/plain")
    assert await folder.get("a/b") == b"old"
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["b"]


async def test_an_absent_folder_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(Busy, match="create it"):
        await store(LEADWIRE_OBJECTS_DIR=tmp_path / "absent").ping()


async def test_s3_that_is_away_is_busy(unused_port: int) -> None:
    s3 = store(**KEYS, LEADWIRE_S3_ENDPOINT=f"http://127.0.0.1:{unused_port}")
    with pytest.raises(Busy, match="see that it runs"):
        await s3.get("a")
