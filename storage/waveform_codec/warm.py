"""Compile the codec ahead of time: `python -m storage.waveform_codec.warm`, at installation and in the image."""

from __future__ import annotations

import sys
import time

import numpy as np

from storage.waveform_codec.blocks import decode_blocks, encode_blocks


def warm() -> bool:
    """Code a block of a second, which compiles the kernels or loads them from numba's cache; whether it came back."""
    samples = (np.arange(500) % 37).astype(np.int16).reshape(2, -1)
    return bool(np.array_equal(decode_blocks(encode_blocks([samples]), 2, [250]), samples))


def main() -> int:
    """Return 0 when the samples came back."""
    begun_s = time.monotonic()
    sound = warm()
    sys.stdout.write(f"the waveform codec is compiled ({time.monotonic() - begun_s:.0f} s)\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
