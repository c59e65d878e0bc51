"""The four stores as one sees them in tests, and what somebody could do to them behind our back."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from azure.storage.blob import BlobServiceClient
from google.cloud.storage import Client
from google.oauth2.service_account import Credentials
from minio import Minio

from schemas.settings import DEVELOPMENT_SECRET, HttpSettings, SecuritySettings
from schemas.settings_store import ObjectSettings
from storage.objects import Objects, objects
from tests.servers.azure import AzureAddress
from tests.servers.gcs import GcsAddress
from tests.servers.minio import S3Address

NOTHING: Final = {
    str(field.validation_alias): None for field in ObjectSettings.model_fields.values() if field.default is None
}
"""Whatever this shell has set."""


def made(**settings: object) -> Objects:
    security = SecuritySettings.model_validate({"LEADWIRE_ENV": "development", "SECRET_KEY": DEVELOPMENT_SECRET})
    return objects(ObjectSettings.model_validate(NOTHING | settings), security, HttpSettings.model_validate({}))


@dataclass(frozen=True, slots=True)
class Shelf:
    """A bucket, container or folder of its own: the settings that name it, and where its server listens."""

    service: str
    settings: Mapping[str, object]
    endpoint: str = ""
    """The name of the setting that says where the server is."""
    wrong: tuple[str, object] = ("", None)
    """The setting with the secret, and a value that the server refuses."""
    replace: Callable[[str, bytes], None] | None = None
    """Puts other bytes in an object's place and leaves alone what stands beside them."""

    def open(self, **others: object) -> Objects:
        return made(**{**self.settings, **others})

    def through(self, port: int) -> Objects:
        """The same, by way of another port of this machine."""
        there = urlsplit(str(self.settings[self.endpoint]))
        return self.open(**{self.endpoint: there._replace(netloc=f"127.0.0.1:{port}").geturl()})

    @property
    def port(self) -> int:
        return urlsplit(str(self.settings[self.endpoint])).port or 443


def in_folder(folder: Path) -> Shelf:
    def replace(key: str, data: bytes) -> None:
        with (folder / key).open("r+b") as file:
            file.write(data)
            file.truncate()

    return Shelf("local", {"LEADWIRE_OBJECTS_DIR": folder}, replace=replace)


def in_s3(address: S3Address) -> Shelf:
    bucket = f"leadwire-{uuid4()}"
    client = Minio(address.endpoint, address.access_key, address.secret_key, secure=address.is_secure)

    def replace(key: str, data: bytes) -> None:
        was = client.stat_object(bucket, key).metadata or {}
        beside: dict[str, Any] = {"sha256": was["x-amz-meta-sha256"]}
        client.put_object(bucket, key, io.BytesIO(data), len(data), metadata=beside)

    keys = {"AWS_ACCESS_KEY_ID": address.access_key, "AWS_SECRET_ACCESS_KEY": address.secret_key}
    settings = {"LEADWIRE_S3_ENDPOINT": address.url, "AWS_S3_BUCKET": bucket, **keys}
    return Shelf("s3", settings, "LEADWIRE_S3_ENDPOINT", ("AWS_SECRET_ACCESS_KEY", "wrong-secret"), replace)


def in_azure(address: AzureAddress) -> Shelf:
    container = f"leadwire-{uuid4()}"
    credential = {"account_name": address.account, "account_key": address.key}
    client = BlobServiceClient(address.url, credential=credential)

    def replace(key: str, data: bytes) -> None:
        blob = client.get_blob_client(container, key)
        blob.upload_blob(data, overwrite=True, metadata=blob.get_blob_properties().metadata)

    keys = {"AZURE_STORAGE_ACCOUNT": address.account, "AZURE_STORAGE_KEY": address.key}
    settings = {"LEADWIRE_AZURE_ENDPOINT": address.url, "AZURE_STORAGE_CONTAINER": container, **keys}
    return Shelf("azure", settings, "LEADWIRE_AZURE_ENDPOINT", ("AZURE_STORAGE_KEY", "d3Jvbmc="), replace)


def in_gcs(address: GcsAddress) -> Shelf:
    bucket = f"leadwire-{uuid4()}"

    def replace(key: str, data: bytes) -> None:
        account = Credentials.from_service_account_file(str(address.credentials))  # type: ignore[no-untyped-call]  # theirs
        client = Client("tests", account, client_options={"api_endpoint": address.url})
        was = client.bucket(bucket).get_blob(key)
        blob = client.bucket(bucket).blob(key)
        blob.metadata = was.metadata
        blob.upload_from_string(data, content_type="text/plain")

    settings = {"LEADWIRE_GCS_ENDPOINT": address.url, "LEADWIRE_GCS_BUCKET": bucket}
    wrong = ("GOOGLE_APPLICATION_CREDENTIALS", address.strangers)
    return Shelf(
        "gcs",
        settings | {"GOOGLE_APPLICATION_CREDENTIALS": address.credentials},
        "LEADWIRE_GCS_ENDPOINT",
        wrong,
        replace,
    )
