"""What every route is given: the rooms it writes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from ingest.device_cache import DeviceCache
from ingest.producer import SampleProducer
from schemas.settings import HttpSettings, SecuritySettings
from storage.cache import Cache
from storage.database import Database
from storage.objects import Objects
from web.limits import Limits


@dataclass(frozen=True, slots=True)
class WriteRooms:
    """Everything the gateway writes to, and its settings; kept as `app.state.rooms`."""

    database: Database
    producer: SampleProducer
    devices: DeviceCache
    objects: Objects
    cache: Cache
    http: HttpSettings
    security: SecuritySettings
    limits: Limits


def rooms_of(connection: HTTPConnection) -> WriteRooms:
    return cast("WriteRooms", connection.app.state.rooms)


def address_of(connection: HTTPConnection) -> str | None:
    """The network address a request came from, for the audit log."""
    return connection.client.host if connection.client else None


Rooms = Annotated[WriteRooms, Depends(rooms_of)]
