"""The platform under test: once on Tansu, once on Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.platform import Platform, running_platform


@pytest.fixture(
    scope="session",
    params=[pytest.param("tansu", marks=pytest.mark.embedded), pytest.param("kafka", marks=pytest.mark.kafka)],
)
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A running Leadwire; whatever is true of it must be true on both brokers."""
    bootstrap = request.getfixturevalue("kafka_server").bootstrap if request.param == "kafka" else None
    with running_platform(tmp_path_factory.mktemp(request.param), bootstrap) as running:
        yield running
