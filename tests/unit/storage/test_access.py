"""Who is asking decides the condition, and the caller is always a parameter."""

from uuid import UUID

from schemas.accounts import Caller, Role
from storage.access import Access, everything, for_caller

USER = UUID(int=7)


def access_of(role: Role) -> Access:
    return for_caller(Caller(USER, "someone", role, UUID(int=8)))


def test_workers_and_admins_see_every_row() -> None:
    assert everything().clause("r.user_id").as_string() == "true"
    assert access_of("admin").clause("r.user_id").as_string() == "true"


def test_a_user_sees_rows_about_themselves() -> None:
    assert access_of("user").clause("r.user_id").as_string() == '"r"."user_id" = %(access_user_id)s'
    assert access_of("user").params == {"access_user_id": USER}


def test_a_doctor_also_sees_patients_in_their_care() -> None:
    text = access_of("doctor").clause("r.user_id").as_string()
    assert "care_assignments" in text
    assert "ended_at IS NULL" in text
