"""Files of every type that is taken, as small as they may be, and stores that come and go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from schemas.errors import Busy
from schemas.settings import Settings
from storage.objects import objects
from storage.objects_local import LocalObjects
from tests.ingest.desk import Person, serving


def pdf(told: str = "") -> bytes:
    """A PDF like no other."""
    return b"%PDF-1.7\n" + (told or uuid4().hex).encode()


def edf() -> bytes:
    fields = [b"0".ljust(8), b"X".ljust(80), b"Y".ljust(80), b"01.01.2601.01.01", b"512".ljust(8), b"".ljust(64)]
    return b"".join(fields) + uuid4().hex.encode()


EXAMPLES: Final[dict[str, bytes]] = {
    "pdf": pdf("example"),
    "png": b"\x89PNG\r\n\x1a\n" + b"\0" * 20,
    "jpeg": b"\xff\xd8\xff\xe0" + b"\0" * 20,
    "edf": edf(),
    "dicom": b"\0" * 128 + b"DICM" + b"\x02\0\0\0",
    "xml": b'<?xml version="1.0"?>\n<!DOCTYPE RestingECG SYSTEM "x.dtd">\n<RestingECG><a>1</a></RestingECG>',
    "json": b'{"heart_rate": 72}',
    "csv": b"t,mv\n0,0.1\n1,0.2\n",
}

REFUSED: Final[dict[str, bytes]] = {
    "a page": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "a page in XML": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"></html>',
    "a drawing with scripts": b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    "a Windows program": b"MZ\x90\0" + b"\0" * 60,
    "a Linux program": b"\x7fELF" + b"\0" * 60,
    "a shell script": b"#!/bin/sh\nrm -rf /\n",
    "an archive": b"PK\x03\x04" + b"\0" * 30,
    "a page before a PDF": b"<html>%PDF-1.7",
    "prose": b"Dear doctor\nall is well\n",
    "half of a JSON": b'{"heart_rate": ',
    "nothing": b"",
}


async def send(
    http: httpx.AsyncClient, who: Person, data: bytes, path: str = "/ecg/reports/upload", **fields: Any
) -> httpx.Response:
    """An upload as the seed's client makes it."""
    filename = fields.pop("filename", "ecg.pdf")
    files = {"file": (filename, data, "application/pdf")}
    return await http.post(path, files=files, data=fields, headers=who.headers)


class UnreliableObjects(LocalObjects):
    """A folder that can be away, and that counts what is put."""

    is_away = False
    puts = 0

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        self._be_there()
        await super().put_file(key, path, content_type)
        self.puts += 1

    async def delete(self, key: str) -> None:
        self._be_there()
        await super().delete(key)

    def _be_there(self) -> None:
        if self.is_away:
            raise Busy("the object store is away; try again")


def unreliable(settings: Settings, folder: Path) -> UnreliableObjects:
    return UnreliableObjects(folder, settings.security.secret_key, "http://gateway/api/v1/files")


@asynccontextmanager
async def gateway_on(settings: Settings, store: LocalObjects) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway of its own on that store."""
    async with serving(settings, settings.kafka, store=store) as client:
        yield client


def store_of(settings: Settings) -> Any:
    """The session's store."""
    return objects(settings.objects, settings.security, settings.http)
