"""ecg/samples: blocks of a device, one request at a time or as a steady stream."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, WebSocket
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from ingest.device_stream import DeviceStream
from ingest.packets import PROTOBUF_TYPES, admit, parse
from ingest.rooms import Rooms, rooms_of
from schemas.accounts import DeviceCaller
from schemas.clock import now_us
from schemas.errors import LeadwireError
from schemas.samples import SampleBlock
from schemas.telemetry import BLOCKS_REFUSED
from web import problems
from web.callers import AnyDevice, device_token, door_of, recognise_device

SUBPROTOCOL: Final = "leadwire"
"""Browsers can't set headers: they ask for the subprotocols `leadwire` and their token."""

router = APIRouter(prefix="/ecg/samples", tags=["Samples"])

_BLOCK: Final[dict[str, Any]] = {
    "device_id": "5f0c3c6e-6f0b-4a8e-9d55-0a1d4c1b7a10",
    "recording_id": "0b0f1f43-41a9-4a8d-8f0e-3c3b0c6f2d11",
    "first_index": 0,
    "started_at": "2026-01-31T12:00:00.000Z",
    "rate_hz": 250,
    "leads": ["II"],
    "uv_per_lsb": 2.5,
    "samples": [0, 4, 9, None, 12],
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "description": 'A block, a list of blocks, or {"blocks": [...]}',
                    "type": ["object", "array"],
                },
                "example": _BLOCK,
            },
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in sorted(PROTOBUF_TYPES)},
        },
    }
}


class Accepted(BaseModel):
    """Kafka has it all."""

    accepted: int = Field(description="Blocks")
    samples: int = Field(description="Samples of all leads and blocks")


@router.post(
    "",
    status_code=202,
    summary="Take in blocks; answers when Kafka has them",
    openapi_extra=_BODY,
    responses=problems.documented(401, 403, 413, 415, 422, 503),
)
async def post_samples(request: Request, device: AnyDevice, rooms: Rooms) -> Accepted:
    """One or many blocks of the token's device, all or none. What is sent twice is kept once."""
    try:
        body = await request.body()
        blocks = parse(request.headers.get("content-type"), body)
        blocks = admit(blocks, device.device_id, now_us(), rooms.http.max_clock_skew_s)
        await rooms.producer.send(blocks)
    except LeadwireError as error:
        BLOCKS_REFUSED.labels(type(error).__name__).inc()
        raise
    return Accepted(accepted=len(blocks), samples=_samples(blocks))


@router.websocket("")
async def stream_samples(websocket: WebSocket) -> None:
    """Binary frames are SamplePacks, text frames JSON; see DeviceStream for the answers."""
    token = _token(websocket)
    try:
        device = await recognise_device(door_of(websocket), token)
    except LeadwireError as error:
        await websocket.send_denial_response(problems.of(error, websocket.url.path))
        return
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    rooms = rooms_of(websocket)

    async def still_known() -> DeviceCaller:
        return await recognise_device(door_of(websocket), token)

    await DeviceStream(websocket, device, rooms.producer, rooms.http, still_known).run()


def _token(connection: HTTPConnection) -> str | None:
    """Of a header, of a subprotocol, or `?token=` (which proxies write into their logs: the last resort)."""
    offered = [name for name in connection.scope.get("subprotocols", []) if name != SUBPROTOCOL]
    return device_token(connection.headers) or next(iter(offered), None) or connection.query_params.get("token")


def _samples(blocks: list[SampleBlock]) -> int:
    return sum(block.samples.size for block in blocks)
