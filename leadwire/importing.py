"""The old system's JSON files into the tables: what is there is skipped, and a bad entry stops no other."""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Final
from uuid import UUID

from leadwire import import_files
from leadwire.import_files import Found
from leadwire.import_report import ImportReport, Outcome, State
from leadwire.import_rows import OldReport, OldUpload, OldUser, Unusable, report_of, upload_of, user_of
from schemas.clock import now
from schemas.settings import Settings
from storage import audit, imports
from storage.database import Database, writer
from storage.object_keys import imported_report_key
from storage.objects import Objects, objects
from web.tokens import hash_password

ACTOR: Final = "leadwire import-json"
MAX_FILE_BYTES: Final = 256 * 2**20

OnProgress = Callable[[int, int], None]
"""Hears how many entries of how many are done."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Takes one entry after the other; with `dry_run` everything is looked at and nothing written.

    `nobodys_hash` is the hash of a password that was forgotten at once: with it nobody can log in until an admin has
    set one. `planned` holds, in lower case, the names of users that a dry run would have made.
    """

    database: Database
    store: Objects
    folder: Path
    nobodys_hash: str
    planned: set[str]
    dry_run: bool

    async def take(self, found: Found) -> Outcome:
        """What became of one entry. Raises Busy when a server is away: run the import again and it goes on."""
        if found.entry is None:
            return Outcome(found.kind, str(found.file.name), found.where, "", "skipped", found.problem)
        try:
            if found.kind == "user":
                return await self._user(found, user_of(found.entry))
            if found.kind == "upload":
                return await self._upload(found, upload_of(found.entry))
            return await self._report(found, report_of(found.entry, _stem(found)))
        except Unusable as error:
            return Outcome(found.kind, str(found.file.name), found.where, "", "skipped", str(error), found.entry.notes)

    async def _user(self, found: Found, old: OldUser) -> Outcome:
        notes = list(old.notes)
        async with self.database.transaction() as conn:
            if await imports.is_there(conn, "users", old.user_id):
                return _outcome(found, old.username, "there", None, notes)
            taken = await imports.taken(conn, old.username, old.email, old.serial_number)
            if "username" in taken:
                return _outcome(found, old.username, "there", "a user of this name is here, and stays as it is", notes)
            for name in sorted(taken):
                old = replace(old, **{name: None})  # type: ignore[arg-type]  # email or serial_number
                notes.append(f"{name} is another user's and was left out")
            if old.password_hash is None:
                notes.append("no password that can be used; set one with leadwire user set-password")
            row = asdict(old) | {"password_hash": old.password_hash or self.nobodys_hash}
            self.planned.add(old.username.lower())
            if not self.dry_run and await imports.insert(conn, "users", row):
                await audit.append(conn, ACTOR, "user.import", str(old.user_id), None, now(), patient_id=old.user_id)
        return _outcome(found, old.username, "imported", None, notes)

    async def _upload(self, found: Found, old: OldUpload) -> Outcome:
        notes = list(old.notes)
        async with self.database.transaction() as conn:
            if await imports.is_there(conn, "upload_logs", old.log_id):
                return _outcome(found, old.filename, "there", None, notes)
            owner_id = await imports.owner(conn, old.username, old.serial_number)
            self._note_owner(owner_id, old.username, notes)
            row = asdict(old) | {"owner_id": owner_id}
            if not self.dry_run and await imports.insert(conn, "upload_logs", row):
                subject = str(old.log_id)
                await audit.append(conn, ACTOR, "upload_log.import", subject, None, now(), patient_id=owner_id)
        return _outcome(found, old.filename, "imported", None, notes)

    async def _report(self, found: Found, old: OldReport) -> Outcome:
        notes = list(old.notes)
        async with self.database.transaction() as conn:
            if await imports.is_there(conn, "ecg_reports", old.report_id):
                return _outcome(found, old.filename, "there", None, notes)
            owner_id = await imports.owner(conn, old.username, old.machine_serial)
        self._note_owner(owner_id, old.username, notes)
        stored = await self._store_file(found, old, notes)
        row = asdict(old) | stored | {"owner_id": owner_id}
        if not self.dry_run:
            async with self.database.transaction() as conn:
                if await imports.insert(conn, "ecg_reports", row):
                    subject = str(old.report_id)
                    await audit.append(conn, ACTOR, "report.import", subject, None, now(), patient_id=owner_id)
        return _outcome(found, old.filename, "imported", None, notes)

    async def _store_file(self, found: Found, old: OldReport, notes: list[str]) -> dict[str, object]:
        """Put the file that lies beside the metadata into the store; the columns that tell where it is now."""
        file = beside(self.folder, found.file, old.filename)
        if file is None:
            there = old.cloud_url is not None and old.upload_status == "uploaded"
            notes.append("its file is not here" + ("; it stays where its cloud_url says" if there else ""))
            status = "uploaded" if there else "failed"
            none = {"key": None, "file_size": None, "sha256": None}
            return {**none, "upload_status": status, "cloud_service": old.cloud_service}
        suffix = file.suffix.lower() if file.suffix[1:].isalnum() and file.suffix.isascii() else ""
        key = imported_report_key(old.report_id, suffix)
        data = file.read_bytes()
        if not self.dry_run:
            await self.store.put(key, data, mimetypes.guess_type(file.name)[0] or "application/octet-stream")
        told: dict[str, object] = {"key": key, "file_size": len(data), "upload_status": "uploaded"}
        told["sha256"] = hashlib.sha256(data).digest()
        return told | {"cloud_service": self.store.service, "cloud_url": None, "uploaded_at": old.uploaded_at or now()}

    def _note_owner(self, owner_id: UUID | None, username: str | None, notes: list[str]) -> None:
        if owner_id is None and (username or "").lower() not in self.planned:
            notes.append(f"no user {username!r} is known" if username else "it names no user")
            notes[-1] += "; only admins see it"


def beside(folder: Path, metadata: Path, filename: str) -> Path | None:
    """The file of that name beside its metadata, in reports/ or in the folder itself; never one outside of it."""
    try:
        for place in (metadata.parent, folder / "reports", folder):
            file = (place / filename).resolve()
            inside = file.is_relative_to(folder.resolve()) and file.suffix.lower() != ".json"
            if inside and file.is_file() and file.stat().st_size <= MAX_FILE_BYTES:
                return file
    except (OSError, ValueError):  # a name that no file can have
        return None
    return None


def _stem(found: Found) -> str | None:
    """A metadata file of one report names it, if nothing in it does."""
    return found.file.stem if found.where == "" and found.file.parent.name != "" else None


def _outcome(found: Found, name: str, state: State, why: str | None, notes: list[str]) -> Outcome:
    return Outcome(found.kind, found.file.name, found.where, name, state, why, notes)


async def import_folder(
    settings: Settings, folder: Path, zone: tzinfo, *, dry_run: bool, told: OnProgress | None = None
) -> ImportReport:
    """Import everything below `folder`. Raises NotFound when nothing is there, Busy when a server is away."""
    todo = import_files.find(folder, zone)
    database, store = writer(settings.database), objects(settings.objects, settings.security, settings.http)
    await database.open()
    try:
        nobodys_hash = await hash_password(secrets.token_urlsafe(32))
        importer = Importer(database, store, folder, nobodys_hash, set(), dry_run)
        outcomes: list[Outcome] = []
        for found in todo:
            outcomes.append(await importer.take(found))
            if told is not None:
                told(len(outcomes), len(todo))
        return ImportReport(outcomes, dry_run)
    finally:
        await database.close()
