"""What `leadwire analyze` does: a record from a file, the streaming engine, annotation files and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from ingest.records import read_record
from ingest.sources import RecordSource, Take
from processors.analysis import Analysis, analyze, write_annotations
from processors.burden import ectopy, hourly_burden
from processors.ecg.engines import engine as engine_named
from schemas.metrics import FIGURES
from schemas.rhythms import RhythmEpisode
from schemas.samples import Lead

_SHOWN: Final = ("heart_rate_bpm", "rr_ms", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "st_mv", "qrs_axis_deg")
"""What fits on a line; as JSON there is more."""


@dataclass(frozen=True, slots=True)
class Analyzed:
    """A record's analysis, and the annotation files that were written."""

    source: RecordSource
    analysis: Analysis
    files: list[Path]

    def as_json(self) -> dict[str, object]:
        return {
            "record": self.source.name,
            "engine_version": self.analysis.engine_version,
            "rate_hz": self.source.rate_hz,
            "leads": list(self.source.leads),
            "seconds": self.source.duration_s,
            "beats": self._classes(),
            "burden": self._burden(),
            "intervals": self._medians(FIGURES),
            "main_lead_s": dict(Counter(row.main_lead for row in self.analysis.metrics if row.main_lead).most_common()),
            "quality": [self._quality(lead) for lead in self.source.leads],
            "episodes": [_episode(episode) for episode in self.analysis.episodes],
            "files": [str(file) for file in self.files],
        }

    def as_text(self) -> str:
        classes = ", ".join(f"{count} {name}" for name, count in self._classes().items())
        medians = self._medians(_SHOWN)
        intervals = ", ".join(f"{name} {value:.3g}" for name, value in medians.items() if value is not None)
        labels = Counter(episode.label for episode in self.analysis.episodes)
        lines = [
            f"{self.source.name}: {self.source.duration_s:.0f} s, {', '.join(self.source.leads)}",
            f"beats      {len(self.analysis.beats)} ({classes})",
            f"ectopic    {self._ectopic()}",
            f"medians    {intervals}",
            *(f"episodes   {count:4d}  {label}" for label, count in labels.most_common()),
            *(f"written    {file}" for file in self.files),
            f"engine     {self.analysis.engine_version}; research use: not for diagnosis or primary alarms",
        ]
        return "\n".join(lines)

    def _classes(self) -> dict[str, int]:
        return dict(Counter(beat.beat_class for beat in self.analysis.beats).most_common())

    def _burden(self) -> dict[str, object]:
        """Ectopic beats of the record, and of each hour of it (the first is 0)."""
        whole = ectopy(self.analysis.beats)
        hours = [
            {"hour": round(hour.at.timestamp() / 3600), **asdict(hour.ectopy)}
            for hour in hourly_burden(self.analysis.beats)
        ]
        rates = {"supraventricular_per_hour": whole.supraventricular, "ventricular_per_hour": whole.ventricular}
        return {**asdict(whole), **{name: self._per_hour(count) for name, count in rates.items()}, "hours": hours}

    def _ectopic(self) -> str:
        whole = ectopy(self.analysis.beats)
        counts = {"S": whole.supraventricular, "V": whole.ventricular}
        rates = ", ".join(f"{name} {self._per_hour(count) or 0:g}/h" for name, count in counts.items())
        groups = whole.ventricular_groups
        return f"{rates}; ventricular couplets {groups.couplets}, runs {groups.runs}"

    def _per_hour(self, count: int) -> float | None:
        """To a tenth; a record shorter than an hour is counted up to one."""
        return round(count * 3600 / self.source.duration_s, 1) if self.source.duration_s else None

    def _medians(self, names: Sequence[str]) -> dict[str, float | None]:
        """Medians over the record: bpm, ms, mV and degrees."""
        return {name: self._median(name) for name in names}

    def _median(self, name: str) -> float | None:
        values = [getattr(row, name) for row in self.analysis.metrics if getattr(row, name) is not None]
        if not values:
            return None
        return round(_median_angle(values) if name.endswith("_axis_deg") else float(np.median(values)), 3)

    def _quality(self, lead: Lead) -> dict[str, object]:
        """The lead's mean quality, and for how many seconds each flag stood."""
        told = [each for row in self.analysis.metrics for each in row.leads if each.lead == lead]
        flagged = Counter(flag for each in told for flag in each.flags)
        mean = round(float(np.mean([each.quality for each in told])), 3) if told else None
        return {"lead": lead, "mean": mean, "flagged_s": dict(flagged.most_common())}


def analyze_record(record: Path, out: Path, engine: Literal["fast", "neurokit2"]) -> Analyzed:
    """Analyze a file as a worker would. Raises NotFound or Malformed for what can't be read."""
    source = read_record(record)
    identity = uuid5(NAMESPACE_URL, source.name)
    take = Take(identity, identity, started_at_us=0)
    done = analyze(source.blocks(take), engine_named(engine))
    return Analyzed(source, done, write_annotations(done, source.name, out, source.rate_hz))


def _median_angle(degrees: Sequence[float]) -> float:
    """The median about the mean direction, because 179 and -179 are neighbours."""
    middle = float(np.degrees(np.angle(np.exp(1j * np.radians(degrees)).sum())))
    off = (np.array(degrees) - middle + 180) % 360 - 180
    return (middle + float(np.median(off)) + 180) % 360 - 180


def _episode(episode: RhythmEpisode) -> dict[str, object]:
    """As JSON; the times are microseconds from the record's start."""
    told = asdict(episode)
    return {
        name: told[name] for name in ("label", "state", "first_r_index", "started_at_us", "ended_at_us", "confidence")
    }
