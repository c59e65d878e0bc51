"""Sample blocks as JSON, for people and small clients: the fields of schemas/ecg.proto, leads by their names."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NoReturn, cast
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from schemas.clock import to_us
from schemas.errors import Malformed
from schemas.samples import LEADS, MISSING, Lead, SampleBlock, check_block

_REQUIRED: Final = ("device_id", "recording_id", "first_index", "rate_hz", "leads", "uv_per_lsb", "samples")
_FIELDS: Final = frozenset((*_REQUIRED, "started_at_us", "started_at", "received_at_us"))
_LEADS: Final = frozenset(LEADS)
_INT64: Final = 2**63


def parse_json(body: bytes | str) -> list[SampleBlock]:
    """Every block of a JSON body: one block object, a list of them, or `{"blocks": [...]}`. Raises Malformed.

    `samples` is a list of lists (one per lead), a flat list when there is one lead (null = missing), or the
    base64 text of the int16 bytes, lead after lead. `started_at` (ISO 8601 with a zone) may stand for
    `started_at_us`; `uv_per_lsb` is a number or a list; `received_at_us` is the gateway's and is ignored.
    """
    return [_numbered(value, number) for number, value in enumerate(_block_values(_load(body)), start=1)]


def _load(body: bytes | str) -> object:
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise Malformed(
            "the JSON is nested too deeply; three levels are enough for blocks: body, block, samples"
        ) from None
    except ValueError as error:  # also UnicodeDecodeError, and Python's limit on digits
        raise Malformed(f"the body is no JSON ({error}); send UTF-8 JSON, or a SamplePack as protobuf") from None


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"the JSON holds {name}; send finite numbers, and null for a missing sample")


def _block_values(value: object) -> list[object]:
    if isinstance(value, dict) and "blocks" in value:
        value = value["blocks"]
    elif isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise Malformed(f'the body is {_show(value)}; send a block object, a list of blocks or {{"blocks": [...]}}')
    if not value:
        raise Malformed("the body holds no block; send at least one")
    return value


def _numbered(value: object, number: int) -> SampleBlock:
    try:
        return _block(value)
    except Malformed as error:
        raise Malformed(f"block {number}: {error}") from None


def _block(value: object) -> SampleBlock:
    fields = _checked_fields(value)
    leads = _leads(fields["leads"])
    block = SampleBlock(
        device_id=_uuid(fields, "device_id"),
        recording_id=_uuid(fields, "recording_id"),
        first_index=_integer(fields, "first_index"),
        started_at_us=_started_at_us(fields),
        rate_hz=_number(fields["rate_hz"], "rate_hz"),
        leads=leads,
        uv_per_lsb=_gains(fields["uv_per_lsb"], len(leads)),
        samples=_samples(fields["samples"], len(leads)),
    )
    check_block(block)
    return block


def _checked_fields(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"is {_show(value)}; send an object with the fields {', '.join(_REQUIRED)}")
    missing = [name for name in _REQUIRED if name not in value]
    if missing:
        raise Malformed(f"{', '.join(missing)} not given; send every one of {', '.join(_REQUIRED)}, started_at_us")
    unknown = [name for name in value if name not in _FIELDS]
    if unknown:
        raise Malformed(f"field {_show(unknown[0])} is not known; send only {', '.join(sorted(_FIELDS))}")
    return value


def _uuid(fields: Mapping[str, Any], name: str) -> UUID:
    value = fields[name]
    try:
        if isinstance(value, str):
            return UUID(value)
    except ValueError:
        pass
    raise Malformed(f"{name} is {_show(value)}; send a UUID in text form")


def _integer(fields: Mapping[str, Any], name: str) -> int:
    value = fields[name]
    if type(value) is not int or not -_INT64 <= value < _INT64:
        raise Malformed(f"{name} is {_show(value)}; send a whole number")
    return value


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"{name} is {_show(value)}; send a number")
    try:
        return float(value)
    except OverflowError:
        raise Malformed(f"{name} is {_show(value)}; send a number a double can hold") from None


def _started_at_us(fields: Mapping[str, Any]) -> int:
    if ("started_at_us" in fields) == ("started_at" in fields):
        raise Malformed("send one of started_at_us (microseconds since 1970 UTC) and started_at (ISO 8601)")
    if "started_at_us" in fields:
        return _integer(fields, "started_at_us")
    text = fields["started_at"]
    try:
        return to_us(datetime.fromisoformat(text))
    except (TypeError, ValueError, OverflowError):
        raise Malformed(
            f"started_at is {_show(text)}; send ISO 8601 with a zone, such as 2026-01-31T12:00:00.000Z"
        ) from None


def _leads(value: object) -> tuple[Lead, ...]:
    if not isinstance(value, list) or not value:
        raise Malformed(f'leads is {_show(value)}; send a list of names, such as ["II", "V1"]')
    for name in value:
        if not isinstance(name, str) or name not in _LEADS:
            raise Malformed(f"lead {_show(name)} is not known; use one of {', '.join(LEADS)}")
    return tuple(cast("list[Lead]", value))


def _gains(value: object, leads: int) -> tuple[float, ...]:
    if not isinstance(value, list):
        return (_number(value, "uv_per_lsb"),) * leads
    if len(value) not in {1, leads}:
        raise Malformed(f"uv_per_lsb has {len(value)} values; send one, or one for each of the {leads} leads")
    gains = tuple(_number(gain, "uv_per_lsb") for gain in value)
    return gains if len(gains) == leads else gains * leads


def _samples(value: object, leads: int) -> NDArray[np.int16]:
    if isinstance(value, str):
        return _samples_from_base64(value, leads)
    if not isinstance(value, list):
        raise Malformed(f"samples is {_show(value)}; send a list per lead, or base64 text of int16 bytes")
    nested = any(type(row) is list for row in value)
    rows = value if nested else [value]
    if len(rows) != leads:
        raise Malformed(f"samples has {len(rows)} lists for {leads} leads; send one list per lead")
    lengths = sorted({len(row) if type(row) is list else 0 for row in rows})
    if len(lengths) > 1:
        raise Malformed(f"the leads have {lengths} samples; send the same number for each, null for a missing one")
    return np.stack([_row(row) for row in rows])


def _samples_from_base64(text: str, leads: int) -> NDArray[np.int16]:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("samples is text but no base64; send base64 of the int16 bytes, or lists") from None
    if len(data) % (2 * leads):
        raise Malformed(f"samples is {len(data)} bytes; send int16 for {leads} leads, a multiple of {2 * leads}")
    return np.frombuffer(data, "<i2").reshape(leads, -1)


def _row(row: list[Any]) -> NDArray[np.int16]:
    kinds = set(map(type, row))
    if not kinds <= {int, type(None)}:
        culprit = next(value for value in row if type(value) not in {int, type(None)})
        raise Malformed(f"samples hold {_show(culprit)}; send whole numbers of gain steps, null for a missing one")
    values = [MISSING if value is None else value for value in row] if type(None) in kinds else row
    if values and not (min(values) >= -32768 and max(values) <= 32767):
        culprit = next(value for value in values if not -32768 <= value <= 32767)
        raise Malformed(f"samples hold {_show(culprit)}; int16 goes from -32767 to 32767, raise uv_per_lsb to fit")
    return np.array(values, dtype=np.int16)


def _show(value: object) -> str:
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    try:
        text = json.dumps(value)
    except ValueError:  # more digits than Python prints
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."
