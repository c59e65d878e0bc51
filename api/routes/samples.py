"""Samples: every one of them, bit for bit, or the lowest and highest for drawing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, model_validator
from starlette.responses import Response, StreamingResponse

from api import stored_strips, waveform_json, waveforms
from api.dependencies import Rooms, Witness
from api.moments import Moment
from api.stored_strips import Wanted
from api.waveform_json import Waveforms
from schemas import codec
from schemas.errors import Malformed
from schemas.samples import LEADS, Lead
from storage.access import for_caller
from web.callers import Person
from web.problems import documented

router = APIRouter(prefix="/ecg/samples", tags=["Samples"])

PROTOBUF: Final = "application/x-protobuf"
MAX_EXACT: Final = 1_000_000
"""Samples, all leads together, of one exact answer: about 5 MB of JSON."""
MAX_DRAWN: Final = 200_000_000
"""Samples, all leads together, that one answer for drawing is made of: three days of two leads at 360 Hz.

Of a range that long few rows are decoded; the others tell their lowest and highest."""


class SamplesQuery(BaseModel):
    """Which samples: a recording and a range of indices, or a recording or device and a period."""

    device_id: UUID | None = None
    recording_id: UUID | None = None
    start: Moment | None = None
    end: Moment | None = None
    first_index: int | None = Field(None, ge=0, le=2**53, description="With recording_id; default: its first")
    end_index: int | None = Field(None, ge=0, le=2**53, description="One past the last; default: its end")
    leads: str | None = Field(None, max_length=200, description="Those leads only, in this order: II,V1; default: all")
    points: int | None = Field(None, ge=1, le=10_000, description="Lowest and highest of this many parts, for drawing")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        by_index = self.first_index is not None or self.end_index is not None
        by_time = self.start is not None or self.end is not None
        if by_index and self.recording_id is None:
            raise ValueError("indices count within one recording; name its recording_id")
        if by_index and by_time:
            raise ValueError("both indices and a period are given; send first_index and end_index, or start and end")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("the period ends before it starts; send start first, end after it")
        return self

    def wanted(self) -> Wanted:
        limit = MAX_EXACT if self.points is None else MAX_DRAWN
        asked = self.model_dump(exclude={"points", "leads"})
        return Wanted(**asked, limit=limit, leads=self._leads())

    def _leads(self) -> tuple[Lead, ...]:
        if not self.leads:
            return ()
        names = dict.fromkeys(name.strip() for name in self.leads.split(","))
        unknown = [name for name in names if name not in LEADS]
        if unknown:
            raise Malformed(f"leads={self.leads} names {unknown[0]!r}; known are {', '.join(LEADS)}")
        return tuple(lead for name in names for lead in LEADS if lead == name)


@router.get(
    "",
    summary="The samples of a range",
    description=(
        f"Exact: every sample, null where there is none, up to {MAX_EXACT:,} samples (all leads together) per answer; "
        "page through a longer range with first_index and end_index, whose ends GET ecg/recordings tells. With "
        f"`points`: the lowest and highest of each part, up to {MAX_DRAWN:,} samples. With `Accept: {PROTOBUF}`: "
        "exact, as a SamplePack of blocks without the gaps."
    ),
    response_model=Waveforms,
    responses={200: {"content": {PROTOBUF: {"schema": {"type": "string", "format": "binary"}}}}, **documented(404)},
)
async def samples(
    query: Annotated[SamplesQuery, Query()], request: Request, caller: Person, rooms: Rooms, witness: Witness
) -> Response:
    wanted, access = query.wanted(), for_caller(caller)
    if query.points is not None:
        drawn = await stored_strips.draw(rooms.database, rooms.shelf, access, wanted, query.points)
        _witnessed(witness, caller, query, drawn)
        return Response(await asyncio.to_thread(_drawn, drawn), media_type="application/json")
    strips = await stored_strips.read(rooms.database, rooms.shelf, access, wanted)
    _witnessed(witness, caller, query, strips)
    if PROTOBUF in request.headers.get("accept", ""):
        packed = _packed(strips) if waveform_json.is_short(strips) else await asyncio.to_thread(_packed, strips)
        return Response(packed, media_type=PROTOBUF)
    if waveform_json.is_short(strips):
        return Response(waveform_json.exact_at_once(strips), media_type="application/json")
    return StreamingResponse(waveform_json.exact(strips), media_type="application/json")


def _witnessed(witness: Witness, caller: Person, query: SamplesQuery, found: Sequence[object]) -> None:
    if found:
        witness.saw(caller, "samples.read", query.recording_id or query.device_id or "all")


def _drawn(strips: list[waveforms.Drawn]) -> bytes:
    return Waveforms(recordings=[waveform_json.drawn(strip) for strip in strips]).model_dump_json().encode()


def _packed(strips: list[waveforms.Strip]) -> bytes:
    return codec.encode_pack(block for strip in strips for block in waveforms.blocks(strip))
