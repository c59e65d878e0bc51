"""What a report is made of: gathered from the store in one transaction, then turned into its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from processors.report.content import (
    BeatMark,
    DeviceIdentity,
    Episode,
    Figures,
    HrvMedians,
    Patient,
    ReportContent,
    RhythmShare,
    Strip,
)
from schemas.accounts import Device, User
from schemas.beats import Beat
from schemas.burden import EctopicGroups
from schemas.clock import index_to_us, now_us, to_us
from schemas.hrv import FIGURES, STRETCH_S, HrvStretch
from schemas.pages import PageRequest
from schemas.reports import ReportEvent
from schemas.rhythms import NORMAL, RhythmEpisode
from schemas.samples import MISSING, Recording, WaveformStretch
from storage import accounts, archived_samples, beats, burden, devices, hrv, metrics, rhythms, samples, summaries
from storage.access import everything
from storage.archive_shelf import Shelf
from storage.beats import ClassCount
from storage.burden import GroupCount
from storage.database import Database
from storage.metrics_rows import MetricsRow
from storage.summaries import MetricsSummary, PeriodMeans

_STRIP_US: Final = 10_000_000
_EPISODES: Final = PageRequest(1, 200)
_BEATS: Final = PageRequest(1, 500)
_STRETCHES: Final = PageRequest(1, 300)  # of a day
_ARRIVED_US: Final = 1_500_000
"""Samples this close to the period's end count as its end: a block lasts a second."""


@dataclass(frozen=True, slots=True)
class StripData:
    """Ten seconds of a recording: why they are shown, what is stored of them, the beats in them."""

    title: str
    start_us: int
    recording: Recording
    stretches: list[WaveformStretch]
    beats: list[Beat]


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything stored about the period of a report. `reaches_end` is False while its end is still on its way."""

    event: ReportEvent
    device: Device
    patient: User | None
    summary: MetricsSummary
    counts: list[ClassCount]
    groups: list[GroupCount]
    stretches: list[HrvStretch]
    episodes: list[RhythmEpisode]
    strips: list[StripData]
    engine_version: str
    reaches_end: bool


async def gather(database: Database, shelf: Shelf, event: ReportEvent) -> ReportData:
    """Read what is stored about the period. Raises NotFound for an unknown device, Busy."""
    access, start_us, end_us = everything(), event.period_start_us, event.period_end_us
    async with database.transaction() as conn:
        device = await devices.device(conn, access, event.device_id)
        patient = await accounts.user(conn, access, device.user_id) if device.user_id else None
        summary = await summaries.summarise(conn, access, event.device_id, start_us, end_us)
        counts = await beats.count_classes(conn, access, event.device_id, start_us, end_us)
        groups = await burden.ectopic_groups(conn, access, event.device_id, start_us, end_us)
        last_start_us = max(start_us, end_us - STRETCH_S * 1_000_000 + 1)
        stretches = await hrv.list_hrv(conn, access, event.device_id, start_us, last_start_us, _STRETCHES)
        episodes = await rhythms.list_rhythms(conn, access, event.device_id, start_us, end_us, _EPISODES)
        fastest = await metrics.fastest_second(conn, access, event.device_id, start_us, end_us)
        recordings = await samples.recordings(conn, access, event.device_id, start_us, end_us)
    last_us = max([await _last_us(database, recording) for recording in recordings], default=0)
    moments = _moments(start_us, min(end_us, last_us), to_us(fastest.recorded_at) if fastest else None, episodes.items)
    strips = [await _strip(database, shelf, recordings, title, at_us) for title, at_us in moments]
    return ReportData(
        event=event,
        device=device,
        patient=patient,
        summary=summary,
        counts=counts,
        groups=groups,
        stretches=stretches.items,
        episodes=episodes.items,
        strips=[strip for strip in strips if strip is not None],
        engine_version=_engine_version(fastest, strips),
        reaches_end=last_us >= end_us - _ARRIVED_US,
    )


def content(data: ReportData) -> ReportContent:
    """The report's content. Pure but for the moment it was made."""
    summary, event = data.summary, data.event
    return ReportContent(
        report_id=event.report_id,
        created_at_us=now_us(),
        engine_version=data.engine_version,
        period_start_us=event.period_start_us,
        period_end_us=event.period_end_us,
        patient=_patient(data.patient),
        device=DeviceIdentity(data.device.device_name, data.device.device_serial),
        figures=_figures(summary.means),
        analysed_s=float(summary.means.seconds),
        quality=summary.means.quality_mean,
        rhythms=tuple(RhythmShare(share.label, share.seconds) for share in summary.labels if share.label),
        beat_counts={count.beat_class: count.count for count in data.counts},
        ectopic_groups={name: _groups(data.groups, name) for name in ("S", "V")},
        hrv=_hrv(data.stretches),
        episodes=tuple(Episode(e.label, e.started_at_us, e.ended_at_us, e.confidence) for e in data.episodes),
        strips=tuple(_drawn(strip) for strip in data.strips),
    )


def _groups(counts: Sequence[GroupCount], name: str) -> EctopicGroups:
    ours = [count for count in counts if count.beat_class == name]
    return EctopicGroups(sum(count.couplets for count in ours), sum(count.runs for count in ours))


