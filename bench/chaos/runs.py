"""One run of the fleet: undisturbed, as fast as it goes, or disturbed in real time; what the store holds after it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.chaos import faults, store
from bench.chaos.devices import GatewayLink, KafkaLink, Link, Load
from bench.chaos.differences import IDENTITIES, Row, differences
from bench.chaos.fleet import Bedside, Fleet
from bench.chaos.ledger import Ledger, balance
from bench.chaos.outcomes import Outcome
from bench.chaos.scenarios import Scenario
from bench.chaos.scenes import Injected, Scene
from bench.chaos.services import keep
from bench.chaos.stands import StackName, Stand, stand
from bench.chaos.watch import Stalls, Watch, longest_catch_up_s
from processors.topic_reader import read_topic
from schemas import topics
from schemas.errors import Busy, NotFound
from schemas.samples import SampleBlock
from storage.database import Database

DRAIN_S: Final = 180.0
"""How long devices may take after the load's end until all they hold is acknowledged."""

SETTLE_S: Final = 240.0
"""How long the store may take after that."""

_REPORTS_S: Final = 120.0

Results = Mapping[str, Sequence[Row]]


async def undisturbed(fleet: Fleet, folder: Path) -> Results:
    """The rows of a run in which nothing happens: every block once, in order, straight to Kafka, as fast as it goes.

    It is a whole Leadwire, so that all rows there are can be compared. Raises Busy when even that run is not right.
    """
    async with stand("embedded", folder) as calm, _opened(calm) as database:
        await store.register(database, fleet)
        calm.services.append(calm.worker())
        calm.services[0].start()
        await calm.serving()
        ledger = await _publish_all(fleet, KafkaLink(calm.kafka_settings))
        if not await _settled(database, fleet, SETTLE_S):
            raise Busy(f"the undisturbed run was not stored within {SETTLE_S:g} s; see {folder}")
        await calm.services[0].stop()
        books = balance(ledger, await store.stretches(database))
        if not books.is_even:
            raise Busy(f"the undisturbed run itself is not right: {books}; see {folder}")
        found = await _results(database, fleet)
        if not found["ecg_beats"]:
            raise Busy(f"the undisturbed run has no beats to compare with; give it more seconds, or see {folder}")
        return found


async def disturbed(scenario: Scenario, name: StackName, fleet: Fleet, calm: Results, folder: Path) -> Outcome:
    """Run the scenario on a fresh stack and compare. Raises Busy when the stack does not come up."""
    async with AsyncExitStack() as ends:
        running = await ends.enter_async_context(stand(name, folder, has_s3=name in scenario.has_s3_on, **scenario.env))
        if scenario.has_small_disk:
            await ends.enter_async_context(faults.small_disk(str(running.objects)))
        database = await ends.enter_async_context(_opened(running))
        await store.register(database, fleet)
        scene = _scene(running, fleet)
        await running.serving()
        watch, stalls = Watch(fleet), Stalls()
        async with _beside(keep(running.services), watch.look(database), stalls.look()):
            is_drained = await _play(scenario, scene)
            is_settled = await _settled(database, fleet, SETTLE_S)
            settled_s = time.monotonic()
            broken = await _broken_promises(scene, database)
        await _stop(scene)
        catch_up_s = longest_catch_up_s(scene.diary, watch.seen, scene.load.begun_s, scene.seconds, settled_s)
        found = await _results(database, fleet)
        return Outcome(
            scenario=scenario.name,
            stack=name,
            faults=_in_words(scene.diary) + stalls.in_words(),
            balance=balance(scene.load.ledger, await store.stretches(database)),
            tables={table: differences(IDENTITIES[table], calm[table], found[table]) for table in IDENTITIES},
            restarts=sum(service.restarts for service in running.services),
            own_ends=[code for service in running.services for code in service.own_ends],
            catch_up_s=catch_up_s,
            retries=scene.load.retries,
            broken=[*broken, *_unfinished(is_drained, is_settled)],
        )


def _scene(running: Stand, fleet: Fleet) -> Scene:
    worker, gateway = running.worker(), running.gateway()
    running.services.extend((worker, gateway))
    for service in running.services:
        service.start()
    links = GatewayLink(running.gateway_url), KafkaLink(running.kafka_settings)
    return Scene(running, Load(fleet), worker, gateway, *links)


