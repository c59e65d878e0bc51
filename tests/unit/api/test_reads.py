"""Reads are noted once in a while, files each time, and nothing is handed out that can't be noted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from api.dependencies import ReadWitness
from api.reads import ReadLog
from schemas import telemetry
from schemas.accounts import Caller, Role
from schemas.audit import AuditLine
from schemas.clock import to_datetime
from schemas.errors import Busy

DOCTOR, PATIENT = UUID(int=1), UUID(int=2)
LINE = AuditLine(to_datetime(0), "doc", "beats.read", "d-1")


@dataclass
class FakeAudit:
    """Keeps what is written; away while `away`, refuses subjects in `refused`."""

    lines: list[AuditLine] = field(default_factory=list)
    batches: int = 0
    away: bool = False
    refused: tuple[str, ...] = ()
    tried: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, lines: Sequence[AuditLine]) -> None:
        self.tried.set()
        if self.away:
            raise Busy("away; wait")
        if any(line.subject in self.refused for line in lines):
            raise ValueError("refused")
        self.lines += lines
        self.batches += 1


def a_log(fake: FakeAudit, repeat_s: float = 900, size: int = 4) -> ReadLog:
    return ReadLog(fake.write, repeat_s=repeat_s, size=size, linger_s=0)


def lost() -> float:
    [counter] = telemetry.READS_NOTED.collect()
    return sum(
        sample.value for sample in counter.samples if sample.labels == {"outcome": "lost"} and "_total" in sample.name
    )


async def test_the_same_read_is_noted_once_another_one_too() -> None:
    fake = FakeAudit()
    log = a_log(fake)
    for line in (LINE, LINE, replace(LINE, actor="eve"), replace(LINE, subject="d-2"), LINE):
        log.read(line)
    await log.close()
    assert [(line.actor, line.subject) for line in fake.lines] == [("doc", "d-1"), ("eve", "d-1"), ("doc", "d-2")]
    assert fake.batches == 1


async def test_without_a_pause_every_read_is_noted() -> None:
    fake = FakeAudit()
    log = a_log(fake, repeat_s=0)
    log.read(LINE)
    log.read(LINE)
    await log.close()
    assert fake.lines == [LINE, LINE]


async def test_files_are_noted_each_time() -> None:
    fake = FakeAudit()
    log = a_log(fake)
    log.handed_out(LINE)
    log.handed_out(LINE)
    await log.close()
    assert fake.lines == [LINE, LINE]


async def test_with_a_full_queue_no_file_is_handed_out_and_a_read_is_counted_as_lost() -> None:
    fake = FakeAudit(away=True)
    log = a_log(fake, size=1)
    log.read(LINE)
    with pytest.raises(Busy, match="no file is handed out"):
        log.handed_out(LINE)
    before = lost()
    log.read(replace(LINE, subject="d-2"))
    assert lost() == before + 1
    fake.away = False
    await log.close()
    assert fake.lines == [LINE]


async def test_lines_wait_for_a_database_that_is_away() -> None:
    fake = FakeAudit(away=True)
    log = a_log(fake)
    log.start()
    log.read(LINE)
    await fake.tried.wait()
    assert fake.lines == []
    fake.away = False
    await log.close()
    assert fake.lines == [LINE]


async def test_what_is_lost_at_the_end_is_counted() -> None:
    log = a_log(FakeAudit(away=True))
    log.read(LINE)
    before = lost()
    await log.close()
    assert lost() == before + 1


async def test_a_line_that_the_database_refuses_takes_no_other_with_it() -> None:
    fake = FakeAudit(refused=("d-2",))
    log = a_log(fake)
    for subject in ("d-1", "d-2", "d-3"):
        log.read(replace(LINE, subject=subject))
    before = lost()
    await log.close()
    assert [line.subject for line in fake.lines] == ["d-1", "d-3"]
    assert lost() == before + 1


@pytest.mark.parametrize(("role", "own", "noted"), [
    ("user", False, 0), ("doctor", False, 1), ("admin", False, 1), ("doctor", True, 0), ("admin", True, 0),
])  # fmt: skip
async def test_only_what_others_see_of_a_patient_is_noted(role: Role, own: bool, noted: int) -> None:
    fake = FakeAudit()
    log = a_log(fake)
    caller = Caller(DOCTOR, "someone", role, UUID(int=3))
    ReadWitness(log, "::1").saw(caller, "user.read", PATIENT, DOCTOR if own else PATIENT)
    await log.close()
    assert [(line.subject, line.address) for line in fake.lines] == [(str(PATIENT), "::1")] * noted
