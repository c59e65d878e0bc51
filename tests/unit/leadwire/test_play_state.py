"""An interrupted play is found again, and only by the signal it was of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from ingest.player import Progress
from ingest.sources import RecordSource, Take
from leadwire.play_state import Interrupted, PlayFile, state_folder
from schemas.errors import Malformed

SOURCE = RecordSource("r", 250.0, ("II",), (5.0,), np.arange(1000, dtype=np.int16).reshape(1, -1))
TAKE = Take(UUID(int=1), UUID(int=2), 1_700_000_000_000_000)


def file(folder: Path, serial: str = "r", source: RecordSource = SOURCE) -> PlayFile:
    return PlayFile(folder / "state", "http://here", serial, source)


def test_what_was_kept_is_found_again_and_forgotten_at_the_end(tmp_path: Path) -> None:
    file(tmp_path).keep(Progress(TAKE, 750, 500, 1000))
    assert file(tmp_path).load() == Interrupted(TAKE, 500)
    file(tmp_path).forget()
    file(tmp_path).forget()
    assert file(tmp_path).load() is None


def test_between_two_writes_some_time_passes_unless_it_must_be_now(tmp_path: Path) -> None:
    ours = file(tmp_path)
    for index in (250, 500):
        ours.keep(Progress(TAKE, index, index, 1000))
    assert ours.load() == Interrupted(TAKE, 250)
    ours.keep(Progress(TAKE, 750, 750, 1000), now=True)
    assert ours.load() == Interrupted(TAKE, 750)


def test_each_device_has_its_own(tmp_path: Path) -> None:
    file(tmp_path).keep(Progress(TAKE, 750, 500, 1000))
    assert file(tmp_path, serial="other").load() is None


def test_another_signal_is_refused(tmp_path: Path) -> None:
    file(tmp_path).keep(Progress(TAKE, 750, 500, 1000))
    with pytest.raises(Malformed, match="another signal; go without --resume"):
        file(tmp_path, source=replace(SOURCE, samples=SOURCE.samples + np.int16(1))).load()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"device_id": "x"}'])
def test_a_file_that_is_none_of_ours_is_told(tmp_path: Path, text: str) -> None:
    ours = file(tmp_path)
    ours.path.parent.mkdir()
    ours.path.write_text(text)
    with pytest.raises(Malformed, match="remove it, or go without --resume"):
        ours.load()


def test_state_rests_where_the_user_keeps_state() -> None:
    assert state_folder({"XDG_STATE_HOME": "/var/state"}) == Path("/var/state/leadwire")
    assert state_folder({}) == Path.home() / ".local" / "state" / "leadwire"
