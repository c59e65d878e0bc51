"""History: which tables grow without end, what is aggregated of them, and how long each is kept; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_AGGREGATE_COMPRESS_AFTER: Final = timedelta(days=3)
"""A device's hours lie side by side in the columnstore, each on a page of its own outside: 0.3 ms against 17."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that grows by time; its chunks are `chunk` times as long as those of ecg_metrics.

    At 5,000 devices a day brings some 500 million beats and 43 million stretches of samples, but only thousands of
    episodes: a chunk should fit into memory, and a year should not be thousands of chunks. Coded samples gain nothing
    in the columnstore, and one row of them would cost the unpacking of a thousand: they go there only if a setting says
    so.
    """

    name: str
    chunk: float
    columnstore: bool = True


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A continuous aggregate: its source (a table or another aggregate), its bucket, and its chunks as a table's.

    One that is `early` takes up the bucket of now, too, again and again: what all devices do in an hour that isn't over
    is hundreds of thousands of minutes to add up for everyone who asks.
    """

    name: str
    source: str
    bucket: timedelta
    chunk: float
    early: bool = False


TABLES: Final = (
    Table("ecg_waveforms", 0.5, columnstore=False),
    Table("ecg_beats", 0.5),
    Table("ecg_rhythms", 7),
    Table("ecg_metrics", 1),
    Table("ecg_hrv", 7),
)
AGGREGATES: Final = (
    Aggregate("metrics_1min", "ecg_metrics", timedelta(minutes=1), 2),
    Aggregate("metrics_1h", "metrics_1min", _HOUR, 7),
    Aggregate("metrics_1day", "metrics_1h", _DAY, 30),
    Aggregate("beats_1h", "ecg_beats", _HOUR, 7),
    Aggregate("beats_1day", "beats_1h", _DAY, 30),
    Aggregate("heart_rate_bins_1h", "ecg_metrics", _HOUR, 7),
    Aggregate("heart_rate_bins_1day", "heart_rate_bins_1h", _DAY, 30),
    Aggregate("qtc_bins_1h", "ecg_metrics", _HOUR, 7),
    Aggregate("qtc_bins_1day", "qtc_bins_1h", _DAY, 30),
    Aggregate("devices_1h", "metrics_1min", _HOUR, 7, early=True),
    Aggregate("devices_1day", "devices_1h", _DAY, 30, early=True),
    Aggregate("fleet_1h", "devices_1h", _HOUR, 90, early=True),
    Aggregate("fleet_1day", "devices_1day", _DAY, 360, early=True),
    Aggregate("fleet_labels_1h", "metrics_1min", _HOUR, 90, early=True),
    Aggregate("fleet_labels_1day", "fleet_labels_1h", _DAY, 360, early=True),
    Aggregate("fleet_rates_1h", "devices_1h", _HOUR, 90, early=True),
    Aggregate("fleet_rates_1day", "devices_1day", _DAY, 360, early=True),
    Aggregate("presence_60h", "devices_1h", 60 * _HOUR, 90, early=True),
    Aggregate("presence_60days", "devices_1day", 60 * _DAY, 360, early=True),
    Aggregate("fleet_beats_1h", "beats_1h", _HOUR, 90),
    Aggregate("fleet_beats_1day", "fleet_beats_1h", _DAY, 360),
)
"""In the order they are built on each other, which is the order to refresh them in."""

_BY_NAME: Final = {each.name: each for each in (*TABLES, *AGGREGATES)}


@dataclass(frozen=True, slots=True)
class Kept:
    """How one table or aggregate is kept; None is "never", and for the window "as far back as anything was late".

    Chunks of `chunk`; into the columnstore at the age `compress_after`; dropped at the age `retention`; an aggregate
    takes up rows that came late for `window`.
    """

    chunk: timedelta
    compress_after: timedelta | None
    retention: timedelta | None
    window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Ages:
    """What the settings say: a value for all, and others by the name of a table or an aggregate; 0 is "never"."""

    chunk_hours: int
    compress_after_hours: int
    retention_days: int
    refresh_days: int | None
    chunk_hours_of: Mapping[str, int]
    compress_after_hours_of: Mapping[str, int]
    retention_days_of: Mapping[str, int]
    refresh_days_of: Mapping[str, int]
    archives: bool = False


def kept(ages: Ages) -> dict[str, Kept]:
    """Each table and aggregate by its name. Raises ValueError for what contradicts itself, naming the remedy."""
    _check_names(ages)
    found: dict[str, Kept] = {}
    for table in TABLES:
        found[table.name] = _checked(table.name, _of_table(ages, table), ages)
    for aggregate in AGGREGATES:
        made = _checked(aggregate.name, _of_aggregate(ages, aggregate, found), ages)
        found[aggregate.name] = _window_checked(aggregate, made, found)
    return found


def _check_names(ages: Ages) -> None:
    allowed = {
        "LEADWIRE_TABLE_CHUNK_HOURS": (ages.chunk_hours_of, tuple(_BY_NAME), 1),
        "LEADWIRE_TABLE_COMPRESS_AFTER_HOURS": (ages.compress_after_hours_of, tuple(_BY_NAME), 0),
        "LEADWIRE_TABLE_RETENTION_DAYS": (ages.retention_days_of, tuple(_BY_NAME), 0),
        "LEADWIRE_TABLE_REFRESH_DAYS": (ages.refresh_days_of, tuple(each.name for each in AGGREGATES), 1),
    }
    for setting, (values, names, least) in allowed.items():
        for name, value in values.items():
            if name not in names or value < least:
                raise ValueError(
                    f"{setting} has {name}: {value}; name one of {', '.join(names)}, with a number from {least} up"
                )


