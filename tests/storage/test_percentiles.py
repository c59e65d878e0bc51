"""Percentiles are those of the rows, to the width of a bin, whichever aggregates they are put together from."""

from __future__ import annotations

import numpy as np
import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from storage.percentiles import SHARES, Figure, Percentiles, Piece, Step, percentile_trend, percentiles, pieces
from tests.storage import made
from tests.storage.made import Patient, a_patient, a_user, access_of, metrics_at, write_metrics

START_US = made.START_US + 400 * 86_400_000_000
"""A time of its own: what another test has refreshed hides no row of this one."""
SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
EVERY_S = 900
WIDTH: dict[Figure, float] = {"heart_rate": 1, "qtc": 5}


def drawn(count: int) -> dict[Figure, list[float | None]]:
    """Rates of two humps and a QTc with gaps."""
    random = np.random.default_rng(5)
    rates = np.where(random.random(count) < 0.3, random.normal(120, 9, count), random.normal(62, 4, count))
    qtc = random.normal(410, 22, count)
    return {"heart_rate": rates.tolist(), "qtc": [None if n % 5 == 0 else v for n, v in enumerate(qtc.tolist())]}


async def recorded(conn: AsyncConnection, figures: dict[Figure, list[float | None]]) -> Patient:
    """A row in fifteen minutes, each for as many seconds."""
    patient = await a_patient(conn, START_US)
    rows = [
        metrics_at(patient.recording, number * EVERY_S, heart_rate_bpm=rate, qtc_ms=qtc)
        for number, (rate, qtc) in enumerate(zip(figures["heart_rate"], figures["qtc"], strict=True))
    ]
    await write_metrics(conn, rows, patient.owner, EVERY_S)
    return patient


def expected(values: list[float | None]) -> list[float]:
    present = [value for value in values if value is not None]
    return list(np.percentile(present, SHARES, method="inverted_cdf"))


def shown(found: Percentiles) -> list[float]:
    return [found.p5, found.p25, found.p50, found.p75, found.p95]


@pytest.mark.parametrize("figure", WIDTH)
@pytest.mark.parametrize(("first", "last"), [(0, 400), (0, 4), (3, 7), (5, 390), (97, 193), (10, 11)])
async def test_they_are_those_of_the_rows(conn: AsyncConnection, figure: Figure, first: int, last: int) -> None:
    figures = drawn(400)
    patient = await recorded(conn, figures)
    span = START_US + first * EVERY_S * SECOND, START_US + last * EVERY_S * SECOND
    found = await percentiles(conn, patient.access, patient.device.device_id, *span, figure)
    values = figures[figure][first:last]
    if not any(value is not None for value in values):
        assert found is None
        return
    assert found is not None
    assert np.abs(np.subtract(shown(found), expected(values))).max() <= WIDTH[figure]
    assert found.seconds == EVERY_S * sum(value is not None for value in values)


@pytest.mark.parametrize(("step", "rows"), [("1h", 4), ("1day", 96)])
async def test_each_hour_and_day_has_its_own(conn: AsyncConnection, step: Step, rows: int) -> None:
    figures = drawn(192)
    patient = await recorded(conn, figures)
    span = START_US, START_US + 2 * DAY
    points = await percentile_trend(conn, patient.access, patient.device.device_id, *span, "heart_rate", step)
    assert len(points) == 192 // rows
    for number, point in enumerate(points):
        assert point.at == to_datetime(START_US + number * rows * EVERY_S * SECOND)
        values = figures["heart_rate"][number * rows : (number + 1) * rows]
        assert np.abs(np.subtract(shown(point.percentiles), expected(values))).max() <= 1


async def test_figures_beyond_the_last_bin_and_below_the_first_are_in_them(conn: AsyncConnection) -> None:
    patient = await recorded(conn, {"heart_rate": [5000.0, -3.0], "qtc": [1e6, 4.0]})
    found = await percentiles(conn, patient.access, patient.device.device_id, START_US, START_US + DAY, "heart_rate")
    assert found is not None
    assert (int(found.p5), int(found.p95)) == (0, 1000)


async def test_anothers_figures_are_not_told(conn: AsyncConnection) -> None:
    patient, stranger = await recorded(conn, drawn(8)), access_of(await a_user(conn))
    span = START_US, START_US + DAY
    assert await percentiles(conn, stranger, patient.device.device_id, *span, "qtc") is None
    assert await percentile_trend(conn, stranger, patient.device.device_id, *span, "qtc", "1h") == []


def test_a_period_is_read_from_the_longest_buckets_that_fit() -> None:
    start, end = START_US + 22 * HOUR + 5, START_US + 3 * DAY + HOUR + 7
    assert list(pieces(start, end)) == [
        Piece(start, START_US + 23 * HOUR, None),
        Piece(START_US + 23 * HOUR, START_US + DAY, "1h"),
        Piece(START_US + DAY, START_US + 3 * DAY, "1day"),
        Piece(START_US + 3 * DAY, START_US + 3 * DAY + HOUR, "1h"),
        Piece(START_US + 3 * DAY + HOUR, end, None),
    ]


def test_a_period_within_an_hour_is_read_from_the_rows() -> None:
    assert list(pieces(START_US + 5, START_US + 9)) == [Piece(START_US + 5, START_US + 9, None)]
    assert list(pieces(START_US, START_US)) == []
