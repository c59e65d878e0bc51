"""Codec 2 keeps every sample, reads as it is written down, and takes no harm from any bytes."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.waveform_codec.blocks import _checksum, decode_blocks, encode_blocks
from storage.waveform_codec.frequencies import CLASSES, FREQUENCIES
from storage.waveform_codec.lanes import CHUNK
from storage.waveform_codec.tables import STATES, SYMBOLS
from tests.unit.storage.waveform_codec import reference
from tests.unit.storage.waveform_codec.signals import KINDS, block, like_ecg

SEEDS = st.integers(0, 2**32 - 1)
LEADS = st.integers(1, 16)
COUNTS = st.one_of(st.integers(1, 9), st.integers(CHUNK - 2, CHUNK + 2), st.integers(1, 4000))
DOCUMENT = Path(__file__).parents[4] / "docs" / "waveform-codec.md"


def sealed(told: bytes, leads: int, count: int) -> bytes:
    """The bytes with the checksum they should have."""
    return _checksum(told, leads, count).to_bytes(4, "little") + told


@given(SEEDS, LEADS, COUNTS)
def test_blocks_of_every_kind_survive(seed: int, leads: int, count: int) -> None:
    samples = block(np.random.default_rng(seed), leads, count)
    assert np.array_equal(decode_blocks(encode_blocks([samples]), leads, [count]), samples)


@given(SEEDS, st.integers(1, 3), st.lists(COUNTS, min_size=1, max_size=12))
def test_rows_of_many_lengths_share_the_lanes(seed: int, leads: int, counts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    blocks = [block(rng, leads, count) for count in counts]
    back = decode_blocks(encode_blocks(blocks), leads, counts)
    assert np.array_equal(back, np.concatenate(blocks, axis=1))


@pytest.mark.parametrize("count", [1, 100_000])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_survives_alone(kind: str, count: int) -> None:
    samples = np.clip(KINDS[kind](np.random.default_rng(5), count), -32768, 32767).astype(np.int16)[np.newaxis]
    assert np.array_equal(decode_blocks(encode_blocks([samples]), 1, [count])[0], samples[0])


@given(SEEDS, LEADS, COUNTS)
def test_no_block_grows_by_more_than_its_head(seed: int, leads: int, count: int) -> None:
    samples = block(np.random.default_rng(seed), leads, count)
    assert len(encode_blocks([samples])[0]) <= samples.nbytes + 4 + leads * 2


@given(SEEDS, st.integers(1, 3), st.integers(1, 600))
def test_a_reader_made_from_the_document_reads_the_same(seed: int, leads: int, count: int) -> None:
    samples = block(np.random.default_rng(seed), leads, count)
    assert reference.decode(encode_blocks([samples])[0], leads, count) == samples.tolist()


def test_an_ecg_is_read_by_the_documents_reader_too() -> None:
    samples = like_ecg()
    data = encode_blocks([samples])[0]
    assert reference.decode(data, *samples.shape) == samples.tolist()
    assert len(data) < samples.nbytes / 3


def test_the_documents_example_is_what_is_written() -> None:
    text = DOCUMENT.read_text()
    samples = [[int(n) for n in row.split()] for row in re.findall(r"^lead \d: (.*)$", text, re.MULTILINE)]
    told = bytes.fromhex("".join(re.findall(r"^[0-9a-f]{4}: (.*?)(?: {2}.*)?$", text, re.MULTILINE)))
    assert encode_blocks([np.array(samples, np.int16)]) == [told]
    assert reference.decode(told, len(samples), len(samples[0])) == samples


def test_a_lead_that_is_off_takes_three_bytes() -> None:
    assert len(encode_blocks([np.full((1, 3600), -32768, np.int16)])[0]) == 4 + 3


def test_the_frequencies_fill_the_states() -> None:
    assert [sum(each) for each in FREQUENCIES] == [STATES] * len(FREQUENCIES)
    assert {len(each) for each in FREQUENCIES} == {SYMBOLS}
    assert all(each[-1] > 0 for each in FREQUENCIES)
    assert set(CLASSES) == set(range(len(FREQUENCIES)))


def test_the_same_samples_are_the_same_bytes() -> None:
    samples = block(np.random.default_rng(1), 12, 2500)
    assert encode_blocks([samples]) == encode_blocks([samples.copy()])


def test_damage_of_any_byte_is_told() -> None:
    data = encode_blocks([like_ecg(count=300)])[0]
    for place in range(len(data)):
        damaged = data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
        with pytest.raises(ValueError, match="restore the row from a backup"):
            decode_blocks([damaged], 2, [300])


def test_a_damaged_row_among_sound_ones_is_told() -> None:
    rows = encode_blocks([like_ecg(count=300)] * 9)
    with pytest.raises(ValueError, match="damaged"):
        decode_blocks([*rows[:5], rows[5][:-1] + b"?", *rows[6:]], 2, [300] * 9)


@given(SEEDS, st.integers(1, 9), st.integers(1, 3000), st.integers(1, 30))
def test_damage_under_a_right_checksum_does_no_harm(seed: int, leads: int, count: int, changes: int) -> None:
    """It may be read as other samples, or be told; never may it reach beyond what is its own."""
    rng = np.random.default_rng(seed)
    told = bytearray(encode_blocks([block(rng, leads, count)])[0][4:])
    for place in rng.integers(0, len(told), changes):
        told[place] = rng.integers(256)
    harmless(bytes(told), leads, count)


@given(st.binary(max_size=400), st.integers(1, 3), st.integers(0, 5000))
def test_any_bytes_under_a_right_checksum_do_no_harm(told: bytes, leads: int, count: int) -> None:
    harmless(told, leads, count)


@given(SEEDS, st.integers(1, 12), st.integers(3, 5000))
def test_noise_for_bits_does_no_harm(seed: int, leads: int, count: int) -> None:
    """The sizes are right, so that every bit is read as symbols."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(4, min(2 * count, 16000)))
    sizes = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    harmless(sizes * leads + rng.bytes(size * leads), leads, count)


def harmless(told: bytes, leads: int, count: int) -> None:
    """Read between two sound rows, which must not change, as the row itself must not be half made."""
    sound = like_ecg(leads, 300)
    row = encode_blocks([sound])[0]
    try:
        back = decode_blocks([row, sealed(told, leads, count), row], leads, [300, count, 300])
    except ValueError as error:
        assert "restore the row" in str(error)  # noqa: PT017  # not raising is as right
    else:
        assert np.array_equal(back[:, :300], sound)
        assert np.array_equal(back[:, -300:], sound)
