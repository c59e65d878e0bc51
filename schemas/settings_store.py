"""Settings of the store: database, objects, archive, cache and backups."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from schemas import history
from schemas.settings_group import SettingsGroup


class DatabaseSettings(SettingsGroup):
    """PostgreSQL, with or without TimescaleDB."""

    url: str = Field("postgresql://leadwire@127.0.0.1:5432/leadwire", validation_alias="DATABASE_URL")
    reader_url: str | None = Field(None, validation_alias="LEADWIRE_READER_DATABASE_URL")
    reader_password: SecretStr | None = Field(None, validation_alias="LEADWIRE_READER_PASSWORD")
    auditor_url: str | None = Field(None, validation_alias="LEADWIRE_AUDITOR_DATABASE_URL")
    auditor_password: SecretStr | None = Field(None, validation_alias="LEADWIRE_AUDITOR_PASSWORD")
    audit_repeat_s: float = Field(900, ge=0, validation_alias="LEADWIRE_AUDIT_REPEAT_S")
    audit_queue: int = Field(10_000, ge=1, validation_alias="LEADWIRE_AUDIT_QUEUE")
    pool_size: int = Field(20, ge=1, validation_alias="DATABASE_POOL_SIZE")
    max_overflow: int = Field(40, ge=0, validation_alias="DATABASE_MAX_OVERFLOW")
    chunk_hours: int = Field(24, ge=1, validation_alias="LEADWIRE_CHUNK_HOURS")
    compress_after_hours: int = Field(48, ge=0, validation_alias="LEADWIRE_COMPRESS_AFTER_HOURS")
    retention_days: int = Field(365, ge=0, validation_alias="LEADWIRE_RETENTION_DAYS")
    refresh_days: int | None = Field(None, ge=1, validation_alias="LEADWIRE_REFRESH_DAYS")
    table_chunk_hours: dict[str, int] = Field(default_factory=dict, validation_alias="LEADWIRE_TABLE_CHUNK_HOURS")
    table_compress_after_hours: dict[str, int] = Field(
        default_factory=dict, validation_alias="LEADWIRE_TABLE_COMPRESS_AFTER_HOURS"
    )
    table_retention_days: dict[str, int] = Field(default_factory=dict, validation_alias="LEADWIRE_TABLE_RETENTION_DAYS")
    table_refresh_days: dict[str, int] = Field(default_factory=dict, validation_alias="LEADWIRE_TABLE_REFRESH_DAYS")

    @field_validator("refresh_days", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    def kept(self, *, archives: bool = False) -> dict[str, history.Kept]:
        """How each growing table and each aggregate is kept, by its name; `archives` as LEADWIRE_ARCHIVE says."""
        return history.kept(
            history.Ages(
                chunk_hours=self.chunk_hours,
                compress_after_hours=self.compress_after_hours,
                retention_days=self.retention_days,
                refresh_days=self.refresh_days,
                chunk_hours_of=self.table_chunk_hours,
                compress_after_hours_of=self.table_compress_after_hours,
                retention_days_of=self.table_retention_days,
                refresh_days_of=self.table_refresh_days,
                archives=archives,
            )
        )

    @model_validator(mode="after")
    def _agreeing(self) -> DatabaseSettings:
        """Ages that contradict each other are refused."""
        self.kept()
        return self


ObjectService = Literal["local", "s3", "azure", "gcs"]


class ObjectSettings(SettingsGroup):
    """Where reports and archives rest: a folder, S3, Azure Blob Storage or Google Cloud Storage."""

    chosen: ObjectService | None = Field(None, validation_alias="LEADWIRE_OBJECTS")
    folder: Path | None = Field(None, validation_alias="LEADWIRE_OBJECTS_DIR")
    endpoint: str | None = Field(None, validation_alias="LEADWIRE_S3_ENDPOINT")
    public_endpoint: str | None = Field(None, validation_alias="LEADWIRE_S3_PUBLIC_ENDPOINT")
    ca_file: Path | None = Field(None, validation_alias="LEADWIRE_S3_CA_FILE")
    access_key_id: str | None = Field(None, validation_alias="AWS_ACCESS_KEY_ID")
    secret_access_key: SecretStr | None = Field(None, validation_alias="AWS_SECRET_ACCESS_KEY")
    region: str = Field("us-east-1", validation_alias="AWS_REGION")
    bucket: str = Field("ecg-reports-bucket", validation_alias="AWS_S3_BUCKET")
    azure_account: str | None = Field(None, validation_alias="AZURE_STORAGE_ACCOUNT")
    azure_key: SecretStr | None = Field(None, validation_alias="AZURE_STORAGE_KEY")
    azure_container: str = Field("ecg-reports", validation_alias="AZURE_STORAGE_CONTAINER")
    azure_endpoint: str | None = Field(None, validation_alias="LEADWIRE_AZURE_ENDPOINT")
    azure_public_endpoint: str | None = Field(None, validation_alias="LEADWIRE_AZURE_PUBLIC_ENDPOINT")
    gcs_credentials: Path | None = Field(None, validation_alias="GOOGLE_APPLICATION_CREDENTIALS")
    gcs_bucket: str | None = Field(None, validation_alias="LEADWIRE_GCS_BUCKET")
    gcs_location: str | None = Field(None, validation_alias="LEADWIRE_GCS_LOCATION")
    gcs_endpoint: str | None = Field(None, validation_alias="LEADWIRE_GCS_ENDPOINT")
    gcs_public_endpoint: str | None = Field(None, validation_alias="LEADWIRE_GCS_PUBLIC_ENDPOINT")
    url_expires_s: int = Field(3600, ge=1, le=604800, validation_alias="LEADWIRE_URL_EXPIRES_S")

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object, info: ValidationInfo) -> object:
        return cls.model_fields[str(info.field_name)].default if value == "" else value

    @property
    def service(self) -> ObjectService | None:
        """The store that is meant: the one chosen, or the one that is set; None when there is none."""
        return self.chosen or next((name for name, is_meant in self._meant.items() if is_meant), None)

    @property
    def _meant(self) -> dict[ObjectService, bool]:
        """Which stores something is set of that would be set for nothing else."""
        return {
            "local": self.folder is not None,
            "s3": self.access_key_id is not None or self.secret_access_key is not None,
            "azure": self.azure_account is not None or self.azure_key is not None,
            "gcs": self.gcs_bucket is not None,
        }

    @model_validator(mode="after")
    def _one_and_whole(self) -> ObjectSettings:
        meant = [name for name, is_meant in self._meant.items() if is_meant]
        if self.chosen is None and len(meant) > 1:
            several = ", ".join(_NEEDED_OF_STORES[name][0] for name in meant)
            raise ValueError(
                f"the settings of {len(meant)} object stores are there ({several}); say which with LEADWIRE_OBJECTS="
                f"{' or '.join(meant)}, or unset the others"
            )
        values: dict[str, object] = {
            str(field.validation_alias): getattr(self, name) for name, field in self.__class__.model_fields.items()
        }
        needed = _NEEDED_OF_STORES[self.service] if self.service else ()
        missing = [name for name in needed if values[name] is None]
        if missing:
            raise ValueError(
                f"objects go to {self.service}, and {' and '.join(missing)} is not set; set it, or set "
                "LEADWIRE_OBJECTS to another store"
            )
        return self


_NEEDED_OF_STORES: Final[dict[ObjectService, tuple[str, ...]]] = {
    "local": ("LEADWIRE_OBJECTS_DIR",),
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "azure": ("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY"),
    "gcs": ("LEADWIRE_GCS_BUCKET", "GOOGLE_APPLICATION_CREDENTIALS"),
}
"""What a store can't do without; the first name tells which one is meant."""


