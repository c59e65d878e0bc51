"""What comes in on a busy day, and on a bad one."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from bench.api.endpoints import Endpoint
from bench.api.load import Call
from bench.api.month import device_id
from bench.api.wire import request

SAMPLES_SHARE: Final = 0.25
METRICS_SHARE: Final = 0.10
"""Of the mixed load; the rest are reads of all kinds, each list as often as the next."""
_BLOCK_S: Final = 1
_RATE_HZ: Final = 250


def mixed(endpoints: Sequence[Endpoint], tokens: Mapping[str, Sequence[str]], posts_metrics: bool) -> Iterator[Call]:
    """Reads of every list by people of every role, samples, and POSTed metrics where the gateway serves that.

    `tokens` are of several people of each role; what is about one patient is about user 1, whom the users among them
    may not all see: a 404 of another's object is an answer like any other, and is told apart by its status.
    """
    choose = random.Random(11)  # noqa: S311  # the same day each time
    reads = [
        Call(f"GET {e.name} ({e.role})", request("GET", e.target, token)) for e in endpoints for token in tokens[e.role]
    ]
    recordings = {number: str(uuid4()) for number in range(1, 201)}
    for turn in itertools.count():
        number, drawn = 1 + turn % 200, choose.random()
        if drawn < SAMPLES_SHARE:
            yield Call("POST ecg/samples", _samples(number, recordings[number], turn))
        elif drawn < SAMPLES_SHARE + METRICS_SHARE and posts_metrics:
            yield Call("POST ecg/metrics", _metrics(number))
        else:
            yield choose.choice(reads)


def _samples(number: int, recording: str, turn: int) -> bytes:
    block = {
        "device_id": str(device_id(number)),
        "recording_id": recording,
        "first_index": turn // 200 * _RATE_HZ * _BLOCK_S,
        "started_at_us": int(time.time() * 1e6) - 1_000_000,
        "rate_hz": _RATE_HZ,
        "leads": ["II"],
        "uv_per_lsb": 2.5,
        "samples": [turn % 500] * _RATE_HZ * _BLOCK_S,
    }
    return request("POST", "/api/v1/ecg/samples", f"lwd_bench-{number}", block)


def _metrics(number: int) -> bytes:
    figures = {"recorded_at": datetime.now(UTC).isoformat(), "heart_rate": 72, "qrs_duration": 92}
    body = {"device_id": str(device_id(number)), **figures}
    return request("POST", "/api/v1/ecg/metrics", f"lwd_bench-{number}", body)


def abuse(victim: str) -> Iterator[Call]:
    """Guessed tokens, no tokens, and guessed passwords of a user who exists and of many who don't."""
    for turn in itertools.count():
        guess = f"eyJhbGciOiJIUzI1NiJ9.{turn:x}.c2lnbmF0dXJl"
        kinds = (
            Call("bad token", request("GET", "/api/v1/devices", guess)),
            Call("no token", request("GET", "/api/v1/ecg/reports")),
            Call("bad device token", request("POST", "/api/v1/ecg/samples", f"lwd_{turn:x}", {})),
            Call("login guess", _guess(victim if turn % 8 < 4 else f"nobody{turn}", turn)),
        )
        yield kinds[turn % 4]


def _guess(username: str, turn: int) -> bytes:
    return request("POST", "/api/v1/auth/login", body={"username": username, "password": f"guess number {turn}"})


def normal(endpoints: Sequence[Endpoint], token: str) -> Iterator[Call]:
    """One user who looks at their own things."""
    own = [Call(f"GET {e.name}", request("GET", e.target, token)) for e in endpoints if e.role == "user"]
    return itertools.cycle(own)