def _hrv(stretches: Sequence[HrvStretch]) -> HrvMedians | None:
    done = [stretch for stretch in stretches if stretch.reason is None]
    if not stretches:
        return None
    medians = {name: _median([getattr(stretch, name) for stretch in done]) for name in FIGURES}
    return HrvMedians(len(done), len(stretches) - len(done), medians)


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


async def _last_us(database: Database, recording: Recording) -> int:
    async with database.transaction() as conn:
        extent = await samples.extent(conn, everything(), recording.recording_id)
    return recording.started_at_us + index_to_us(extent.end_index, recording.rate_hz)


def _moments(
    start_us: int, end_us: int, fastest_us: int | None, episodes: list[RhythmEpisode]
) -> list[tuple[str, int]]:
    """Why and from when each strip is shown; a moment that an earlier strip shows already is left out."""
    latest_us = max(start_us, end_us - _STRIP_US)
    abnormal = [e for e in episodes if e.label != NORMAL and start_us <= e.started_at_us < end_us]
    wished = [("Start of the period", start_us)]
    if fastest_us is not None:
        wished.append(("Highest heart rate", min(max(start_us, fastest_us - _STRIP_US // 2), latest_us)))
    wished += [
        (e.label, min(max(start_us, e.started_at_us - _STRIP_US // 5), latest_us)) for e in _first_of_each(abnormal)
    ]
    wished.append(("End of the period", latest_us))
    shown: list[tuple[str, int]] = []
    for title, at_us in wished:
        if all(abs(at_us - other_us) > _STRIP_US // 2 for _, other_us in shown):
            shown.append((title, at_us))
    return sorted(shown, key=lambda moment: moment[1])


def _first_of_each(episodes: list[RhythmEpisode]) -> list[RhythmEpisode]:
    first: dict[str, RhythmEpisode] = {}
    for episode in episodes:
        first.setdefault(episode.label, episode)
    return list(first.values())


def _engine_version(fastest: MetricsRow | None, strips: list[StripData | None]) -> str:
    """Of the figures; of the beats where the period is shorter than the seconds that are kept lie apart."""
    if fastest is not None:
        return fastest.engine_version
    return next((beat.engine_version for strip in strips if strip for beat in strip.beats), "")


async def _strip(
    database: Database, shelf: Shelf, recordings: list[Recording], title: str, at_us: int
) -> StripData | None:
    """The strip from `at_us` on, of the recording that was running then (or began next); None when there is none."""
    running = [r for r in recordings if r.started_at_us <= at_us] or recordings
    if not running:
        return None
    recording = running[-1] if running is not recordings else running[0]
    first = max(0, round((at_us - recording.started_at_us) * recording.rate_hz / 1e6))
    end = first + round(_STRIP_US * recording.rate_hz / 1e6)
    async with database.transaction() as conn:
        kept = await samples.kept(conn, everything(), recording.recording_id)
        marks = await beats.list_beats(
            conn,
            everything(),
            recording.device_id,
            at_us,
            at_us + _STRIP_US,
            _BEATS,
            recording_id=recording.recording_id,
        )
    stretches = await archived_samples.read_kept(database, shelf, kept, first, end)
    return StripData(title, at_us, recording, stretches, marks.items) if stretches else None


def _drawn(strip: StripData) -> Strip:
    recording = strip.recording
    first, end = strip.stretches[0].first_index, max(s.first_index + s.samples.shape[1] for s in strip.stretches)
    canvas = np.full((len(recording.leads), end - first), MISSING, np.int16)
    for stretch in strip.stretches:
        at = stretch.first_index - first
        canvas[:, at : at + stretch.samples.shape[1]] = stretch.samples
    return Strip(
        title=strip.title,
        leads=recording.leads,
        rate_hz=recording.rate_hz,
        uv_per_lsb=recording.uv_per_lsb,
        samples=canvas,
        first_index=first,
        started_at_us=strip.stretches[0].started_at_us,
        beats=tuple(BeatMark(beat.r_index, beat.beat_class) for beat in strip.beats),
    )


def _patient(user: User | None) -> Patient:
    if user is None:
        return Patient()
    return Patient(user.full_name or user.username, user.age, user.gender, str(user.user_id))


def _figures(means: PeriodMeans) -> Figures:
    return Figures(
        heart_rate_mean_bpm=means.heart_rate_mean,
        heart_rate_min_bpm=means.heart_rate_min,
        heart_rate_max_bpm=means.heart_rate_max,
        pr_ms=means.pr_mean_ms,
        qrs_ms=means.qrs_mean_ms,
        qt_ms=means.qt_mean_ms,
        qtc_ms=means.qtc_mean_ms,
        qtc_bazett_ms=means.qtc_bazett_mean_ms,
        qtc_framingham_ms=means.qtc_framingham_mean_ms,
        qtc_hodges_ms=means.qtc_hodges_mean_ms,
        st_mv=means.st_mv,
        st80_mv=means.st80_mv,
        p_axis_deg=means.p_axis_deg,
        qrs_axis_deg=means.qrs_axis_deg,
        t_axis_deg=means.t_axis_deg,
    )
