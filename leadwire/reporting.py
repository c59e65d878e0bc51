"""A report asked for from the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from ingest.client import AsyncClient
from leadwire.enrolment import Login
from schemas.errors import NotFound


async def fetch_report(login: Login, device: UUID, start: datetime, end: datetime) -> bytes:
    """Ask, wait, and get the PDF. Raises NotFound when there was nothing to report on."""
    async with AsyncClient(login.url) as client:
        await client.login(login.username, login.password)
        report_id = await client.request_report(device, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC))
        report = await client.wait_report(report_id, timeout_s=120)
        if report.upload_status == "failed":
            raise NotFound(f"report {report_id} failed; check that device {device} has samples in this period")
        return await client.download_report(report_id)
