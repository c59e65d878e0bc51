"""users/{id}/signup: the record of a user's registration goes into the object store, once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request

from ingest.rooms import Rooms, address_of
from ingest.uploads import Sender, store
from schemas.accounts import User
from schemas.errors import Forbidden
from schemas.files import CONTENT_TYPES, CloudFile, FileKind, UploadedFile
from storage import accounts, cloud_files
from storage.access import everything, for_caller
from storage.database import Connection
from storage.object_keys import signup_key
from storage.uploads import Claim
from web.callers import Person
from web.problems import documented

router = APIRouter(prefix="/users", tags=["Accounts"])

_KIND: Final = "user_signup"
_RECORDED: Final = (
    "user_id", "username", "email", "full_name", "age", "gender", "phone", "address", "serial_number", "role",
    "created_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Signups:
    """cloud_files, as a signup record sees it: one for each user."""

    kind: FileKind = _KIND
    action: str = "user.signup"

    async def claim(self, conn: Connection, row_id: UUID, file: UploadedFile, at: datetime) -> Claim:
        return await cloud_files.claim(conn, row_id, _KIND, signup_key(file.user_id, row_id), file, at)

    async def finish(self, conn: Connection, claim: Claim, service: str, url: str, at: datetime) -> CloudFile | None:
        return await cloud_files.finish(conn, claim.row_id, service, url, at)

    async def fail(self, conn: Connection, claim: Claim) -> None:
        await cloud_files.fail(conn, claim.row_id)


@router.post(
    "/{user_id}/signup",
    summary="Keep a signup record in the object store",
    responses=documented(401, 403, 404, 422, 503),
)
async def keep_signup(user_id: UUID, caller: Person, request: Request, rooms: Rooms) -> CloudFile:
    """For yourself, or as an admin for anyone. Asked again, it answers with the record there is."""
    async with rooms.database.transaction() as conn:
        user = await accounts.user(conn, for_caller(caller), user_id)
    if caller.role != "admin" and user_id != caller.user_id:
        raise Forbidden("a signup record is kept by the user and by admins; ask one of them")
    record = _record(user)
    file = UploadedFile(
        user_id, caller.user_id, f"signup-{user_id}.json", "json", len(record), hashlib.sha256(record).digest()
    )
    sender = Sender(caller, address_of(request))
    stored = await store(
        rooms, _Signups(), file, lambda key: rooms.objects.put(key, record, CONTENT_TYPES["json"]), sender
    )
    if stored.row is not None:
        return stored.row
    async with rooms.database.transaction() as conn:
        return await cloud_files.cloud_file(conn, everything(), stored.row_id)


def _record(user: User) -> bytes:
    told = {name: getattr(user, name) for name in _RECORDED}
    return json.dumps(told, default=_plain, ensure_ascii=False, indent=2).encode()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
