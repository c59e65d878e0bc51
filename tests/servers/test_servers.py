"""Each real server does the thing that it is there for."""

import asyncio
import http.server
import io
import os
import subprocess
import sys
import textwrap
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from minio import Minio

from tests.servers.availability import Unavailable, find_tool
from tests.servers.chromium import Browser
from tests.servers.fixtures import skipping_or_failing
from tests.servers.kafka import KafkaAddress, KafkaServer
from tests.servers.minio import S3Address
from tests.servers.ports import free_ports, is_listening
from tests.servers.processes import Child
from tests.servers.timescale import TimescaleAddress

TOPIC = "servers.probe"


# ── processes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_child_that_dies_early_says_its_last_words(tmp_path: Path) -> None:
    with (
        Child(["sh", "-c", "echo no such disk; exit 3"], tmp_path / "log") as child,
        pytest.raises(Unavailable, match="ended with 3: no such disk"),
    ):
        child.wait_until(lambda: False, deadline_s=10)


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child(["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], log)
    child.wait_until(lambda: "deaf" in log.read_text(), deadline_s=10)
    child.stop(grace_s=0.2)
    assert not child.is_running


def test_no_grandchild_outlives_a_python_that_is_killed(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    script = f"""
        import pathlib, sys, time
        from tests.servers.ports import is_listening
        from tests.servers.processes import Child
        listener = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}"]
        child = Child(["sh", "-c", '"$@" & wait', "sh", *listener], pathlib.Path({str(tmp_path / "log")!r}))
        child.wait_until(lambda: is_listening({port}), 30)
        print(child.pid, flush=True)
        time.sleep(600)
    """
    python = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(python, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        group = int(parent.stdout.readline())
        parent.kill()
    assert is_gone(group, port)


def is_gone(group: int, port: int, deadline_s: float = 10.0) -> bool:
    """Whether nothing listens and no process of the group is left, before the deadline."""
    stopped = threading.Event()
    for _ in range(int(deadline_s / 0.05)):
        if not is_listening(port) and not group_exists(group):
            return True
        stopped.wait(0.05)
    return False


def group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_missing_server_skips_by_name_unless_all_tiers_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    for required, outcome in (("", pytest.skip.Exception), ("1", pytest.fail.Exception)):
        monkeypatch.setenv("LEADWIRE_REQUIRE_ALL_TIERS", required)
        with pytest.raises(outcome, match="the S3 tier: nosuchtool isn't on PATH; build it"), skipping_or_failing("S3"):
            find_tool("nosuchtool", remedy="build it")


# ── Apache Kafka ──────────────────────────────────────────────────────────────────────────────────────────────────


async def make_topic(address: KafkaAddress) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=2, replication_factor=1)])
    finally:
        await admin.close()


async def produce(address: KafkaAddress, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address.bootstrap, acks="all", enable_idempotence=True) as producer:
        for value in values:
            await producer.send_and_wait(TOPIC, value)


async def consume(address: KafkaAddress, count: int) -> list[bytes]:
    options = {"bootstrap_servers": address.bootstrap, "group_id": "probe", "auto_offset_reset": "earliest"}
    async with AIOKafkaConsumer(TOPIC, **options, enable_auto_commit=False) as consumer, asyncio.timeout(30):
        return sorted([(await consumer.getone()).value for _ in range(count)])


@pytest.fixture
async def mortal_kafka(tmp_path: Path) -> AsyncIterator[KafkaServer]:
    server = KafkaServer(tmp_path)
    with skipping_or_failing("Apache Kafka"):
        await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


@pytest.mark.kafka
async def test_what_kafka_acknowledged_survives_its_sigkill_and_restart(mortal_kafka: KafkaServer) -> None:
    await make_topic(mortal_kafka.address)
    await produce(mortal_kafka.address, [b"before"])
    await asyncio.to_thread(mortal_kafka.kill)
    assert not is_listening(mortal_kafka.port)
    await asyncio.to_thread(mortal_kafka.start)
    await produce(mortal_kafka.address, [b"later"])
    assert await consume(mortal_kafka.address, 2) == [b"before", b"later"]


@pytest.mark.kafka
async def test_the_kafka_of_the_session_speaks_with_aiokafka(kafka_server: KafkaAddress) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_server.bootstrap)
    await admin.start()
    try:
        assert (await admin.describe_cluster())["brokers"]
    finally:
        await admin.close()


# ── TimescaleDB ───────────────────────────────────────────────────────────────────────────────────────────────────

READINGS = """
    CREATE TABLE probe_readings (device text, at timestamptz, value double precision, PRIMARY KEY (device, at));
    SELECT create_hypertable('probe_readings', by_range('at', INTERVAL '1 day'));
    INSERT INTO probe_readings
    SELECT 'device ' || i % 3, TIMESTAMPTZ '2026-01-01 00:00Z' + i * INTERVAL '1 minute', i
    FROM generate_series(0, 2999) AS i;
"""
HOURLY = """
    CREATE MATERIALIZED VIEW probe_hourly WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
    SELECT device, time_bucket('1 hour', at) AS hour, sum(value) AS value_sum, count(*) AS value_count
    FROM probe_readings GROUP BY 1, 2 WITH NO DATA
"""
READER = """
    CREATE ROLE probe_reader LOGIN PASSWORD 'any';
    GRANT SELECT ON probe_readings TO probe_reader;
"""


