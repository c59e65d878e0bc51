"""Audit: one line of who did or read what of whose data, from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A deed or a read to be written down.

    `actor` is a user_id, a device_id or a service's name, `action` noun and verb ("report.download"), `subject` the id
    of what was touched, `address` the network address it came from, `patient_id` the user whose data it is, `detail`
    what else is worth knowing, never a secret or a measurement.
    """

    at: datetime
    actor: str
    action: str
    subject: str
    address: str | None = None
    patient_id: UUID | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A line as it stands in audit_log; `entry` counts from 1 without a gap, the two hashes are SHA-256 in hex."""

    entry: int
    at: datetime
    actor: str
    action: str
    subject: str
    address: str | None
    patient_id: UUID | None
    detail: str | None
    audit_id: int
    previous_hash: str
    hash: str
