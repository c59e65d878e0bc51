"""The outermost kernel: every block of a step, device by device."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np

from processors.ecg.episodes import close_episodes
from processors.ecg.kernel import cached_kernel
from processors.ecg.stream import begin_recording, take

OPERATION: Final = np.dtype(
    [(name, "i8") for name in ("kind", "source", "slot", "first", "count", "offset", "started_at_us")]
)
BEGIN: Final = 0
TAKE: Final = 1
END: Final = 2


def stamp() -> int:
    """A number that changes with the text of any file of the engine; see kernel.cached_kernel."""
    files = (file for file in sorted(Path(__file__).parent.glob("*.py")) if not file.name.startswith("reference"))
    return crc32(b"".join(file.read_bytes() for file in files))


@cache
def compiled() -> Callable[..., int]:
    """The kernel, compiled or from the cache at its first call.

    Parameters of the kernel
    ------------------------
    operations : OPERATION (n,), what to do in order
    samples : int16, all blocks one after the other, lead after lead
    devices, leads : DEVICE and LEAD slots, changed in place
    beats, metrics, episodes : rows to fill; made : int64 (3,), how many of each are filled
    works : WORK (1,), overwritten
    """
    version = stamp()

    @cached_kernel
    def run(operations: Any, samples: Any, devices: Any, leads: Any, beats: Any, metrics: Any, episodes: Any,
            made: Any, works: Any) -> int:  # fmt: skip
        work = works[0]
        for operation in operations:
            device = devices[operation.slot]
            if operation.kind == BEGIN:
                begin_recording(device, leads)
                continue
            last = operation.kind == END
            part = samples[operation.offset : operation.offset + operation.count * device.leads]
            take(device, leads, part, operation.count, operation.first, operation.started_at_us, last, beats, metrics,
                 episodes, made, operation.source, work)  # fmt: skip
            if last:
                made[2] = close_episodes(device, episodes, made[2], operation.source, device.next_index)
        return version

    return run
