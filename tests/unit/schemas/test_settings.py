"""Settings are read once, under the seed system's names, and what is wrong is told by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from limits import parse
from pydantic import ValidationError

from schemas.errors import Misconfigured
from schemas.settings import DEVELOPMENT_SECRET, GROUPS, Settings

STRONG = "k" * 32


@pytest.fixture(autouse=True)
def _only_what_the_test_sets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of this shell, and no .env of this folder."""
    for group in GROUPS:
        for field in group.model_fields.values():
            monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_seed_systems_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = {
        "DATABASE_URL": "postgresql://x@db/y", "DATABASE_POOL_SIZE": "3", "DATABASE_MAX_OVERFLOW": "4",
        "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "eu-west-1", "AWS_S3_BUCKET": "b",
        "SECRET_KEY": STRONG, "ALGORITHM": "HS512", "ACCESS_TOKEN_EXPIRE_HOURS": "2",
        "CORS_ORIGINS": '["https://a.example"]', "REDIS_URL": "redis://:hush@cache/0", "API_V1_PREFIX": "/v1",
        "LOG_LEVEL": "DEBUG",
    }  # fmt: skip
    for name, value in seed.items():
        monkeypatch.setenv(name, value)
    s = Settings()
    assert (s.database.url, s.database.pool_size, s.database.max_overflow) == ("postgresql://x@db/y", 3, 4)
    assert (s.objects.access_key_id, s.objects.region, s.objects.bucket) == ("id", "eu-west-1", "b")
    assert (s.security.algorithm, s.security.access_token_expire_hours) == ("HS512", 2)
    assert "hush" not in repr(s.cache)
    assert s.cache.redis_url is not None
    assert (s.http.cors_origins, s.http.prefix, s.logs.level) == (["https://a.example"], "/v1", "DEBUG")


def test_every_setting_has_a_name_of_the_seed_or_ours() -> None:
    names = [str(field.validation_alias) for group in GROUPS for field in group.model_fields.values()]
    clouds = ("AZURE_STORAGE_", "GOOGLE_APPLICATION_CREDENTIALS")  # as their own programs call them
    seed = ("DATABASE_", "AWS_", "SECRET_KEY", "ALGORITHM", "ACCESS_TOKEN_", "CORS_", "API_V1_", "LOG_", "REDIS_")
    assert [name for name in names if not name.startswith(("LEADWIRE_", *seed, *clouds))] == []
    assert len(names) == len(set(names))


@pytest.mark.parametrize("secret", [None, DEVELOPMENT_SECRET, "short"])
def test_production_refuses_a_weak_secret_with_a_remedy(monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    if secret is not None:
        monkeypatch.setenv("SECRET_KEY", secret)
    with pytest.raises(Misconfigured, match="SECRET_KEY is the default or under 32 characters; set 32 random ones"):
        _ = Settings().security


def test_development_accepts_the_default_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADWIRE_ENV", "development")
    assert Settings().security.secret_key.get_secret_value() == DEVELOPMENT_SECRET


def test_production_accepts_a_strong_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", STRONG)
    assert Settings().security.environment == "production"


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("kafka", "LEADWIRE_KAFKA_PARTITIONS", "0"),
        ("database", "DATABASE_POOL_SIZE", "many"),
        ("worker", "LEADWIRE_ENGINE", "slow"),
        ("logs", "LOG_LEVEL", "LOUD"),
        ("objects", "LEADWIRE_URL_EXPIRES_S", "604801"),
        ("http", "CORS_ORIGINS", "https://a.example"),
        ("http", "LEADWIRE_TRUSTED_PROXIES", "10.0.0.1"),
        ("cache", "REDIS_URL", "http://a.example"),
        ("rates", "LEADWIRE_RATE_LOGINS", "100"),
        ("rates", "LEADWIRE_RATE_LOGINS", "0 per minute"),
        ("rates", "LEADWIRE_RATE_LOCKOUT", "10/minute; 5/second"),
        ("security", "LEADWIRE_REGISTRATION", "maybe"),
        ("security", "LEADWIRE_SESSION_DAYS", "0"),
        ("security", "LEADWIRE_PREVIOUS_SECRET_KEYS", "not json"),
        ("alarms", "LEADWIRE_ALARM_WEBHOOK_URL", "ftp://a.example/alarms"),
        ("alarms", "LEADWIRE_ALARM_WEBHOOK_URL", "//a.example"),
        ("alarms", "LEADWIRE_ALARM_WEBHOOK_MIN_PRIORITY", "technical"),
    ],
)
def test_a_bad_value_names_its_setting(monkeypatch: pytest.MonkeyPatch, group: str, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=rf"{name}.*docs/settings\.md"):
        getattr(Settings(), group)


def test_an_empty_webhook_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADWIRE_ALARM_WEBHOOK_URL", "")
    monkeypatch.setenv("LEADWIRE_ALARM_WEBHOOK_SECRET", "")
    assert (Settings().alarms.webhook_url, Settings().alarms.webhook_secret) == (None, None)


def test_a_secret_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", STRONG)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", STRONG)
    monkeypatch.setenv("LEADWIRE_OBJECTS", "azure")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "hospital")
    monkeypatch.setenv("AZURE_STORAGE_KEY", STRONG)
    settings = Settings()
    assert STRONG not in f"{settings.security!r}{settings.objects!r}"


def test_a_group_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings()
    before = settings.kafka
    monkeypatch.setenv("LEADWIRE_KAFKA_PARTITIONS", "7")
    assert settings.kafka is before


def test_a_setting_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().kafka.partitions = 3


def test_a_file_named_env_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LEADWIRE_KAFKA_PARTITIONS=5\nNOT_OURS=1\n")
    assert Settings().kafka.partitions == 5


def test_importing_the_settings_reads_nothing() -> None:
    """A bad value says nothing until its group is asked for."""
    code = "from schemas.settings import Settings; Settings()"
    bad = {"LEADWIRE_KAFKA_PARTITIONS": "none", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], env=bad, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("key", [DEVELOPMENT_SECRET, "short"])
def test_production_refuses_a_weak_key_of_before_too(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("SECRET_KEY", STRONG)
    monkeypatch.setenv("LEADWIRE_PREVIOUS_SECRET_KEYS", f'["{key}"]')
    with pytest.raises(Misconfigured, match="leave it out, then everybody logs in again"):
        _ = Settings().security


def test_the_keys_of_before_verify_and_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", STRONG)
    monkeypatch.setenv("LEADWIRE_PREVIOUS_SECRET_KEYS", f'["{"p" * 32}"]')
    security = Settings().security
    assert [key.get_secret_value() for key in security.verifying_keys] == [STRONG, "p" * 32]
    assert "p" * 32 not in repr(security)


@pytest.mark.parametrize(
    "rate", ["", "1 per second", "100 per minute", "10 per 15 minutes", "3 per 2 hours", "9 per day"]
)
def test_a_rate_reads_like_a_sentence_and_empty_is_none(monkeypatch: pytest.MonkeyPatch, rate: str) -> None:
    monkeypatch.setenv("LEADWIRE_RATE_LOGINS", rate)
    assert Settings().rates.logins == rate
    assert not rate or parse(rate).amount == int(rate.split(maxsplit=1)[0])
