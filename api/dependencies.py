"""What every route is given: the rooms it reads from, and the page that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Query
from starlette.requests import HTTPConnection

from api.cached import CachedAnswers
from api.current import CurrentAnswers
from api.live import LiveFeed
from api.reads import ReadLog
from schemas import clock
from schemas.accounts import Caller
from schemas.audit import AuditLine
from schemas.cursors import MAX_CHARACTERS
from schemas.pages import MAX_LIMIT, PageRequest
from schemas.settings_store import CacheSettings, ObjectSettings
from storage.archive_shelf import Shelf
from storage.database import Database
from storage.objects import Objects


@dataclass(frozen=True, slots=True)
class ReadRooms:
    """Everything the api reads from; kept as `app.state.rooms`."""

    database: Database
    objects: Objects
    live: LiveFeed
    answers: CachedAnswers
    current: CurrentAnswers
    cache_settings: CacheSettings
    object_settings: ObjectSettings
    reads: ReadLog
    shelf: Shelf


@dataclass(frozen=True, slots=True)
class ReadWitness:
    """Notes in the audit log what a request shows to whom; `address` is where the request came from."""

    reads: ReadLog
    address: str | None

    def saw(self, caller: Caller, action: str, subject: UUID | str, patient_id: UUID | None = None) -> None:
        """`caller` is shown data of a patient. Of a user's own nothing is noted; whose a device's is, the log finds."""
        if caller.role != "user" and patient_id != caller.user_id:
            self.reads.read(self._line(str(caller.user_id), action, subject, patient_id))

    def handed_out(
        self,
        actor: UUID | str,
        action: str,
        subject: UUID | str,
        patient_id: UUID | None = None,
        *,
        once: bool = False,
    ) -> None:
        """Data leaves as a file or a link, whoever gets it; of links in a list it is `once` in a while.

        Raises Busy when it can't be noted: hand nothing out.
        """
        self.reads.handed_out(self._line(str(actor), action, subject, patient_id), once=once)

    def _line(self, actor: str, action: str, subject: UUID | str, patient_id: UUID | None) -> AuditLine:
        return AuditLine(clock.now(), actor, action, str(subject), self.address, patient_id)


After = Annotated[
    str | None, Query(max_length=MAX_CHARACTERS, description="The `next` of the answer before; `page` is then not used")
]


def _rooms(connection: HTTPConnection) -> ReadRooms:
    return cast("ReadRooms", connection.app.state.rooms)


def _witness(connection: HTTPConnection) -> ReadWitness:
    return ReadWitness(_rooms(connection).reads, connection.client.host if connection.client else None)


def _paging(
    page: Annotated[int, Query(ge=1, le=1_000_000, description="From 1")] = 1,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items per page")] = 50,
    after: After = None,
) -> PageRequest:
    return PageRequest(page, limit, after)


Rooms = Annotated[ReadRooms, Depends(_rooms)]
Witness = Annotated[ReadWitness, Depends(_witness)]
Paging = Annotated[PageRequest, Depends(_paging)]
