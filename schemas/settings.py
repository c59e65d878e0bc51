"""Settings: environment variables (and `.env` in development), read once, at the door."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import SettingsError

from schemas import topics
from schemas.errors import Misconfigured
from schemas.settings_group import SettingsGroup
from schemas.settings_store import ArchiveSettings, BackupSettings, CacheSettings, DatabaseSettings, ObjectSettings

DEVELOPMENT_SECRET: Final = "development-only-secret-change-me-0123456789"  # noqa: S105  # refused in production


class KafkaSettings(SettingsGroup):
    """The broker, how to log in to it, and its topics."""

    bootstrap: str = Field("127.0.0.1:9092", validation_alias="LEADWIRE_KAFKA_BOOTSTRAP")
    idempotent: bool = Field(True, validation_alias="LEADWIRE_KAFKA_IDEMPOTENT")
    partitions: int = Field(64, ge=1, le=4096, validation_alias="LEADWIRE_KAFKA_PARTITIONS")
    replication: int = Field(1, ge=1, validation_alias="LEADWIRE_KAFKA_REPLICATION")
    retention_hours: int = Field(72, ge=1, validation_alias="LEADWIRE_KAFKA_RETENTION_HOURS")
    retention_bytes: int = Field(-1, ge=-1, validation_alias="LEADWIRE_KAFKA_RETENTION_BYTES")
    topic_hours: dict[str, int] = Field(default_factory=dict, validation_alias="LEADWIRE_KAFKA_TOPIC_HOURS")
    topic_bytes: dict[str, int] = Field(default_factory=dict, validation_alias="LEADWIRE_KAFKA_TOPIC_BYTES")
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        "plaintext", validation_alias="LEADWIRE_KAFKA_SECURITY"
    )
    sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"] = Field(
        "SCRAM-SHA-512", validation_alias="LEADWIRE_KAFKA_SASL_MECHANISM"
    )
    username: str | None = Field(None, validation_alias="LEADWIRE_KAFKA_USERNAME")
    password: SecretStr | None = Field(None, validation_alias="LEADWIRE_KAFKA_PASSWORD")
    ca_file: Path | None = Field(None, validation_alias="LEADWIRE_KAFKA_CA_FILE")
    cert_file: Path | None = Field(None, validation_alias="LEADWIRE_KAFKA_CERT_FILE")
    key_file: Path | None = Field(None, validation_alias="LEADWIRE_KAFKA_KEY_FILE")
    fetch_wait_ms: int = Field(500, ge=1, le=10_000, validation_alias="LEADWIRE_KAFKA_FETCH_WAIT_MS")
    pack_linger_s: float = Field(0.02, ge=0, le=1, validation_alias="LEADWIRE_PACK_LINGER_S")

    @field_validator("username", "password", "ca_file", "cert_file", "key_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("topic_hours", "topic_bytes")
    @classmethod
    def _only_our_topics(cls, value: dict[str, int]) -> dict[str, int]:
        for name, amount in value.items():
            if name not in topics.ALL or amount < 1:
                raise ValueError(f"{name}: {amount} is not one of {', '.join(topics.ALL)} with a number above 0")
        return value

    @model_validator(mode="after")
    def _whole(self) -> KafkaSettings:
        """A login needs both its halves, and a certificate its key."""
        if self.security.startswith("sasl") and (self.username is None or self.password is None):
            raise ValueError(
                f"LEADWIRE_KAFKA_SECURITY={self.security} logs in; set LEADWIRE_KAFKA_USERNAME and "
                "LEADWIRE_KAFKA_PASSWORD, or choose ssl or plaintext"
            )
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("one of LEADWIRE_KAFKA_CERT_FILE and LEADWIRE_KAFKA_KEY_FILE is set; set both, or none")
        if not self.security.endswith("ssl") and (self.ca_file or self.cert_file):
            raise ValueError(
                "a certificate file is set (LEADWIRE_KAFKA_CA_FILE or _CERT_FILE) but LEADWIRE_KAFKA_SECURITY="
                f"{self.security} has no TLS; choose sasl_ssl or ssl, or unset the file"
            )
        return self


class SecuritySettings(SettingsGroup):
    """Tokens and who may come in."""

    environment: Literal["development", "production"] = Field("production", validation_alias="LEADWIRE_ENV")
    secret_key: SecretStr = Field(SecretStr(DEVELOPMENT_SECRET), validation_alias="SECRET_KEY")
    algorithm: Literal["HS256", "HS384", "HS512"] = Field("HS256", validation_alias="ALGORITHM")
    previous_secret_keys: list[SecretStr] = Field(
        default_factory=list, validation_alias="LEADWIRE_PREVIOUS_SECRET_KEYS"
    )
    access_token_expire_hours: float = Field(1, gt=0, validation_alias="ACCESS_TOKEN_EXPIRE_HOURS")
    session_days: float = Field(30, gt=0, le=3650, validation_alias="LEADWIRE_SESSION_DAYS")
    registration: Literal["open", "closed"] = Field("open", validation_alias="LEADWIRE_REGISTRATION")

    @property
    def verifying_keys(self) -> tuple[SecretStr, ...]:
        """The keys whose signatures are good: the one that signs, and those before it."""
        return (self.secret_key, *self.previous_secret_keys)

    @model_validator(mode="after")
    def _refuse_default_secret(self) -> SecuritySettings:
        if self.environment == "production" and _is_weak(self.secret_key):
            raise ValueError(
                "SECRET_KEY is the default or under 32 characters; set 32 random ones (openssl rand -hex 32), "
                "or LEADWIRE_ENV=development on a laptop"
            )
        if self.environment == "production" and any(_is_weak(key) for key in self.previous_secret_keys):
            raise ValueError(
                "LEADWIRE_PREVIOUS_SECRET_KEYS holds the default secret or one under 32 characters, with which anyone "
                "could sign; leave it out, then everybody logs in again"
            )
        return self


def _is_weak(key: SecretStr) -> bool:
    return key.get_secret_value() == DEVELOPMENT_SECRET or len(key.get_secret_value()) < 32


_RATE: Final = re.compile(r"[1-9]\d{0,8} per ([1-9]\d{0,4} )?(second|minute|hour|day)s?")


def _one_rate(value: str) -> str:
    if value and not _RATE.fullmatch(value):
        raise ValueError(f"{value!r} is no rate; write one like 100 per minute or 10 per 15 minutes, or leave it empty")
    return value


Rate = Annotated[str, AfterValidator(_one_rate)]
"""So many in so long, from the first one counted on; empty is without a limit."""


class RateSettings(SettingsGroup):
    """How often is too often; an address is that of the client, of IPv6 its /64 network."""

    lockout: Rate = Field("10 per 15 minutes", validation_alias="LEADWIRE_RATE_LOCKOUT")
    logins: Rate = Field("100 per minute", validation_alias="LEADWIRE_RATE_LOGINS")
    registrations: Rate = Field("60 per hour", validation_alias="LEADWIRE_RATE_REGISTRATIONS")
    refreshes: Rate = Field("600 per minute", validation_alias="LEADWIRE_RATE_REFRESHES")
    failed_tokens: Rate = Field("100 per minute", validation_alias="LEADWIRE_RATE_FAILED_TOKENS")
    requests: Rate = Field("3000 per minute", validation_alias="LEADWIRE_RATE_REQUESTS")
    anonymous: Rate = Field("6000 per minute", validation_alias="LEADWIRE_RATE_ANONYMOUS")
    samples: Rate = Field("6000 per minute", validation_alias="LEADWIRE_RATE_SAMPLES")


class HttpSettings(SettingsGroup):
    """Both HTTP applications."""

    prefix: str = Field("/api/v1", validation_alias="API_V1_PREFIX")
    cors_origins: list[str] = Field(default_factory=list, validation_alias="CORS_ORIGINS")
    public_url: str = Field("http://127.0.0.1:8000", validation_alias="LEADWIRE_PUBLIC_URL")
    trusted_proxies: list[str] = Field(["127.0.0.1", "::1"], validation_alias="LEADWIRE_TRUSTED_PROXIES")
    max_body_bytes: int = Field(4 * 2**20, ge=1024, validation_alias="LEADWIRE_MAX_BODY_BYTES")
    max_upload_bytes: int = Field(50 * 2**20, ge=1024, validation_alias="LEADWIRE_MAX_UPLOAD_BYTES")
    max_clock_skew_s: float = Field(86_400, gt=0, validation_alias="LEADWIRE_MAX_CLOCK_SKEW_S")


class WorkerSettings(SettingsGroup):
    """The processors."""

    engine: Literal["fast", "neurokit2"] = Field("fast", validation_alias="LEADWIRE_ENGINE")
    group: str = Field("leadwire", validation_alias="LEADWIRE_WORKER_GROUP")
    checkpoint_interval_s: float = Field(10, gt=0, validation_alias="LEADWIRE_CHECKPOINT_INTERVAL_S")
    batch_max: int = Field(500, ge=1, validation_alias="LEADWIRE_BATCH_MAX")
    batch_within_s: float = Field(0.1, gt=0, validation_alias="LEADWIRE_BATCH_WITHIN_S")
    idle_after_s: float = Field(30, gt=0, validation_alias="LEADWIRE_IDLE_AFTER_S")
    max_rejects_in_row: int = Field(1000, ge=1, validation_alias="LEADWIRE_MAX_REJECTS_IN_ROW")
    stalled_after_s: float = Field(60, gt=0, validation_alias="LEADWIRE_STALLED_AFTER_S")
    stretch_s: float = Field(10, gt=0, validation_alias="LEADWIRE_STRETCH_S")
    metrics_table_every_s: int = Field(1, ge=1, le=3600, validation_alias="LEADWIRE_METRICS_TABLE_EVERY_S")
    telemetry_host: str = Field("127.0.0.1", validation_alias="LEADWIRE_WORKER_HOST")
    telemetry_port: int = Field(0, ge=0, le=65535, validation_alias="LEADWIRE_WORKER_PORT")


class AlarmSettings(SettingsGroup):
    """Where alarms are told beside the dashboard."""

    webhook_url: str | None = Field(None, validation_alias="LEADWIRE_ALARM_WEBHOOK_URL")
    webhook_secret: SecretStr | None = Field(None, validation_alias="LEADWIRE_ALARM_WEBHOOK_SECRET")
    webhook_min_priority: Literal["low", "medium", "high"] = Field(
        "medium", validation_alias="LEADWIRE_ALARM_WEBHOOK_MIN_PRIORITY"
    )

    @field_validator("webhook_url", "webhook_secret", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("webhook_url")
    @classmethod
    def _only_http(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "http://none")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("this is no URL of http or https; write https://host/path")
        return value


class LogSettings(SettingsGroup):
    """How logs look."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="LOG_LEVEL")
    format: Literal["console", "json"] = Field("console", validation_alias="LEADWIRE_LOG_FORMAT")


