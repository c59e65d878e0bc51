"""Ages that contradict each other are refused, and what follows from the others agrees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from schemas.history import AGGREGATES, TABLES
from schemas.settings_store import DatabaseSettings

DAY = timedelta(days=1)


def made(**values: object) -> DatabaseSettings:
    return DatabaseSettings.model_validate({f"LEADWIRE_{name}": value for name, value in values.items()})


def test_each_table_and_aggregate_is_kept_somehow() -> None:
    assert set(made().kept()) == {each.name for each in (*TABLES, *AGGREGATES)}


def test_busy_tables_have_shorter_chunks_than_episodes() -> None:
    kept = made().kept()
    assert kept["ecg_waveforms"].chunk < kept["ecg_metrics"].chunk < kept["ecg_rhythms"].chunk


def test_no_chunk_is_longer_than_its_table_is_kept() -> None:
    assert made(RETENTION_DAYS=3).kept()["ecg_rhythms"].chunk == 3 * DAY


@pytest.mark.parametrize("days", [4, 30, 365])
def test_what_is_dropped_is_never_refreshed_away(days: int) -> None:
    kept = made(RETENTION_DAYS=days).kept()
    for aggregate in AGGREGATES:
        window, retention = kept[aggregate.name].window, kept[aggregate.source].retention
        assert retention is None or (window is not None and window < retention)


def test_what_is_late_reaches_every_aggregate_that_is_built_on_another() -> None:
    kept = made(REFRESH_DAYS=20).kept()
    assert {kept[each.name].window for each in AGGREGATES if each.bucket <= DAY} == {20 * DAY}
    assert kept["presence_60days"].window == 180 * DAY


def test_with_an_archive_samples_are_not_dropped_by_age() -> None:
    kept = made().kept(archives=True)
    assert (kept["ecg_waveforms"].retention, kept["ecg_beats"].retention) == (None, 365 * DAY)


def test_coded_samples_go_into_the_columnstore_only_when_told_to() -> None:
    assert made().kept()["ecg_waveforms"].compress_after is None
    kept = made(TABLE_COMPRESS_AFTER_HOURS={"ecg_waveforms": 6}).kept()
    assert kept["ecg_waveforms"].compress_after == timedelta(hours=6)


def test_zero_is_never() -> None:
    kept = made(TABLE_COMPRESS_AFTER_HOURS={"ecg_beats": 0}, RETENTION_DAYS=0).kept()
    assert kept["ecg_beats"].compress_after is None
    assert (kept["ecg_metrics"].retention, kept["metrics_1min"].window) == (None, None)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"RETENTION_DAYS": 2}, "ecg_beats: it would go into the columnstore after 48 h, but is dropped after 2"),
        ({"TABLE_RETENTION_DAYS": {"ecg_metrics": 10}, "REFRESH_DAYS": 10}, "lower LEADWIRE_REFRESH_DAYS"),
        ({"TABLE_RETENTION_DAYS": {"metrics_1min": 15}, "REFRESH_DAYS": 20}, "metrics_1min: .* bring back"),
        ({"TABLE_REFRESH_DAYS": {"metrics_1h": 5}}, "metrics_1h: rows that metrics_1min still takes up late"),
        ({"REFRESH_DAYS": 2}, "metrics_1day: a refresh window of 2 days is too short"),
        ({"TABLE_RETENTION_DAYS": {"beats_1h": 3}}, "beats_1day is made of beats_1h, which is dropped after 3 days"),
        ({"TABLE_CHUNK_HOURS": {"ecg_hrv": 9999}}, "ecg_hrv: chunks of 9999 h are longer than the 365 days"),
        ({"TABLE_CHUNK_HOURS": {"ecg_beat": 4}}, "has ecg_beat: 4; name one of ecg_waveforms, ecg_beats"),
        ({"TABLE_REFRESH_DAYS": {"ecg_beats": 4}}, "has ecg_beats: 4; name one of metrics_1min"),
        ({"TABLE_RETENTION_DAYS": {"ecg_beats": -1}}, "has ecg_beats: -1; .* a number from 0 up"),
    ],
)
def test_contradictions_are_refused_with_a_remedy(values: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        made(**values)
