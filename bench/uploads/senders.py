"""Clients that send reports and come back when they are told to, and their own book of what they sent."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import httpx
import numpy as np

PASSWORD: Final = "bench of uploads"  # noqa: S105  # of a user in a database that is thrown away
_TIMEOUT_S: Final = 120.0
_AGAIN: Final = frozenset({429, 503})
_GIVE_UP_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A report as its client knows it: the hash of what was sent, and the id and the time that the answer told."""

    sha256: str
    report_id: str
    seconds: float


@dataclass(slots=True)
class Book:
    """What all clients together were answered."""

    sent: list[Sent] = field(default_factory=list)
    given_up: int = 0
    broken: int = 0
    """Connections that ended without an answer; the same file is sent again, as docs/uploads.md says."""
    answers: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class Sender:
    """One user's clients: `parallel` of them share the work. Reports are random bytes that begin like a PDF."""

    http: httpx.AsyncClient
    report_bytes: int
    book: Book = field(default_factory=Book)
    token: str = ""

    async def log_in(self) -> None:
        """Register once, log in again whenever a token has ended."""
        who = {"username": "bench-uploads", "password": PASSWORD}
        if not self.token:
            (await self.http.post("/auth/register", json=who)).raise_for_status()
        answer = await self.http.post("/auth/login", json=who)
        self.token = answer.raise_for_status().json()["access_token"]

    async def send_all(self, numbers: range, parallel: int) -> None:
        """Send the reports of these numbers, `parallel` at a time, each until it is stored."""
        waiting = iter(numbers)

        async def client() -> None:
            for number in waiting:
                await self.send(number)

        await asyncio.gather(*(client() for _ in range(parallel)))

    async def send(self, number: int) -> None:
        """One report: again after 503 and 429, when the answer says; a 409 is the id of what got there before."""
        content, began_s = report(number, self.report_bytes), time.monotonic()
        while time.monotonic() - began_s < _GIVE_UP_S:
            try:
                answer = await self._post(number, content)
            except httpx.TransportError:
                self.book.broken += 1
                continue
            self.book.answers[answer.status_code] += 1
            if answer.status_code == 401:
                await self.log_in()
            elif answer.status_code in _AGAIN:
                await asyncio.sleep(float(answer.headers["Retry-After"]))
            elif answer.status_code in (201, 409):
                report_id = answer.headers["Location"].rpartition("/")[2]
                seconds = time.monotonic() - began_s
                self.book.sent.append(Sent(hashlib.sha256(content).hexdigest(), report_id, seconds))
                return
            else:
                break
        self.book.given_up += 1

    async def _post(self, number: int, content: bytes) -> httpx.Response:
        return await self.http.post(
            "/ecg/reports/upload",
            headers={"Authorization": f"Bearer {self.token}"},
            files={"file": (f"ecg-{number}.pdf", content, "application/pdf")},
            data={"patient_name": f"Patient {number}", "heart_rate": str(60 + number % 40), "qtc_interval": "410"},
            timeout=_TIMEOUT_S,
        )


def report(number: int, size: int) -> bytes:
    """The same bytes for the same number, unlike those of any other."""
    head = b"%%PDF-1.7 %d\n" % number
    return head + np.random.default_rng(number).bytes(size - len(head))
