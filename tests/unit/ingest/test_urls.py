"""Endpoints are found from the base URL."""

from __future__ import annotations

import pytest

from ingest.urls import samples_socket, uses_proxy
from schemas.errors import Malformed


@pytest.mark.parametrize(
    ("url", "socket"),
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/api/v1/ecg/samples"),
        ("https://ecg.example/clinic/", "wss://ecg.example/clinic/api/v1/ecg/samples"),
    ],
)
def test_the_socket_is_under_the_same_origin(url: str, socket: str) -> None:
    assert samples_socket(url, "/api/v1") == socket


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://ecg.example", "http://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Malformed, match="give one such as http://"):
        samples_socket(url, "/api/v1")


def test_no_proxy_stands_between_a_machine_and_itself() -> None:
    urls = ("http://127.0.0.1:1", "http://localhost", "http://[::1]:1", "https://ecg.example")
    assert [uses_proxy(url) for url in urls] == [False, False, False, True]
