"""What backup and restore tell when they are done."""

from __future__ import annotations

from dataclasses import asdict

from leadwire.backup import Verified
from leadwire.backup_manifest import Manifest
from leadwire.kafka_offsets import Aligned
from leadwire.restore import Restored


def made_json(made: Manifest) -> dict[str, object]:
    """The manifest without its files."""
    told = asdict(made) | {"database_bytes": made.database_bytes, "with_objects": made.objects is not None}
    return {name: value for name, value in told.items() if name not in ("database", "objects")}


def made_text(made: Manifest) -> str:
    """For people."""
    objects = f"{made.object_count} objects, {_mb(made.object_bytes)}" if made.objects is not None else "no objects"
    lines = [
        f"backup {made.backup_id} of {made.taken_at}",
        f"database: {sum(made.rows.values())} rows in {len(made.rows)} tables, {_mb(made.database_bytes)}; {objects}",
        f"audit log: head {made.head}",
        *(f"WRONG IN THE STORE: {problem}" for problem in made.problems),
    ]
    return "\n".join(lines)


def verified_json(verified: Verified) -> dict[str, object]:
    """The verdict, and of what."""
    return {
        "whole": not verified.problems,
        "backup_id": verified.manifest.backup_id,
        "taken_at": verified.manifest.taken_at,
        "files": verified.files,
        "bytes": verified.bytes,
        "problems": verified.problems,
    }


def verified_text(verified: Verified) -> str:
    """For people."""
    if verified.problems:
        return "\n".join([f"DAMAGED: {problem}" for problem in verified.problems] + ["use another backup"])
    return f"whole: {verified.files} files, {_mb(verified.bytes)}, as of {verified.manifest.taken_at}"


def restored_json(done: Restored) -> dict[str, object]:
    """What is there now."""
    return {
        "backup_id": done.manifest.backup_id,
        "taken_at": done.manifest.taken_at,
        "rows": done.rows,
        "objects": done.objects,
        "objects_put": done.put,
        "audit_entries": done.verdict.entries,
        "audit_head": str(done.verdict.head),
        "offsets": None if done.aligned is None else aligned_json(done.aligned),
        "offsets_problem": done.kafka,
        "migrations_waiting": done.pending,
    }


def restored_text(done: Restored) -> str:
    """For people."""
    lines = [
        f"restored {done.manifest.backup_id} of {done.manifest.taken_at}",
        f"{done.rows} rows, every table's count as in the backup; {done.objects} objects, {done.put} put now",
        f"audit log: whole, {done.verdict.entries} entries, head {done.verdict.head}",
        f"Kafka: NOT DONE: {done.kafka}" if done.aligned is None else aligned_text(done.aligned),
    ]
    if done.pending:
        lines.append(f"{len(done.pending)} migrations wait; run `leadwire migrate`")
    return "\n".join([*lines, "now run `leadwire doctor`, then start the services"])


def aligned_json(done: Aligned) -> dict[str, object]:
    """What was done to the offsets."""
    return asdict(done)


def aligned_text(done: Aligned) -> str:
    """For people."""
    told = f"Kafka: {done.moved} of {done.partitions} partitions are read on elsewhere"
    if done.rewound:
        told += f", {done.rewound} from the beginning of a topic that was made anew"
    if done.dropped:
        told += f"; {done.dropped} records that the database lacks were dropped by retention and are lost"
    return told


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