async def _play(scenario: Scenario, scene: Scene) -> bool:
    """Load and faults together; whether everything was acknowledged in time."""
    ways: Mapping[str, Link] = {"gateway": scene.gateway_link, "kafka": scene.kafka_link}
    loading = asyncio.create_task(scene.load.run([ways[way] for way in scenario.ways], scene.seconds + DRAIN_S))
    await asyncio.sleep(0)  # the load has begun: its clock is the faults' clock
    try:
        await scenario.act(scene)
        return await loading
    finally:
        loading.cancel()
        for link in ways.values():
            await link.close()


async def _publish_all(fleet: Fleet, link: KafkaLink) -> Ledger:
    """Every block of the fleet in the order of time, stamped as a gateway would that got each at once."""
    ledger = Ledger()
    waiting = {bedside: fleet.blocks(bedside) for bedside in fleet.bedsides}
    while any(waiting.values()):
        turn = [(bedside, blocks.pop(0)) for bedside, blocks in waiting.items() if blocks]
        await asyncio.gather(*(link.send(bedside, [_on_time(fleet, bedside, block)]) for bedside, block in turn))
        ledger.acknowledge(block for _, block in turn)
    await link.close()
    return ledger


def _on_time(fleet: Fleet, bedside: Bedside, block: SampleBlock) -> SampleBlock:
    return replace(block, received_at_us=fleet.begun_us + int(fleet.due_s(block, bedside) * 1e6))


async def _settled(database: Database, fleet: Fleet, within_s: float) -> bool:
    """Whether every device's last recording is known, which says that all before it is decided and stored."""
    last = [bedside.last_recording_id for bedside in fleet.bedsides]
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(Busy):
            if await store.recordings_begun(database, last) == len(last):
                return True
        await asyncio.sleep(0.5)
    return False


async def _results(database: Database, fleet: Fleet) -> Results:
    return await store.results(database, [bedside.recording_id for bedside in fleet.bedsides])


async def _broken_promises(scene: Scene, database: Database) -> list[str]:
    """What else had to be: every poison record a dead letter, every report made and readable."""
    rejects = [record async for record in read_topic(scene.stand.kafka_settings, topics.REJECTS)]
    broken = []
    if len(rejects) != scene.poisons:
        kinds = Counter(dict(record.headers).get("kind", b"?").decode() for record in rejects)
        broken.append(f"{len(rejects)} dead letters of {scene.poisons} poison records ({dict(kinds)})")
    missing = await _missing_reports(scene, database)
    if missing:
        broken.append(f"{missing} of {len(scene.reports)} reports were not made")
    return broken


async def _missing_reports(scene: Scene, database: Database) -> int:
    """Reports that are not there after _REPORTS_S."""
    deadline = time.monotonic() + _REPORTS_S
    while True:
        states = await store.reports_made(database)
        keys = [key for report in scene.reports if (key := states.get(report)) is not None]
        if len(keys) == len(scene.reports) or time.monotonic() > deadline:
            return len(scene.reports) - len(keys) + await _unreadable(scene, keys)
        await asyncio.sleep(1)


async def _unreadable(scene: Scene, keys: Sequence[str]) -> int:
    """How many of these objects are no PDF."""
    files = scene.stand.object_store()
    unreadable = 0
    for key in keys:
        try:
            unreadable += not (await files.get(key)).startswith(b"%PDF")
        except (NotFound, Busy):
            unreadable += 1
    return unreadable


async def _stop(scene: Scene) -> None:
    """In order, so that what a last checkpoint writes is compared too."""
    for service in scene.stand.services:
        await service.stop()


def _unfinished(is_drained: bool, is_settled: bool) -> list[str]:
    told = []
    if not is_drained:
        told.append(f"devices still held blocks {DRAIN_S:g} s after the load")
    if not is_settled:
        told.append(f"not all was stored {SETTLE_S:g} s after the last acknowledgement")
    return told


def _in_words(diary: Sequence[Injected]) -> str:
    counted = Counter(fault.name for fault in diary)
    return "; ".join(f"{count} × {name}" if count > 1 else name for name, count in counted.items()) or "none"


@asynccontextmanager
async def _opened(running: Stand) -> AsyncIterator[Database]:
    database = running.database()
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these during the block; what one of them raised is raised at its end."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
    for result in done:
        if isinstance(result, Exception):
            raise result
