"""The real servers as pytest fixtures. A server that can't be had skips its tests by name, or fails them in CI."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.servers.availability import Unavailable, tiers_are_required
from tests.servers.azure import AzureAddress, running_azure
from tests.servers.chromium import Browser, running_chromium
from tests.servers.gcs import GcsAddress, running_gcs
from tests.servers.kafka import KafkaAddress, running_kafka
from tests.servers.minio import S3Address, running_s3
from tests.servers.redis import RedisAddress, running_redis
from tests.servers.timescale import TimescaleAddress, running_timescale


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAddress]:
    with skipping_or_failing("Apache Kafka"), running_kafka(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture(scope="session")
def timescale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimescaleAddress]:
    with skipping_or_failing("TimescaleDB"), running_timescale(tmp_path_factory.mktemp("timescale")) as address:
        yield address


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Address]:
    with skipping_or_failing("S3"), running_s3(tmp_path_factory.mktemp("s3")) as address:
        yield address


@pytest.fixture(scope="session")
def azure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureAddress]:
    with skipping_or_failing("Azure"), running_azure(tmp_path_factory.mktemp("azure")) as address:
        yield address


@pytest.fixture(scope="session")
def gcs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GcsAddress]:
    with skipping_or_failing("Google Cloud Storage"), running_gcs(tmp_path_factory.mktemp("gcs")) as address:
        yield address


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisAddress]:
    with skipping_or_failing("Redis"), running_redis(tmp_path_factory.mktemp("redis")) as address:
        yield address


@pytest.fixture(scope="session")
def chromium_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with skipping_or_failing("Chromium"), running_chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@contextmanager
def skipping_or_failing(tier: str) -> Iterator[None]:
    """Turn Unavailable into a skip that names the tier, or into a failure if LEADWIRE_REQUIRE_ALL_TIERS=1."""
    try:
        yield
    except Unavailable as reason:
        end = pytest.fail if tiers_are_required() else pytest.skip
        end(f"the {tier} tier: {reason}")
