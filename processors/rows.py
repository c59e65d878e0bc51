"""The columns an engine gives, as the dataclasses of schemas."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from numpy.typing import NDArray

from schemas.beats import FIGURES as BEAT_FIGURES
from schemas.beats import Beat, Fiducials
from schemas.metrics import FIGURES, Metrics
from schemas.quality import LeadQuality, flags_of
from schemas.results import METRICS_DTYPE, Results, Source
from schemas.rhythms import LABELS, EpisodeState, RhythmEpisode

_ONE_EACH: Final = [name for name in METRICS_DTYPE.names or () if METRICS_DTYPE[name].shape == ()]
_MARKS: Final = Fiducials.__slots__
_STATES: Final[tuple[EpisodeState, ...]] = ("opened", "updated", "closed")


def beats(results: Results) -> list[Beat]:
    """One Beat per row; NaN and -1 become None."""
    return [
        Beat(
            device_id=source.device_id,
            recording_id=source.recording_id,
            r_index=row["r_index"],
            at_us=row["at_us"],
            beat_class=row["beat_class"],
            confidence=row["confidence"],
            engine_version=results.engine_version,
            fiducials=Fiducials(**{name: row[name] if row[name] >= 0 else None for name in _MARKS}),
            **_figures(row, BEAT_FIGURES),
        )
        for source, row in _rows(results, results.beats)
    ]


def metrics(results: Results) -> list[Metrics]:
    """One Metrics per row; its leads are those of the recording that have a quality."""
    table = results.metrics
    qualities, flags = table["lead_quality"].tolist(), table["lead_flags"].tolist()
    return [
        Metrics(
            device_id=source.device_id,
            recording_id=source.recording_id,
            window_start_us=row["window_start_us"],
            engine_version=results.engine_version,
            arrhythmia_type=LABELS[row["rhythm"]] if row["rhythm"] >= 0 else None,
            arrhythmia_confidence=row["arrhythmia_confidence"],
            quality=row["quality"],
            main_lead=source.leads[row["main_lead"]] if 0 <= row["main_lead"] < len(source.leads) else None,
            leads=_lead_qualities(source, quality, bits),
            **_figures(row, FIGURES),
        )
        for (source, row), quality, bits in zip(_rows(results, table[_ONE_EACH]), qualities, flags, strict=True)
    ]


def _lead_qualities(source: Source, quality: Sequence[float], bits: Sequence[int]) -> tuple[LeadQuality, ...]:
    told = zip(source.leads, quality, bits, strict=False)  # the columns have room for more leads
    return tuple(LeadQuality(lead, value, flags_of(flag)) for lead, value, flag in told if not math.isnan(value))


def episodes(results: Results) -> list[RhythmEpisode]:
    """One RhythmEpisode per row, in the order they were stated."""
    return [
        RhythmEpisode(
            device_id=source.device_id,
            recording_id=source.recording_id,
            first_r_index=row["first_r_index"],
            label=LABELS[row["rhythm"]],
            state=_STATES[row["state"]],
            started_at_us=row["started_at_us"],
            ended_at_us=row["ended_at_us"],
            confidence=row["confidence"],
            engine_version=results.engine_version,
        )
        for source, row in _rows(results, results.episodes)
    ]


def _rows(results: Results, table: NDArray[Any]) -> Iterator[tuple[Source, dict[str, Any]]]:
    """Each row as plain Python values (tolist is ten times faster than reading numpy scalars one by one)."""
    names = cast("tuple[str, ...]", table.dtype.names)
    for values in table.tolist():
        row = dict(zip(names, values, strict=True))
        yield results.sources[row["source"]], row


def _figures(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, float | None]:
    return {name: None if math.isnan(row[name]) else row[name] for name in names}
