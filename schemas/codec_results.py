"""Between columns of beats and metrics and their packs: encoded as the engine gives them, decoded one by one."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from schemas import ecg_pb2 as pb
from schemas.beats import Beat, BeatClass, Fiducials
from schemas.codec import NUMBER_BY_LEAD, enum_name, lead_of, parse, uuid_of
from schemas.errors import Malformed
from schemas.metrics import FIGURES, Metrics
from schemas.quality import LeadQuality, flags_of
from schemas.results import Results, Source
from schemas.rhythms import LABELS

_MARKS: Final = Fiducials.__slots__
_FIGURES: Final = ("rr_ms", "pr_ms", "qrs_ms", "qt_ms", "st_mv", "amplitude_mv")
_CLASSES: Final = dict(pb.BeatClass.items())


def encode_beat_pack(results: Results) -> bytes:
    """BeatPack bytes: a BeatBatch for each recording that has beats, in the order of `sources`."""
    pack = pb.BeatPack()
    batches: dict[int, Any] = {}
    for number, beat in zip(results.beats["source"].tolist(), _beats(results.beats), strict=True):
        if number not in batches:
            source = results.sources[number]
            batches[number] = pack.batches.add(
                device_id=source.device_text,
                recording_id=source.recording_text,
                engine_version=results.engine_version,
            )
        batches[number].beats.append(beat)
    return pack.SerializeToString()


def _beats(table: NDArray[Any]) -> list[pb.Beat]:
    own = ("r_index", "at_us", "beat_class", "confidence")
    rows = zip(*(table[name].tolist() for name in own), _present(table, _FIGURES), _present(table, _MARKS), strict=True)
    return [
        pb.Beat(
            r_index=r, at_us=at, beat_class=_CLASSES[kind], confidence=sure, fiducials=pb.Fiducials(**marks), **told
        )
        for r, at, kind, sure, told, marks in rows
    ]


def decode_beat_pack(value: bytes) -> list[Beat]:
    """The beats of a BeatPack. Raises Malformed."""
    pack = pb.BeatPack()
    parse(pack, value, "BeatPack")
    return [beat for batch in pack.batches for beat in beats_from_pb(batch)]


def beats_from_pb(batch: pb.BeatBatch) -> list[Beat]:
    """The beats of one recording. Raises Malformed."""
    return [_beat_from_pb(message, batch) for message in batch.beats]


def _beat_from_pb(message: pb.Beat, batch: pb.BeatBatch) -> Beat:
    return Beat(
        device_id=uuid_of(batch.device_id, "device_id"),
        recording_id=uuid_of(batch.recording_id, "recording_id"),
        r_index=message.r_index,
        at_us=message.at_us,
        beat_class=cast("BeatClass", enum_name(pb.BeatClass, message.beat_class)),
        confidence=message.confidence,
        engine_version=batch.engine_version,
        fiducials=Fiducials(**{field.name: mark for field, mark in message.fiducials.ListFields()}),
        **{n: getattr(message, n) if message.HasField(n) else None for n in _FIGURES},
    )


def encode_metrics_pack(results: Results) -> bytes:
    """MetricsPack bytes, the seconds in their order."""
    table = results.metrics
    names = ("source", "window_start_us", "rhythm", "arrhythmia_confidence", "quality", "main_lead")
    columns = (table[name].tolist() for name in (*names, "lead_quality", "lead_flags"))
    pack = pb.MetricsPack()
    for number, start_us, rhythm, sure, quality, main, *leads, told in zip(
        *columns, _present(table, FIGURES), strict=True
    ):
        source = results.sources[number]
        pack.metrics.add(
            device_id=source.device_text,
            recording_id=source.recording_text,
            window_start_us=start_us,
            engine_version=results.engine_version,
            arrhythmia_type=LABELS[rhythm] if rhythm >= 0 else "",
            arrhythmia_confidence=sure,
            quality=quality,
            main_lead=_number_of(source, main),
            **_leads_told(source, *leads),
            **told,
        )
    return pack.SerializeToString()


def _number_of(source: Source, lead: int) -> int:
    return NUMBER_BY_LEAD[source.leads[lead]] if 0 <= lead < len(source.leads) else pb.LEAD_UNSPECIFIED


def _leads_told(source: Source, quality: list[float], flags: list[int]) -> dict[str, list[Any]]:
    """Of the recording's leads those that have a quality; the columns have room for more leads."""
    told = [number for number in range(len(source.leads)) if quality[number] == quality[number]]
    return {
        "leads": [NUMBER_BY_LEAD[source.leads[number]] for number in told],
        "lead_quality": [quality[number] for number in told],
        "lead_flags": [flags[number] for number in told],
    }


def _present(table: NDArray[Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The values of each row by name, without those that are NaN or negative positions."""
    columns = [table[name] for name in names]
    absent = np.array([column < 0 if column.dtype.kind == "i" else np.isnan(column) for column in columns])
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(column.tolist() for column in columns), strict=True)]
    for column, row in np.argwhere(absent).tolist():
        del rows[row][names[column]]
    return rows


def decode_metrics_pack(value: bytes) -> list[Metrics]:
    """The seconds of a MetricsPack. Raises Malformed."""
    pack = pb.MetricsPack()
    parse(pack, value, "MetricsPack")
    return [metrics_from_pb(message) for message in pack.metrics]


def metrics_from_pb(message: pb.Metrics) -> Metrics:
    """One second. Raises Malformed."""
    return Metrics(
        device_id=uuid_of(message.device_id, "device_id"),
        recording_id=uuid_of(message.recording_id, "recording_id"),
        window_start_us=message.window_start_us,
        engine_version=message.engine_version,
        arrhythmia_type=message.arrhythmia_type or None,
        arrhythmia_confidence=message.arrhythmia_confidence,
        quality=message.quality,
        main_lead=lead_of(message.main_lead) if message.main_lead else None,
        leads=_lead_qualities(message),
        **{n: getattr(message, n) if message.HasField(n) else None for n in FIGURES},
    )


def _lead_qualities(message: pb.Metrics) -> tuple[LeadQuality, ...]:
    counts = len(message.leads), len(message.lead_quality), len(message.lead_flags)
    if len(set(counts)) > 1:
        raise Malformed(f"leads, lead_quality and lead_flags have {counts} values; send one of each for every lead")
    columns = zip(message.leads, message.lead_quality, message.lead_flags, strict=True)
    return tuple(LeadQuality(lead_of(number), quality, flags_of(bits)) for number, quality, bits in columns)
