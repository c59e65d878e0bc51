"""The Python SDK: what devices and the desktop app call, asynchronous and synchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self
from uuid import UUID

import httpx
from pydantic import TypeAdapter

from ingest.connection import Connection
from ingest.outbox import Detail, Outbox, Sent
from ingest.player import OnProgress, Progress, Target
from ingest.streams import Blocks, SpoolFile, stream_blocks
from schemas.accounts import Device, User
from schemas.codec import decode_pack, encode_pack
from schemas.errors import Busy, Malformed, Unauthenticated
from schemas.pages import MAX_LIMIT
from schemas.reports import Report
from schemas.samples import MAX_LEADS, SampleBlock

_PROTOBUF: Final = "application/x-protobuf"
_PAGE: Final = 900_000 // MAX_LEADS
"""Samples per lead of one answer: the api gives a million of all leads together."""
_POLL_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in, until when the token is good."""

    user: User
    access_token: str
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device and its token, which the server shows this once."""

    device: Device
    token: str


@dataclass(frozen=True, slots=True)
class StoredMetrics:
    """Where the server keeps one moment's figures."""

    metric_id: UUID
    device_id: UUID
    recorded_at: datetime


_user: Final = TypeAdapter(User)
_device: Final = TypeAdapter(Device)
_report: Final = TypeAdapter(Report)
_metrics: Final = TypeAdapter(StoredMetrics)


