"""The old desktop app and the old admin portal work against Leadwire as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import requests

from tests.pipeline.old_clients import AdminPortal, DesktopApp
from tests.pipeline.platform import Platform

PASSWORD: Final = "correct horse battery"
REPORT: Final = {
    "patient_name": "Ada Example",
    "patient_age": "36",
    "report_date": "2026-03-01T10:00:00",
    "machine_serial": "ECG-0007",
    "heart_rate": "72",
    "pr_interval": "160",
    "qrs_duration": "92",
    "qtc_interval": "415",
    "st_segment": "normal",
    "qrs_axis": "45°",
}


@pytest.fixture(scope="module")
def username(platform: Platform) -> str:
    """Somebody who registered as the app's first screen does."""
    name = f"ada-{uuid4().hex[:8]}"
    body = {"username": name, "password": PASSWORD, "full_name": "Ada Example", "serial_number": f"ECG-{name}"}
    answer = requests.post(f"{platform.login.url}/api/v1/auth/register", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return name


@pytest.fixture
def app(platform: Platform, username: str) -> DesktopApp:
    client = DesktopApp(platform.login.url)
    assert client.login(username, PASSWORD)
    return client


@pytest.fixture
def portal(platform: Platform) -> AdminPortal:
    client = AdminPortal(platform.login.url)
    assert client.login(platform.login.username, platform.login.password)
    return client


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    file = tmp_path / "ECG_Report.pdf"
    file.write_bytes(b"%PDF-1.7\n" + uuid4().bytes + b"\n%%EOF\n")
    return file


def test_a_wrong_password_gives_the_app_no_token(platform: Platform, username: str) -> None:
    assert not DesktopApp(platform.login.url).login(username, "not this one")


def test_the_app_uploads_a_report_and_the_portal_opens_it(
    app: DesktopApp, portal: AdminPortal, pdf: Path, username: str
) -> None:
    made = app.upload_report(pdf, REPORT)
    assert (made["upload_status"], made["heart_rate"], made["patient_name"]) == ("uploaded", 72, "Ada Example")
    assert made["cloud_url"]
    assert username in [user["username"] for user in portal.users()["items"]]
    [listed] = [report for report in portal.reports()["items"] if report["report_id"] == made["report_id"]]
    assert portal.open(listed["url"]) == pdf.read_bytes()


def test_the_same_report_again_is_told_as_a_duplicate(app: DesktopApp, pdf: Path) -> None:
    made = app.upload_report(pdf, REPORT)
    again = app.upload_report(pdf, REPORT)
    assert (again["status"], again["title"]) == (409, "Duplicate")
    assert made["report_id"] in again["detail"]


def test_the_app_uploads_live_metrics(app: DesktopApp, platform: Platform) -> None:
    figures = {
        "heart_rate": 81,
        "pr_interval": 150,
        "arrhythmia_type": "Normal Sinus Rhythm",
        "arrhythmia_confidence": 97,
    }
    made = app.upload_metrics(figures)
    latest = requests.get(
        f"{platform.login.url}/api/v1/ecg/metrics/latest",
        params={"device_id": made["device_id"]},
        headers={"Authorization": f"Bearer {app.token}"},
        timeout=30,
    ).json()
    assert [(one["metric_id"], one["heart_rate"]) for one in latest["items"]] == [(made["metric_id"], 81)]
