"""The settings choose the store; a folder never shows half a file."""

import errno
import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr, ValidationError

from schemas.errors import Busy, Misconfigured
from schemas.settings import DEVELOPMENT_SECRET, HttpSettings, SecuritySettings
from schemas.settings_store import ObjectSettings
from storage.object_links import verify_signature
from storage.objects import Objects, objects
from tests.servers.availability import run_tool
from tests.servers.gcs import running_tokens

NOTHING = {str(f.validation_alias): None for f in ObjectSettings.model_fields.values() if f.default is None}
AZURE = {"AZURE_STORAGE_ACCOUNT": "hospital", "AZURE_STORAGE_KEY": "c2VjcmV0"}
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_S3_BUCKET": "bucket"}


def store(**settings: object) -> Objects:
    security = SecuritySettings.model_validate({"LEADWIRE_ENV": "development", "SECRET_KEY": DEVELOPMENT_SECRET})
    http = HttpSettings.model_validate({"LEADWIRE_PUBLIC_URL": "http://ecg.example/", "API_V1_PREFIX": "/api/v1"})
    return objects(ObjectSettings.model_validate(NOTHING | settings), security, http)


def test_the_store_is_told_from_what_is_set(tmp_path: Path) -> None:
    assert store(LEADWIRE_OBJECTS_DIR=tmp_path).service == "local"
    assert store(**KEYS).service == "s3"
    assert store(**AZURE).service == "azure"
    gcs = {"LEADWIRE_GCS_BUCKET": "b", "GOOGLE_APPLICATION_CREDENTIALS": tmp_path / "key.json"}
    assert ObjectSettings.model_validate(NOTHING | gcs).service == "gcs"


def test_of_several_that_are_set_one_is_chosen(tmp_path: Path) -> None:
    assert store(LEADWIRE_OBJECTS="local", LEADWIRE_OBJECTS_DIR=tmp_path, **KEYS).service == "local"
    assert store(LEADWIRE_OBJECTS="azure", LEADWIRE_OBJECTS_DIR=tmp_path, **KEYS, **AZURE).service == "azure"


def test_several_without_a_choice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="say which with LEADWIRE_OBJECTS=local or s3, or unset the others"):
        store(LEADWIRE_OBJECTS_DIR=tmp_path, **KEYS)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"LEADWIRE_OBJECTS": "local"}, "LEADWIRE_OBJECTS_DIR is not set"),
        ({"AWS_ACCESS_KEY_ID": "key"}, "AWS_SECRET_ACCESS_KEY is not set"),
        ({"AZURE_STORAGE_ACCOUNT": "hospital"}, "AZURE_STORAGE_KEY is not set"),
        ({"LEADWIRE_GCS_BUCKET": "b"}, "GOOGLE_APPLICATION_CREDENTIALS is not set"),
        ({"LEADWIRE_OBJECTS": "gcs", **KEYS}, "LEADWIRE_GCS_BUCKET and GOOGLE_APPLICATION_CREDENTIALS is not set"),
    ],
)
def test_half_a_store_is_refused_with_what_is_missing(given: dict[str, object], missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        store(**given)


def test_an_empty_variable_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    empty = dict.fromkeys(NOTHING, "") | {"AZURE_STORAGE_CONTAINER": "", "LEADWIRE_URL_EXPIRES_S": ""}
    assert store(**(empty | {"LEADWIRE_OBJECTS_DIR": tmp_path})).service == "local"


def test_other_programs_credentials_of_google_mean_nothing_to_us(tmp_path: Path) -> None:
    found = ObjectSettings.model_validate(NOTHING | {"GOOGLE_APPLICATION_CREDENTIALS": tmp_path, **AZURE})
    assert found.service == "azure"


def test_a_key_file_of_google_that_is_none_is_misconfigured(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("{}")
    for name in ("key.json", "absent.json"):
        with pytest.raises(Misconfigured, match=r"GOOGLE_APPLICATION_CREDENTIALS=.*name the JSON key"):
            store(LEADWIRE_GCS_BUCKET="b", GOOGLE_APPLICATION_CREDENTIALS=tmp_path / name)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("AZURE_STORAGE_ACCOUNT", "Not An Account", "give 3 to 24 small letters and digits"),
        ("AZURE_STORAGE_KEY", "not base64!", "give one as the portal shows it"),
        ("LEADWIRE_AZURE_ENDPOINT", "hospital.example", "write https://host"),
        ("LEADWIRE_AZURE_PUBLIC_ENDPOINT", "ftp://hospital.example", "write https://host"),
    ],
)
def test_an_azure_that_can_not_be_asked_is_misconfigured(name: str, value: str, remedy: str) -> None:
    with pytest.raises(Misconfigured, match=f"{name}.*{remedy}"):
        store(**(AZURE | {name: value}))


