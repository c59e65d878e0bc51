"""How small recordings become that the frequencies were not counted on, and that counting gives them again."""

from pathlib import Path

import pytest

from bench.codec import blocks
from bench.codec_training import frequencies
from storage.waveform_codec.frequencies import CLASSES, FREQUENCIES
from storage.waveforms import encode_many

pytestmark = pytest.mark.data


@pytest.mark.parametrize(("record", "most"), [("mitdb/100", 3.58), ("mitdb/234", 3.72), ("qtdb/sel103", 3.98)])
def test_a_record_takes_no_more_bits_a_sample(recordings: Path, record: str, most: float) -> None:
    cut = blocks(recordings / record)
    assert 8 * sum(len(row.data) for row in encode_many(cut)) / sum(block.size for block in cut) <= most


def test_counting_again_gives_the_same_frequencies(recordings: Path) -> None:
    trained = frequencies(recordings)
    assert tuple(trained.classes.tolist()) == CLASSES
    assert tuple(tuple(share.tolist()) for share in trained.shares) == FREQUENCIES
