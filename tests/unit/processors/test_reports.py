"""A request becomes a PDF, a row and an answer; one that can't is answered too."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from faust.types import TP

from processors.reports import Reporter, RequestRecord, request_record
from schemas import topics
from schemas.codec import encode_report_event
from schemas.errors import Busy
from schemas.reports import ReportEvent
from storage.objects import Objects

from .fakes import RATE_HZ, START_US, FakeDatabase, FakePublisher
from .recorded import DEVICE, recorded

EVENT = ReportEvent(UUID(int=5), DEVICE, "requested", START_US, START_US + 30_000_000)
KEY = f"reports/{DEVICE}/{EVENT.report_id}.pdf"


@dataclass
class FakeObjects:
    """A folder in memory; the next `away` calls raise Busy."""

    service: str = "local"
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    away: int = 0

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        if self.away:
            self.away -= 1
            raise Busy("the store is away; wait")
        self.files[key] = (data, content_type)

    def location(self, key: str) -> str:
        return f"memory://{key}"


@dataclass
class Desk:
    """A reporter and all it writes to."""

    database: FakeDatabase = field(default_factory=lambda: recorded((0, int(30 * RATE_HZ))))
    objects: FakeObjects = field(default_factory=FakeObjects)
    publisher: FakePublisher = field(default_factory=FakePublisher)

    async def take(self, value: bytes, replays: int = 0) -> None:
        await Reporter(self.database, cast("Objects", self.objects), self.publisher).take(
            RequestRecord(2, 7, b"key", value, replays)
        )

    @property
    def finished(self) -> list[Any]:
        return self.database.written("SET\n            upload_status = 'uploaded'")

    @property
    def failed(self) -> list[Any]:
        return self.database.written("SET upload_status = 'failed'")


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_request_becomes_a_pdf_a_row_and_an_answer(desk: Desk) -> None:
    await desk.take(encode_report_event(EVENT))
    pdf, kind = desk.objects.files[KEY]
    assert (pdf[:5], kind) == (b"%PDF-", "application/pdf")
    [row] = desk.finished
    assert (row["key"], row["size"], row["report_id"], row["cloud_service"]) == (
        KEY,
        len(pdf),
        EVENT.report_id,
        "local",
    )
    assert desk.publisher.events == [replace(EVENT, state="ready")]


async def test_the_row_rounds_its_figures_and_keeps_the_sign_of_the_st_level(desk: Desk) -> None:
    await desk.take(encode_report_event(EVENT))
    [row] = desk.finished
    names = ("heart_rate", "pr_interval", "qrs_duration", "qtc_interval", "st_segment", "qrs_axis")
    assert [row[name] for name in names] == [72, 160, 96, 420, "-0.05 mV", "45°"]


async def test_a_figure_that_was_not_measurable_stays_empty(desk: Desk) -> None:
    means = desk.database.answers["AS heart_rate_mean"][0]
    desk.database.answers["AS heart_rate_mean"] = [dict.fromkeys(means) | {"seconds": 30}]
    await desk.take(encode_report_event(EVENT))
    [row] = desk.finished
    assert [row["heart_rate"], row["st_segment"], row["qrs_axis"]] == [None, None, None]


async def test_the_same_request_twice_is_one_file(desk: Desk) -> None:
    await desk.take(encode_report_event(EVENT))
    await desk.take(encode_report_event(EVENT))
    assert list(desk.objects.files) == [KEY]
    assert {row["report_id"] for row in desk.finished} == {EVENT.report_id}


@pytest.mark.parametrize("state", ["ready", "failed"])
async def test_our_own_answers_are_passed_over(desk: Desk, state: Any) -> None:
    await desk.take(encode_report_event(replace(EVENT, state=state)))
    assert (desk.publisher.events, desk.objects.files) == ([], {})


async def test_bytes_that_are_no_request_become_dead_letters_before_they_are_acknowledged(desk: Desk) -> None:
    desk.publisher.away = 1
    await desk.take(b"\xff\xff", replays=2)
    await desk.take(encode_report_event(replace(EVENT, period_start_us=2**62)))
    assert (desk.publisher.events, desk.database.committed) == ([], [])
    letter, other = desk.publisher.letters
    assert (letter.key, letter.value, letter.topic) == (b"key", b"\xff\xff", topics.REPORTS)
    assert (letter.partition, letter.offset, letter.replays, other.replays) == (2, 7, 2, 0)
    assert "encode it as" in str(letter.reason)


def test_a_record_tells_how_often_it_was_sent_back() -> None:
    message = SimpleNamespace(tp=TP(topics.REPORTS, 3), offset=4, key=None, value=b"v", headers=[("replays", b"2")])
    assert request_record(SimpleNamespace(message=message)) == RequestRecord(3, 4, None, b"v", 2)


async def test_a_report_of_an_unknown_device_fails_and_says_why(desk: Desk) -> None:
    desk.database = FakeDatabase()
    await desk.take(encode_report_event(EVENT))
    [answer] = desk.publisher.events
    assert (answer.state, desk.failed[0][1]) == ("failed", EVENT.report_id)
    assert f"no device {DEVICE}" in answer.detail


async def test_a_store_away_for_a_while_costs_nothing(desk: Desk) -> None:
    desk.objects.away = 1
    await desk.take(encode_report_event(EVENT))
    assert [event.state for event in desk.publisher.events] == ["ready"]


async def test_nothing_is_said_to_be_ready_before_its_row_is_written(desk: Desk) -> None:
    def refuse(texts: list[str]) -> None:
        if texts:
            raise RuntimeError("disk full")

    desk.database.before_commit = refuse
    with pytest.raises(RuntimeError, match="disk full"):
        await desk.take(encode_report_event(EVENT))
    assert desk.publisher.events == []
