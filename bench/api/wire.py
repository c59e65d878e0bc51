"""HTTP/1.1 over raw sockets: what a load of thousands of requests a second can be made with on one core."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Final, cast

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_END: Final = b"\r\n\r\n"
_LAST_CHUNK: Final = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 0: the connection ended before an answer."""

    status: int
    body: bytes = b""


def request(method: str, target: str, token: str | None = None, body: object = None) -> bytes:
    """The bytes of one request; `body` is sent as JSON."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {target} HTTP/1.1", "Host: bench"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection(asyncio.Protocol):
    """One connection; requests on it may be sent before earlier ones are answered (pipelining)."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[asyncio.Future[Answer]] = deque()
        self._buffer = bytearray()
        self._skip = 0

    @property
    def waiting(self) -> int:
        """Requests that are not answered yet."""
        return len(self._waiting)

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @classmethod
    async def to(cls, port: int, source: str = "127.0.0.1") -> Connection:
        """To this machine's `port`, as if from `source` (any 127.x.y.z)."""
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(cls, "127.0.0.1", port, local_addr=(source, 0))
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # what TCP gives; uvloop's is no subclass of it

    def send(self, data: bytes) -> asyncio.Future[Answer]:
        """The answer is the future's; one that never comes has status 0."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if not self.is_open or self._transport is None:
            answer.set_result(Answer(0))
            return answer
        self._waiting.append(answer)
        self._transport.write(data)
        return answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        while self._waiting:
            self._give(Answer(0))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._waiting and len(self._buffer) >= self._skip and self._take():
            pass

    def _take(self) -> bool:
        """One whole answer off the buffer, if it is there."""
        head_end = self._buffer.find(_END)
        if head_end < 0:
            return False
        head, start = bytes(self._buffer[: head_end + 2]), head_end + len(_END)
        end = self._end(head, start)
        if end is None:
            return False
        status, body = int(head[9:12]), bytes(self._buffer[start:end])
        del self._buffer[:end]
        self._skip = 0
        if status >= 200:
            self._give(Answer(status, body))
        return True

    def _end(self, head: bytes, start: int) -> int | None:
        """Where the answer ends, None while that hasn't come."""
        if _CHUNKED.search(head):
            found = self._buffer.find(_LAST_CHUNK, start)
            return None if found < 0 else found + len(_LAST_CHUNK)
        length = _LENGTH.search(head)
        end = start + (int(length[1]) if length else 0)
        self._skip = end
        return end if len(self._buffer) >= end else None

    def _give(self, answer: Answer) -> None:
        future = self._waiting.popleft()
        if not future.done():
            future.set_result(answer)
