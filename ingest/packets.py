"""What a device sends, JSON or protobuf, to checked sample blocks (pure)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from google.protobuf.message import DecodeError

from ingest.json_blocks import parse_json
from schemas import ecg_pb2 as pb
from schemas.clock import to_datetime
from schemas.codec import block_from_pb
from schemas.errors import Forbidden, Malformed, WrongType
from schemas.samples import SampleBlock

JSON_TYPES: Final = frozenset({"application/json"})
PROTOBUF_TYPES: Final = frozenset({"application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"})


def parse(content_type: str | None, body: bytes) -> list[SampleBlock]:
    """Every block of a request's body, at least one. Raises WrongType or Malformed, naming the block."""
    kind = (content_type or "").split(";", 1)[0].strip().lower()
    if kind in PROTOBUF_TYPES:
        return parse_protobuf(body)
    if kind in JSON_TYPES or kind.endswith("+json"):
        return parse_json(body)
    raise WrongType(f"Content-Type is {kind or 'not given'}; send application/json or application/x-protobuf")


def parse_protobuf(body: bytes) -> list[SampleBlock]:
    """Every block of a SamplePack. Raises Malformed, naming the block by its number from 1."""
    pack = pb.SamplePack()
    try:
        pack.ParseFromString(body)
    except DecodeError:
        raise Malformed(f"{len(body)} bytes that are no SamplePack; encode it as schemas/ecg.proto says") from None
    if not pack.blocks:
        raise Malformed("the SamplePack holds no block; send at least one SampleBlock in `blocks`")
    return [_numbered(message, number) for number, message in enumerate(pack.blocks, start=1)]


def _numbered(message: pb.SampleBlock, number: int) -> SampleBlock:
    try:
        return block_from_pb(message)
    except Malformed as error:
        raise Malformed(f"block {number}: {error}") from None


def admit(blocks: list[SampleBlock], device_id: UUID, now_us: int, max_clock_skew_s: float) -> list[SampleBlock]:
    """The blocks stamped with the gateway's clock.

    Raises Forbidden for a block of another device than the token's, and Malformed for a device clock
    further than `max_clock_skew_s` from ours, either way.
    """
    for number, block in enumerate(blocks, start=1):
        _check_owner(block, number, device_id)
        _check_clock(block, number, now_us, max_clock_skew_s)
    return [replace(block, received_at_us=now_us) for block in blocks]


def _check_owner(block: SampleBlock, number: int, device_id: UUID) -> None:
    if block.device_id != device_id:
        raise Forbidden(
            f"block {number} is of device {block.device_id}, the token is of {device_id}; "
            "send each device's blocks with that device's token"
        )


def _check_clock(block: SampleBlock, number: int, now_us: int, max_skew_s: float) -> None:
    skew_us = block.started_at_us - now_us
    if abs(skew_us) > max_skew_s * 1_000_000:
        side = "ahead of" if skew_us > 0 else "behind"
        raise Malformed(
            f"block {number}: started_at_us {block.started_at_us} is {abs(skew_us) / 1e6:.0f} s {side} the gateway's "
            f"clock ({to_datetime(now_us):%Y-%m-%dT%H:%M:%SZ}), {max_skew_s:g} s is allowed; set the device's clock, "
            "or LEADWIRE_MAX_CLOCK_SKEW_S"
        )
