"""What waits on a client's disk arrives once, in order, whatever the server or the client does in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.outbox import Detail, Outbox
from schemas.errors import Busy, Duplicate, LeadwireError, Malformed, TooFast, Unauthenticated, WrongType


class Server:
    """Keeps what it is sent, and answers each upload with the next of `answers`."""

    def __init__(self, *answers: LeadwireError) -> None:
        self.answers = list(answers)
        self.taken: list[str] = []

    async def upload_report(self, file: Path, *, filename: str | None = None, **details: Detail) -> None:
        self._take(f"{filename} {_content(file)} {details.get('patient_name', '')}".strip())

    async def upload_metrics(self, **figures: Detail) -> None:
        self._take(f"{figures['heart_rate']} bpm at {figures['recorded_at']}")

    def _take(self, told: str) -> None:
        if self.answers:
            raise self.answers.pop(0)
        self.taken.append(told)


def _overwrite(file: Path) -> None:
    file.write_text("the copy is what is sent")


def _content(file: Path) -> str:
    return file.read_text()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "ecg.pdf"
    file.write_text("%PDF")
    return file


async def test_what_was_put_is_sent_in_order_and_once(outbox: Outbox, report: Path) -> None:
    outbox.put_metrics(heart_rate=72, recorded_at="2026-01-01T00:00:00Z")
    outbox.put_report(report, patient_name="Ada")
    _overwrite(report)
    server = Server()
    assert (await outbox.send(server)).sent == 2
    assert (await outbox.send(server)).sent == 0
    assert server.taken == ["72 bpm at 2026-01-01T00:00:00Z", "ecg.pdf %PDF Ada"]


async def test_metrics_keep_the_moment_they_were_put(outbox: Outbox) -> None:
    outbox.put_metrics(heart_rate=60)
    first, second = Server(Busy("away; wait")), Server()
    await outbox.send(first)
    await outbox.send(second)
    [told] = second.taken
    assert told.endswith("+00:00")


@pytest.mark.parametrize("error", [Busy("away"), TooFast("slow down"), Unauthenticated("log in")])
async def test_what_passes_by_itself_stops_the_sending_and_loses_nothing(outbox: Outbox, error: LeadwireError) -> None:
    outbox.put_metrics(heart_rate=1)
    outbox.put_metrics(heart_rate=2)
    told = await outbox.send(Server(error))
    assert (told.sent, told.refused, told.waiting, told.reason) == (0, 0, 2, str(error))


async def test_what_is_there_already_counts_as_sent(outbox: Outbox, report: Path) -> None:
    outbox.put_report(report)
    told = await outbox.send(Server(Duplicate("it is there")))
    assert (told.sent, outbox.waiting()) == (1, 0)


@pytest.mark.parametrize("error", [Malformed("no rate"), WrongType("this is HTML; send a PDF")])
async def test_what_is_refused_for_good_is_kept_aside_with_the_reason(
    outbox: Outbox, report: Path, error: LeadwireError
) -> None:
    outbox.put_report(report)
    outbox.put_metrics(heart_rate=3)
    server = Server(error)
    told = await outbox.send(server)
    assert (told.sent, told.refused, told.waiting, len(server.taken)) == (1, 1, 0, 1)
    kept = {path.suffix: path.read_text() for path in outbox.refused.iterdir()}
    assert (kept[".file"], kept[".txt"]) == ("%PDF", f"{error}\n")


async def test_an_entry_half_written_when_the_power_went_is_not_sent(outbox: Outbox, report: Path) -> None:
    outbox.put_report(report)
    [entry] = outbox.folder.glob("*.json")
    entry.rename(entry.with_suffix(".new"))
    server = Server()
    assert (await outbox.send(server)).sent == 0
    assert server.taken == []


def test_a_report_that_cannot_be_read_is_refused_at_once(outbox: Outbox, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="name a file that can be read"):
        outbox.put_report(tmp_path / "none.pdf")
    assert outbox.waiting() == 0
