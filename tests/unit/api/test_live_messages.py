"""Live messages say what the records say, about wanted devices only."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.live_messages import LiveRecord, messages
from schemas import codec, topics
from schemas.beats import Beat, Fiducials
from schemas.metrics import Metrics
from schemas.quality import LeadQuality
from schemas.rhythms import ASYSTOLE, NORMAL, RhythmEpisode
from schemas.samples import MISSING, Recording
from tests.columns import as_results, beat_pack, metrics_pack
from tests.storage.made import alarm_of
from tests.unit.api.examples import START_US, a_block, a_recording, counted

DEVICE, RECORDING = uuid4(), uuid4()


def _told(record: LiveRecord, *wanted: UUID) -> list[dict[str, Any]]:
    return [json.loads(message.text) for message in messages(record, frozenset(wanted))]


def _of_device(topic: str, value: bytes) -> LiveRecord:
    return LiveRecord(topic, topics.device_key(DEVICE), value)


def test_samples_of_wanted_devices_are_told_with_their_place() -> None:
    recording, unwanted = a_recording(), a_recording()
    samples = counted(2, 0, 3)
    samples[0, 1] = MISSING
    pack = codec.encode_pack([a_block(unwanted, 0, samples), a_block(recording, 720, samples)])
    [told] = _told(LiveRecord(topics.SAMPLES, b"3", pack), recording.device_id)
    assert told == {
        "type": "samples",
        "device_id": str(recording.device_id),
        "recording_id": str(recording.recording_id),
        "first_index": 720,
        "at_us": START_US + 2_000_000,
        "rate_hz": 360.0,
        "leads": ["MLII", "V1"],
        "uv_per_lsb": [5.0, 2.5],
        "samples": [[0, None, 2], [0, 1, 2]],
    }


def test_beats_say_once_what_they_share() -> None:
    beat = Beat(DEVICE, RECORDING, 77, START_US, "V", 90.0, "fast-1", rr_ms=800.0, fiducials=Fiducials(qrs_onset=60))
    [told] = _told(_of_device(topics.BEATS, beat_pack(as_results([beat]))), DEVICE)
    assert (told["type"], told["recording_id"], told["engine_version"]) == ("beats", str(RECORDING), "fast-1")
    [one] = told["beats"]
    assert (one["r_index"], one["beat_class"], one["rr_ms"], one["fiducials"]["qrs_onset"]) == (77, "V", 800.0, 60)
    assert "device_id" not in one


def test_metrics_and_rhythms_are_told_whole() -> None:
    leads = (LeadQuality("II", 0.5, ("noise",)),)
    metrics = Metrics(
        DEVICE, RECORDING, START_US, "fast-1", heart_rate_bpm=72.0, qtc_bazett_ms=410.0, main_lead="II", leads=leads
    )
    episode = RhythmEpisode(DEVICE, RECORDING, 5, NORMAL, "opened", START_US, START_US + 1, 80.0, "fast-1")
    sent = metrics_pack(as_results(metrics=[metrics], leads=("II",)))
    [first] = _told(_of_device(topics.METRICS, sent), DEVICE)
    [second] = _told(_of_device(topics.RHYTHMS, codec.encode_rhythm(episode)), DEVICE)
    assert (first["type"], first["heart_rate_bpm"], first["pr_ms"]) == ("metrics", 72.0, None)
    assert (first["qtc_bazett_ms"], first["main_lead"]) == (410.0, "II")
    assert first["leads"] == [{"lead": "II", "quality": 0.5, "flags": ["noise"]}]
    assert (second["type"], second["label"], second["state"]) == ("rhythm", NORMAL, "opened")


def test_an_alarm_is_told_whole() -> None:
    recording = Recording(RECORDING, DEVICE, UUID(int=77), START_US, 250.0, ("II",), (5.0,))
    alarm = alarm_of(recording, ASYSTOLE, START_US)
    [told] = _told(_of_device(topics.ALARMS, codec.encode_alarm(alarm)), DEVICE)
    assert (told["type"], told["kind"], told["priority"], told["state"]) == ("alarm", ASYSTOLE, "high", "raised")
    assert (told["alarm_id"], told["user_id"], told["ended_at_us"]) == (str(alarm.alarm_id), str(UUID(int=77)), None)


def test_what_nobody_watches_is_not_told() -> None:
    beat = Beat(DEVICE, RECORDING, 77, START_US, "V", 90.0, "fast-1")
    assert _told(_of_device(topics.BEATS, beat_pack(as_results([beat]))), uuid4()) == []
    assert _told(_of_device(topics.RHYTHMS, b"not protobuf at all"), uuid4()) == []


@pytest.mark.parametrize("topic", [topics.SAMPLES, topics.BEATS, topics.METRICS, topics.RHYTHMS, topics.ALARMS])
@pytest.mark.parametrize("value", [b"", b"not protobuf at all"])
def test_a_broken_record_says_nothing(topic: str, value: bytes) -> None:
    assert _told(_of_device(topic, value), DEVICE) == []


def test_a_key_that_is_no_device_says_nothing() -> None:
    episode = RhythmEpisode(DEVICE, RECORDING, 5, NORMAL, "opened", START_US, START_US + 1, 80.0, "fast-1")
    assert _told(LiveRecord(topics.RHYTHMS, b"\xff", codec.encode_rhythm(episode)), DEVICE) == []
