"""Examples: what a value of a schema looks like, so that every body and answer of the OpenAPI document shows one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from uuid import NAMESPACE_URL, uuid5

Schema: TypeAlias = Mapping[str, Any]

_DEEPEST: Final = 8
_MOMENT: Final = "2026-01-31T12:00:00Z"
_MOMENT_US: Final = 1_769_860_800_000_000

_BY_NAME: Final[Mapping[str, object]] = {
    "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjFhMmIzYzRkIn0.eyJzdWIiOiI4YzBiIn0.c2lnbmF0dXJl",
    "action": "report.read",
    "actor": "b9a5a0f5-0d52-5f3c-9f3b-0f6f0f6f7b01",
    "address": "1 Long Road, Cambridge",
    "age": 54,
    "amplitude_mv": 1.1,
    "arrhythmia_confidence": 96.5,
    "arrhythmia_type": "Normal Sinus Rhythm",
    "beat_class": "N",
    "beats": 370,
    "cloud_service": "s3",
    "cloud_url": "https://ecg-reports-bucket.s3.amazonaws.com/reports/2026/01/31/report.pdf",
    "confidence": 96.5,
    "current_password": "correct horse battery",
    "device_info": "ECG desktop 3.2",
    "device_name": "Bed 4",
    "device_serial": "ECG-2026-0042",
    "device_type": "ecg",
    "email": "ada@example.org",
    "end_us": _MOMENT_US + 60_000_000,
    "engine_version": "fast-4",
    "expires_in": 86_400,
    "file_path": "reports/ecg-20260131.pdf",
    "file_path_s3": "reports/2026/01/31/report.pdf",
    "file_size": 184_320,
    "file_type": "pdf",
    "filename": "ecg-20260131.pdf",
    "firmware_version": "1.4.2",
    "full_name": "Ada Example",
    "gender": "female",
    "heart_rate": 72,
    "heart_rate_bpm": 72.4,
    "hrv_version": "hrv-1",
    "ip_address": "192.0.2.10",
    "kind": "asystole",
    "label": "N",
    "lead": "II",
    "leads": ["II", "V1"],
    "limit": 50,
    "machine_serial": "ECG-2026-0042",
    "main_lead": "II",
    "manufacturer": "Example Medical",
    "model": "E12",
    "new_password": "wrong donkey charger",
    "old_password": "correct horse battery",
    "page": 1,
    "password": "correct horse battery",
    "patient_age": 54,
    "patient_name": "Ada Example",
    "phone": "+44 1223 000000",
    "pr_interval": 160,
    "pr_ms": 160.2,
    "qrs_axis": "Normal",
    "qrs_duration": 92,
    "qrs_ms": 91.7,
    "qt_ms": 388.0,
    "qtc_bazett_ms": 420.1,
    "qtc_framingham_ms": 412.0,
    "qtc_hodges_ms": 409.3,
    "qtc_interval": 410,
    "qtc_ms": 410.4,
    "quality": 0.97,
    "r_index": 15_120,
    "rate_hz": 250.0,
    "raw_data_s3_path": "raw/2026/01/31/ecg.lww",
    "refresh_token": "lwr_9qjWmZ0YVn3m8Cw1h5oXkS2u7bLrTzQe4aDgJfHpKxM",
    "role": "user",
    "rr_ms": 829.0,
    "serial_number": "PATIENT-0042",
    "st80_mv": 0.03,
    "st_mv": 0.02,
    "st_segment": "Normal",
    "started_at_us": _MOMENT_US,
    "start_us": _MOMENT_US,
    "token": "lwd_3v0ZpR8sQkN1yXw6uTgHbJcFmLaEdOiK7nWqVzY2xBs",
    "total": 123,
    "upload_status": "uploaded",
    "username": "ada",
    "uv_per_lsb": 2.5,
}
"""Values of fields by their name, which means the same everywhere; only used where the schema admits them."""


def example(schema: Schema, known: Mapping[str, Schema], name: str = "", depth: int = 0) -> Any:
    """A value of `schema`; `known` are the schemas that `$ref`s name, `name` that of the field it stands in.

    A value the schema gives itself (examples, const, enum) is taken first, then the field's own of the list above,
    then its default, then a plain one of its type.
    """
    schema = _resolved(schema, known)
    own = _own(schema)
    if own is not None:
        return own
    listed = _BY_NAME.get(name)
    if listed is not None and admits(schema, listed, known):
        return listed
    return _made(_chosen(schema, known), known, name, depth)


def admits(schema: Schema, value: object, known: Mapping[str, Schema]) -> bool:
    """Whether a plain value is of the schema's type and within its bounds."""
    options = [_resolved(one, known) for one in schema.get("anyOf", schema.get("oneOf", [schema]))]
    return any(_is_of(one, value, known) for one in options)


