"""What people send about themselves and others, checked before it meets the database."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.accounts import Role
from storage.accounts import NewUser
from web.tokens import hash_password


def _whole(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("it holds half a surrogate pair, which is no character; send valid Unicode")
    return text


def _printable(text: str) -> str:
    if any(ord(character) < 32 and character not in "\n\t" for character in text):
        raise ValueError("it holds control characters; send plain text")
    return text


Text = Annotated[str, AfterValidator(_whole), AfterValidator(_printable)]
"""Text PostgreSQL can keep: no NUL, no control characters, nothing that UTF-8 has no bytes for."""

Username = Annotated[Text, Field(min_length=1, max_length=50)]
Password = Annotated[str, AfterValidator(_whole), Field(max_length=1024)]
NewPassword = Annotated[Password, Field(min_length=8)]
"""NIST SP 800-63B: eight characters at least, no rule about which."""


class Body(BaseModel):
    """A request body; a field that is not known is refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Changes(Body):
    """What is to be different: what is left out stays as it is, so the OpenAPI document names no defaults."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class Profile(Changes):
    """What people tell about themselves, under the seed system's names."""

    email: Annotated[Text, Field(max_length=255, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    full_name: Annotated[Text, Field(max_length=255)] | None = None
    age: Annotated[int, Field(ge=0, le=150)] | None = None
    gender: Annotated[Text, Field(max_length=10)] | None = None
    phone: Annotated[Text, Field(max_length=20)] | None = None
    address: Annotated[Text, Field(max_length=1000)] | None = None


class Registration(Profile):
    """A person to be made, under the seed system's names."""

    username: Username
    password: NewPassword
    serial_number: Annotated[Text, Field(max_length=100)] | None = None

    async def new_user(self, role: Role) -> NewUser:
        """The row to insert, its password hashed."""
        told = self.model_dump(exclude={"password", "role"})
        return NewUser(password_hash=await hash_password(self.password), role=role, **told)


class RegistrationByAdmin(Registration):
    """The same, with a role."""

    role: Role = "user"
