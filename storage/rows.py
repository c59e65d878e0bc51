"""Rows: a list as one array per column, at most one row of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias, TypeVar

from psycopg import AsyncConnection, sql
from psycopg.rows import BaseRowFactory, kwargs_row

Row = TypeVar("Row")
Query: TypeAlias = sql.SQL | sql.Composed
Params: TypeAlias = Mapping[str, object]


def columns(rows: Iterable[Mapping[str, object]]) -> dict[str, list[object]]:
    """One array per column, for INSERT … SELECT FROM unnest(…); {} for no rows."""
    arrays: dict[str, list[object]] = {}
    for row in rows:
        for name, value in row.items():
            arrays.setdefault(name, []).append(value)
    return arrays


def as_float(value: float | None) -> float | None:
    """A plain float: psycopg refuses an array that mixes them with ints."""
    return None if value is None else float(value)


def array_text(values: Iterable[object]) -> str:
    """An array in PostgreSQL's own text form, for values that hold no comma, quote or brace (or are quoted already).

    As the element of an array, too: unnest() would take an array of arrays apart to its last element.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def where(*terms: sql.Composable | None) -> sql.Composed:
    """The terms that are there, joined by AND; one that is None asks for nothing.

    A filter that isn't given is left out, and not made to pass everything by its value: the plan fits what is asked.
    """
    return sql.SQL(" AND ").join([term for term in terms if term is not None])


def given(value: object, term: str) -> sql.SQL | None:
    """The term for where(), None without a value for it."""
    return None if value is None else sql.SQL(term)


async def fetch_all(conn: AsyncConnection, kind: Callable[..., Row], query: Query, params: Params) -> list[Row]:
    """Every row as a `kind`, whose fields (or parameters) are the query's columns."""
    return await _fetch(conn, kwargs_row(kind), query, params)


async def fetch_one(conn: AsyncConnection, kind: Callable[..., Row], query: Query, params: Params) -> Row | None:
    """The first row as a `kind`, or None."""
    rows = await fetch_all(conn, kind, query, params)
    return rows[0] if rows else None


async def _fetch(conn: AsyncConnection, factory: BaseRowFactory[Row], query: Query, params: Params) -> list[Row]:
    async with conn.cursor(row_factory=factory) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()
