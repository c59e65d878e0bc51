"""An episode only grows, whatever order its news arrives in."""

from itertools import permutations

import pytest
from psycopg import AsyncConnection

from schemas.pages import PageRequest
from schemas.rhythms import EpisodeState, RhythmEpisode
from storage.access import Access, everything
from storage.rhythms import list_rhythms, write_rhythms
from tests.storage.made import START_US, Patient, a_patient, a_user, access_of, an_episode

END_US = START_US + 3_600_000_000
NEWS: list[tuple[EpisodeState, int]] = [("opened", 2), ("updated", 5), ("updated", 9), ("closed", 7)]


async def episodes_of(conn: AsyncConnection, patient: Patient, access: Access) -> list[RhythmEpisode]:
    return (await list_rhythms(conn, access, patient.device.device_id, START_US, END_US, PageRequest())).items


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
async def test_the_closing_stands_in_any_order(conn: AsyncConnection, order: tuple[int, ...]) -> None:
    patient = await a_patient(conn)
    for place in order:
        await write_rhythms(conn, [an_episode(patient.recording, *NEWS[place])])
    assert await episodes_of(conn, patient, patient.access) == [an_episode(patient.recording, "closed", 7)]


async def test_all_the_news_in_one_list_is_one_row(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_rhythms(conn, [an_episode(patient.recording, *news) for news in NEWS[:3]])
    assert await episodes_of(conn, patient, everything()) == [an_episode(patient.recording, "updated", 9)]


async def test_episodes_that_touch_the_period_are_listed(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    early, late = an_episode(patient.recording, "closed", 4, 0), an_episode(patient.recording, "opened", 0, 2500)
    await write_rhythms(conn, [late, early])

    async def between(start_s: int, end_s: int) -> list[RhythmEpisode]:
        period = (START_US + start_s * 1_000_000, START_US + end_s * 1_000_000)
        return (await list_rhythms(conn, everything(), patient.device.device_id, *period, PageRequest())).items

    assert await between(3, 11) == [early, late]
    assert await between(4, 10) == []
    assert await between(10, 11) == [late]


async def test_the_episodes_of_another_are_not_listed(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_rhythms(conn, [an_episode(patient.recording, "opened", 1)])
    assert await episodes_of(conn, patient, access_of(await a_user(conn))) == []


async def test_no_episodes_are_no_work(conn: AsyncConnection) -> None:
    await write_rhythms(conn, [])