class ArchiveSettings(SettingsGroup):
    """When samples move into the object store, and when they leave the database."""

    enabled: bool = Field(False, validation_alias="LEADWIRE_ARCHIVE")
    after_hours: float = Field(2, ge=0, validation_alias="LEADWIRE_ARCHIVE_AFTER_HOURS")
    hot_days: float = Field(7, ge=0, validation_alias="LEADWIRE_HOT_DAYS")
    cache_mb: int = Field(128, ge=0, validation_alias="LEADWIRE_ARCHIVE_CACHE_MB")

    @property
    def cache_bytes(self) -> int:
        return self.cache_mb * 2**20


class CacheSettings(SettingsGroup):
    """Redis, which several processes share; without it each keeps its own cache and counts."""

    redis_url: SecretStr | None = Field(None, validation_alias="LEADWIRE_REDIS_URL")  # it may hold a password
    seed_redis_url: SecretStr | None = Field(None, validation_alias="REDIS_URL")
    session_s: float = Field(86_400, ge=0, validation_alias="LEADWIRE_CACHE_SESSION_S")
    profile_s: float = Field(3_600, ge=0, validation_alias="LEADWIRE_CACHE_PROFILE_S")
    reports_s: float = Field(900, ge=0, validation_alias="LEADWIRE_CACHE_REPORTS_S")
    statistics_s: float = Field(300, ge=0, validation_alias="LEADWIRE_CACHE_STATISTICS_S")

    @model_validator(mode="before")
    @classmethod
    def _either_name(cls, told: object) -> object:
        """REDIS_URL is the seed system's name; ours goes first."""
        if isinstance(told, dict) and not told.get("LEADWIRE_REDIS_URL") and told.get("REDIS_URL"):
            return told | {"LEADWIRE_REDIS_URL": told["REDIS_URL"]}
        return told

    @field_validator("redis_url", "seed_redis_url", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("redis_url")
    @classmethod
    def _only_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("this is no URL of a Redis; write redis://host:6379/0, or rediss:// for TLS")
        return value


class BackupSettings(SettingsGroup):
    """How old the newest backup may be before the doctor says so; 0 is any age."""

    max_age_hours: float = Field(48, ge=0, validation_alias="LEADWIRE_BACKUP_MAX_AGE_HOURS")
