"""The old system's entries are read liberally, and whatever stands in a field raises nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwire.import_fields import entry_of, moment_of
from leadwire.import_files import Kind, entries
from leadwire.import_rows import Unusable, report_of, upload_of, user_of

KEYS = [
    "username", "password", "password_hash", "email", "full_name", "age", "gender", "phone", "address", "serial_number",
    "role", "is_active", "created_at", "last_login", "filename", "file_path", "file_type", "cloud_service", "cloud_url",
    "upload_status", "error_message", "uploaded_at", "heart_rate", "pr_interval", "qrs_duration", "qtc_interval",
    "st_segment", "qrs_axis", "patient_name", "patient_age", "report_date", "machine_serial", "patient", "metrics",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ENTRY = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8)
ARGON2 = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b7dWRWJTmaaJObG"


@given(ENTRY)
def test_any_value_in_any_field_makes_a_row_or_says_why_not(told: dict[object, object]) -> None:
    for made in (user_of, upload_of, report_of):
        with suppress(Unusable):
            assert "\0" not in "".join(
                value for value in asdict(made(entry_of(told))).values() if isinstance(value, str)
            )


@given(JSON, st.sampled_from(["user", "upload", "report"]))
def test_any_document_has_entries_or_none(document: object, kind: Kind) -> None:
    assert all(isinstance(where, str) for where, _ in entries(document, kind))


@given(st.text() | st.integers() | st.floats() | st.none())
def test_a_moment_is_of_utc_or_none(value: object) -> None:
    found = moment_of(value, ZoneInfo("Asia/Kolkata"))
    assert found is None or (found.tzinfo is UTC and 1900 <= found.year <= 2199)


@pytest.mark.parametrize("written", [
    "2024-04-03T12:30:00Z", "2024-04-03T14:30:00+02:00", "2024-04-03 12:30:00", "03/04/2024 12:30",
    "03-04-2024 12:30:00",
    "20240403_123000", "20240403123000", "03 Apr 2024 12:30", 1712147400, 1712147400000, "1712147400",
])  # fmt: skip
def test_moments_are_read_in_the_forms_people_write(written: object) -> None:
    assert moment_of(written, UTC) == datetime(2024, 4, 3, 12, 30, tzinfo=UTC)


def test_a_time_without_a_zone_is_of_the_zone_that_was_named() -> None:
    assert moment_of("2024-07-01 12:00:00", ZoneInfo("Europe/Berlin")) == datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert moment_of("2024-07-01T12:00:00Z", ZoneInfo("Europe/Berlin")) == datetime(2024, 7, 1, 12, tzinfo=UTC)


def test_keys_are_read_in_any_spelling_and_one_level_down() -> None:
    told: dict[object, object] = {
        "fileName": "C:\\ECG\\reports\\r1.pdf", "Patient": {"Name": "Ada", "Age": "61 y"}, "userName": "ada",
        "metrics": {"HR": "72 bpm", "PR Interval": 160.4, "qtc": 410}, "Date": "2024-04-03",
    }  # fmt: skip
    report = report_of(entry_of(told))
    assert (report.filename, report.patient_name, report.patient_age, report.username) == ("r1.pdf", "Ada", 61, "ada")
    assert (report.heart_rate, report.pr_interval, report.qtc_interval) == (72, 160, 410)


def test_only_an_argon2id_hash_is_taken_over_as_a_password() -> None:
    given_hashes = [ARGON2, "secret", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$broken", 12345, None]
    taken = [user_of(entry_of({"username": "ada", "password": value})).password_hash for value in given_hashes]
    assert taken == [ARGON2, None, None, None, None, None]


def test_what_is_left_out_is_noted() -> None:
    user = user_of(entry_of({"username": "ada", "age": "old", "gender": "x" * 11, "role": "king"}))
    assert (user.age, user.gender, user.role) == (None, "x" * 10, "user")
    assert [note.split()[0] for note in user.notes] == ["role", "age", "gender"]


def test_an_id_is_made_of_the_old_identity() -> None:
    ids = [
        user_of(entry_of({"username": name, "age": age})).user_id for name, age in (("Ada", 1), ("ada", 2), ("bob", 1))
    ]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(("told", "why"), [
    ({}, "names no file"), ({"filename": "a.pdf"}, "no moment"),
    ({"filename": "..", "uploaded_at": 1712147400}, "names no file"),
])  # fmt: skip
def test_an_upload_needs_a_file_and_a_moment(told: dict[object, object], why: str) -> None:
    with pytest.raises(Unusable, match=why):
        upload_of(entry_of(told))


@pytest.mark.parametrize(("document", "places"), [
    ([{"username": "ada"}, 3], ["[0]", "[1]"]),
    ({"users": [{"username": "ada"}]}, ["[0]"]),
    ({"ada": {"age": 1}, "bob": {"age": 2}}, [".ada", ".bob"]),
    ({"ada": "hash", "bob": "hash"}, [".ada", ".bob"]),
    ({"username": "ada", "age": 3}, [""]),
    ({}, []),
])  # fmt: skip
def test_entries_stand_in_lists_objects_and_by_name(document: object, places: list[str]) -> None:
    assert [where for where, _ in entries(document, "user")] == places
