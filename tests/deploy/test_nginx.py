"""One origin: what reads goes to api, what writes goes to gateway. Asked of the real nginx with our configuration."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.deploy.origin import Origin, running_origin
from tests.servers.availability import Unavailable


@contextmanager
def origin_or_skip(folder: Path, away: tuple[str, ...] = ()) -> Iterator[Origin]:
    try:
        with running_origin(folder, away) as running:
            yield running
    except Unavailable as reason:
        pytest.skip(f"the nginx checks: {reason}")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with origin_or_skip(tmp_path_factory.mktemp("nginx")) as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        ("GET", "/", "api"),
        ("GET", "/api/v1/ecg/samples", "api"),
        ("GET", "/api/v1/ecg/metrics/latest", "api"),
        ("GET", "/ready", "api"),
        ("POST", "/api/v1/ecg/samples", "gateway"),
        ("POST", "/api/v1/auth/login", "gateway"),
        ("PUT", "/api/v1/auth/update-profile", "gateway"),
        ("DELETE", "/api/v1/ecg/reports/7", "gateway"),
        ("PATCH", "/api/v1/users/7", "gateway"),
    ],
)
def test_the_method_picks_the_application(origin: Origin, method: str, path: str, service: str) -> None:
    answer = httpx.request(method, f"{origin.url}{path}?page=2")
    assert answer.text == f"{service} {method} {path}?page=2"


def test_head_goes_where_get_goes(origin: Origin) -> None:
    answer = httpx.head(f"{origin.url}/api/v1/devices")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/v1/ecg/samples", "gateway"),
        ("/api/v1/ecg/samples/", "gateway"),
        ("/api/v1/ecg/samples?token=lwd_x", "gateway"),
        ("/ws/ecg/6f1c7d3e-0000-4000-8000-000000000001", "api"),
        ("/ws/ecg/samples", "api"),
    ],
)
def test_a_websocket_that_brings_samples_is_a_write_and_any_other_a_read(
    origin: Origin, path: str, service: str
) -> None:
    with connect(f"ws://127.0.0.1:{origin.port}{path}") as socket:
        assert socket.recv() == service


@pytest.mark.parametrize(("asked", "service"), [("GET", "api"), ("POST", "gateway"), ("DELETE", "gateway")])
def test_a_preflight_goes_where_its_request_will_go(origin: Origin, asked: str, service: str) -> None:
    headers = {"Origin": "https://clinic.example", "Access-Control-Request-Method": asked}
    assert httpx.options(f"{origin.url}/api/v1/devices", headers=headers).text.startswith(f"{service} ")


def test_telemetry_stays_inside(origin: Origin) -> None:
    assert httpx.get(f"{origin.url}/metrics").status_code == 404


def test_nginx_answers_for_itself(origin: Origin) -> None:
    assert httpx.get(f"{origin.url}/nginx-health").text == "ok\n"


def test_the_application_learns_who_asked_and_under_what_name(origin: Origin) -> None:
    answer = httpx.get(origin.url, headers={"Host": "ecg.clinic.example:8443"})
    assert answer.headers["x-seen-host"] == "ecg.clinic.example:8443"
    assert answer.headers["x-seen-x-forwarded-for"] == "127.0.0.1"


def test_connections_to_an_application_are_kept(origin: Origin) -> None:
    assert "x-seen-connection" not in httpx.get(origin.url, headers={"Connection": "close"}).headers


def test_a_body_that_the_application_should_refuse_reaches_it(origin: Origin) -> None:
    answer = httpx.post(f"{origin.url}/api/v1/ecg/samples", content=bytes(10 * 2**20))
    assert answer.text.startswith("gateway ")


def test_tokens_are_not_written_to_the_log(origin: Origin) -> None:
    httpx.get(f"{origin.url}/api/v1/files/a.pdf?signature=not-for-the-log")
    httpx.get(f"{origin.url}/api/v1/after")
    log = origin.log.read_text()
    assert "/api/v1/files/a.pdf" in log
    assert "not-for-the-log" not in log


def test_an_application_that_is_away_is_told_as_a_problem_with_a_time_to_come_back(tmp_path: Path) -> None:
    with origin_or_skip(tmp_path, away=("gateway",)) as origin:
        refused = httpx.post(f"{origin.url}/api/v1/ecg/samples", content=b"{}")
        assert httpx.get(f"{origin.url}/api/v1/devices").status_code == 200
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.headers["content-type"] == "application/problem+json"
    assert json.loads(refused.text)["title"] == "Busy"
