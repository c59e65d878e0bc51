"""One Apache Kafka node (KRaft) for the bench, from a folder of its jars."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leadwire.children import Child, Children, wait_until
from leadwire.embedded import free_port, is_listening
from schemas.errors import Misconfigured

_CLUSTER_ID: Final = "bGVhZHdpcmUtY2hhb3MtMQ"
_START_S: Final = 90.0
_JVM: Final = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_PROPERTIES: Final = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
"""
# The last two: a node that was killed may come back at once.


@dataclass(slots=True)
class Kafka:
    """A node whose ports and data stay the same through kill and start."""

    children: Children
    folder: Path
    java: Sequence[str]
    port: int
    child: Child | None = None

    @classmethod
    def make(cls, children: Children, folder: Path) -> Kafka:
        """Lay out the node's data. Raises Misconfigured when there is no Java or no Kafka."""
        folder.mkdir(parents=True, exist_ok=True)
        port, controller_port = free_port(), free_port()
        properties = _PROPERTIES.format(port=port, controller_port=controller_port, data=folder / "data")
        (folder / "server.properties").write_text(properties)
        java = [_java(), *_JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{_jars()}/*"]
        format_data = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(folder / "server.properties")]
        subprocess.run([*java, *format_data], check=True, capture_output=True, timeout=60)
        return cls(children, folder, java, port)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Blocks until it listens. Raises Busy."""
        command = [*self.java, "kafka.Kafka", str(self.folder / "server.properties")]
        self.child = self.children.start("kafka", command)
        wait_until(lambda: is_listening(self.address), self.child, within_s=_START_S)

    def kill(self) -> None:
        """SIGKILL; what was not on disk is in the machine's memory, as after a crash of the process."""
        if self.child is not None:
            self.children.kill(self.child)
            self.children.stop(self.child)


def _java() -> str:
    if found := shutil.which("java"):
        return found
    raise Misconfigured("no java on PATH; install Java 17 or newer, or run STACK=embedded")


def _jars() -> Path:
    """Kafka's jars: LEADWIRE_KAFKA_HOME (or its libs), else what the tests' installer left."""
    home = os.environ.get("LEADWIRE_KAFKA_HOME")
    cache = Path(os.environ.get("LEADWIRE_TEST_CACHE", ".cache"))
    folders = [Path(home) / "libs", Path(home)] if home else sorted(cache.glob("kafka-*"), reverse=True)
    for folder in folders:
        if any(folder.glob("kafka_2*.jar")):
            return folder.resolve()
    raise Misconfigured(
        "no Apache Kafka is here; set LEADWIRE_KAFKA_HOME to its folder, run "
        "`.venv/bin/python -m tests.servers.install`, or choose STACK=embedded"
    )
