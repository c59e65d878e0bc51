"""Pages: by cursor and by number the same rows, each once, also while rows are added."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from schemas.errors import Malformed
from schemas.pages import MAX_OFFSET, PageRequest
from storage import pages
from storage.access import Access, everything
from storage.devices import list_devices
from storage.metrics import MetricsFilter, list_metrics
from storage.metrics_rows import MetricsRow
from tests.storage.made import Patient, a_device, a_patient, a_user, access_of, metrics_at, write_metrics


async def _seconds(conn: AsyncConnection, patient: Patient, seconds: list[int]) -> None:
    await write_metrics(conn, [metrics_at(patient.recording, second) for second in seconds], patient.owner)


async def _by_number(conn: AsyncConnection, access: Access, limit: int) -> list[UUID]:
    found: list[UUID] = []
    for number in range(1, 1000):
        page = await list_metrics(conn, access, MetricsFilter(), PageRequest(number, limit))
        found += [row.metric_id for row in page.items]
        if page.next is None:
            break
    return found


async def test_a_page_tells_where_the_next_begins_and_the_last_none(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await _seconds(conn, patient, [0, 1, 2, 3])
    first = await list_metrics(conn, patient.access, MetricsFilter(), PageRequest(1, 2))
    second = await list_metrics(conn, patient.access, MetricsFilter(), PageRequest(7, 2, first.next))
    assert [row.recorded_at.second for row in first.items + second.items] == [3, 2, 1, 0]
    assert (first.total, second.total, second.page, second.next) == (4, 4, 7, None)
    assert first.total_is_exact


async def test_a_page_behind_the_end_is_empty_and_knows_the_total(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await _seconds(conn, patient, [0, 1, 2])
    page = await list_metrics(conn, patient.access, MetricsFilter(), PageRequest(9, 2))
    assert (page.items, page.total, page.next) == ([], 3, None)


async def test_a_page_too_deep_is_malformed_and_says_how_to_go_on(conn: AsyncConnection) -> None:
    at_the_edge = PageRequest(MAX_OFFSET // 50 + 1, 50)
    assert (await list_devices(conn, everything(), at_the_edge)).items == []
    with pytest.raises(Malformed, match="follow `next`"):
        await list_devices(conn, everything(), PageRequest(MAX_OFFSET // 50 + 2, 50))


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "WzEsMl0", "é", "W10"])
async def test_a_forged_cursor_is_malformed(conn: AsyncConnection, cursor: str) -> None:
    with pytest.raises(Malformed, match="no cursor of this list"):
        await list_metrics(conn, everything(), MetricsFilter(), PageRequest(after=cursor))


async def test_a_cursor_shows_nobody_more_than_is_theirs(conn: AsyncConnection) -> None:
    mine, theirs = await a_patient(conn), await a_patient(conn)
    await _seconds(conn, mine, [0, 1])
    await _seconds(conn, theirs, [0, 1, 2])
    cursor = (await list_metrics(conn, theirs.access, MetricsFilter(), PageRequest(1, 1))).next
    seen = await list_metrics(conn, mine.access, MetricsFilter(), PageRequest(after=cursor))
    assert {row.user_id for row in seen.items} <= {mine.user.user_id}


async def test_a_total_beyond_what_is_counted_is_told_as_an_estimate(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await a_user(conn)
    for _ in range(4):
        await a_device(conn, owner.user_id)
    monkeypatch.setattr(pages, "EXACT_TOTAL", 2)
    page = await list_devices(conn, access_of(owner), PageRequest(1, 1))
    assert not page.total_is_exact
    assert page.total >= 3


async def test_a_doctor_walks_through_all_patients_newest_first(conn: AsyncConnection) -> None:
    doctor, patients = await a_user(conn, "doctor"), [await a_patient(conn) for _ in range(3)]
    for number, patient in enumerate(patients):
        await _seconds(conn, patient, [number, number + 2, 7])
    await _assign(conn, doctor.user_id, [patient.user.user_id for patient in patients[:2]])
    access, wanted = access_of(doctor), MetricsFilter()
    whole = await list_metrics(conn, access, wanted, PageRequest())
    assert {row.user_id for row in whole.items} == {patient.user.user_id for patient in patients[:2]}
    assert [row.recorded_at.second for row in whole.items] == [7, 7, 3, 2, 1, 0]
    by_cursor: list[MetricsRow] = []
    cursor = None
    for _ in range(3):
        page = await list_metrics(conn, access, wanted, PageRequest(1, 2, cursor))
        by_cursor, cursor = by_cursor + page.items, page.next
    assert (by_cursor, cursor) == (whole.items, None)
    assert await _by_number(conn, access, 2) == [row.metric_id for row in whole.items]


async def _assign(conn: AsyncConnection, doctor_id: UUID, patients: list[UUID]) -> None:
    for patient_id in patients:
        await conn.execute(
            "INSERT INTO care_assignments (doctor_id, patient_id) VALUES (%s, %s)", [doctor_id, patient_id]
        )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seconds=st.lists(st.integers(0, 3000), min_size=1, max_size=25, unique=True),
    added=st.lists(st.lists(st.integers(3001, 9999), max_size=4), max_size=8),
    limit=st.integers(1, 7),
)
async def test_by_cursor_and_by_number_the_same_rows_each_once_while_rows_are_added(
    conn: AsyncConnection, seconds: list[int], added: list[list[int]], limit: int
) -> None:
    async with conn.transaction(force_rollback=True):
        patient, coming = await a_patient(conn), iter(added)
        await _seconds(conn, patient, seconds)
        by_number = await _by_number(conn, patient.access, limit)
        walked: list[UUID] = []
        cursor = None
        while True:
            page = await list_metrics(conn, patient.access, MetricsFilter(), PageRequest(1, limit, cursor))
            walked, cursor = walked + [row.metric_id for row in page.items], page.next
            if cursor is None:
                break
            await _seconds(conn, patient, next(coming, []))
        assert walked == by_number
        assert len(set(walked)) == len(walked) == len(seconds)
