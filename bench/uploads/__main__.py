"""`make bench-uploads`: reports sent while the object store goes away for a time; exit code 1 if any is wrong."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from bench.chaos.stands import Stand, stand
from bench.uploads.books import faults, kept
from bench.uploads.memory import Memory
from bench.uploads.senders import Sender
from bench.uploads.stores import STORES, Store, StoreName, outage, store_of

_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """How many reports of how many bytes, how many at a time, and how long the store is away after a third of them."""

    count: int
    parallel: int
    store: StoreName
    report_bytes: int
    outage_s: float


async def run(plan: Plan, folder: Path) -> dict[str, Any]:
    """One run on servers of its own, and what it showed."""
    async with stand("embedded", folder, has_s3=plan.store == "minio") as running:
        running.services = [running.gateway()]
        running.services[0].start()
        await running.serving()
        base_url = f"{running.gateway_url}/api/v1"
        limits = httpx.Limits(max_connections=plan.parallel)
        async with httpx.AsyncClient(base_url=base_url, limits=limits) as http:
            return await _measured(plan, running, Sender(http, plan.report_bytes))


async def _measured(plan: Plan, running: Stand, sender: Sender) -> dict[str, Any]:
    child = running.services[0].child
    if child is None:
        raise RuntimeError("a service that serves has a child")
    store = store_of(plan.store, running)
    await sender.log_in()
    began_s = time.monotonic()
    async with Memory(child.pid) as memory:
        async with asyncio.TaskGroup() as together:
            together.create_task(sender.send_all(range(plan.count), plan.parallel))
            together.create_task(_disturb(plan, store, sender))
        duration_s = time.monotonic() - began_s
    database = running.database()
    await database.open()
    try:
        held = await kept(database)
    finally:
        await database.close()
    objects = await asyncio.to_thread(store.checksums)
    wrong = faults(sender.book, held, objects, plan.count)
    return _told(plan, sender, duration_s, memory.as_json(), len(objects), wrong)


async def _disturb(plan: Plan, store: Store, sender: Sender) -> None:
    while len(sender.book.sent) < plan.count / 3:  # noqa: ASYNC110  # the senders tell nobody how far they are
        await asyncio.sleep(_POLL_S)
    _say(f"{len(sender.book.sent)} reports are in; the store is away for {plan.outage_s:g} s ...")
    await outage(store, plan.outage_s)
    _say("the store is back")


def _told(
    plan: Plan, sender: Sender, duration_s: float, memory: dict[str, object], objects: int, wrong: list[str]
) -> dict[str, Any]:
    seconds = [sent.seconds for sent in sender.book.sent] or [float("nan")]
    return {
        "count": plan.count,
        "parallel": plan.parallel,
        "store": plan.store,
        "report_bytes": plan.report_bytes,
        "outage_s": plan.outage_s,
        "duration_s": round(duration_s, 1),
        "reports_per_s_outside_outage": round(plan.count / max(duration_s - plan.outage_s, 1e-9), 1),
        "answers": {str(status): count for status, count in sorted(sender.book.answers.items())},
        "broken_connections": sender.book.broken,
        "until_stored_s": {f"p{q}": round(float(np.percentile(seconds, q)), 3) for q in (50, 95, 100)},
        "objects": objects,
        "gateway_rss": memory,
        "wrong": wrong[:20],
        "wrong_count": len(wrong),
        "is_good": not wrong and bool(memory["is_flat"]),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Run, print one JSON object, exit with 1 if a report is wrong or memory is not flat."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=1000)
    arguments.add_argument("--parallel", type=int, default=16)
    arguments.add_argument("--store", choices=STORES, default="minio")
    arguments.add_argument("--bytes", type=int, default=2_000_000)
    arguments.add_argument("--outage", type=float, default=20.0, help="seconds")
    arguments.add_argument("--json", type=Path, help="a file that gets the JSON object too")
    arguments.add_argument("--keep", type=Path, help="a folder for logs and data, kept afterwards")
    wanted = arguments.parse_args()
    plan = Plan(wanted.count, wanted.parallel, wanted.store, wanted.bytes, wanted.outage)
    place = nullcontext(str(wanted.keep)) if wanted.keep else tempfile.TemporaryDirectory(prefix="leadwire-uploads-")
    with place as folder:
        told = asyncio.run(run(plan, Path(folder).resolve()))
    text = json.dumps(told, indent=2)
    print(text)
    if wanted.json:
        wanted.json.write_text(text + "\n", "utf-8")
    sys.exit(not told["is_good"])


if __name__ == "__main__":
    main()
