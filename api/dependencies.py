"""What every route is given: the rooms it reads from, and the page that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Query
from starlette.requests import HTTPConnection

from api.live import LiveFeed
from schemas.cursors import MAX_CHARACTERS
from schemas.pages import MAX_LIMIT, PageRequest
from schemas.settings import ObjectSettings
from storage.cache import Cache
from storage.database import Database
from storage.objects import Objects


@dataclass(frozen=True, slots=True)
class ReadRooms:
    """Everything the api reads from; kept as `app.state.rooms`."""

    database: Database
    objects: Objects
    live: LiveFeed
    cache: Cache
    object_settings: ObjectSettings


After = Annotated[
    str | None, Query(max_length=MAX_CHARACTERS, description="The `next` of the answer before; `page` is then not used")
]


def _rooms(connection: HTTPConnection) -> ReadRooms:
    return cast("ReadRooms", connection.app.state.rooms)


def _paging(
    page: Annotated[int, Query(ge=1, le=1_000_000, description="From 1")] = 1,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items per page")] = 50,
    after: After = None,
) -> PageRequest:
    return PageRequest(page, limit, after)


Rooms = Annotated[ReadRooms, Depends(_rooms)]
Paging = Annotated[PageRequest, Depends(_paging)]
