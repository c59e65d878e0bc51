"""Every kind of bad block a device can send, and what it is to hear."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from schemas import ecg_pb2 as pb
from schemas.codec import encode_pack
from tests.bad_input.scene import JSON, PROTOBUF, Device, values

STRANGER: Final = UUID("00000000-0000-4000-8000-000000000bad")
YEAR_US: Final = 365 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class BadInput:
    """`frame` makes what the device sends: text is JSON, bytes are protobuf.

    The answer's detail holds every text of `named` and ends with `remedy`.
    """

    name: str
    frame: Callable[[Device], str | bytes]
    title: str
    named: tuple[str, ...]
    remedy: str
    status: int = 422

    def body(self, device: Device) -> bytes:
        frame = self.frame(device)
        return frame.encode() if isinstance(frame, str) else frame

    def kind(self, device: Device) -> str:
        return JSON if isinstance(self.frame(device), str) else PROTOBUF

    def check(self, told: dict[str, Any]) -> None:
        """Assert what an answer tells, over HTTP or the WebSocket."""
        assert (told["status"], told["title"]) == (self.status, self.title)
        assert [text for text in self.named if text not in told["detail"]] == []
        assert told["detail"].endswith(self.remedy)


def _as_json(device: Device, **changed: object) -> str:
    block = device.block(1)
    fields: dict[str, object] = {
        "device_id": str(block.device_id),
        "recording_id": str(block.recording_id),
        "first_index": block.first_index,
        "started_at_us": block.started_at_us,
        "rate_hz": block.rate_hz,
        "leads": list(block.leads),
        "uv_per_lsb": list(block.uv_per_lsb),
        "samples": block.samples.tolist(),
    }
    return json.dumps(fields | changed)


def _as_protobuf(device: Device, **changed: Any) -> bytes:
    """With values that our own encoder refuses."""
    pack = pb.SamplePack.FromString(encode_pack([device.block(1)]))
    for name, value in changed.items():
        pack.blocks[0].ClearField(name)  # type: ignore[arg-type]  # any of its fields
        pack.blocks[0].MergeFrom(pb.SampleBlock(**{name: value}))
    return pack.SerializeToString()


def _beside_good_ones(device: Device) -> bytes:
    return encode_pack([device.block(1), device.block(2, rate_hz=0.0), device.block(3)])


CASES: Final = (
    BadInput("malformed-json", lambda device: _as_json(device)[:-1], "Malformed",
             ("the body is no JSON",), "send UTF-8 JSON, or a SamplePack as protobuf"),
    BadInput("json-of-something-else", lambda _: '{"heart_rate": 72}', "Malformed",
             ("block 1: ", "device_id, recording_id"), "uv_per_lsb, samples, started_at_us"),
    BadInput("malformed-protobuf", lambda device: _as_protobuf(device)[:-1], "Malformed",
             ("bytes that are no SamplePack",), "encode it as schemas/ecg.proto says"),
    BadInput("no-block", lambda _: b"", "Malformed",
             ("holds no block",), "send at least one SampleBlock in `blocks`"),
    BadInput("unknown-device", lambda device: encode_pack([device.block(1, device_id=STRANGER)]), "Forbidden",
             (f"block 1 is of device {STRANGER}",), "send each device's blocks with that device's token", status=403),
    BadInput("wrong-length-in-bytes", lambda device: _as_protobuf(device, samples=bytes(501)), "Malformed",
             ("block 1: samples is 501 bytes",), "send int16 for 1 leads, a multiple of 2"),
    BadInput("wrong-length-for-the-leads",
             lambda device: _as_json(device, leads=["I", "II"], samples=[[1, 2, 3], [1, 2]]), "Malformed",
             ("block 1: the leads have [2, 3] samples",), "send the same number for each, null for a missing one"),
    BadInput("no-sample", lambda device: _as_protobuf(device, samples=b""), "Malformed",
             ("block 1: the block holds no sample",), "send at least one per lead"),
    BadInput("over-a-minute", lambda device: encode_pack([device.block(1, samples=values(0, 15_001))]), "Malformed",
             ("block 1: the block lasts 60.0 s",), "split it into blocks of 60 s or less"),
    BadInput("unknown-lead-by-name", lambda device: _as_json(device, leads=["V99"]), "Malformed",
             ('block 1: lead "V99" is not known', "use one of I, II, III"), "ECG, ECG1, ECG2, ECG3"),
    BadInput("unknown-lead-by-number", lambda device: _as_protobuf(device, leads=[99]), "Malformed",
             ("block 1: lead number 99 is not known", "use one of I, II, III"), "ECG, ECG1, ECG2, ECG3"),
    BadInput("lead-not-given", lambda device: _as_protobuf(device, leads=[]), "Malformed",
             ("block 1: the block names no lead",), "name each channel in `leads`"),
    BadInput("rate-0-in-json", lambda device: _as_json(device, rate_hz=0), "Malformed",
             ("block 1: rate_hz is 0",), "send 100 to 1000"),
    BadInput("rate-0-in-protobuf", lambda device: _as_protobuf(device, rate_hz=0.0), "Malformed",
             ("block 1: rate_hz is 0",), "send 100 to 1000"),
    BadInput("gain-beyond-reason", lambda device: _as_protobuf(device, uv_per_lsb=[1e300]), "Malformed",
             ("block 1: uv_per_lsb is [1e+300]",), "send the positive gain in microvolts per step, 1e-06 to 1e+06"),
    BadInput("index-beyond-time", lambda device: _as_protobuf(device, first_index=2**63), "Malformed",
             (f"block 1: first_index {2**63} at 250 Hz",), "count samples from 0, the recording's first"),
    BadInput("clock-a-year-behind",
             lambda device: encode_pack([device.block(1, started_at_us=device.started_at_us - YEAR_US)]), "Malformed",
             ("block 1: started_at_us ", " s behind the gateway's clock", "86400 s is allowed"),
             "set the device's clock, or LEADWIRE_MAX_CLOCK_SKEW_S"),
    BadInput("clock-a-year-ahead",
             lambda device: encode_pack([device.block(1, started_at_us=device.started_at_us + YEAR_US)]), "Malformed",
             ("block 1: started_at_us ", " s ahead of the gateway's clock"),
             "set the device's clock, or LEADWIRE_MAX_CLOCK_SKEW_S"),
    BadInput("clock-beyond-all-calendars", lambda device: _as_protobuf(device, started_at_us=2**62), "Malformed",
             (f"block 1: started_at_us is {2**62}",),
             "send microseconds since 1970 UTC, of the years 1900 to 2199"),
    BadInput("one-bad-block-of-three", _beside_good_ones, "Malformed",
             ("block 2: rate_hz is 0",), "send 100 to 1000"),
)  # fmt: skip
