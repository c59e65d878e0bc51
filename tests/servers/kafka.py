"""A real Apache Kafka: one KRaft node, broker and controller in one JVM, from Maven Central's jars."""

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from tests.servers.availability import Unavailable, find_tool, run_tool
from tests.servers.cache import cached
from tests.servers.ports import free_ports, is_listening
from tests.servers.processes import Child

KAFKA_VERSION = "4.4.0"
OLDEST_JAVA = 17
INSTALL_S, FORMAT_S, START_S = 600.0, 60.0, 90.0
CLUSTER_ID = "bGVhZHdpcmUtdGVzdHMtMQ"

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>leadwire.tests</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency><!-- the version of the slf4j-api that Kafka comes with -->
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""
_COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

# One node: every internal topic has one replica and few partitions. A short session lets a node that was killed come
# back at once; the rest keeps rebalances and start-up as short as a test wants them.
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={logs}
auto.create.topics.enable=false
num.partitions=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
message.max.bytes=16777216
"""
_JVM_FLAGS = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Where a Kafka answers: `host:port`, as clients want it."""

    bootstrap: str


class KafkaServer:
    """An Apache Kafka of our own; its ports and data stay the same through stop, kill and start.

    Starting raises Unavailable when Java or Maven is missing, or the jars can't be had. The calls block; from a
    coroutine use `asyncio.to_thread`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._controller_port = free_ports(2)
        self.address = KafkaAddress(f"127.0.0.1:{self.port}")
        self._child: Child | None = None

    format_options: tuple[str, ...] = ()
    """What a node of another kind is formatted with beside its properties."""

    def start(self) -> KafkaAddress:
        """Start the node on its folder and return once clients can bootstrap."""
        java, jars = find_java(), install_kafka()
        if not self._logs.exists():
            self._format(java, jars)
        self._child = Child([java, *java_arguments(jars), "kafka.Kafka", self._properties], self.folder / "kafka.log")
        try:
            self._child.wait_until(self.is_up, START_S)
        except Unavailable:
            self.kill()
            raise
        return self.address

    def is_up(self) -> bool:
        """Whether clients can bootstrap."""
        return answers(self.address)

    def properties(self) -> str:
        """The text of server.properties."""
        ports = {"port": self.port, "controller_port": self._controller_port}
        return _PROPERTIES.format(**ports, logs=self._logs)

    def stop(self) -> None:
        """Shut down in order."""
        if self._child:
            self._child.stop(grace_s=20.0)

    def kill(self) -> None:
        """SIGKILL, as in a crash."""
        if self._child:
            self._child.kill()

    @property
    def pid(self) -> int | None:
        """Of the JVM; None before the first start."""
        return self._child.pid if self._child else None

    @property
    def _logs(self) -> Path:
        return self.folder / "data"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _format(self, java: Path, jars: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self.properties())
        format_storage = ("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._properties))
        run_tool([java, *java_arguments(jars), *format_storage, *self.format_options], self.folder, FORMAT_S)


@contextmanager
def running_kafka(folder: Path) -> Iterator[KafkaAddress]:
    """Yield the Kafka of LEADWIRE_TEST_KAFKA (`host:port`), or start one in the folder and stop it afterwards."""
    if given := os.environ.get("LEADWIRE_TEST_KAFKA"):
        yield _checked(KafkaAddress(given))
        return
    server = KafkaServer(folder)
    try:
        yield server.start()
    finally:
        server.stop()


def install_kafka() -> Path:
    """Return the folder of Kafka's jars, brought by Maven the first time; raises Unavailable."""
    return cached(f"kafka-{KAFKA_VERSION}", _download_jars)


def answers(address: KafkaAddress) -> bool:
    """Whether an aiokafka client can bootstrap there."""
    host, _, port = address.bootstrap.rpartition(":")
    if not is_listening(int(port), host):
        return False
    # In a thread of its own, because the caller's may already run an event loop.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(_bootstraps(address))).result()


async def _bootstraps(address: KafkaAddress) -> bool:
    client = AIOKafkaClient(bootstrap_servers=address.bootstrap, request_timeout_ms=5000)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()


def _checked(address: KafkaAddress) -> KafkaAddress:
    if not answers(address):
        raise Unavailable(f"LEADWIRE_TEST_KAFKA={address.bootstrap} doesn't answer; start it, or unset the variable")
    return address


def _download_jars(folder: Path) -> None:
    maven = find_tool("mvn", remedy="install Apache Maven, or set LEADWIRE_TEST_KAFKA=host:port")
    (folder / "pom.xml").write_text(_POM)
    run_tool(
        [maven, "-q", "-B", _COPY_JARS, f"-DoutputDirectory={folder}", "-DincludeScope=runtime"], folder, INSTALL_S
    )


def find_java() -> Path:
    remedy = f"install Java {OLDEST_JAVA} or newer, or set LEADWIRE_TEST_KAFKA=host:port"
    java = find_tool("java", remedy=remedy)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise Unavailable(f"java is {said.splitlines()[0] if said else 'mute'}; {remedy}")
    return java


def java_arguments(jars: Path) -> list[str]:
    return [*_JVM_FLAGS, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{jars}/*"]
