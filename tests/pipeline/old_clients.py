"""The clients of the system that Leadwire replaces, as they talk: requests, JSON, multipart, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import requests

_TIMEOUT_S: Final = 30


class DesktopApp:
    """Logs in with a name and a password, then uploads reports and metrics with the token it was given."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.token: str | None = None

    def login(self, username: str, password: str) -> bool:
        answer = requests.post(
            f"{self.base_url}/api/v1/auth/login",
            json={"username": username, "password": password},
            timeout=_TIMEOUT_S,
        )
        if answer.status_code == 200:
            self.token = answer.json().get("access_token")
        return self.token is not None

    def upload_report(self, file: Path, metadata: dict[str, Any]) -> dict[str, Any]:
        with file.open("rb") as content:
            return self._post("/api/v1/ecg/reports/upload", files={"file": content}, data=metadata)

    def upload_metrics(self, metrics: dict[str, Any]) -> dict[str, Any]:
        return self._post("/api/v1/ecg/metrics", json=metrics)

    def _post(self, path: str, **request: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.post(f"{self.base_url}{path}", headers=headers, timeout=_TIMEOUT_S, **request)
        told: dict[str, Any] = answer.json()
        return told


class AdminPortal(DesktopApp):
    """Lists users and reports, and opens a report by the link that came with it."""

    def users(self) -> dict[str, Any]:
        return self._get("/api/v1/admin/users")

    def reports(self) -> dict[str, Any]:
        return self._get("/api/v1/admin/reports")

    def open(self, url: str) -> bytes:
        answer = requests.get(url, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return answer.content

    def _get(self, path: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.get(f"{self.base_url}{path}", headers=headers, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told