def _is_of(schema: Schema, value: object, known: Mapping[str, Schema]) -> bool:
    kind, chosen = schema.get("type"), schema.get("enum", [schema["const"]] if "const" in schema else None)
    if chosen is not None:
        return value in chosen
    if isinstance(value, list):
        return kind == "array" and all(admits(_resolved(schema.get("items", {}), known), one, known) for one in value)
    if isinstance(value, str):
        within = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        return kind == "string" and "format" not in schema and within
    is_kind = kind == "number" or (kind == "integer" and isinstance(value, int))
    return is_kind and _is_within(schema, value)


def _is_within(schema: Schema, value: Any) -> bool:
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _resolved(schema: Schema, known: Mapping[str, Schema]) -> Schema:
    while "$ref" in schema or len(schema.get("allOf", [])) == 1:
        if "allOf" in schema:
            schema = {**schema["allOf"][0], **{k: v for k, v in schema.items() if k != "allOf"}}
        else:
            others = {k: v for k, v in schema.items() if k != "$ref"}
            schema = {**known[str(schema["$ref"]).rpartition("/")[2]], **others}
    return schema


def _own(schema: Schema) -> Any:
    if schema.get("examples"):
        return schema["examples"][0]
    if "example" in schema:
        return schema["example"]
    if "const" in schema:
        return schema["const"]
    return schema["enum"][0] if schema.get("enum") else None


def _chosen(schema: Schema, known: Mapping[str, Schema]) -> Schema:
    """The first of several alternatives that is not null."""
    options = schema.get("anyOf") or schema.get("oneOf")
    if not options:
        return schema
    told = [_resolved(one, known) for one in options]
    return next((one for one in told if one.get("type") != "null"), told[0])


def _made(schema: Schema, known: Mapping[str, Schema], name: str, depth: int) -> Any:
    own = _own(schema)
    if own is not None:
        return own
    kind = schema.get("type", "object" if "properties" in schema else None)
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return _object(schema, known, depth)
    if kind == "array":
        return _array(schema, known, name, depth)
    return _scalar(schema, kind, name)


def _object(schema: Schema, known: Mapping[str, Schema], depth: int) -> dict[str, Any]:
    if depth >= _DEEPEST:
        return {}
    made = {key: example(of, known, key, depth + 1) for key, of in schema.get("properties", {}).items()}
    others = schema.get("additionalProperties")
    if not made and isinstance(others, Mapping):
        return {"name": example(others, known, "", depth + 1)}
    return made


def _array(schema: Schema, known: Mapping[str, Schema], name: str, depth: int) -> list[Any]:
    if "prefixItems" in schema:
        return [example(one, known, name, depth + 1) for one in schema["prefixItems"]]
    if depth >= _DEEPEST or schema.get("maxItems") == 0:
        return []
    one = example(schema.get("items", {}), known, name.removesuffix("s"), depth + 1)
    return [one] * max(1, schema.get("minItems", 1))


def _scalar(schema: Schema, kind: str | None, name: str) -> Any:
    if kind == "string":
        return _text(schema, name)
    if schema.get("default") is not None:
        return schema["default"]
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return _number(schema, name)
    return None


def _number(schema: Schema, name: str) -> float:
    lowest = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    usual = _MOMENT_US if name.endswith("_us") else 1
    return usual if _is_within(schema, usual) and usual >= lowest else lowest


def _text(schema: Schema, name: str) -> str:
    by_format = {
        "uuid": str(uuid5(NAMESPACE_URL, f"leadwire/{name}")),
        "date-time": _MOMENT,
        "date": _MOMENT[:10],
        "binary": "…",
        "uri": "https://leadwire.example.org",
    }
    told = by_format.get(schema.get("format", "")) or schema.get("default") or name or "text"
    least = schema.get("minLength", 0)
    return str(told).ljust(least, "x")[: schema.get("maxLength")]