Group = TypeVar("Group", bound=SettingsGroup)


class Settings:
    """All groups, each read when first asked for, so a command needs only what it uses."""

    @cached_property
    def kafka(self) -> KafkaSettings:
        return _read(KafkaSettings)

    @cached_property
    def database(self) -> DatabaseSettings:
        return _read(DatabaseSettings)

    @cached_property
    def objects(self) -> ObjectSettings:
        return _read(ObjectSettings)

    @cached_property
    def archive(self) -> ArchiveSettings:
        return _read(ArchiveSettings)

    @cached_property
    def cache(self) -> CacheSettings:
        return _read(CacheSettings)

    @cached_property
    def rates(self) -> RateSettings:
        return _read(RateSettings)

    @cached_property
    def security(self) -> SecuritySettings:
        return _read(SecuritySettings)

    @cached_property
    def backup(self) -> BackupSettings:
        return _read(BackupSettings)

    @cached_property
    def http(self) -> HttpSettings:
        return _read(HttpSettings)

    @cached_property
    def worker(self) -> WorkerSettings:
        return _read(WorkerSettings)

    @cached_property
    def alarms(self) -> AlarmSettings:
        return _read(AlarmSettings)

    @cached_property
    def logs(self) -> LogSettings:
        return _read(LogSettings)


GROUPS: Final = (
    KafkaSettings, DatabaseSettings, ObjectSettings, ArchiveSettings, CacheSettings, SecuritySettings, RateSettings,
    BackupSettings, HttpSettings, WorkerSettings, AlarmSettings, LogSettings,
)  # fmt: skip


def _read(group: type[Group]) -> Group:
    try:
        return group()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"setting {name}: {said}; see docs/settings.md" if name else said) from None
    except SettingsError as error:  # a list or an object that is not JSON
        wanted = (list[str], list[SecretStr], dict[str, int])
        names = ", ".join(str(f.validation_alias) for f in group.model_fields.values() if f.annotation in wanted)
        raise Misconfigured(f"setting {names}: {error}; write JSON, see docs/settings.md") from None
