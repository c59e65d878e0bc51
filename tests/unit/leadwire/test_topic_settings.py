"""Topics are made for samples that must not be lost, and what differs later is told with the remedy."""

from __future__ import annotations

import pytest

from leadwire.topic_settings import FoundTopic, configuration, differences, in_sync
from schemas import topics
from schemas.settings import KafkaSettings


def settings(**given: object) -> KafkaSettings:
    return KafkaSettings.model_validate({"bootstrap": "kafka:9092", "partitions": 8, **given})


def as_made(made_by: KafkaSettings, name: str = topics.SAMPLES) -> FoundTopic:
    return FoundTopic(name, made_by.partitions, made_by.replication, configuration(name, made_by))


@pytest.mark.parametrize(("replication", "least"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2)])
def test_one_copy_may_be_away_and_of_three_two_have_it(replication: int, least: int) -> None:
    assert in_sync(replication) == least


@pytest.mark.parametrize("name", topics.ALL)
def test_no_topic_is_compacted_and_each_takes_the_largest_block(name: str) -> None:
    made = configuration(name, settings())
    assert made["cleanup.policy"] == "delete"
    assert int(made["max.message.bytes"]) >= 60 * 1000 * 12 * 2


def test_only_samples_carry_the_broker_s_clock() -> None:
    stamped = [name for name in topics.ALL if "message.timestamp.type" in configuration(name, settings())]
    assert stamped == [topics.SAMPLES]


def test_a_topic_may_be_kept_longer_or_smaller_than_the_others() -> None:
    given = settings(topic_hours={topics.REJECTS: 720}, topic_bytes={topics.SAMPLES: 10**9}, retention_bytes=5)
    rejects, samples = configuration(topics.REJECTS, given), configuration(topics.SAMPLES, given)
    assert (rejects["retention.ms"], rejects["retention.bytes"]) == (str(720 * 3_600_000), "5")
    assert (samples["retention.ms"], samples["retention.bytes"]) == (str(72 * 3_600_000), str(10**9))


def test_a_topic_as_it_was_made_differs_in_nothing() -> None:
    assert differences(as_made(settings()), settings()) == []


def test_a_difference_is_told_with_the_command_that_mends_it() -> None:
    [told] = differences(as_made(settings()), settings(retention_hours=1))
    assert told == (
        "ecg.samples has retention.ms=259200000: run kafka-configs.sh --bootstrap-server kafka:9092 --alter "
        "--entity-type topics --entity-name ecg.samples --add-config retention.ms=3600000"
    )


def test_the_partition_count_is_told_but_never_to_be_changed() -> None:
    [told] = differences(as_made(settings()), settings(partitions=16))
    assert told.endswith("set LEADWIRE_KAFKA_PARTITIONS=8")


def test_what_a_broker_does_not_tell_is_passed_over() -> None:
    assert differences(FoundTopic(topics.BEATS, 8, 1, {}), settings()) == []
