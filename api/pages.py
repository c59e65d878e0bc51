"""Pages: the dashboard's files at `/`, for every path no route knows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER: Final = Path(__file__).parent / "dashboard"
_SERVED: Final = frozenset(
    {".html", ".js", ".mjs", ".css", ".svg", ".png", ".ico", ".json", ".webmanifest", ".woff2", ".txt"}
)


class Dashboard(StaticFiles):
    """The router's default: a file of the folder with its ETag, to be revalidated each time, or a plain 404."""

    def __init__(self, folder: Path = FOLDER) -> None:
        super().__init__(directory=folder, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        page = "index.html" if path == "." else path
        full_path, found = self._find(page)
        if found is None or Path(full_path).suffix not in _SERVED:
            raise HTTPException(404)
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        return self._with_etag(full_path, found, scope)

    def _find(self, page: str) -> tuple[str, os.stat_result | None]:
        try:
            return self.lookup_path(page)
        except (OSError, ValueError):  # too long a name, a null byte: no file of ours
            return "", None

    def _with_etag(self, full_path: str, found: os.stat_result, scope: Scope) -> Response:
        response = self.file_response(full_path, found, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response
