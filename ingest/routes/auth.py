"""auth: people come in, stay, and go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import uuid4

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from ingest.people import Body, Password, Registration, Text, Username
from ingest.rooms import Rooms, WriteRooms, address_of
from schemas import clock
from schemas.accounts import Caller, User
from schemas.errors import Forbidden, Unauthenticated
from storage import accounts, audit, refresh_tokens, sessions
from storage.access import everything
from storage.database import Connection
from web import tokens
from web.callers import Person
from web.limits import account_key
from web.problems import documented

router = APIRouter(prefix="/auth", tags=["Accounts"])

_WRONG: Final = "no active user has this name and password; check both, or ask an admin"
_NOT_RENEWED: Final = "this refresh token is not good, or not any more; log in again with POST auth/login"
_CLOSED: Final = "only admins make users here; ask one for an account (POST users)"


class Login(Body):
    """A name and its password."""

    username: Username
    password: Password


class Renewal(Body):
    """The refresh token of the login or of the renewal before."""

    refresh_token: Annotated[Text, Field(min_length=1, max_length=200)]


class LoggedIn(BaseModel):
    """The token to send as `Authorization: Bearer …`, and the one that renews it once (POST auth/refresh-token)."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # the scheme's name, RFC 6750
    expires_in: int = Field(description="Seconds")
    refresh_token: str
    refresh_expires_in: int = Field(description="Seconds until the session ends, renewed or not")
    user: User


@router.post("/login", summary="Log in", responses=documented(401, 422, 503))
async def login(body: Login, request: Request, rooms: Rooms) -> LoggedIn:
    """Answers alike, and as slowly, for a name that doesn't exist, a wrong password and an inactive user.

    After ten wrong passwords for a name, whether anybody has it or not, the answer is 429 for a quarter of an hour.
    """
    async with rooms.limits.guess(account_key(body.username)):
        async with rooms.database.transaction() as conn:
            found = await accounts.credentials(conn, body.username)
        good = await tokens.verify_password(body.password, found.password_hash if found else None)
        if found is None or not good or not found.user.is_active:
            raise Unauthenticated(_WRONG)
    return await _logged_in(found.user, request, rooms)


async def _logged_in(user: User, request: Request, rooms: WriteRooms) -> LoggedIn:
    caller, at = Caller(user.user_id, user.username, user.role, uuid4()), clock.now()
    ends_at = at + timedelta(days=rooms.security.session_days)
    agent, address = request.headers.get("user-agent"), address_of(request)
    async with rooms.database.transaction() as conn:
        await refresh_tokens.forget_ended(conn, user.user_id, at)
        await sessions.open_session(conn, caller.session_id, caller.user_id, b"", agent, address, ends_at)
        answer = await _hand_out(conn, rooms, caller, user, at, ends_at)
        await accounts.touch_login(conn, user.user_id, at)
        await audit.append(conn, str(user.user_id), "auth.login", str(user.user_id), address, at)
    return answer


async def _hand_out(
    conn: Connection, rooms: WriteRooms, caller: Caller, user: User, at: datetime, ends_at: datetime
) -> LoggedIn:
    """A new pair of tokens for a session that ends at `ends_at`."""
    access, refresh = tokens.issue(caller, rooms.security, at, ends_at), tokens.new_refresh_token()
    await sessions.note_token(conn, caller.session_id, tokens.token_hash(access))
    await refresh_tokens.keep(conn, tokens.token_hash(refresh), caller.session_id, at, ends_at)
    return LoggedIn(
        access_token=access,
        expires_in=int((tokens.expires_at(rooms.security, at, ends_at) - at).total_seconds()),
        refresh_token=refresh,
        refresh_expires_in=int((ends_at - at).total_seconds()),
        user=user,
    )


@router.post("/refresh-token", summary="Renew the access token", responses=documented(401, 422, 503))
async def refresh(body: Renewal, request: Request, rooms: Rooms) -> LoggedIn:
    """Each refresh token is good once and brings the next one. One that comes twice was stolen: its session ends."""
    hashed, at = tokens.token_hash(body.refresh_token), clock.now()
    async with rooms.database.transaction() as conn:
        renewal = await refresh_tokens.use(conn, hashed, at)
        if renewal is not None:
            user = await accounts.user(conn, everything(), renewal.user_id)
            return await _hand_out(conn, rooms, renewal.caller, user, at, renewal.expires_at)
        await _close_if_reused(conn, hashed, request, at)
    raise Unauthenticated(_NOT_RENEWED)  # after the transaction, which must not be undone


async def _close_if_reused(conn: Connection, hashed: bytes, request: Request, at: datetime) -> None:
    family = await refresh_tokens.family_of_used(conn, hashed)
    if family is None or not await sessions.close_session(conn, family.session_id):
        return
    user, detail = str(family.user_id), f"session {family.session_id} closed"
    await audit.append(conn, user, "auth.refresh_reused", user, address_of(request), at, detail=detail)


@router.post("/register", status_code=201, summary="Become a user", responses=documented(403, 409, 422, 503))
async def register(body: Registration, request: Request, rooms: Rooms) -> User:
    """Anyone may, unless the operator closed it; the role is `user`. An admin makes all others with POST users."""
    if rooms.security.registration == "closed":
        raise Forbidden(_CLOSED)
    new = await body.new_user("user")
    async with rooms.database.transaction() as conn:
        user = await accounts.create_user(conn, new)
        address = address_of(request)
        await audit.append(conn, str(user.user_id), "auth.register", str(user.user_id), address, clock.now())
    return user


@router.post("/logout", status_code=204, summary="End this session", responses=documented(401, 503))
async def logout(caller: Person, request: Request, rooms: Rooms) -> None:
    """The access token and the refresh token are refused from now on."""
    async with rooms.database.transaction() as conn:
        await sessions.close_session(conn, caller.session_id)
        user = str(caller.user_id)
        await audit.append(conn, user, "auth.logout", user, address_of(request), clock.now())
