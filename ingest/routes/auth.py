"""auth: people come in, and go."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import uuid4

from fastapi import APIRouter, Request
from pydantic import BaseModel

from ingest.people import Body, Password, Registration, Username
from ingest.rooms import Rooms, address_of
from schemas import clock
from schemas.accounts import Caller, User
from schemas.errors import Unauthenticated
from storage import accounts, audit, sessions
from storage.database import Connection
from web import tokens
from web.callers import Person
from web.problems import documented

router = APIRouter(prefix="/auth", tags=["Accounts"])

_WRONG: Final = "no active user has this name and password; check both, or ask an admin"


class Login(Body):
    """A name and its password."""

    username: Username
    password: Password


class LoggedIn(BaseModel):
    """The token to send as `Authorization: Bearer …`, good for `expires_in` seconds."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # the scheme's name, RFC 6750
    expires_in: int
    user: User


@router.post("/login", summary="Log in", responses=documented(401, 422, 503))
async def login(body: Login, request: Request, rooms: Rooms) -> LoggedIn:
    """Answers alike, and as slowly, for a name that doesn't exist, a wrong password and an inactive user."""
    async with rooms.database.transaction() as conn:
        found = await accounts.credentials(conn, body.username)
    good = await tokens.verify_password(body.password, found.password_hash if found else None)
    if found is None or not good or not found.user.is_active:
        raise Unauthenticated(_WRONG)
    user, at = found.user, clock.now()
    caller = Caller(user.user_id, user.username, user.role, uuid4())
    token = tokens.issue(caller, rooms.security, at)
    async with rooms.database.transaction() as conn:
        await _open_session(conn, caller, token, tokens.expires_at(rooms.security, at), request)
        await accounts.touch_login(conn, user.user_id, at)
        await audit.append(conn, str(user.user_id), "auth.login", str(user.user_id), address_of(request), at)
    return LoggedIn(access_token=token, expires_in=int(rooms.security.access_token_expire_hours * 3600), user=user)


async def _open_session(conn: Connection, caller: Caller, token: str, expires_at: datetime, request: Request) -> None:
    agent = request.headers.get("user-agent")
    hashed = tokens.token_hash(token)
    address = address_of(request)
    await sessions.open_session(conn, caller.session_id, caller.user_id, hashed, agent, address, expires_at)


@router.post("/register", status_code=201, summary="Become a user", responses=documented(409, 422, 503))
async def register(body: Registration, request: Request, rooms: Rooms) -> User:
    """Anyone may; the role is `user`. An admin makes doctors, admins and patients with POST users."""
    new = await body.new_user("user")
    async with rooms.database.transaction() as conn:
        user = await accounts.create_user(conn, new)
        address = address_of(request)
        await audit.append(conn, str(user.user_id), "auth.register", str(user.user_id), address, clock.now())
    return user


@router.post("/logout", status_code=204, summary="End this session", responses=documented(401, 503))
async def logout(caller: Person, request: Request, rooms: Rooms) -> None:
    """The token is refused from now on."""
    async with rooms.database.transaction() as conn:
        await sessions.close_session(conn, caller.session_id)
        user = str(caller.user_id)
        await audit.append(conn, user, "auth.logout", user, address_of(request), clock.now())
