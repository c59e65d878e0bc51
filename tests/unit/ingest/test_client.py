"""The SDK says what the servers say: typed answers, and errors of our own kinds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import httpx
import numpy as np
import pytest

from ingest.client import AsyncClient
from schemas.codec import decode_pack, encode_pack
from schemas.errors import Busy, Duplicate, Forbidden, LeadwireError, Malformed, NotFound, TooFast, Unauthenticated
from schemas.samples import SampleBlock
from tests.unit.ingest.examples import BLOCK, DEVICE, RECORDING, block

USER = {
    "user_id": str(UUID(int=1)), "username": "ann", "email": None, "full_name": None, "age": None, "gender": None,
    "phone": None, "address": None, "serial_number": None, "role": "doctor", "is_active": True,
    "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "last_login": None,
}  # fmt: skip


class Server:
    """Answers as Leadwire does, and keeps the requests."""

    def __init__(self, status: int = 200, stored: SampleBlock = BLOCK) -> None:
        self.status, self.stored = status, stored
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.status >= 400:
            return httpx.Response(self.status, json={"detail": "this is why; do that"})
        path = request.url.path.removeprefix("/api/v1")
        if path == "/auth/login":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 60, "user": USER})
        if path == "/ecg/reports":
            return httpx.Response(202, json={"report_id": str(UUID(int=5)), "upload_status": "pending"})
        if path == "/ecg/samples" and request.method == "GET":
            return httpx.Response(200, content=self._span(request.url.params))
        if path == "/ecg/samples":
            return httpx.Response(202, json={"accepted": len(decode_pack(request.content)), "samples": 1})
        return httpx.Response(200, json=USER)

    def _span(self, params: httpx.QueryParams) -> bytes:
        first, end = int(params["first_index"]), min(int(params["end_index"]), self.stored.count)
        cut = replace(self.stored, first_index=first, samples=self.stored.samples[:, first:end])
        return encode_pack([cut]) if end > first else b""

    def client(self) -> AsyncClient:
        return AsyncClient("http://test", device_token="lwd_d", transport=httpx.MockTransport(self))


async def test_after_login_calls_are_that_persons() -> None:
    server = Server()
    async with server.client() as client:
        login = await client.login("ann", "secret")
        assert (login.user.role, login.user.user_id, login.expires_in_s) == ("doctor", UUID(int=1), 60)
        assert (await client.me()).username == "ann"
    assert json.loads(server.requests[0].content) == {"username": "ann", "password": "secret"}
    assert server.requests[1].headers["authorization"] == "Bearer t"


async def test_blocks_go_as_protobuf_with_the_devices_token() -> None:
    server = Server()
    async with server.client() as client:
        assert await client.send_blocks([block(0), block(250)]) == 2
    [request] = server.requests
    assert request.headers["authorization"] == "Bearer lwd_d"
    assert request.headers["content-type"] == "application/x-protobuf"


async def test_a_long_range_comes_back_whole() -> None:
    samples = np.random.default_rng(1).integers(-32768, 32767, (1, 160_123), dtype=np.int16)
    server = Server(stored=replace(BLOCK, rate_hz=1000.0, samples=samples[:, :59_000]))
    async with server.client() as client:
        got = await client.samples(RECORDING, 100, 500_000)
    assert np.array_equal(np.concatenate([one.samples for one in got], axis=1), samples[:, 100:59_000])
    assert len(server.requests) > 1


async def test_a_report_is_asked_for_with_zoned_moments() -> None:
    server = Server()
    async with server.client() as client:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        assert await client.request_report(DEVICE, start, start.replace(hour=1)) == UUID(int=5)
    assert json.loads(server.requests[0].content)["start"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthenticated), (403, Forbidden), (404, NotFound), (409, Duplicate), (422, Malformed), (429, TooFast),
     (503, Busy), (500, LeadwireError)],
)  # fmt: skip
async def test_a_problem_is_an_error_of_its_kind(status: int, kind: type[LeadwireError]) -> None:
    async with Server(status).client() as client:
        with pytest.raises(kind, match="this is why; do that"):
            await client.me()


async def test_no_server_is_busy() -> None:
    async with AsyncClient("http://127.0.0.1:1") as client:
        with pytest.raises(Busy, match="see that Leadwire runs there"):
            await client.me()


async def test_a_device_call_without_a_device_token_says_so() -> None:
    async with AsyncClient("http://127.0.0.1:1") as client:
        with pytest.raises(Unauthenticated, match="no device_token"):
            await client.send_blocks([BLOCK])
