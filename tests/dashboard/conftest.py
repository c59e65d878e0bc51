"""The dashboard on a fake backend, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dashboard.fake_backend import FakeBackend, serving
from tests.dashboard.visits import Visit
from tests.dashboard.wards import hospital
from tests.servers.chromium import Browser
from tests.servers.fixtures import chromium_browser

__all__ = ["chromium_browser"]


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend(hospital(12))


@pytest.fixture
def visit(backend: FakeBackend, chromium_browser: Browser) -> Iterator[Visit]:
    with serving(backend) as url, chromium_browser.open(url, 1440, 900) as page:
        yield Visit(page, backend)
