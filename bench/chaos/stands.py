"""A whole Leadwire to be disturbed: servers of its own, proxies before the database, services that are kept running."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from bench.chaos.kafka import Kafka
from bench.chaos.minio import S3Server
from bench.chaos.proxy import Proxy
from bench.chaos.services import Service
from leadwire.children import Child, Children, wait_until
from leadwire.embedded import Postgres, free_port, is_listening, start_broker
from schemas.errors import Busy
from schemas.settings import HttpSettings, KafkaSettings, SecuritySettings
from schemas.settings_store import ObjectSettings
from storage.database import Database
from storage.objects import Objects, objects

StackName = Literal["embedded", "kafka"]
STACKS: Final[tuple[StackName, ...]] = ("embedded", "kafka")

_PARTITIONS: Final = 8
_START_S: Final = 60.0


@dataclass(slots=True)
class Stand:
    """What faults act on. `worker_way` and `gateway_way` are the only ways of those two to the database."""

    name: StackName
    folder: Path
    children: Children
    broker: Child
    kafka: Kafka | None
    s3: S3Server | None
    kafka_settings: KafkaSettings
    postgres: Postgres
    worker_way: Proxy = field(init=False)
    gateway_way: Proxy = field(init=False)
    own_way: Proxy = field(init=False)
    env: dict[str, str] = field(default_factory=dict)
    gateway_port: int = field(default_factory=free_port)
    services: list[Service] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.worker_way = Proxy(lambda: self.postgres.port)
        self.gateway_way = Proxy(lambda: self.postgres.port)
        self.own_way = Proxy(lambda: self.postgres.port)

    @property
    def objects(self) -> Path:
        """The folder of objects, where no S3 keeps them."""
        return self.folder / "objects"

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    def database(self) -> Database:
        """The bench's own way to the database, which no fault of the network touches."""
        return Database(self._url_through(self.own_way), pool_size=4)

    def object_store(self) -> Objects:
        """The services' object store."""
        s3 = self.s3.env() if self.s3 else {"LEADWIRE_OBJECTS": "local", "LEADWIRE_OBJECTS_DIR": str(self.objects)}
        return objects(
            ObjectSettings.model_validate(s3),
            SecuritySettings.model_validate({"LEADWIRE_ENV": "development"}),
            HttpSettings.model_validate({}),
        )

    def worker(self, name: str = "worker") -> Service:
        return Service(self.children, name, ["worker"], self._env_through(self.worker_way))

    def gateway(self) -> Service:
        words = ["gateway", "--port", str(self.gateway_port)]
        return Service(self.children, "gateway", words, self._env_through(self.gateway_way))

    def run(self, *words: str) -> str:
        """What a command printed that ends, by a direct way to the database. Raises Busy with its last words."""
        env = self.env | {"DATABASE_URL": self.postgres.url("postgres")}
        command = [sys.executable, "-m", "leadwire", *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise Busy(f"leadwire {words[0]} ended with {done.returncode}: {done.stderr[-500:]}; see {self.folder}")
        return done.stdout

    async def serving(self) -> None:
        """Wait until the gateway listens and the worker says it started. Raises Busy."""
        for service in self.services:
            if service.child is not None:
                ready = _Started(service.child) if "worker" in service.name else self._gateway_listens
                await asyncio.to_thread(wait_until, ready, service.child, within_s=_START_S)

    async def stop_database(self, number: signal.Signals) -> None:
        """SIGINT ends it in order, SIGQUIT as a crash; from now on its port refuses."""
        for way in (self.worker_way, self.gateway_way):
            await way.refuse()
        await asyncio.to_thread(self.children.stop, self.postgres.child, number=number, grace_s=20)

    async def start_database(self) -> None:
        self.postgres = await asyncio.to_thread(Postgres.start, self.children, self.folder)
        for way in (self.worker_way, self.gateway_way):
            await way.start()

    def _gateway_listens(self) -> bool:
        return is_listening(f"127.0.0.1:{self.gateway_port}")

    def _env_through(self, way: Proxy) -> Mapping[str, str]:
        return self.env | {"DATABASE_URL": self._url_through(way)}

    def _url_through(self, way: Proxy) -> str:
        return self.postgres.url("postgres").replace(f":{self.postgres.port}/", f":{way.port}/")


@asynccontextmanager
async def stand(name: StackName, folder: Path, *, has_s3: bool = False, **more: str) -> AsyncIterator[Stand]:
    """Servers, schema and topics, with the ways open; no service runs yet. All of it is gone afterwards.

    With `has_s3` objects rest in MinIO, else in a folder. Raises Busy, or Misconfigured for a server that is not here.
    """
    with Children(folder / "logs") as children:
        running = _servers(name, folder, children, has_s3=has_s3)
        running.env = os.environ | _settings(running) | more
        running.objects.mkdir(exist_ok=True)
        ways = (running.worker_way, running.gateway_way, running.own_way)
        for way in ways:
            await way.start()
        try:
            await asyncio.to_thread(running.run, "migrate")
            yield running
        finally:
            for way in ways:
                await way.stop()


def _servers(name: StackName, folder: Path, children: Children, *, has_s3: bool) -> Stand:
    s3 = S3Server(children, folder / "s3") if has_s3 else None
    if s3 is not None:
        s3.start()
    kafka = Kafka.make(children, folder / "kafka") if name == "kafka" else None
    if kafka is not None:
        kafka.start()
        broker, address = kafka.child, kafka.address
    else:
        tansu = start_broker(children)
        broker, address = tansu.child, tansu.address
        wait_until(lambda: is_listening(address), tansu.child, within_s=_START_S)
    if broker is None:
        raise RuntimeError("Kafka.start leaves a child")
    values = {"bootstrap": address, "idempotent": kafka is not None, "partitions": _PARTITIONS}
    settings = KafkaSettings.model_validate(values)
    return Stand(name, folder, children, broker, kafka, s3, settings, Postgres.start(children, folder))


def _settings(running: Stand) -> dict[str, str]:
    kept = (
        running.s3.env() if running.s3 else {"LEADWIRE_OBJECTS": "local", "LEADWIRE_OBJECTS_DIR": str(running.objects)}
    )
    return {
        **kept,
        "LEADWIRE_ENV": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "LEADWIRE_KAFKA_BOOTSTRAP": running.kafka_settings.bootstrap,
        "LEADWIRE_KAFKA_IDEMPOTENT": str(running.kafka_settings.idempotent).lower(),
        "LEADWIRE_KAFKA_PARTITIONS": str(_PARTITIONS),
        "LEADWIRE_PUBLIC_URL": running.gateway_url,
    }


@dataclass(frozen=True, slots=True)
class _Started:
    child: Child

    def __call__(self) -> bool:
        return "worker started" in self.child.last_words(200)
