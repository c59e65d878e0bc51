"""Where a gateway's endpoints are."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from schemas.errors import Malformed

_SOCKET_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def samples_socket(url: str, prefix: str) -> str:
    """The WebSocket address of ecg/samples. Raises Malformed for what is no http or https URL."""
    parts = urlsplit(url)
    if parts.scheme not in _SOCKET_SCHEMES or not parts.hostname:
        raise Malformed(f"the URL is {url!r}; give one such as http://127.0.0.1:8000")
    path = f"{parts.path.rstrip('/')}{prefix}/ecg/samples"
    return urlunsplit((_SOCKET_SCHEMES[parts.scheme], parts.netloc, path, "", ""))


def uses_proxy(url: str) -> bool:
    """Whether the environment's proxy may stand between: never on the way to this very machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True
