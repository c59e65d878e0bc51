"""Schema, topics and bucket, made ready in one go."""

from __future__ import annotations

from dataclasses import dataclass

from leadwire.brokers import ensure_topics
from schemas.settings import Settings
from storage import migrate
from storage.objects import objects


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What was done now, and where things stand."""

    migrations: list[str]
    schema: str
    timescale: bool
    topics: list[str]


async def provision(settings: Settings) -> Provisioned:
    """Make what is missing; what is there stays. Raises Busy, Misconfigured."""
    report = await migrate.migrate(settings.database.url, settings.database, archives=settings.archive.enabled)
    made = await ensure_topics(settings.kafka)
    await objects(settings.objects, settings.security, settings.http).ensure()
    return Provisioned(report.applied, report.current, report.timescale, made)
