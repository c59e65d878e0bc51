"""What `stream` and `simulate` do: enrol, play, and tell how it went."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from rich.console import Console
from rich.progress import Progress as Bar

from ingest.client import AsyncClient
from ingest.fleet import FleetProgress, Seat, play_fleet
from ingest.player import OnProgress, Progress, Target, new_take, play
from ingest.simulation.strips import Rhythm, make_bank
from ingest.simulator import VirtualPatient, make_patients
from ingest.sources import RecordSource, Take
from leadwire.enrolment import Bed, Login, enrol
from leadwire.play_state import PlayFile
from schemas.clock import index_to_us, to_datetime
from schemas.errors import Malformed

_LINE_EVERY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Streamed:
    """How a record's play went."""

    name: str
    device_id: UUID
    progress: Progress
    leads: int
    report_id: UUID | None
    report_url: str | None
    stopped: bool
    resumed_index: int = 0

    def as_json(self) -> dict[str, object]:
        return {
            "record": self.name,
            "device_id": str(self.device_id),
            "recording_id": str(self.progress.take.recording_id),
            "samples_per_lead": self.progress.acknowledged_index,
            "leads": self.leads,
            "resumed_index": self.resumed_index,
            "blocks": self.progress.blocks,
            "repeated": self.progress.repeated,
            "reconnects": self.progress.reconnects,
            "report_id": str(self.report_id) if self.report_id else None,
            "report_url": self.report_url,
        }

    def as_text(self) -> str:
        told = f"{self.name}: {self.progress.acknowledged_index} samples of {self.leads} leads acknowledged"
        where = f"device {self.device_id}, recording {self.progress.take.recording_id}"
        report = f"\nreport: {self.report_url}" if self.report_url else ""
        again = "\nnot at its end: go on with --resume" if self.stopped else ""
        return f"{told}\n{where}{report}{again}"


@dataclass(frozen=True, slots=True)
class Simulated:
    """How a simulation went."""

    devices: int
    progress: FleetProgress

    def as_json(self) -> dict[str, object]:
        return {"devices": self.devices, "blocks": self.progress.blocks, "reconnects": self.progress.reconnects}

    def as_text(self) -> str:
        return f"{self.devices} virtual patients sent {self.progress.blocks} blocks, all acknowledged"


async def stream_record(
    source: RecordSource, login: Login, bed: Bed, speed: float, file: PlayFile, *, resume: bool, want_report: bool
) -> Streamed:
    """Play a record to its end or until Ctrl-C, and ask for its report; `resume` goes on with what `file` kept.

    Raises what play() raises, and Malformed when what was kept is of another device or signal.
    """
    kept = file.load() if resume else None
    [target] = await enrol(login, [bed])
    if kept is not None and kept.take.device_id != target.device_id:
        raise Malformed(f"{file.path} is of device {kept.take.device_id}, which is no more; go without --resume")
    take = kept.take if kept else new_take(source, target, speed)
    first_index = kept.acknowledged_index if kept else 0
    with _stopping() as stop, _shown(source) as show:
        file.keep(Progress(take, first_index, first_index, source.count), now=True)

        def on_progress(progress: Progress) -> None:
            file.keep(progress)
            show(progress)

        done = await play(
            source, target, take=take, first_index=first_index, speed=speed, stop=stop, on_progress=on_progress
        )
    file.keep(done, now=True)
    if done.acknowledged_index >= source.count:
        file.forget()
    report_id, url = None, None
    if want_report and done.acknowledged_index:
        report_id, url = await _report(login, target, take, source, done.acknowledged_index)
    return Streamed(source.name, target.device_id, done, len(source.leads), report_id, url, stop.is_set(), first_index)


async def _report(
    login: Login, target: Target, take: Take, source: RecordSource, end_index: int
) -> tuple[UUID, str | None]:
    """Ask for the report of all that was played, wait for it, and say where it can be had."""
    end_us = take.started_at_us + index_to_us(end_index, source.rate_hz)
    async with AsyncClient(login.url) as client:
        await client.login(login.username, login.password)
        report_id = await client.request_report(target.device_id, to_datetime(take.started_at_us), to_datetime(end_us))
        report = await client.wait_report(report_id, timeout_s=120)
    ready = report.upload_status == "uploaded"
    return report_id, f"{login.url}/api/v1/ecg/reports/{report_id}/download" if ready else None


async def simulate_patients(
    devices: int, rhythms: Sequence[Rhythm], seed: int, login: Login, speed: float, limit: timedelta | None
) -> Simulated:
    """Play virtual patients until the limit or Ctrl-C."""
    bank = await asyncio.to_thread(make_bank, rhythms=rhythms, seed=seed)
    patients = make_patients(devices, bank, rhythms=rhythms, seed=seed)
    targets = await enrol(login, [_bed(patient) for patient in patients])
    seats = [Seat(patient, target) for patient, target in zip(patients, targets, strict=True)]
    print(f"streaming {', '.join(patient.name for patient in patients[:12])}", file=sys.stderr)  # noqa: T201  # for people
    with _stopping(limit) as stop:
        return Simulated(devices, await play_fleet(seats, speed=speed, stop=stop))


def _bed(patient: VirtualPatient) -> Bed:
    rhythm = patient.rhythm.replace("_", " ")
    number = patient.name.rpartition("-")[2]
    return Bed(f"sim-{patient.name}", f"Virtual patient {number}", f"Simulator: {rhythm}")


@contextmanager
def _stopping(limit: timedelta | None = None) -> Iterator[asyncio.Event]:
    """An event that Ctrl-C, SIGTERM or the limit sets."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    timer = loop.call_later(limit.total_seconds(), stop.set) if limit is not None else None
    try:
        yield stop
    finally:
        if timer is not None:
            timer.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextmanager
def _shown(source: RecordSource) -> Iterator[OnProgress]:
    """A progress bar on a terminal, a plain line now and then in a pipe; both on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(source)
        return
    with Bar(console=console) as bar:
        task = bar.add_task(f"streaming {source.name}", total=source.count)
        yield lambda progress: bar.update(task, completed=progress.acknowledged_index)


class _Lines:
    """Tells of progress in plain lines, one every few seconds."""

    def __init__(self, source: RecordSource) -> None:
        self._source = source
        self._told_at_s = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() - self._told_at_s < _LINE_EVERY_S:
            return
        self._told_at_s = time.monotonic()
        print(f"{self._source.name}: {progress.acknowledged_index} of {self._source.count} samples", file=sys.stderr)  # noqa: T201  # for people
