"""Cloud files: what else rests in the object store for a user, listed together with the reports."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.errors import NotFound
from schemas.files import CloudFile, FileKind, UploadedFile
from schemas.pages import Page, PageRequest
from storage import object_removals, pages
from storage.access import Access
from storage.pages import Key, Listing
from storage.rows import fetch_one, given, where
from storage.uploads import Claim

StoredKind = Literal["file", "user_signup"]

_COLUMNS: Final = sql.SQL("""
    c.file_id, c.user_id, c.kind, c.filename, c.file_path_s3, c.file_size, c.file_type,
    encode(c.sha256, 'hex') AS sha256, c.cloud_service, c.cloud_url, c.created_at, c.uploaded_at""")

_REPORTS: Final = sql.SQL("""
    SELECT
        p.report_id AS file_id, p.user_id, 'report'::varchar AS kind, p.filename, p.file_path_s3, p.file_size,
        p.file_type, p.sha256, p.cloud_service, p.cloud_url, p.created_at, p.uploaded_at
    FROM ecg_reports AS p
    WHERE p.upload_status = 'uploaded' AND p.file_path_s3 IS NOT NULL AND p.deleted_at IS NULL""")

_OTHERS: Final = sql.SQL("""
    SELECT
        f.file_id, f.user_id, f.kind, f.filename, f.file_path_s3, f.file_size, f.file_type,
        f.sha256, f.cloud_service, f.cloud_url, f.created_at, f.uploaded_at
    FROM cloud_files AS f
    WHERE f.upload_status = 'uploaded' AND f.deleted_at IS NULL""")

_FILES: Final = sql.SQL("(") + _REPORTS + sql.SQL("\n    UNION ALL") + _OTHERS + sql.SQL("\n)")
"""Everything that rests in the object store: reports, whoever made them, and cloud_files."""

_CONFLICTS: Final[dict[StoredKind, sql.SQL]] = {
    "file": sql.SQL("(user_id, sha256) WHERE kind = 'file' AND deleted_at IS NULL"),
    "user_signup": sql.SQL("(user_id) WHERE kind = 'user_signup' AND deleted_at IS NULL"),
}


async def claim(
    conn: AsyncConnection, file_id: UUID, kind: StoredKind, key: str, file: UploadedFile, at: datetime
) -> Claim:
    """A pending row under `file_id` and `key`, or the one there is: of the same file, or the user's signup record."""
    query = sql.SQL("""
        INSERT INTO cloud_files AS c (
            file_id, user_id, kind, filename, file_path_s3, file_size, file_type, sha256, uploaded_by, created_at
        )
        VALUES (
            %(file_id)s, %(user_id)s, %(kind)s, %(filename)s, %(key)s, %(file_size)s, %(file_type)s, %(sha256)s,
            %(uploaded_by)s, %(at)s
        )
        ON CONFLICT {conflict} DO UPDATE
        SET
            upload_status = 'pending',
            filename = EXCLUDED.filename,
            file_size = EXCLUDED.file_size,
            sha256 = EXCLUDED.sha256,
            uploaded_by = EXCLUDED.uploaded_by
        WHERE c.upload_status <> 'uploaded'
        RETURNING c.file_id, c.file_path_s3
    """).format(conflict=_CONFLICTS[kind])
    params = {**asdict(file), "file_id": file_id, "kind": kind, "key": key, "at": at}
    claimed = await (await conn.execute(query, params)).fetchone()
    return Claim(claimed[0], claimed[1], False) if claimed else await _done(conn, kind, file)


