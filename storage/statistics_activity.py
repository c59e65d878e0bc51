"""Statistics of a period: what was recorded in each hour or day, from the continuous aggregates, never the rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from psycopg import AsyncConnection, sql

from schemas.statistics import ActivityPoint, BeatPoint, DevicePoint, LabelHours, RateShare, Reach, Recorder
from storage.dialects import View, between, is_plain
from storage.rows import fetch_all

Step = Literal["hour", "day"]

_DEVICES: Final[dict[Step, View]] = {"hour": "devices_1h", "day": "devices_1day"}
_FLEET: Final[dict[Step, View]] = {"hour": "fleet_1h", "day": "fleet_1day"}
_LABELS: Final[dict[Step, View]] = {"hour": "fleet_labels_1h", "day": "fleet_labels_1day"}
_RATES: Final[dict[Step, View]] = {"hour": "fleet_rates_1h", "day": "fleet_rates_1day"}
_BEATS: Final[dict[Step, View]] = {"hour": "fleet_beats_1h", "day": "fleet_beats_1day"}
_PRESENCE: Final[dict[Step, View]] = {"hour": "presence_60h", "day": "presence_60days"}
_ORIGIN: Final = datetime(2000, 1, 3, tzinfo=UTC)
"""From which both databases count their buckets."""

_BANDS: Final = (0, 40, 50, 60, 70, 80, 90, 100, 110, 120, 140, 160)
"""Where the bands of the heart-rate spread begin; the last has no end."""

_TOP: Final = 20


@dataclass(frozen=True, slots=True)
class Span:
    """Hours or days that begin in [start, end)."""

    start: datetime
    end: datetime
    step: Step

    @property
    def params(self) -> dict[str, object]:
        return {"start": self.start, "end": self.end}

    async def devices(self, conn: AsyncConnection) -> sql.Composed:
        """The hours or days of each device and its user, to select from."""
        return await between(conn, _DEVICES[self.step])

    async def fleet(self, conn: AsyncConnection) -> sql.Composed:
        """The hours or days of all devices together, a row for each, to select from."""
        return await between(conn, _FLEET[self.step])

    def bucket(self, column: str) -> sql.Composed:
        """The start of the hour or day that a moment lies in."""
        return sql.SQL("date_bin({length}::interval, {column}, timestamptz '2000-01-03 00:00Z')").format(
            length=sql.Literal(f"1 {self.step}"), column=sql.Identifier(*column.split("."))
        )


async def activity(conn: AsyncConnection, span: Span) -> list[ActivityPoint]:
    """Buckets with metrics, in order."""
    query = sql.SQL("""
        SELECT
            t.bucket AS at,
            t.users AS active_users,
            t.devices AS active_devices,
            (t.seconds / 3600.0)::float8 AS recorded_hours,
            t.heart_rate_sum / nullif(t.heart_rate_count, 0)::float8 AS heart_rate_mean,
            t.heart_rate_min,
            t.heart_rate_max,
            t.quality_sum / nullif(t.seconds, 0)::float8 AS quality_mean
        FROM {fleet} AS t
        ORDER BY t.bucket
    """).format(fleet=await span.fleet(conn))
    return await fetch_all(conn, ActivityPoint, query, span.params)


async def reach(conn: AsyncConnection, span: Span) -> Reach:
    """Of the whole span."""
    query = sql.SQL("""
        SELECT
            count(DISTINCT t.user_id) AS users,
            count(DISTINCT t.device_id) AS devices,
            (SELECT coalesce(sum(f.seconds) / 3600.0, 0)::float8 FROM {fleet} AS f) AS hours
        FROM {presence} AS t
        JOIN unnest(%(sixties)s::timestamptz[], %(masks)s::bigint[]) AS asked (bucket, mask) ON asked.bucket = t.bucket
        WHERE t.used & asked.mask <> 0
    """).format(fleet=await span.fleet(conn), presence=await between(conn, _PRESENCE[span.step], "first"))
    masks = _sixties(span)
    # A plain PostgreSQL makes the sixties of what begins in the period, and need not look at more.
    first = span.start if await is_plain(conn) else min(masks, default=span.start)
    params = {"first": first, "sixties": list(masks), "masks": list(masks.values())}
    [row] = await fetch_all(conn, Reach, query, {**span.params, **params})
    return row


def _sixties(span: Span) -> dict[datetime, int]:
    """The starts of the sixties of hours or days that the span touches, and a bit for each hour or day asked for."""
    length = timedelta(**{f"{span.step}s": 1})
    first, end = -((_ORIGIN - span.start) // length), -((_ORIGIN - span.end) // length)
    return {
        _ORIGIN + 60 * sixty * length: sum(
            1 << n % 60 for n in range(max(first, 60 * sixty), min(end, 60 * sixty + 60))
        )
        for sixty in range(first // 60, (end - 1) // 60 + 1)
    }


async def beats(conn: AsyncConnection, span: Span) -> list[BeatPoint]:
    """Buckets with beats, in order."""
    query = sql.SQL("""
        SELECT
            b.bucket AS at,
            b.beats,
            b.supraventricular,
            b.ventricular
        FROM {buckets} AS b
        ORDER BY b.bucket
    """).format(buckets=await between(conn, _BEATS[span.step]))
    return await fetch_all(conn, BeatPoint, query, span.params)


async def labels(conn: AsyncConnection, span: Span) -> list[LabelHours]:
    """Each label's hours, the largest share first."""
    query = sql.SQL("""
        SELECT t.arrhythmia_type AS label, (sum(t.seconds) / 3600.0)::float8 AS hours
        FROM {buckets} AS t
        GROUP BY t.arrhythmia_type
        ORDER BY hours DESC, label
    """).format(buckets=await between(conn, _LABELS[span.step]))
    return await fetch_all(conn, LabelHours, query, span.params)


