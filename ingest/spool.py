"""Blocks on the device's own disk, from before they are sent until they are acknowledged."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from schemas.codec import decode_pack, encode_pack
from schemas.errors import Busy, Misconfigured
from schemas.samples import SampleBlock

MAX_BYTES: Final = 256 * 2**20
"""About 120 hours of one lead at 250 Hz in blocks of a second."""

_RANGES_KEPT: Final = 10_000
_LOCK_S: Final = 1.0

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY AUTOINCREMENT, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS taken (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    recording_id TEXT NOT NULL,
    first_index INTEGER NOT NULL,
    end_index INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS taken_end ON taken (recording_id, end_index);
"""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A block and its number in the spool; numbers grow in the order in which blocks were appended."""

    number: int
    block: SampleBlock


class Spool:
    """The waiting blocks of one device, in one SQLite file that one process at a time may open.

    A block is on the disk (fsync) when `append` returns: it outlives a kill of the process and, as far as the disk
    keeps its word, a loss of power. What a crash left half written is undone when the file is opened again. An
    acknowledgement is written with the next append or at `close`: after a crash some blocks are sent once more, which
    changes nothing. What the spool took once it does not take again, so a caller may give all blocks of a recording
    anew. The calls block; they may come from any thread.

    Raises Misconfigured when the file can't be used and Busy when another process has it open.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path, self.max_bytes = path, max_bytes
        self._lock = threading.Lock()
        self._acknowledged = 0
        with _told(path):
            self._db = _opened(path)
            query = "SELECT coalesce(sum(length(value)), 0), count(*) FROM blocks"
            self._bytes, self._count = (int(told) for told in self._db.execute(query).fetchone())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what was acknowledged, and close the file; what waits stays in it."""
        with self._lock:
            with self._transaction():
                self._remove_acknowledged()
            self._db.close()

    @property
    def blocks_waiting(self) -> int:
        return self._count

    def append(self, blocks: Sequence[SampleBlock]) -> int:
        """Return when the disk has all of them, with how many are new to it: what it took before it passes over.

        Raises Busy when there is no room for one: those before it are taken, it and what follows are not.
        """
        with self._lock, self._transaction():
            self._remove_acknowledged()
            before = self._count
            refused = next((block for block in blocks if not self._takes(block)), None)
            added = self._count - before
        if refused is not None:
            raise Busy(
                f"the spool {self.path} is full: {self._bytes} bytes wait, {self.max_bytes} are allowed; sample "
                f"{refused.first_index} of recording {refused.recording_id} and what follows was not taken. Bring the "
                "gateway back, or give the spool more room (max_bytes), then send from there"
            )
        return added

    def after(self, number: int, limit: int) -> list[Spooled]:
        """Up to `limit` blocks behind this number, oldest first; 0 is before all."""
        query = "SELECT number, value FROM blocks WHERE number > ? ORDER BY number LIMIT ?"
        with self._lock, _told(self.path):
            rows = self._db.execute(query, (number, limit)).fetchall()
        return [Spooled(found, decode_pack(value)[0]) for found, value in rows]

    def acknowledge(self, number: int) -> None:
        """Blocks up to this number are safe elsewhere."""
        with self._lock:
            self._acknowledged = max(self._acknowledged, number)

    def discard_oldest(self) -> SampleBlock | None:
        """Give up the oldest block that is not acknowledged, such as one that the gateway refuses for good."""
        with self._lock, self._transaction():
            self._remove_acknowledged()
            row = self._db.execute("SELECT number, value FROM blocks ORDER BY number LIMIT 1").fetchone()
            if row is not None:
                self._remove_up_to(row[0])
        return None if row is None else decode_pack(row[1])[0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, on the disk at its end."""
        before = self._bytes, self._count
        try:
            with _told(self.path), self._db:
                self._db.execute("BEGIN IMMEDIATE")
                yield
        except BaseException:
            self._bytes, self._count = before
            raise

    def _remove_acknowledged(self) -> None:
        if self._acknowledged:
            self._remove_up_to(self._acknowledged)
            self._acknowledged = 0

    def _remove_up_to(self, number: int) -> None:
        query = "SELECT coalesce(sum(length(value)), 0), count(*) FROM blocks WHERE number <= ?"
        size, count = self._db.execute(query, (number,)).fetchone()
        self._db.execute("DELETE FROM blocks WHERE number <= ?", (number,))
        self._bytes, self._count = self._bytes - size, self._count - count

    def _takes(self, block: SampleBlock) -> bool:
        """False when there is no room for it."""
        query = "SELECT 1 FROM taken WHERE recording_id = ? AND first_index <= ? AND end_index >= ? LIMIT 1"
        span = (str(block.recording_id), block.first_index, block.end_index)
        if self._db.execute(query, span).fetchone() is not None:
            return True
        value = encode_pack([block])
        if self._bytes + len(value) > self.max_bytes:
            return False
        self._db.execute("INSERT INTO blocks (value) VALUES (?)", (value,))
        self._bytes, self._count = self._bytes + len(value), self._count + 1
        self._note_taken(block)
        return True

    def _note_taken(self, block: SampleBlock) -> None:
        """Lengthen the range that this block continues, or begin one."""
        recording = str(block.recording_id)
        query = "UPDATE taken SET end_index = ? WHERE recording_id = ? AND end_index = ?"
        if self._db.execute(query, (block.end_index, recording, block.first_index)).rowcount == 0:
            query = "INSERT INTO taken (recording_id, first_index, end_index) VALUES (?, ?, ?)"
            number = self._db.execute(query, (recording, block.first_index, block.end_index)).lastrowid or 0
            self._db.execute("DELETE FROM taken WHERE number <= ?", (number - _RANGES_KEPT,))


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # it holds a person's signal
    db = sqlite3.connect(path, timeout=_LOCK_S, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(_TABLES)
    db.execute("BEGIN IMMEDIATE")  # takes the lock that EXCLUSIVE keeps
    db.execute("COMMIT")
    return db


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's errors in our words."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise Busy(f"another process uses the spool {path}; end it, or give each its own file") from error
        raise Misconfigured(
            f"the spool {path} can't be used ({error}); see to its folder and the disk's room"
        ) from error
    except (sqlite3.DatabaseError, OSError) as error:
        raise Misconfigured(f"the spool {path} can't be used ({error}); move the file away") from error
