"""Which rows a caller may see; every query on patient data passes through here."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg import sql

from schemas.accounts import Caller, Role

_OWN = sql.SQL("{column} = %(access_user_id)s")
PEOPLE = sql.SQL("""ARRAY(
    SELECT patient_id
    FROM care_assignments
    WHERE doctor_id = %(access_user_id)s AND ended_at IS NULL
    UNION ALL
    SELECT %(access_user_id)s::uuid
)""")
"""Whom a doctor may see: as an array, once for the query, so that an index on the column can be used."""

_OWN_AND_PATIENTS = sql.SQL("{column} = ANY({people})")


@dataclass(frozen=True, slots=True)
class Access:
    """The rows one caller may see. A row that is not theirs is NotFound, never Forbidden: nobody learns it exists.

    Make one with `everything()` or `for_caller()`; put `clause(column)` into the WHERE of a query, and `params` among
    its parameters. The column is the row's own user_id, so a device that changes hands takes no history with it.
    """

    user_id: UUID | None
    role: Role

    @property
    def params(self) -> dict[str, object]:
        """The parameters that `clause` names."""
        return {"access_user_id": self.user_id}

    def clause(self, column: str) -> sql.Composable:
        """The condition on `column` ("r.user_id"), the user whom the row is about."""
        if self.role == "admin":
            return sql.SQL("true")
        named = sql.Identifier(*column.split("."))
        if self.role == "doctor":
            return _OWN_AND_PATIENTS.format(column=named, people=PEOPLE)
        return _OWN.format(column=named)

    def may_change(self, owner: UUID | None) -> bool:
        """Whether what belongs to `owner` is the caller's to change: a doctor reads patients' rows and changes none."""
        return self.role == "admin" or (owner is not None and owner == self.user_id)


def everything() -> Access:
    """Every row: for workers and commands, which act for no person."""
    return Access(None, "admin")


def for_caller(caller: Caller) -> Access:
    """A user sees their own rows, a doctor also those of patients in their care, an admin all."""
    return Access(caller.user_id, caller.role)
