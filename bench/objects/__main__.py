"""`python -m bench.objects`: files of three sizes, put and read back; one JSON object on standard output."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

from schemas.settings import Settings
from storage.objects import Objects, objects

_SIZES: Final = {"20 kB": 20_000, "2 MB": 2_000_000, "100 MB": 100_000_000}
_ROUNDS: Final = {"20 kB": 200, "2 MB": 30, "100 MB": 3}


async def main(repeat: int) -> None:
    settings = Settings()
    store = objects(settings.objects, settings.security, settings.http)
    await store.ensure()
    told: dict[str, object] = {"store": store.service}
    with tempfile.TemporaryDirectory() as folder:
        for name, size in _SIZES.items():
            path = Path(folder) / "source"
            path.write_bytes(os.urandom(size))
            tries = [await _round(store, path, size / 1e6, _ROUNDS[name]) for _ in range(repeat)]
            told[name] = max(tries, key=lambda one: one["put_mb_s"] + one["open_mb_s"])
    print(json.dumps(told))


async def _round(store: Objects, path: Path, megabytes: float, count: int) -> dict[str, float]:
    """MB/s and ms a file, one after the other."""
    keys = [f"bench/{uuid4()}" for _ in range(count)]
    began_s = time.perf_counter()
    for key in keys:
        await store.put_file(key, path, "application/octet-stream")
    put_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    for key in keys:
        opened = await store.open(key)
        async for _ in opened.chunks:
            pass
    open_s = time.perf_counter() - began_s
    for key in keys:
        await store.delete(key)
    return {
        "put_mb_s": round(megabytes * count / put_s, 1),
        "put_ms": round(put_s / count * 1000, 2),
        "open_mb_s": round(megabytes * count / open_s, 1),
        "open_ms": round(open_s / count * 1000, 2),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=2, help="the best of so many")
    asyncio.run(main(parser.parse_args().repeat))
