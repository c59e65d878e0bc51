"""Columns reach the server as the values they hold, NULLs where they are absent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from storage.arrays import (
    BIGINT,
    BYTEA,
    FLOAT8,
    INTEGER,
    SMALLINT,
    TEXT,
    UUIDS,
    Column,
    figures,
    moments,
    positions,
    uuids,
    whole,
)

US = 1_767_225_600_000_001
IDS = [UUID(int=1), UUID(int=2**127)]

CASES: list[tuple[str, Column, list[Any]]] = [
    ("smallint", Column(SMALLINT, np.array([-3, 7])), [-3, 7]),
    ("integer", Column(INTEGER, np.array([-3, 70_000])), [-3, 70_000]),
    ("bigint", Column(BIGINT, np.array([2**40, -1])), [2**40, -1]),
    ("float8", Column(FLOAT8, np.array([1 / 3, -0.0])), [1 / 3, 0.0]),
    ("float8", figures(np.array([np.nan, 2.5], np.float32)), [None, 2.5]),
    ("integer", whole(np.array([np.nan, 2.5, 3.5])), [None, 2, 4]),
    ("bigint", positions(np.array([5, -1])), [5, None]),
    ("timestamptz", moments(np.array([US, 0])), [to_datetime(US), to_datetime(0)]),
    ("uuid", Column(UUIDS, uuids([each.bytes for each in IDS])), IDS),
    ("uuid", Column(UUIDS, uuids([IDS[1].bytes, None]), np.array([False, True])), [IDS[1], None]),
    ("text", Column(TEXT, ["45°", None, "", "a,{}\"'"]), ["45°", None, "", "a,{}\"'"]),
    ("bytea", Column(BYTEA, [b"", b"\x00\xff"]), [b"", b"\x00\xff"]),
    ("bigint", Column(BIGINT, np.array([], np.int64)), []),
    ("text", Column(TEXT, []), []),
]


@pytest.mark.parametrize(("kind", "column", "values"), CASES, ids=lambda part: part if isinstance(part, str) else "")
async def test_a_column_is_the_array_of_its_values(
    conn: AsyncConnection, kind: str, column: Column, values: list[Any]
) -> None:
    cursor = await conn.execute("SELECT pg_typeof(%(it)s)::text, value FROM unnest(%(it)s) AS value", {"it": column})
    rows = await cursor.fetchall()
    names = {"float8": "double precision", "timestamptz": "timestamp with time zone"}
    assert [value for _, value in rows] == values
    assert {name for name, _ in rows} <= {f"{names.get(kind, kind)}[]"}
