"""Between columns of beats and metrics and their packs: encoded as the engine gives them, decoded one by one."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from schemas import ecg_pb2 as pb
from schemas.beats import FIGURES as BEAT_FIGURES
from schemas.beats import Beat, BeatClass, Fiducials
from schemas.codec import NUMBER_BY_LEAD, enum_name, lead_of, parse, uuid_of
from schemas.columnar import Cells, beside, chosen, floats, sized, split, varints, with_size, zigzags
from schemas.errors import Malformed
from schemas.metrics import FIGURES, Metrics
from schemas.quality import LeadQuality, flags_of
from schemas.results import MAX_LEADS, Results, Source, merged
from schemas.rhythms import LABELS

_MARKS: Final = Fiducials.__slots__
_CLASSES: Final = np.array(sorted(pb.BeatClass.keys()[1:]))
_CLASS_NUMBERS: Final = np.array([pb.BeatClass.Value(name) for name in _CLASSES.tolist()])
_RHYTHMS: Final = [*(pb.Metrics(arrhythmia_type=label).SerializeToString() for label in LABELS), b""]
"""At -1, the last one, for none stated."""
_MAIN_LEADS: Final = [pb.Metrics(main_lead=number).SerializeToString() for number in sorted(pb.Lead.values())]
_BEAT: Final = {field.name: field.number for field in pb.Beat.DESCRIPTOR.fields}
_MARK: Final = {field.name: field.number for field in pb.Fiducials.DESCRIPTOR.fields}
_BATCHES: Final = pb.BeatPack.DESCRIPTOR.fields_by_name["batches"].number
_SECONDS: Final = pb.MetricsPack.DESCRIPTOR.fields_by_name["metrics"].number
_SECOND: Final = {field.name: field.number for field in pb.Metrics.DESCRIPTOR.fields}


def encode_beat_packs(parts: Sequence[Results]) -> list[bytes]:
    """BeatPack bytes of each part: a BeatBatch for each recording that has beats, in the order of `sources`.

    All parts are encoded at once: a hundred operations on columns cost the same for ten rows as for a thousand.
    """
    results = merged(parts)
    table = results.beats[np.argsort(results.beats["source"], kind="stable")]
    numbers, starts = np.unique(table["source"], return_index=True)
    rows = split(_beats(table), starts.tolist())
    ends = np.cumsum([len(part.sources) for part in parts])
    packs: list[list[bytes]] = [[] for _ in parts]
    for number, part, beats in zip(numbers.tolist(), np.searchsorted(ends, numbers, side="right"), rows, strict=True):
        packs[part].append(with_size(_BATCHES, _head(results.sources[number], results.engine_version) + beats))
    return [b"".join(batches) for batches in packs]


def _head(source: Source, engine_version: str) -> bytes:
    batch = pb.BeatBatch(
        device_id=source.device_text, recording_id=source.recording_text, engine_version=engine_version
    )
    return batch.SerializeToString()


def _beats(table: NDArray[Any]) -> Cells:
    """Each row as the field `beats` of a BeatBatch."""
    marks = [varints(_MARK[name], np.maximum(table[name], 0), table[name] < 0) for name in _MARKS]
    fields = [
        varints(_BEAT["r_index"], table["r_index"]),
        zigzags(_BEAT["at_us"], table["at_us"]),
        varints(_BEAT["beat_class"], _CLASS_NUMBERS[np.searchsorted(_CLASSES, table["beat_class"])]),
        floats(_BEAT["confidence"], table["confidence"]),
        *[floats(_BEAT[name], table[name], np.isnan(table[name])) for name in BEAT_FIGURES],
        sized(_BEAT["fiducials"], beside(marks)),
    ]
    return sized(pb.BeatBatch.DESCRIPTOR.fields_by_name["beats"].number, beside(fields))


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
        **{n: getattr(message, n) if message.HasField(n) else None for n in BEAT_FIGURES},
    )


def encode_metrics_packs(parts: Sequence[Results]) -> list[bytes]:
    """MetricsPack bytes of each part, the seconds in their order; all parts are encoded at once."""
    results = merged(parts)
    table = results.metrics
    fields = [
        chosen([_shared(source, results.engine_version) for source in results.sources], table["source"]),
        zigzags(_SECOND["window_start_us"], table["window_start_us"]),
        chosen(_RHYTHMS, table["rhythm"]),
        floats(_SECOND["arrhythmia_confidence"], table["arrhythmia_confidence"]),
        floats(_SECOND["quality"], table["quality"]),
        *[floats(_SECOND[name], table[name], np.isnan(table[name])) for name in FIGURES],
        *_leads_told(results),
    ]
    starts = np.cumsum([0, *(part.metrics.size for part in parts[:-1])])
    return split(sized(_SECONDS, beside(fields)), starts.tolist())


def _shared(source: Source, engine_version: str) -> bytes:
    """What all seconds of a recording say."""
    leads = [NUMBER_BY_LEAD[lead] for lead in source.leads]
    shared = pb.Metrics(
        device_id=source.device_text, recording_id=source.recording_text, engine_version=engine_version, leads=leads
    )
    return shared.SerializeToString()


def _leads_told(results: Results) -> list[Cells]:
    """The main lead, and of each lead of the recording (the columns have room for more) quality and flags."""
    table, number = results.metrics, results.metrics["source"]
    leads = np.zeros((len(results.sources), MAX_LEADS + 1), np.int64)  # the last one, at -1, is none
    for row, source in zip(leads, results.sources, strict=True):
        row[: len(source.leads)] = [NUMBER_BY_LEAD[lead] for lead in source.leads]
    there = leads[number, :-1] > 0
    quality = np.ascontiguousarray(table["lead_quality"], "<f4").view(np.uint8).reshape(-1, 4 * MAX_LEADS)
    return [
        chosen(_MAIN_LEADS, leads[number, table["main_lead"]]),
        sized(_SECOND["lead_quality"], Cells(quality, there.repeat(4, axis=1))),
        sized(_SECOND["lead_flags"], Cells(table["lead_flags"], there)),  # flags are below 128, a byte each
    ]


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
    told = ((number, quality, bits) for number, quality, bits in columns if not isnan(quality))
    return tuple(LeadQuality(lead_of(number), quality, flags_of(bits)) for number, quality, bits in told)
