"""What a spool took is on the disk until it is acknowledged, whatever happens to its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.spool import Spool
from schemas.codec import encode_pack
from schemas.errors import Busy, Misconfigured
from tests.unit.ingest.examples import BLOCK, block

SIZE = len(encode_pack([block(250)]))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "device.spool"


def waiting(spool: Spool) -> list[int]:
    return [spooled.block.first_index for spooled in spool.after(0, 1000)]


def test_what_was_appended_waits_in_order_and_outlives_the_process(path: Path) -> None:
    with Spool(path) as spool:
        assert spool.append([block(0), block(250)]) == 2
        spool.append([block(500)])
    with Spool(path) as spool:
        assert (waiting(spool), spool.blocks_waiting) == ([0, 250, 500], 3)
        assert (spool.after(0, 1)[0].block.samples == BLOCK.samples).all()


def test_what_was_acknowledged_is_gone_and_not_taken_again(path: Path) -> None:
    with Spool(path) as spool:
        spool.append([block(0), block(250), block(500)])
        spool.acknowledge(spool.after(0, 2)[-1].number)
    with Spool(path) as spool:
        assert spool.append([block(0), block(250), block(500), block(750)]) == 1
        assert waiting(spool) == [500, 750]


def test_a_late_block_and_another_recording_are_taken(path: Path) -> None:
    with Spool(path) as spool:
        spool.append([block(0), block(500), block(250), replace(block(0), recording_id=UUID(int=1))])
        assert spool.append([block(250), replace(block(100), samples=BLOCK.samples[:, :150])]) == 0
        assert waiting(spool) == [0, 500, 250, 0]


def test_a_full_spool_says_what_it_did_not_take_and_keeps_the_oldest(path: Path) -> None:
    with Spool(path, max_bytes=2 * SIZE) as spool:
        with pytest.raises(Busy, match=r"is full: .* sample 500 of recording .* Bring the gateway back, or give"):
            spool.append([block(0), block(250), block(500), block(750)])
        assert waiting(spool) == [0, 250]
        spool.acknowledge(spool.after(0, 1)[0].number)
        spool.append([block(500)])
        assert waiting(spool) == [250, 500]


def test_the_oldest_can_be_given_up(path: Path) -> None:
    with Spool(path) as spool:
        spool.append([block(0), block(250)])
        given_up = spool.discard_oldest()
        assert given_up is not None
        assert (given_up.first_index, waiting(spool)) == (0, [250])
        spool.discard_oldest()
        assert spool.discard_oldest() is None


def test_only_its_owner_can_read_it(path: Path) -> None:
    with Spool(path) as spool:
        spool.append([block(0)])
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}


def test_a_second_process_is_told_to_take_its_own(path: Path) -> None:
    with Spool(path), pytest.raises(Busy, match="another process uses the spool"):
        Spool(path)


def test_a_file_that_is_no_spool_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no database, but long enough to look into " * 20)
    with pytest.raises(Misconfigured, match="move the file away"):
        Spool(tmp_path / "notes")


_APPENDS_AND_WAITS = """
import sys
from pathlib import Path
from ingest.spool import Spool
from tests.unit.ingest.examples import block
spool = Spool(Path(sys.argv[1]))
for n in range(10):
    spool.append([block(250 * n)])
print("done", flush=True)
sys.stdin.read()
"""


def killed_after_ten(path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _APPENDS_AND_WAITS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"done\n"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=10)


def test_every_block_outlives_a_kill(path: Path) -> None:
    killed_after_ten(path)
    with Spool(path) as spool:
        assert waiting(spool) == [250 * n for n in range(10)]


@pytest.mark.parametrize("lost", [1, 100, 5000])
def test_a_torn_end_costs_only_what_was_being_written(path: Path, lost: int) -> None:
    killed_after_ten(path)
    log = path.with_name(f"{path.name}-wal")
    os.truncate(log, log.stat().st_size - lost)
    with Spool(path) as spool:
        found = waiting(spool)
        assert found == [250 * n for n in range(len(found))]
        assert 7 <= len(found) < 10
        spool.append([block(250 * n) for n in range(10)])
        assert waiting(spool) == [250 * n for n in range(10)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("aakr"), st.integers(0, 12)), max_size=30))
def test_nothing_is_lost_or_doubled_whatever_the_order(tmp_path: Path, steps: list[tuple[str, int]]) -> None:
    path = tmp_path / str(len(list(tmp_path.iterdir()))) / "spool"
    spool, expected, took = Spool(path), list[int](), set[int]()
    for step, n in steps:
        if step == "a":
            spool.append([block(250 * n)])
            expected += [250 * n] if n not in took else []
            took.add(n)
        elif step == "k" and expected:
            number = spool.after(0, 1 + n)[-1].number
            spool.acknowledge(number)
            spool.append([])
            expected = expected[1 + n :]
        else:
            spool.close()
            spool = Spool(path)
        assert (waiting(spool), spool.blocks_waiting) == (expected, len(expected))
    spool.close()
