"""A fake backend for the dashboard: the page itself and every endpoint it asks, with hearts that never stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from schemas.alarms import KIND_BY_NAME
from tests.dashboard.hearts import LOOP_S, UV_PER_LSB
from tests.dashboard.wards import Bed, hospital

PAGE: Final = Path(__file__).parents[2] / "api" / "dashboard"
USERNAME: Final = "admin"
PASSWORD: Final = "clinic"
TOKEN: Final = "fake-token"
REFRESH_TOKEN: Final = "fake-refresh"
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PDF: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class FakeBackend:
    """Set `away` and it answers 503 and drops its sockets; set `expired` and no token is good any more.

    `end_token()` ends the access token alone, so that it must be renewed.
    """

    def __init__(self, beds: list[Bed]) -> None:
        self.beds = {bed.device_id: bed for bed in beds}
        self.started_s = float(int(time.time()) - LOOP_S)
        self.away = False
        self.expired = False
        self.token, self.refresh_token, self.expires_in = TOKEN, REFRESH_TOKEN, 3600.0
        self.renewals = 0
        self.refused = 0
        self.logouts = 0
        self.reports: list[dict[str, Any]] = []
        self.sockets: set[WebSocket] = set()
        self.downloads = 0
        self.alarms: dict[str, dict[str, Any]] = {}
        self.may_acknowledge = True

    def end_token(self) -> None:
        """From now on another access token is wanted."""
        self.token = f"{TOKEN}-{self.renewals + 1}"

    def app(self) -> Starlette:
        v1 = "/api/v1"
        return Starlette(
            routes=[
                Route(f"{v1}/auth/login", self.login, methods=["POST"]),
                Route(f"{v1}/auth/refresh-token", self.refresh, methods=["POST"]),
                Route(f"{v1}/auth/logout", self.logout, methods=["POST"]),
                Route(f"{v1}/devices/live", self.live),
                Route(f"{v1}/devices/{{device_id}}", self.device),
                Route(f"{v1}/ecg/metrics", self.metrics),
                Route(f"{v1}/ecg/hrv", self.hrv),
                Route(f"{v1}/ecg/rhythms", self.rhythms),
                Route(f"{v1}/ecg/alarms", self.list_alarms),
                Route(f"{v1}/ecg/alarms/{{alarm_id}}/acknowledge", self.acknowledge, methods=["POST"]),
                Route(f"{v1}/ecg/reports", self.list_reports),
                Route(f"{v1}/ecg/reports", self.request_report, methods=["POST"]),
                Route(f"{v1}/ecg/reports/{{report_id}}/download", self.download),
                WebSocketRoute("/ws/ecg/{user_id}", self.socket),
                Mount("/", StaticFiles(directory=PAGE, html=True)),
            ],
            middleware=[Middleware(BaseHTTPMiddleware, dispatch=self.guard)],
        )

    async def guard(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        api = request.url.path.startswith("/api/")
        if api and self.away:
            return _problem(503, "The database is away; try again in 5 seconds.")
        allowed = not self.expired and request.headers.get("authorization") == f"Bearer {self.token}"
        if api and not allowed and not request.url.path.endswith(("/login", "/refresh-token")):
            self.refused += 1
            return _problem(401, "This token isn't valid any more; sign in again.")
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = CSP
        response.headers["Cache-Control"] = "no-store"
        return response

    async def login(self, request: Request) -> Response:
        asked = await request.json()
        if asked != {"username": USERNAME, "password": PASSWORD}:
            return _problem(401, "The user name or the password is wrong; check both.")
        return self.tokens()

    def tokens(self) -> Response:
        return JSONResponse(
            {"access_token": self.token, "token_type": "bearer", "expires_in": self.expires_in,
             "refresh_token": self.refresh_token, "refresh_expires_in": 86400}
        )  # fmt: skip

    async def refresh(self, request: Request) -> Response:
        """Each refresh token is good once; one that comes twice ends everything."""
        if (await request.json())["refresh_token"] != self.refresh_token:
            self.expired = True
        if self.expired:
            return _problem(401, "This refresh token isn't good any more; sign in again.")
        self.renewals += 1
        self.token, self.refresh_token = f"{TOKEN}-{self.renewals}", f"{REFRESH_TOKEN}-{self.renewals}"
        return self.tokens()

    async def logout(self, _: Request) -> Response:
        self.logouts += 1
        return Response(status_code=204)

    async def live(self, _: Request) -> Response:
        now_s = time.time()
        return JSONResponse({"items": [self.row(bed, now_s) for bed in self.beds.values()]})

    def row(self, bed: Bed, now_s: float) -> dict[str, Any]:
        heard_s = now_s - 1.2 if bed.silent_s is None else self.started_s - bed.silent_s
        second = int(heard_s) if heard_s > 0 else None
        return {
            "device_id": bed.device_id, "device_name": "Holter 3" if bed.number % 2 else "Patch 12",
            "device_serial": bed.serial, "user_id": bed.user_id, "patient_name": bed.patient,
            "heart_rate": round(bed.rate_at(second)) if second and bed.rate else None,
            "arrhythmia_type": bed.label, "arrhythmia_confidence": bed.confidence, "quality": bed.quality,
            "recorded_at": _iso(second) if second else None,
        }  # fmt: skip

    async def device(self, request: Request) -> Response:
        bed = self.beds.get(request.path_params["device_id"])
        if bed is None:
            return _problem(404, "No such device, or it isn't yours; go back to the list.")
        return JSONResponse({**self.row(bed, time.time()), "is_active": True})

    async def metrics(self, request: Request) -> Response:
        bed = self.beds[request.query_params["device_id"]]
        page, limit = (int(request.query_params.get(name, first)) for name, first in (("page", 1), ("limit", 50)))
        start, end = (int(datetime.fromisoformat(request.query_params[name]).timestamp()) for name in ("start", "end"))
        seconds = [] if bed.silent_s else [second for second in range(end - 1, start, -1) if second % 700 > 25]
        cut = seconds[(page - 1) * limit : page * limit]
        items = [{"recorded_at": _iso(second), "heart_rate": bed.rate_at(second)} for second in cut]
        return JSONResponse({"items": items, "page": page, "limit": limit, "total": len(seconds)})

    async def hrv(self, request: Request) -> Response:
        """Of the five minutes that are over; of a heart in fibrillation the reason why there is none."""
        bed = self.beds[request.query_params["device_id"]]
        fibrillates = "Fibrillation" in (bed.label or "")
        stretch = {
            "stretch_start": _iso(int(time.time()) // 300 * 300 - 300), "sdnn_ms": 48.6, "rmssd_ms": 31.2,
            "lf_hf": 1.583, "reason": "atrial_fibrillation" if fibrillates else None,
        }  # fmt: skip
        items = [] if bed.silent_s else [stretch]
        return JSONResponse({"items": items, "page": 1, "limit": 1, "total": len(items)})

    async def rhythms(self, request: Request) -> Response:
        bed = self.beds[request.query_params["device_id"]]
        items = [] if bed.silent_s else [self.episode(bed, age) for age in (0, 1, 2, 3, 4)]
        return JSONResponse({"items": items, "page": 1, "limit": 200, "total": len(items)})

    def episode(self, bed: Bed, age: int) -> dict[str, Any]:
        label = bed.label if age % 2 == 0 else "Normal Sinus Rhythm"
        started_s = self.started_s - 900 * age * (age + 1) - 40
        ended_s = time.time() if age == 0 else self.started_s - 900 * (age - 1) * age - 40
        return {
            "device_id": bed.device_id, "recording_id": bed.recording_id, "label": label,
            "state": "closed" if age else "opened", "started_at_us": round(started_s * 1e6),
            "ended_at_us": round(ended_s * 1e6), "confidence": bed.confidence,
        }  # fmt: skip

    def alarm(self, bed: Bed, kind: str, age_s: float, over_s: float | None = None, **more: Any) -> dict[str, Any]:
        """Raise an alarm that began so long ago, and perhaps was over so long ago."""
        told, now_us = KIND_BY_NAME[kind], round(time.time() * 1e6)
        alarm = {
            "alarm_id": f"alarm-{len(self.alarms)}", "device_id": bed.device_id, "recording_id": bed.recording_id,
            "user_id": bed.user_id, "kind": kind, "priority": told.priority, "category": told.category,
            "latching": told.latching, "state": "raised", "began_at_us": now_us - round(age_s * 1e6),
            "raised_at_us": now_us - round(age_s * 1e6), "acknowledged_at_us": None, "acknowledged_by": None,
            "ended_at_us": None if over_s is None else now_us - round(over_s * 1e6),
            "value": None, "limit": None, "confidence": 91.0,
        }  # fmt: skip
        self.alarms[str(alarm["alarm_id"])] = alarm | more
        return self.alarms[str(alarm["alarm_id"])]

    async def list_alarms(self, request: Request) -> Response:
        items = [alarm for alarm in self.alarms.values() if alarm["state"] != "cleared"]
        return JSONResponse({"items": items, "page": 1, "limit": 200, "total": len(items)})

    async def acknowledge(self, request: Request) -> Response:
        if not self.may_acknowledge:
            return _problem(403, "this is for doctors and admins and you are a user; ask one of them")
        alarm = self.alarms[request.path_params["alarm_id"]]
        over = alarm["ended_at_us"] is not None
        alarm |= {"acknowledged_at_us": round(time.time() * 1e6), "state": "cleared" if over else "acknowledged"}
        return JSONResponse(alarm)

    async def list_reports(self, request: Request) -> Response:
        for report in self.reports:  # each look finds the last one made
            if report["upload_status"] == "pending" and report.pop("looks", 0):
                report.update(upload_status="uploaded", file_size=184320)
            elif report["upload_status"] == "pending":
                report["looks"] = 1
        mine = [report for report in self.reports if report["device_id"] == request.query_params["device_id"]]
        return JSONResponse({"items": mine[::-1], "page": 1, "limit": 30, "total": len(mine)})

    async def request_report(self, request: Request) -> Response:
        asked = await request.json()
        bed = self.beds[asked["device_id"]]
        report = {
            "report_id": f"report-{len(self.reports)}", "device_id": bed.device_id, "filename": f"ecg-{bed.serial}.pdf",
            "file_type": "pdf", "file_size": None, "heart_rate": round(bed.rate), "upload_status": "pending",
            "created_at": datetime.now(UTC).isoformat(), "report_date": None,
        }  # fmt: skip
        self.reports.append(report)
        return JSONResponse(report, 202)

    async def download(self, _: Request) -> Response:
        self.downloads += 1
        return Response(PDF, media_type="application/pdf")

    async def socket(self, socket: WebSocket) -> None:
        offered = socket.scope["subprotocols"]
        bed = next((bed for bed in self.beds.values() if bed.user_id == socket.path_params["user_id"]), None)
        await socket.accept("leadwire")
        if self.away or self.expired or bed is None or offered != ["leadwire", f"bearer.{self.token}"]:
            await socket.close(1013 if self.away else 4401)
            return
        self.sockets.add(socket)
        try:
            await self.stream(socket, bed)
        except (WebSocketDisconnect, RuntimeError):  # starlette's two ways to say that the other side has gone
            pass
        finally:
            self.sockets.discard(socket)

    async def stream(self, socket: WebSocket, bed: Bed) -> None:
        await socket.send_text(json.dumps({"type": "hello"}))
        second = int(time.time() - self.started_s)
        while not self.away and not self.expired and bed.silent_s is None:
            for message in self.messages(bed, second):
                await socket.send_text(json.dumps(message))
            second += 1
            jitter_s = 0.2 * ((second * 7919) % 10) / 10
            await asyncio.sleep(max(0.0, self.started_s + second + 1 + jitter_s - time.time()))
        if bed.silent_s is not None:
            await socket.receive()
        await socket.close(1012)

    def messages(self, bed: Bed, second: int) -> Iterator[dict[str, Any]]:
        """What a second brings: its samples, the beats of the second before, figures and now and then a rhythm."""
        name = {"device_id": bed.device_id, "recording_id": bed.recording_id}
        if not bed.gap_every or second % bed.gap_every:
            yield {"type": "samples", **name, **self.block(bed, second)}
            if second % 7 == 0:  # a repeat changes nothing
                yield {"type": "samples", **name, **self.block(bed, second)}
        yield {"type": "beats", **name, "beats": self.beats(bed, second - 1)}
        yield {"type": "metrics", **name, **self.figures(bed, second)}
        for alarm in [each for each in self.alarms.values() if each["device_id"] == bed.device_id]:
            yield {"type": "alarm", **alarm}
        if second % 10 == 0 and bed.label:
            yield {"type": "rhythm", **self.episode(bed, 0), "state": "updated"}

    def block(self, bed: Bed, second: int) -> dict[str, Any]:
        heart = bed.heart
        at = second % LOOP_S * heart.rate_hz
        samples: list[list[int | None]] = heart.samples[:, at : at + heart.rate_hz].tolist()
        if bed.gap_every and second % bed.gap_every == 2:  # a lead falls off for a while
            samples[0] = [None if 60 < offset < 170 else value for offset, value in enumerate(samples[0])]
        return {
            "first_index": second * heart.rate_hz, "at_us": round((self.started_s + second) * 1e6),
            "rate_hz": heart.rate_hz, "leads": heart.leads, "uv_per_lsb": [UV_PER_LSB] * len(heart.leads),
            "samples": samples,
        }  # fmt: skip

    def beats(self, bed: Bed, second: int) -> list[dict[str, Any]]:
        if bed.gap_every and second % bed.gap_every == 0:
            return []
        heart = bed.heart
        first = second % LOOP_S * heart.rate_hz
        shift = second * heart.rate_hz - first
        inside = [(at, kind) for at, kind in heart.beats if first <= at < first + heart.rate_hz]
        return [
            {"r_index": at + shift, "at_us": round((self.started_s + (at + shift) / heart.rate_hz) * 1e6),
             "beat_class": kind, "confidence": 97.0}
            for at, kind in inside
        ]  # fmt: skip

    def figures(self, bed: Bed, second: int) -> dict[str, Any]:
        rate = bed.rate_at(int(self.started_s) + second) if bed.rate else None
        good = bed.quality > 0.5 and rate is not None
        return {
            "window_start_us": round((self.started_s + second) * 1e6), "heart_rate_bpm": rate,
            "rr_ms": 60000 / rate if rate else None, "quality": bed.quality,
            "pr_ms": 162.0 if good and "Fibrillation" not in str(bed.label) else None,
            "qrs_ms": 94.0 if good else None, "qt_ms": 382.0 if good else None, "qtc_ms": 421.0 if good else None,
            "st_mv": -0.04 if good else None, **self.axes(bed, good), **self.leads(bed),
            "qtc_bazett_ms": 431.0 if good else None, "qtc_framingham_ms": 419.0 if good else None,
            "qtc_hodges_ms": 417.0 if good else None, "st80_mv": 0.03 if good else None,
            "arrhythmia_type": bed.label, "arrhythmia_confidence": bed.confidence,
        }  # fmt: skip

    def axes(self, bed: Bed, good: bool) -> dict[str, Any]:
        """Where two limb leads are."""
        known = {"p_axis_deg": 54.0, "qrs_axis_deg": 48.0, "t_axis_deg": -38.0}
        return known if good and len(bed.heart.leads) > 2 else dict.fromkeys(known)

    def leads(self, bed: Bed) -> dict[str, Any]:
        """The second lead is worse than the others."""
        told = [
            {"lead": lead, "quality": bed.quality * (0.4 if row == 1 else 1), "flags": ["noise"] if row == 1 else []}
            for row, lead in enumerate(bed.heart.leads)
        ]
        return {"main_lead": bed.heart.leads[0], "leads": told}


@contextmanager
def serving(backend: FakeBackend, port: int = 0) -> Iterator[str]:
    """Serve on 127.0.0.1 from a thread and yield the URL."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(backend.app(), log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        backend.away = True
        server.should_exit = True
        thread.join()
        listener.close()


def _iso(second: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).isoformat()


def _problem(status: int, detail: str) -> Response:
    body = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def main() -> None:
    options = argparse.ArgumentParser(description="Serve the dashboard with invented patients.")
    options.add_argument("--port", type=int, default=8765)
    options.add_argument("--devices", type=int, default=12)
    chosen = options.parse_args()
    with serving(FakeBackend(hospital(chosen.devices)), chosen.port) as url:
        sys.stdout.write(f"{url} as {USERNAME} with password {PASSWORD}; Ctrl-C ends it\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
