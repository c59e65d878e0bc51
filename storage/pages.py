"""Lists by keyset: a page begins behind a row, not after a number of rows; numbered pages work a little way in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from psycopg import AsyncConnection, sql

from schemas import cursors
from schemas.cursors import Kind
from schemas.errors import Malformed
from schemas.pages import EXACT_TOTAL, MAX_OFFSET, Page, PageRequest
from storage.rows import Params

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Key:
    """What a list is sorted by: an expression that is never NULL, and its type."""

    expression: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Late:
    """What is looked up for the rows of the page alone: they are `page_rows` to the join."""

    columns: sql.Composable
    join: sql.SQL


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: FROM `source` WHERE `where`, in the total order of `order`, all of it ascending or all descending.

    `source` may name the parameters `page_reach` (how many rows in that order can matter) and `page_after_0`,
    `page_after_1` … (the cursor's keys, NULL without one) to cut down what it gives; `counted` is then the same rows
    without that, to count from.
    """

    columns: sql.Composable
    source: sql.Composable
    where: sql.Composable
    order: Sequence[Key]
    descending: bool = False
    late: Late | None = None
    counted: sql.Composable | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows a list has; an estimate where it was not counted to the end."""

    count: int
    is_exact: bool


_PAGE: Final = sql.SQL("""
    SELECT {keys}, {columns}
    FROM {source}
    WHERE {where} AND {after}
    ORDER BY {order}
    LIMIT %(page_limit)s OFFSET %(page_offset)s""")

_WITH_LATE: Final = sql.SQL("""
SELECT {keys}, {columns}
FROM ({page}
) AS page_rows
{join}
ORDER BY {order}""")


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """Rows, and the cursor of what follows them, None behind the last."""

    items: list[Row]
    next: str | None


async def fetch(
    conn: AsyncConnection, kind: Callable[..., Row], listing: Listing, page: PageRequest, params: Params
) -> Page[Row]:
    """One page, each row made a `kind` of its columns. Raises Malformed for a page too deep or a forged cursor."""
    part = await fetch_slice(conn, kind, listing, page, params)
    if part.next is None and page.after is None and (part.items or not page.offset):
        return Page(part.items, page.page, page.limit, page.offset + len(part.items))
    total = await _total(conn, listing, params)
    return Page(part.items, page.page, page.limit, total.count, total.is_exact, part.next)


async def fetch_slice(
    conn: AsyncConnection, kind: Callable[..., Row], listing: Listing, page: PageRequest, params: Params
) -> Slice[Row]:
    """The same rows, not counted."""
    if page.offset > MAX_OFFSET:
        raise Malformed(
            f"page: page {page.page} lies behind more than {MAX_OFFSET:,} items; follow `next` of each answer "
            "(after=…) instead, or narrow the list"
        )
    reach = page.offset + page.limit + 1
    asked = {**params, **_cursor(listing, page), "page_limit": page.limit + 1, "page_offset": page.offset}
    cursor = await conn.execute(_page_query(listing, page), {**asked, "page_reach": reach})
    rows = await cursor.fetchall()
    names = [column.name for column in cursor.description or ()]
    told = [(n, name) for n, name in enumerate(names) if not name.startswith("page_key_")]
    items = [kind(**{name: row[n] for n, name in told}) for row in rows[: page.limit]]
    width = len(listing.order)
    return Slice(items, cursors.encode(rows[page.limit - 1][:width]) if len(rows) > page.limit else None)


def _page_query(listing: Listing, page: PageRequest) -> sql.Composed:
    keys = [sql.SQL(f"{key.expression} AS page_key_{n}") for n, key in enumerate(listing.order)]
    query = _PAGE.format(
        keys=_listed(keys),
        columns=listing.columns,
        source=listing.source,
        where=listing.where,
        after=sql.SQL("true") if page.after is None else _after(listing),
        order=_sorted([sql.SQL(key.expression) for key in listing.order], listing),
    )
    if listing.late is None:
        return query
    kept = [sql.SQL(f"page_rows.page_key_{n}") for n in range(len(listing.order))]
    late = listing.late
    return _WITH_LATE.format(
        keys=_listed(kept), columns=late.columns, page=query, join=late.join, order=_sorted(kept, listing)
    )


def _after(listing: Listing) -> sql.Composed:
    """A comparison of rows: an index on the keys takes the database to the place at once."""
    return sql.SQL("({keys}) {beyond} ({values})").format(
        keys=_listed([sql.SQL(key.expression) for key in listing.order]),
        beyond=sql.SQL("<" if listing.descending else ">"),
        values=_listed([sql.SQL(f"%(page_after_{n})s::{key.kind}") for n, key in enumerate(listing.order)]),
    )


def _sorted(terms: Sequence[sql.SQL], listing: Listing) -> sql.Composed:
    return _listed([term + sql.SQL(" DESC") for term in terms] if listing.descending else terms)


def _listed(terms: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(terms)


def _cursor(listing: Listing, page: PageRequest) -> dict[str, object]:
    """The parameters `page_after_0` …, None without a cursor. Raises Malformed for a forged one."""
    kinds = [key.kind for key in listing.order]
    values = [None] * len(kinds) if page.after is None else cursors.decode(page.after, kinds)
    return {f"page_after_{n}": value for n, value in enumerate(values)}


async def _total(conn: AsyncConnection, listing: Listing, params: Params) -> Total:
    """Counted up to EXACT_TOTAL; beyond, what the planner makes of its statistics, and never less than that."""
    source = listing.source if listing.counted is None else listing.counted
    all_rows = sql.SQL("SELECT FROM {source} WHERE {where}").format(source=source, where=listing.where)
    bound = EXACT_TOTAL + 1
    given = {**params, "page_bound": bound}
    counting = sql.SQL("SELECT count(*) FROM ({rows} LIMIT %(page_bound)s) AS counted").format(rows=all_rows)
    [(count,)] = await (await conn.execute(counting, given)).fetchall()
    if count < bound:
        return Total(count, is_exact=True)
    [(plan,)] = await (await conn.execute(sql.SQL("EXPLAIN (FORMAT JSON) ") + all_rows, given)).fetchall()
    return Total(max(bound, _planned_rows(plan)), is_exact=False)


def _planned_rows(plan: Any) -> int:
    return int(plan[0]["Plan"]["Plan Rows"])