@pytest.fixture
def timescale(timescale_server: TimescaleAddress) -> Iterator[psycopg.Connection]:
    with psycopg.connect(timescale_server.url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        connection.execute(READINGS.encode())
        yield connection
        connection.execute("DROP TABLE probe_readings CASCADE")


@pytest.mark.timescale
def test_a_continuous_aggregate_has_the_right_sums_before_and_after_its_refresh(timescale: psycopg.Connection) -> None:
    totals = "SELECT sum(value_sum), sum(value_count) FROM probe_hourly"
    timescale.execute(HOURLY)
    assert timescale.execute(totals).fetchone() == (2999 * 1500, 3000)
    timescale.execute("CALL refresh_continuous_aggregate('probe_hourly', NULL, NULL)")
    timescale.execute("INSERT INTO probe_readings VALUES ('device 9', '2026-02-01Z', 5)")
    assert timescale.execute(totals).fetchone() == (2999 * 1500 + 5, 3001)


@pytest.mark.timescale
def test_a_compressed_chunk_still_takes_an_upsert(timescale: psycopg.Connection) -> None:
    timescale.execute(
        "ALTER TABLE probe_readings SET (timescaledb.compress, timescaledb.compress_segmentby = 'device')"
    )
    chunks = timescale.execute("SELECT compress_chunk(c) FROM show_chunks('probe_readings') c").fetchall()
    changed = (
        "INSERT INTO probe_readings VALUES ('device 1', '2026-01-01 00:01Z', 7) ON CONFLICT (device, at) DO NOTHING"
    )
    assert len(chunks) == 3
    assert timescale.execute(changed).rowcount == 0


@pytest.mark.timescale
def test_clients_of_timescale_keep_their_own_role_settings_and_statements(
    timescale: psycopg.Connection, timescale_server: TimescaleAddress
) -> None:
    if timescale_server.is_shared:
        pytest.skip("roles aren't made on a server that was given by URL")
    timescale.execute(READER.encode())
    url = timescale_server.url.replace("//postgres:", "//probe_reader:")
    with psycopg.connect(url, autocommit=True, options="-c timezone=Asia/Tokyo") as reader:
        for client, user in ((reader, "probe_reader"), (timescale, "postgres"), (reader, "probe_reader")):
            asked = client.execute("SELECT current_user, %s::int", (1,), prepare=True)
            assert asked.fetchone() == (user, 1)
        assert reader.execute("SHOW timezone").fetchone() == ("Asia/Tokyo",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("DELETE FROM probe_readings")


# ── S3 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.timeout(1800)  # the first time, MinIO is compiled
@pytest.mark.s3
def test_an_object_comes_back_directly_and_by_presigned_url(s3_server: S3Address) -> None:
    address = s3_server
    client = Minio(address.endpoint, address.access_key, address.secret_key, secure=address.is_secure)
    if not client.bucket_exists("servers-probe"):
        client.make_bucket("servers-probe")
    client.put_object("servers-probe", "a/strip.pdf", io.BytesIO(b"%PDF"), 4, "application/pdf")
    with client.get_object("servers-probe", "a/strip.pdf") as answer:
        assert answer.read() == b"%PDF"
    url = client.presigned_get_object("servers-probe", "a/strip.pdf", expires=timedelta(minutes=1))
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 the server of this test
        assert (answer.read(), answer.headers["Content-Type"]) == (b"%PDF", "application/pdf")


# ── Chromium ──────────────────────────────────────────────────────────────────────────────────────────────────────

PAGE = b"""<!doctype html><link rel="icon" href="data:,"><title>Probe</title>
<input id="name"><button onclick="hello()">Greet</button><p id="said"></p>
<script>
  const later = (text) => { said.textContent = text; document.cookie = 'seen=1' }
  function hello() { setTimeout(later, 100, 'Hello, ' + document.getElementById('name').value) }
</script>"""


class PageHandler(http.server.BaseHTTPRequestHandler):
    """Answers every path with the one page, and says nothing."""

    def do_GET(self) -> None:
        self.send_response(404 if "missing" in self.path else 200)
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name that http.server gives it
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), PageHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.chromium
def test_a_page_is_typed_into_clicked_and_photographed(chromium_browser: Browser, site: str, tmp_path: Path) -> None:
    with chromium_browser.open(site) as page:
        page.type("#name", "Ada µV")
        page.click("button")
        page.wait_until("said.textContent === 'Hello, Ada µV'")
        assert page.evaluate("document.title") == "Probe"
        assert page.screenshot(tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
        assert page.errors() == []


@pytest.mark.chromium
def test_a_page_tells_what_went_wrong_in_it(chromium_browser: Browser, site: str) -> None:
    with chromium_browser.open(site) as page:
        page.evaluate("console.error('lead off'); setTimeout(() => nowhere(), 0); fetch('/missing').then(() => 0)")
        page.wait_until("performance.getEntriesByType('resource').length > 0")
        errors = " ".join(page.errors())
        assert all(sign in errors for sign in ("lead off", "nowhere is not defined", "404"))


@pytest.mark.chromium
def test_each_page_has_cookies_of_its_own(chromium_browser: Browser, site: str) -> None:
    with chromium_browser.open(site) as page:
        page.evaluate("later('now')")
        assert page.evaluate("document.cookie") == "seen=1"
    with chromium_browser.open(site) as page:
        assert page.evaluate("document.cookie") == ""
