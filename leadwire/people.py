"""Making users without the gateway: for the first admin."""

from __future__ import annotations

from schemas.accounts import Role, User
from schemas.clock import now
from schemas.settings import Settings
from storage import accounts, audit
from storage.accounts import NewUser
from storage.database import writer
from web.tokens import hash_password


async def create_user(settings: Settings, username: str, password: str, role: Role, full_name: str | None) -> User:
    """The new user. Raises Duplicate for a name that is taken, Busy when the database is away."""
    database = writer(settings.database)
    await database.open()
    try:
        hashed = await hash_password(password)
        async with database.transaction() as connection:
            user = await accounts.create_user(connection, NewUser(username, hashed, role, full_name=full_name))
            await audit.append(connection, "leadwire user create", "user.create", f"user:{user.user_id}", None, now())
        return user
    finally:
        await database.close()