async def rate_spread(conn: AsyncConnection, span: Span) -> list[RateShare]:
    """Hours (days, if the span steps by days) of a device in bands of their mean heart rate; empty bands are told."""
    query = sql.SQL("""
        SELECT
            band.from_bpm::integer AS from_bpm,
            nullif(band.to_bpm, 0) AS to_bpm,
            coalesce(found.seconds / 3600.0, 0)::float8 AS hours
        FROM unnest(%(from_bpm)s::float8[], %(to_bpm)s::int[]) WITH ORDINALITY AS band (from_bpm, to_bpm, number)
        LEFT JOIN (
            SELECT width_bucket(t.bin, %(from_bpm)s::float8[]) AS number, sum(t.seconds) AS seconds
            FROM {rates} AS t
            GROUP BY 1
        ) AS found ON found.number = band.number
        ORDER BY band.number
    """).format(rates=await between(conn, _RATES[span.step]))
    bands = {"from_bpm": [float(rate) for rate in _BANDS], "to_bpm": [*_BANDS[1:], 0]}
    return await fetch_all(conn, RateShare, query, {**span.params, **bands})


async def top_recorders(conn: AsyncConnection, span: Span) -> list[Recorder]:
    """The users who recorded most, deleted ones left out."""
    query = sql.SQL("""
        SELECT u.user_id, u.username, top.hours
        FROM (
            SELECT t.user_id, (sum(t.seconds) / 3600.0)::float8 AS hours
            FROM {devices} AS t
            WHERE t.user_id IS NOT NULL
            GROUP BY t.user_id
        ) AS top
        JOIN users AS u ON u.user_id = top.user_id
        WHERE u.deleted_at IS NULL
        ORDER BY top.hours DESC, u.user_id
        LIMIT %(top)s
    """).format(devices=await span.devices(conn))
    return await fetch_all(conn, Recorder, query, {**span.params, "top": _TOP})


async def device_points(conn: AsyncConnection, span: Span) -> list[DevicePoint]:
    """Buckets in which a device recorded or was registered, in order."""
    query = sql.SQL("""
        SELECT
            at,
            coalesce(made.new_devices, 0) AS new_devices,
            coalesce(used.active_devices, 0) AS active_devices,
            coalesce(used.recorded_hours, 0)::float8 AS recorded_hours
        FROM (
            SELECT
                t.bucket AS at,
                t.devices AS active_devices,
                (t.seconds / 3600.0)::float8 AS recorded_hours
            FROM {fleet} AS t
        ) AS used
        FULL JOIN (
            SELECT {bucket} AS at, count(*) AS new_devices
            FROM devices AS d
            WHERE d.registered_at >= %(start)s AND d.registered_at < %(end)s
            GROUP BY 1
        ) AS made USING (at)
        ORDER BY at
    """).format(fleet=await span.fleet(conn), bucket=span.bucket("d.registered_at"))
    return await fetch_all(conn, DevicePoint, query, span.params)
