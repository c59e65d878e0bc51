"""The fields beside an uploaded file, under the seed system's names; what is not known is passed over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ingest.people import Text
from storage.report_uploads import ReportFigures

Form = TypeVar("Form", bound=BaseModel)


def _rounded(value: object) -> object:
    """Desktop clients send "72" as well as "72.4"."""
    try:
        return round(float(value)) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        return value


def _moment(value: datetime) -> datetime:
    """A moment without a zone is taken as UTC."""
    zoned = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if not 1900 < zoned.year < 2199:  # whatever its zone: within what clock takes
        raise ValueError(f"it is {value.isoformat()}; send a moment of the years 1901 to 2198")
    return zoned


Milliseconds = Annotated[int, BeforeValidator(_rounded), Field(ge=0, le=10_000)]


class OwnedForm(BaseModel):
    """Whose file it is; an empty field is one that was not sent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    user_id: UUID | None = Field(None, description="Whose it is; if not given the device's owner, else yourself")

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, fields: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if str(value).strip() not in ("", "None", "null")}


class ReportForm(OwnedForm):
    """What the desktop app tells of a report; intervals in ms, rounded to whole ones."""

    device_id: UUID | None = None
    patient_name: Annotated[Text, Field(max_length=255)] | None = None
    patient_age: Annotated[int, BeforeValidator(_rounded), Field(ge=0, le=150)] | None = None
    report_date: Annotated[datetime, AfterValidator(_moment)] | None = Field(None, description="UTC if without a zone")
    machine_serial: Annotated[Text, Field(max_length=100)] | None = None
    heart_rate: Annotated[int, BeforeValidator(_rounded), Field(ge=0, le=1000, description="bpm")] | None = None
    pr_interval: Milliseconds | None = None
    qrs_duration: Milliseconds | None = None
    qtc_interval: Milliseconds | None = None
    st_segment: Annotated[Text, Field(max_length=50)] | None = None
    qrs_axis: Annotated[Text, Field(max_length=20)] | None = None

    def figures(self) -> ReportFigures:
        """The columns that the row takes over."""
        return ReportFigures(**self.model_dump(exclude={"user_id"}))


def form(kind: type[Form], fields: dict[str, str]) -> Form:
    """The fields, checked. Raises RequestValidationError, which is answered with 422."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        told = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(told) from None


def documented_body(kind: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI entry of a body that FastAPI doesn't read, because it is streamed; for `openapi_extra=`."""
    schema = kind.model_json_schema()
    properties = {"file": {"type": "string", "format": "binary"}, **schema["properties"]}
    body = {"type": "object", "required": ["file"], "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": body}}}}