def test_no_client_is_imported_before_its_store_is_meant() -> None:
    code = "import sys, storage.objects; print([m for m in ('azure', 'google.cloud', 'minio') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


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


@pytest.mark.parametrize("away", [AZURE, {}], ids=["azure", "gcs"])
async def test_the_others_that_are_away_are_busy(away: dict[str, object], unused_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{unused_port}"
    gcs = {"LEADWIRE_GCS_BUCKET": "b", "LEADWIRE_GCS_ENDPOINT": url}
    with running_tokens(tmp_path) as (ours, _):
        there = away | {"LEADWIRE_AZURE_ENDPOINT": url} if away else gcs | {"GOOGLE_APPLICATION_CREDENTIALS": ours}
        with pytest.raises(Busy, match="see that it runs"):
            await store(**there).get("a")


async def test_an_azure_link_carries_the_public_address_and_only_reads() -> None:
    url = urlsplit(
        await store(**AZURE, LEADWIRE_AZURE_PUBLIC_ENDPOINT="https://files.example").presigned_url("a.pdf", 60, "b.pdf")
    )
    told = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", "files.example", "/ecg-reports/a.pdf")
    assert (told["sp"], told["sr"], told["spr"]) == ("r", "b", "https")
    assert told["rscd"] == "attachment; filename*=UTF-8''b.pdf"


async def test_a_google_link_is_signed_by_the_account_for_as_long_as_it_says(tmp_path: Path) -> None:
    with running_tokens(tmp_path) as (ours, _):
        files = {"LEADWIRE_GCS_BUCKET": "b", "GOOGLE_APPLICATION_CREDENTIALS": ours}
        link = await store(**files, LEADWIRE_GCS_PUBLIC_ENDPOINT="https://files.example").presigned_url("a", 60, "b")
    unsigned, _, signature = link.partition("&X-Goog-Signature=")
    url = urlsplit(unsigned)
    told = {name: values[0] for name, values in parse_qs(url.query).items()}
    query = "&".join(sorted(url.query.split("&")))
    asked = f"GET\n{url.path}\n{query}\nhost:{url.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    scope = told["X-Goog-Credential"].partition("/")[2]
    text = f"GOOG4-RSA-SHA256\n{told['X-Goog-Date']}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    (tmp_path / "text").write_text(text)
    (tmp_path / "signature").write_bytes(bytes.fromhex(signature))
    words = ("openssl", "dgst", "-sha256", "-verify", "ours.public.pem", "-signature", "signature", "text")
    assert "Verified OK" in run_tool(words, tmp_path, 30)
    assert (told["X-Goog-Expires"], url.netloc) == ("60", "files.example")
    assert told["response-content-disposition"] == "attachment; filename*=UTF-8''b"


async def test_what_a_killed_process_left_half_written_is_named_and_forgotten(tmp_path: Path) -> None:
    folder = store(LEADWIRE_OBJECTS_DIR=tmp_path)
    await folder.put("a/b", b"whole", "text/plain")
    (tmp_path / "a" / ".new-abc").write_bytes(b"ha")
    now = datetime.now(UTC)
    assert await folder.unfinished(now - timedelta(hours=1)) == []
    assert await folder.unfinished(now + timedelta(seconds=5)) == ["a/.new-abc"]
    assert await folder.forget_unfinished(now + timedelta(seconds=5)) == 1
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["b"]