async def _done(conn: AsyncConnection, kind: StoredKind, file: UploadedFile) -> Claim:
    cursor = await conn.execute(
        """
        SELECT file_id, file_path_s3
        FROM cloud_files
        WHERE user_id = %(user_id)s AND kind = %(kind)s AND (kind = 'user_signup' OR sha256 = %(sha256)s)
        ORDER BY deleted_at DESC NULLS FIRST
        LIMIT 1
        """,
        {"user_id": file.user_id, "kind": kind, "sha256": file.sha256},
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("a row that stood in the way is not there")  # rows are marked as deleted, never removed
    return Claim(row[0], row[1], True)


async def finish(
    conn: AsyncConnection, file_id: UUID, cloud_service: str, cloud_url: str, at: datetime
) -> CloudFile | None:
    """Mark a claimed file as uploaded: its object is there. None if another was quicker, or it was deleted.

    The object of one that was deleted meanwhile is put down for removal.
    """
    query = sql.SQL("""
        UPDATE cloud_files AS c
        SET
            upload_status = 'uploaded',
            cloud_service = %(cloud_service)s,
            cloud_url = %(cloud_url)s,
            uploaded_at = %(at)s
        WHERE c.file_id = %(file_id)s AND c.upload_status <> 'uploaded' AND c.deleted_at IS NULL
        RETURNING {columns}
    """).format(columns=_COLUMNS)
    params = {"file_id": file_id, "cloud_service": cloud_service, "cloud_url": cloud_url, "at": at}
    finished = await fetch_one(conn, CloudFile, query, params)
    if finished is None:
        await _remove_object_of_deleted(conn, file_id)
    return finished


async def fail(conn: AsyncConnection, file_id: UUID) -> None:
    """Mark a claimed file as failed; one that is uploaded stays so."""
    await conn.execute(
        "UPDATE cloud_files SET upload_status = 'failed' WHERE file_id = %s AND upload_status = 'pending'", [file_id]
    )


async def cloud_file(conn: AsyncConnection, access: Access, file_id: UUID) -> CloudFile:
    """One file that rests in the store, a report's included. Raises NotFound."""
    query = sql.SQL("""
        SELECT {columns}
        FROM {files} AS c
        WHERE c.file_id = %(file_id)s AND {scope}
    """).format(columns=_COLUMNS, files=_FILES, scope=access.clause("c.user_id"))
    found = await fetch_one(conn, CloudFile, query, {**access.params, "file_id": file_id})
    if found is None:
        raise NotFound(f"no file {file_id} among those you may see; list them with GET cloud/files")
    return found


async def list_files(
    conn: AsyncConnection,
    access: Access,
    page: PageRequest,
    user_id: UUID | None = None,
    kind: FileKind | None = None,
) -> Page[CloudFile]:
    """Files that rest in the store, reports included, newest first; of one user or one kind if given."""
    listing = Listing(
        columns=_COLUMNS,
        source=_NEWEST.format(
            reports=_part(_REPORTS, access, user_id, kind), files=_part(_OTHERS, access, user_id, kind)
        ),
        counted=sql.SQL("{files} AS c").format(files=_FILES),
        where=_wanted(access, user_id, kind),
        order=(Key("c.created_at", "timestamptz"), Key("c.file_id", "uuid")),
        descending=True,
    )
    params = {**access.params, "user_id": user_id, "kind": kind}
    return await pages.fetch(conn, CloudFile, listing, page, params)


def _part(rows: sql.SQL, access: Access, user_id: UUID | None, kind: FileKind | None) -> sql.Composed:
    return _NEWEST_PART.format(rows=rows, wanted=_wanted(access, user_id, kind))


def _wanted(access: Access, user_id: UUID | None, kind: FileKind | None) -> sql.Composed:
    return where(
        access.clause("c.user_id"),
        given(user_id, "c.user_id = %(user_id)s"),
        given(kind, "c.kind = %(kind)s"),
    )


_NEWEST_PART: Final = sql.SQL("""(
        SELECT *
        FROM ({rows}) AS c
        WHERE {wanted}
            AND (c.created_at, c.file_id) < (
                coalesce(%(page_after_0)s::timestamptz, 'infinity'),
                coalesce(%(page_after_1)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            )
        ORDER BY c.created_at DESC, c.file_id DESC
        LIMIT %(page_reach)s
    )""")

_NEWEST: Final = sql.SQL("""(
    {reports}
    UNION ALL
    {files}
) AS c""")
"""The newest of either, each by its own table's index: of both together the database would sort every row."""


async def delete_file(conn: AsyncConnection, file_id: UUID, at: datetime) -> None:
    """Take a file of cloud_files out of sight at `at` and put its object down for removal."""
    await conn.execute(
        "UPDATE cloud_files SET deleted_at = %s WHERE file_id = %s AND deleted_at IS NULL", [at, file_id]
    )
    await _remove_object_of_deleted(conn, file_id)


async def _remove_object_of_deleted(conn: AsyncConnection, file_id: UUID) -> None:
    cursor = await conn.execute(
        "SELECT file_path_s3 FROM cloud_files WHERE file_id = %s AND deleted_at IS NOT NULL", [file_id]
    )
    for (key,) in await cursor.fetchall():
        await object_removals.add(conn, key)
