"""PostgreSQL and S3 over TLS: trusted when the authority we name has signed them, refused when not."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from leadwire.children import Children
from leadwire.embedded import Postgres
from leadwire.unprivileged import demote
from schemas.errors import Busy, Misconfigured
from schemas.settings_store import DatabaseSettings
from storage.database import Database
from storage.migrate import migrate
from tests.servers.availability import Unavailable
from tests.servers.certificates import Authority, authority
from tests.servers.fixtures import skipping_or_failing
from tests.servers.minio import S3Address, running_secure_s3
from tests.storage.object_stores import in_s3


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("strangers"))


# ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def tls_only_url(ours: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL that takes TLS and nothing else. The wheel's is built without it, so this is the system's."""
    folder = tmp_path_factory.mktemp("tls-postgres")
    (folder / "postgres").mkdir(mode=0o700)
    with skipping_or_failing("PostgreSQL with TLS"):
        demotion = demote(find_postgres(), folder / "postgres")
    pair = ours.certificate("postgres")
    with Children(folder / "logs") as children:
        url = Postgres.start(children, folder, demotion).url("postgres")
        for file in (pair.file, pair.key):
            demotion.give(Path(shutil.copy(file, folder / "postgres")))
        rules = folder / "postgres" / "pg_hba.conf"
        rules.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET ssl_cert_file = 'postgres.pem'")
            conn.execute("ALTER SYSTEM SET ssl_key_file = 'postgres.key'")
            conn.execute("ALTER SYSTEM SET ssl = on")
            conn.execute("SELECT pg_reload_conf()")
        yield url


def find_postgres() -> Path:
    """The programs of the newest PostgreSQL that Debian or PATH has. Raises Unavailable."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("postgres")
    if installed:
        return installed[-1]
    if on_path is None:
        raise Unavailable("no PostgreSQL with TLS is installed; apt-get install postgresql")
    return Path(on_path).resolve().parent


@pytest.fixture
async def verified(tls_only_url: str, ours: Authority) -> AsyncIterator[Database]:
    database = Database(f"{tls_only_url}?sslmode=verify-full&sslrootcert={ours.file}", pool_size=2)
    await database.open()
    yield database
    await database.close()


async def test_database_url_s_sslmode_and_root_certificate_reach_the_connection(verified: Database) -> None:
    async with verified.transaction() as conn:
        found = await (await conn.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).fetchone()
    assert found == (True,)


async def test_the_schema_is_migrated_over_tls(tls_only_url: str, ours: Authority) -> None:
    url = f"{tls_only_url}?sslmode=verify-full&sslrootcert={ours.file}"
    report = await migrate(url, DatabaseSettings.model_validate({"url": url}))
    assert report.applied


@pytest.mark.parametrize(
    ("asked", "why"), [("sslmode=verify-full", "certificate verify failed"), ("sslmode=disable", "no encryption")]
)
def test_a_database_that_is_not_trusted_or_not_encrypted_is_refused(
    tls_only_url: str, strangers: Authority, asked: str, why: str
) -> None:
    with pytest.raises(psycopg.OperationalError, match=why):
        psycopg.connect(f"{tls_only_url}?{asked}&sslrootcert={strangers.file}")


# ── S3 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def secure_s3(ours: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Address]:
    with skipping_or_failing("S3"), running_secure_s3(tmp_path_factory.mktemp("secure-s3"), ours) as address:
        yield address


@pytest.mark.s3
async def test_objects_travel_over_tls_of_a_private_authority(secure_s3: S3Address, ours: Authority) -> None:
    store = in_s3(secure_s3).open(LEADWIRE_S3_CA_FILE=ours.file)
    await store.ensure()
    await store.put("a/b", b"sealed", "text/plain")
    assert await store.get("a/b") == b"sealed"
    assert (await store.presigned_url("a/b", 60, "b")).startswith("https://")


@pytest.mark.s3
async def test_an_object_store_of_another_authority_is_refused(secure_s3: S3Address, strangers: Authority) -> None:
    for settings in ({"LEADWIRE_S3_CA_FILE": strangers.file}, {}):
        with pytest.raises(Busy, match="LEADWIRE_S3_CA_FILE"):
            await in_s3(secure_s3).open(**settings).ping()


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("no certificate")
    address = S3Address("https://127.0.0.1:1", "k", str(uuid4()))
    with pytest.raises(Misconfigured, match=r"LEADWIRE_S3_CA_FILE=.*x\.pem can't be used"):
        in_s3(address).open(LEADWIRE_S3_CA_FILE=tmp_path / "x.pem")
