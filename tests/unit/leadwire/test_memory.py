"""Large buffers are given back, whatever was allocated after them."""

import subprocess
import sys

import pytest

PROGRAM = """
import psutil
from leadwire.memory import give_large_buffers_back

give_large_buffers_back()
rss = psutil.Process().memory_info
large, small = [], []
for _ in range(60):
    large.append(bytearray(b"x" * 2_000_000))
    large.pop(0) if len(large) > 20 else None
    small.append(bytearray(b"y" * 100_000))  # keeps what lies below it in a heap from being given back
before = rss().rss
large.clear()
print((before - rss().rss) / 2_000_000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the C library decides")
def test_large_buffers_go_back_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) > 19
