"""How both HTTP applications are served."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Final

from starlette.types import ASGIApp
from uvicorn import Config, Server

from schemas.settings import HttpSettings

_KEEP_ALIVE_S: Final = 75
"""Longer than any Retry-After and than nginx keeps its own end: who comes again must not meet a closing door."""
_DID_NOT_START: Final = 3
"""The exit code that uvicorn's own command gives."""


def config(app: ASGIApp, settings: HttpSettings, host: str, port: int) -> Config:
    """What uvicorn is told. X-Forwarded-For is believed of trusted proxies only; others would choose their address."""
    return Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        ws_max_size=settings.max_body_bytes,
        timeout_keep_alive=_KEEP_ALIVE_S,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
    )


def serve(wanted: Config) -> None:
    """Until a signal to stop; the process ends with code 3 when the application can't start."""
    server = Server(wanted)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_DID_NOT_START)