def _of_table(ages: Ages, table: Table) -> Kept:
    retention = _age(ages.retention_days_of.get(table.name, ages.retention_days), _DAY)
    if table.name == "ecg_waveforms" and ages.archives:
        retention = None  # the archive drops what it has verified, and nothing else
    usual = ages.compress_after_hours if table.columnstore else 0
    compress = _age(ages.compress_after_hours_of.get(table.name, usual), _HOUR)
    return Kept(_chunk(ages, table, retention), compress, retention)


def _of_aggregate(ages: Ages, aggregate: Aggregate, found: Mapping[str, Kept]) -> Kept:
    retention = _age(ages.retention_days_of.get(aggregate.name, 0), _DAY)
    chunk = _chunk(ages, aggregate, retention)
    said = ages.compress_after_hours_of.get(aggregate.name)
    compress = _AGGREGATE_COMPRESS_AFTER if said is None else _age(said, _HOUR)
    if said is None and retention is not None and retention <= _AGGREGATE_COMPRESS_AFTER:
        compress = None
    days = ages.refresh_days_of.get(aggregate.name, ages.refresh_days)
    if days is not None:
        # A refresh needs some whole buckets: those of sixty days look back further.
        least = 3 * aggregate.bucket if aggregate.bucket > _DAY else timedelta(0)
        return Kept(chunk, compress, retention, max(days * _DAY, least))
    # Nothing is dropped before it is that old, so nothing that is gone is refreshed away, or comes back.
    lives = [age for age in (found[aggregate.source].retention, retention) if age is not None]
    return Kept(chunk, compress, retention, min(lives) - aggregate.bucket if lives else None)


def _chunk(ages: Ages, of: Table | Aggregate, retention: timedelta | None) -> timedelta:
    said = ages.chunk_hours_of.get(of.name)
    if said is not None:
        return said * _HOUR
    length = max(1, round(ages.chunk_hours * of.chunk)) * _HOUR
    return length if retention is None else min(length, retention)


def _age(count: int, unit: timedelta) -> timedelta | None:
    return count * unit if count else None


def _checked(name: str, made: Kept, ages: Ages) -> Kept:
    if made.retention is None:
        return made
    if made.chunk > made.retention:
        raise ValueError(
            f"{name}: chunks of {_hours(made.chunk)} h are longer than the {made.retention.days} days it is kept; "
            "lower LEADWIRE_TABLE_CHUNK_HOURS or raise LEADWIRE_TABLE_RETENTION_DAYS"
        )
    if made.compress_after is not None and made.compress_after >= made.retention:
        raise ValueError(
            f"{name}: it would go into the columnstore after {_hours(made.compress_after)} h, but is dropped after "
            f"{made.retention.days} days; raise LEADWIRE_RETENTION_DAYS (or its LEADWIRE_TABLE_RETENTION_DAYS), or "
            f"lower its LEADWIRE_TABLE_COMPRESS_AFTER_HOURS (0: never)"
        )
    return made


def _window_checked(aggregate: Aggregate, made: Kept, found: Mapping[str, Kept]) -> Kept:
    name, source = aggregate.name, found[aggregate.source]
    retention = source.retention
    if retention is not None and retention < 4 * aggregate.bucket:
        raise ValueError(
            f"{name} is made of {aggregate.source}, which is dropped after {retention.days} days; keep that for "
            f"{(4 * aggregate.bucket).days} days or more (LEADWIRE_TABLE_RETENTION_DAYS)"
        )
    if made.window is not None and made.window < 3 * aggregate.bucket:
        raise ValueError(
            f"{name}: a refresh window of {made.window.days} days is too short for buckets of a day; set "
            "LEADWIRE_REFRESH_DAYS (or its LEADWIRE_TABLE_REFRESH_DAYS) to 3 or more"
        )
    if made.window is not None and any(age is not None and made.window >= age for age in (retention, made.retention)):
        raise ValueError(
            f"{name}: a refresh of the last {made.window.days} days would erase or bring back what {aggregate.source} "
            "or itself has dropped by then; lower LEADWIRE_REFRESH_DAYS (or its LEADWIRE_TABLE_REFRESH_DAYS), or keep "
            "both for longer"
        )
    if made.window is not None and _is_aggregate(aggregate) and _is_behind(made.window + aggregate.bucket, source):
        raise ValueError(
            f"{name}: rows that {aggregate.source} still takes up late would never come into it; set its "
            "LEADWIRE_TABLE_REFRESH_DAYS to that of its source or more"
        )
    return made


def _is_aggregate(aggregate: Aggregate) -> bool:
    """Whether it is built on another aggregate: a table has no window of its own."""
    return isinstance(_BY_NAME[aggregate.source], Aggregate)


def _is_behind(window: timedelta, source: Kept) -> bool:
    return source.window is None or window < source.window


def _hours(length: timedelta) -> int:
    return length // _HOUR
