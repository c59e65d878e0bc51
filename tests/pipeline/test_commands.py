"""The commands, as a user types them, against a running Leadwire."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import wfdb
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.pipeline.platform import LEADWIRE, Platform

pytestmark = [pytest.mark.data, pytest.mark.timeout(300)]


def environment(platform: Platform) -> dict[str, str]:
    """What a command needs to find the platform and to log in there."""
    return platform.env | {
        "LEADWIRE_URL": platform.login.url,
        "LEADWIRE_USERNAME": platform.login.username,
        "LEADWIRE_PASSWORD": platform.login.password,
    }


def run(platform: Platform, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = environment(platform)
    return subprocess.run([*LEADWIRE, *arguments], env=env, capture_output=True, text=True, timeout=200, check=False)


def answer(platform: Platform, *arguments: str) -> dict[str, Any]:
    """The one JSON object a command prints."""
    done = run(platform, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def streamed(platform: Platform, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A minute of mitdb 208, cut out with wfdb and streamed by command."""
    folder = tmp_path_factory.mktemp("minute")
    minute = wfdb.rdrecord(str(recordings / "mitdb" / "208"), sampto=21_600, physical=False)
    minute.record_name, minute.fmt, minute.file_name = "208", ["16", "16"], ["208.dat", "208.dat"]
    minute.d_signal = minute.d_signal.astype("int64")
    minute.wrsamp(write_dir=str(folder))
    return answer(platform, "stream", str(folder / "208"), "--speed", "0")


def test_stream_tells_what_was_acknowledged_and_where_the_report_is(streamed: dict[str, Any]) -> None:
    assert (streamed["samples_per_lead"], streamed["leads"]) == (21_600, 2)
    assert UUID(streamed["recording_id"])
    assert streamed["report_url"].endswith("/download")


def test_replaying_the_stored_samples_finds_the_beats_of_an_offline_analysis(
    platform: Platform, streamed: dict[str, Any], tmp_path: Path, recordings: Path
) -> None:
    replayed = answer(platform, "replay", "--device", streamed["device_id"])
    assert (replayed["samples"], replayed["devices"]) == (43_200, 1)
    analyzed = answer(platform, "analyze", str(recordings / "mitdb" / "208"), "--out", str(tmp_path))
    assert replayed["beats"] >= 100
    assert sum(analyzed["beats"].values()) > replayed["beats"]


def test_a_topic_can_be_replayed_into_the_engine(platform: Platform, streamed: dict[str, Any]) -> None:
    stored = answer(platform, "replay", "--device", streamed["device_id"])
    topic = answer(platform, "replay", "--device", streamed["device_id"], "--topic", "ecg.samples")
    assert topic["beats"] == stored["beats"]
    assert topic["samples"] == stored["samples"]


async def test_a_stored_period_can_be_replayed_onto_another_topic(platform: Platform, streamed: dict[str, Any]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=platform.settings.kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("trial", num_partitions=3, replication_factor=1)])
    await admin.close()
    sent = answer(platform, "replay", "--device", streamed["device_id"], "--to-topic", "trial")
    assert sent["samples"] == 43_200
    back = answer(platform, "replay", "--device", streamed["device_id"], "--topic", "trial")
    assert back["samples"] == 43_200


def test_a_report_can_be_fetched_by_command(platform: Platform, streamed: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "r.pdf"
    done = run(
        platform, "report", "--device", streamed["device_id"],
        "--start", "2026-01-01T00:00:00", "--end", "2026-01-01T00:10:00", "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert out.read_bytes().startswith(b"%PDF")


def test_doctor_finds_everything_well(platform: Platform) -> None:
    assert set(answer(platform, "doctor").values()) == {"ok"}


def test_migrate_again_changes_nothing(platform: Platform) -> None:
    again = answer(platform, "migrate")
    assert (again["migrations"], again["topics"]) == ([], [])


def test_a_made_user_can_log_in_and_its_name_only_once(platform: Platform) -> None:
    made = run(platform, "user", "create", "dr-house", "--doctor")
    assert "user dr-house (doctor), password " in made.stdout
    again = run(platform, "user", "create", "dr-house")
    assert again.returncode == 65
    assert again.stderr.count("\n") == 1
    assert "exists already; choose another username" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("stream", "no/such/record"), 66, "no WFDB header"),
        (("replay",), 65, "give --device"),
        (("replay", "--topic", "no.topic"), 66, "there is no topic 'no.topic'"),
        (("replay", "--device", "00000000-0000-0000-0000-000000000001"), 66, "nothing is stored"),
        (("simulate", "--rhythm", "waltz"), 65, "rhythm 'waltz' is not known"),
        (("stream", "no/such.edf"), 66, "no file"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(
    platform: Platform, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = run(platform, *arguments)
    assert done.returncode == code
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