class AsyncClient:
    """Talks to one Leadwire at `url`; use it with `async with`.

    A person's calls need `login()` first or an `access_token`; a device's need `device_token`. Every call raises the
    LeadwireError of the server's answer (Unauthenticated, NotFound, Malformed …), and Busy when it can't be reached.
    """

    def __init__(
        self,
        url: str,
        *,
        access_token: str | None = None,
        device_token: str | None = None,
        prefix: str = "/api/v1",
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._prefix, self._device_token = prefix, device_token
        self._http = Connection(url, prefix, timeout_s, access_token, transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.close()

    async def login(self, username: str, password: str) -> Login:
        """Log in; later calls of this client are this person's."""
        told = await self._http.login(username, password)
        return Login(_user.validate_python(told["user"]), told["access_token"], told["expires_in"])

    async def logout(self) -> None:
        """End this session; its tokens are good for nothing from then on."""
        await self._http.request("POST", "/auth/logout")
        self._http.forget()

    async def me(self) -> User:
        return _user.validate_python(await self._http.json("GET", "/auth/me"))

    async def register_device(self, *, user_id: UUID | None = None, **details: str) -> NewDevice:
        """Register a device for yourself, or as an admin for `user_id`; `details` as POST devices takes them."""
        body = details | ({} if user_id is None else {"user_id": str(user_id)})
        told = await self._http.json("POST", "/devices", json=body)
        return NewDevice(_device.validate_python(told["device"]), told["token"])

    async def create_user(self, username: str, password: str, **details: str | int) -> User:
        """As an admin: make a user; `details` as POST users takes them. Raises Duplicate."""
        body = {"username": username, "password": password, **details}
        return _user.validate_python(await self._http.json("POST", "/users", json=body))

    async def devices(self) -> list[Device]:
        """Every device this person may see."""
        found: list[Device] = []
        params: dict[str, str | int] = {"limit": MAX_LIMIT}
        while True:
            page = await self._http.json("GET", "/devices", params=params)
            found += [_device.validate_python(item) for item in page["items"]]
            if page.get("next") is None:
                return found
            params["after"] = page["next"]

    async def rotate_token(self, device_id: UUID) -> str:
        """A new token for the device; the old one is refused from now on."""
        return str((await self._http.json("POST", f"/devices/{device_id}/token"))["token"])

    async def send_blocks(self, blocks: Sequence[SampleBlock]) -> int:
        """Send blocks of this client's device in one request; the number of them Kafka has now, which is all."""
        token = self._needed_device_token()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": _PROTOBUF}
        answer = await self._http.request("POST", "/ecg/samples", content=encode_pack(blocks), headers=headers)
        return int(answer.json()["accepted"])

    async def stream(
        self, blocks: Blocks, *, spool: SpoolFile | Path | None = None, on_progress: OnProgress | None = None
    ) -> Progress:
        """Send a device's blocks over a WebSocket, as fast as Kafka takes them; resumes when it breaks.

        Blocks of an async iterable are live and taken as they come. With a `spool` each is on the disk before it is
        sent, and a later call with the same spool goes on from the last acknowledgement: see stream_blocks().
        """
        token = self._needed_device_token()
        file = SpoolFile(spool) if isinstance(spool, Path) else spool
        target = partial(Target, self._http.url, token=token, prefix=self._prefix)
        return await stream_blocks(blocks, target, spool=file, on_progress=on_progress)

    async def samples(self, recording_id: UUID, first_index: int, end_index: int) -> list[SampleBlock]:
        """What is stored of [first_index, end_index), bit for bit, in order, without the gaps."""
        blocks: list[SampleBlock] = []
        for start in range(first_index, end_index, _PAGE):
            span = {"first_index": start, "end_index": min(start + _PAGE, end_index)}
            params = {"recording_id": str(recording_id), **span}
            answer = await self._http.request("GET", "/ecg/samples", params=params, headers={"Accept": _PROTOBUF})
            blocks += decode_pack(answer.content) if answer.content else []
        return blocks

    async def request_report(self, device_id: UUID, start: datetime, end: datetime) -> UUID:
        """Ask for a PDF about [start, end); both need a time zone."""
        body = {"device_id": str(device_id), "start": start.isoformat(), "end": end.isoformat()}
        return UUID((await self._http.json("POST", "/ecg/reports", json=body))["report_id"])

    async def report(self, report_id: UUID) -> Report:
        return _report.validate_python(await self._http.json("GET", f"/ecg/reports/{report_id}"))

    async def wait_report(self, report_id: UUID, timeout_s: float = 60.0) -> Report:
        """The report once it is uploaded or failed. Raises Busy when it is still pending after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while (report := await self.report(report_id)).upload_status == "pending":  # noqa: ASYNC110  # a server's
                    await asyncio.sleep(_POLL_S)
                return report
        except TimeoutError:
            raise Busy(f"report {report_id} is pending after {timeout_s:g} s; see that a worker runs") from None

    async def download_report(self, report_id: UUID) -> bytes:
        """The PDF. Raises NotFound while there is none."""
        return (await self._http.request("GET", f"/ecg/reports/{report_id}/download")).content

    async def upload_report(self, file: Path, *, filename: str | None = None, **details: Detail) -> Report:
        """Upload a report that was made elsewhere; `details` as POST ecg/reports/upload takes them.

        The file is sent in portions and never held whole. Raises Duplicate when this person has it already.
        """
        told = {name: str(value) for name, value in details.items() if value is not None}
        with _opened(file) as content:
            files = {"file": (filename or file.name, content)}
            return _report.validate_python(await self._http.json("POST", "/ecg/reports/upload", data=told, files=files))

    async def upload_metrics(self, **figures: Detail) -> StoredMetrics:
        """Store one moment's figures, as POST ecg/metrics takes them; the same moment again changes nothing."""
        return _metrics.validate_python(await self._http.json("POST", "/ecg/metrics", json=figures))

    async def send_outbox(self, outbox: Outbox) -> Sent:
        """Send what waits in `outbox`; what can't be sent now stays in it."""
        return await outbox.send(self)

    def _needed_device_token(self) -> str:
        if self._device_token is None:
            raise Unauthenticated("this client has no device_token; give it the one register_device returned")
        return self._device_token


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise Malformed(f"{file} can't be read ({error}); name a file that can") from error


class Client:
    """AsyncClient for code without an event loop; use it with `with`. The calls and their errors are the same."""

    def __init__(
        self, url: str, *, access_token: str | None = None, device_token: str | None = None, prefix: str = "/api/v1"
    ) -> None:
        self._runner = asyncio.Runner()
        self._inner = AsyncClient(url, access_token=access_token, device_token=device_token, prefix=prefix)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._runner.run(self._inner.close())
        self._runner.close()

    def login(self, username: str, password: str) -> Login:
        return self._runner.run(self._inner.login(username, password))

    def me(self) -> User:
        return self._runner.run(self._inner.me())

    def register_device(self, *, user_id: UUID | None = None, **details: str) -> NewDevice:
        return self._runner.run(self._inner.register_device(user_id=user_id, **details))

    def send_blocks(self, blocks: Sequence[SampleBlock]) -> int:
        return self._runner.run(self._inner.send_blocks(blocks))

    def stream(
        self,
        blocks: Iterable[SampleBlock],
        *,
        spool: SpoolFile | Path | None = None,
        on_progress: OnProgress | None = None,
    ) -> Progress:
        return self._runner.run(self._inner.stream(blocks, spool=spool, on_progress=on_progress))

    def samples(self, recording_id: UUID, first_index: int, end_index: int) -> list[SampleBlock]:
        return self._runner.run(self._inner.samples(recording_id, first_index, end_index))

    def request_report(self, device_id: UUID, start: datetime, end: datetime) -> UUID:
        return self._runner.run(self._inner.request_report(device_id, start, end))

    def report(self, report_id: UUID) -> Report:
        return self._runner.run(self._inner.report(report_id))

    def wait_report(self, report_id: UUID, timeout_s: float = 60.0) -> Report:
        return self._runner.run(self._inner.wait_report(report_id, timeout_s))

    def logout(self) -> None:
        self._runner.run(self._inner.logout())

    def upload_report(self, file: Path, *, filename: str | None = None, **details: Detail) -> Report:
        return self._runner.run(self._inner.upload_report(file, filename=filename, **details))

    def upload_metrics(self, **figures: Detail) -> StoredMetrics:
        return self._runner.run(self._inner.upload_metrics(**figures))

    def send_outbox(self, outbox: Outbox) -> Sent:
        return self._runner.run(self._inner.send_outbox(outbox))

    def download_report(self, report_id: UUID) -> bytes:
        return self._runner.run(self._inner.download_report(report_id))
