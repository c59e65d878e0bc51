"""Topics, made with the right partitions and retention before anything is sent."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from leadwire.topic_settings import FoundTopic, configuration, differences
from processors.topic_counts import partition_counts
from schemas import topics
from schemas.errors import Busy, Misconfigured
from schemas.kafka import client_options
from schemas.settings import KafkaSettings

_TIMEOUT_MS: Final = 10_000
_VISIBLE_WITHIN_S: Final = 10.0


async def ensure_topics(settings: KafkaSettings) -> list[str]:
    """Make the topics that are missing; returns their names. Raises Busy when the broker is away."""
    missing = await missing_topics(settings)
    if missing:
        await _create(settings, missing)
        await _until_visible(settings)
    return missing


async def missing_topics(settings: KafkaSettings) -> list[str]:
    """Which of our topics are not there. Raises Busy."""
    present = await partition_counts(settings)
    return [name for name in topics.ALL if name not in present]


async def sample_partitions(settings: KafkaSettings) -> int:
    """The partition count of ecg.samples, as it was made. Raises Misconfigured when there is no such topic."""
    count = (await partition_counts(settings)).get(topics.SAMPLES)
    if not count:
        raise Misconfigured(f"topic {topics.SAMPLES} does not exist at {settings.bootstrap}; run `leadwire migrate`")
    return count


async def differing_topics(settings: KafkaSettings) -> list[str]:
    """What of our topics is not as the settings say, each with its remedy. Raises Busy, Misconfigured."""
    return [line for topic in await _found(settings) for line in differences(topic, settings)]


async def _found(settings: KafkaSettings) -> list[FoundTopic]:
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=_TIMEOUT_MS)
    try:
        await admin.start()
        described = await admin.describe_topics(list(topics.ALL))
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics.ALL]
        answers = await admin.describe_configs(asked)
    except KafkaError as error:
        raise Busy(f"Kafka at {settings.bootstrap} does not tell its topics ({error}); see that it runs") from error
    finally:
        await admin.close()
    told = dict(_configuration(resource) for answer in answers for resource in answer.resources)
    return [
        FoundTopic(each["topic"], len(each["partitions"]), _copies(each["partitions"]), told.get(each["topic"], {}))
        for each in described
    ]


def _configuration(resource: Any) -> tuple[str, dict[str, str]]:
    """Of one resource of Kafka's answer: error, its text, type, name, and the entries that begin with key and value."""
    code, _, _, name, entries = resource[:5]
    if code:
        raise Misconfigured(
            f"the configuration of {name} may not be read ({for_code(code).__name__}); "
            "give this principal DescribeConfigs on it, see docs/kafka-security.md"
        )
    return name, {entry[0]: entry[1] for entry in entries if entry[1] is not None}


def _copies(partitions: list[dict[str, Any]]) -> int:
    return min((len(partition["replicas"]) for partition in partitions), default=0)


async def _create(settings: KafkaSettings, names: list[str]) -> None:
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=_TIMEOUT_MS)
    try:
        await admin.start()
        answer = await admin.create_topics([_new_topic(name, settings) for name in names])
    except KafkaError as error:
        raise Busy(f"Kafka at {settings.bootstrap} made no topics ({error}); see that it runs") from error
    finally:
        await admin.close()
    for name, code, *_ in answer.topic_errors:
        kind = for_code(code)
        if code and kind is not TopicAlreadyExistsError:
            raise Misconfigured(
                f"topic {name} could not be made ({kind.__name__}); check the broker's rights and limits"
            )


async def _until_visible(settings: KafkaSettings) -> None:
    """A broker answers the making of a topic a moment before it knows of it. Raises Busy."""
    try:
        async with asyncio.timeout(_VISIBLE_WITHIN_S):
            while await missing_topics(settings):  # noqa: ASYNC110  # only asking tells
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Busy(
            f"Kafka at {settings.bootstrap} does not show the topics it made; try `leadwire migrate` again"
        ) from None


def _new_topic(name: str, settings: KafkaSettings) -> NewTopic:
    return NewTopic(
        name,
        num_partitions=settings.partitions,
        replication_factor=settings.replication,
        topic_configs=configuration(name, settings),
    )


async def cluster_id(settings: KafkaSettings) -> str | None:
    """What this cluster calls itself, by which it is known again; None when it can't be asked now."""
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=_TIMEOUT_MS)
    try:
        await admin.start()
        told = (await admin.describe_cluster()).get("cluster_id")
    except (KafkaError, OSError):
        return None
    finally:
        await admin.close()
    return str(told) if told else None
