"""A Leadwire on a Kafka that lets nobody in without a name: each service logs in as the recipe's own principal."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from leadwire.children import wait_until
from leadwire.embedded import Stack, embedded_stack, free_port, is_listening
from leadwire.enrolment import Login
from leadwire.people import create_user
from leadwire.provision import provision
from schemas.settings import KafkaSettings, Settings
from tests.pipeline.platform import LEADWIRE, settings_of
from tests.servers.secure_kafka import SecureKafkaServer

DEVICE = "bedside-7"
OTHER = "bedside-8"


@dataclass(frozen=True, slots=True)
class Secured:
    """Where everything is, and what every principal logs in with."""

    server: SecureKafkaServer
    env: dict[str, str]
    passwords: dict[str, str]
    gateway: Login
    api_url: str
    worker_url: str

    def environment(self, principal: str) -> dict[str, str]:
        """The environment of a process that logs in as that principal."""
        login = {"LEADWIRE_KAFKA_USERNAME": principal, "LEADWIRE_KAFKA_PASSWORD": self.passwords[principal]}
        return self.env | login

    def settings(self, principal: str) -> Settings:
        return settings_of(self.environment(principal))

    def kafka(self, principal: str) -> KafkaSettings:
        return self.settings(principal).kafka


@contextmanager
def running_secured(folder: Path, server: SecureKafkaServer) -> Iterator[Secured]:
    """Provisioned by the operator, then worker, gateway and api as processes of their own."""
    passwords = server.principals(("services",), ("device", DEVICE, OTHER))
    with embedded_stack(folder, server.address.bootstrap) as stack:
        ports = [free_port() for _ in range(3)]
        env = stack.env() | {
            "SECRET_KEY": secrets.token_hex(32),
            "LEADWIRE_ENV": "production",
            "LEADWIRE_CHECKPOINT_INTERVAL_S": "1",
            "LEADWIRE_KAFKA_PARTITIONS": "4",
            "LEADWIRE_KAFKA_SECURITY": "sasl_ssl",
            "LEADWIRE_KAFKA_CA_FILE": str(server.authority.file),
            "LEADWIRE_WORKER_PORT": str(ports[0]),
        }
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        login = Login(urls[1], "admin", secrets.token_urlsafe(12))
        running = Secured(server, env, passwords, login, urls[2], urls[0])
        operator = running.settings("leadwire-operator")
        asyncio.run(provision(operator))
        asyncio.run(create_user(operator, login.username, login.password, "admin", None))
        _start(stack, running, ports)
        yield running


def _start(stack: Stack, running: Secured, ports: list[int]) -> None:
    started = [
        stack.children.start(name, [*LEADWIRE, name, *more], env=running.environment(f"leadwire-{name}"))
        for name, more in (
            ("worker", ()),
            ("gateway", ("--port", str(ports[1]))),
            ("api", ("--port", str(ports[2]))),
        )
    ]
    for child, port in zip(started, ports, strict=True):
        wait_until(partial(is_listening, f"127.0.0.1:{port}"), child, within_s=150)  # a worker may have to compile
