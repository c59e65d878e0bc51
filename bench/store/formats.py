"""PART=formats: databases, files and AtriumDB over the same samples, in one run."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.store import atrium, files, ours, rest, served
from bench.store.corpus import Corpus, Window, load, windows
from bench.store.limits import verdicts
from bench.store.ours import Sides
from bench.store.servers import Server, running
from storage.database import reader, writer
from storage.migrate import migrate

_WARM: Final = 50
_GZIP_WINDOWS: Final = 200
"""Each reads half a record on the average."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is measured, and how much of it."""

    corpora: tuple[str, ...]
    servers: tuple[str, ...]
    windows: int
    records: int | None
    has_http: bool = True
    has_peer: bool = True


async def measure(wanted: Wanted) -> Mapping[str, Any]:
    """Everything, corpus by corpus; a server is started once for all of them."""
    corpora = [load(name, wanted.records) for name in wanted.corpora]
    told: dict[str, Any] = {each.name: {"samples": each.samples, "records": len(each.held)} for each in corpora}
    with tempfile.TemporaryDirectory(prefix="leadwire-bench-") as name:
        for kind in wanted.servers:
            with running(kind, Path(name) / kind) as server:
                say(f"{kind}: {server.version}")
                for corpus in corpora:
                    found = await _database(server, corpus, wanted, Path(name) / kind)
                    told[corpus.name].setdefault("databases", {})[kind] = found
        for corpus in corpora:
            told[corpus.name].update(_others(corpus, wanted, Path(name) / corpus.name))
    return told


async def _database(server: Server, corpus: Corpus, wanted: Wanted, folder: Path) -> Mapping[str, Any]:
    await migrate(server.url, server.settings)
    sides = Sides(writer(server.settings), reader(server.settings))
    await sides.writer.open()
    await sides.reader.open()
    try:
        told = await _measured(server, sides, corpus, wanted, folder)
    finally:
        await sides.reader.close()
        await sides.writer.close()
    return {**told, "limits": [each.told() for each in verdicts(told)]}


async def _measured(server: Server, sides: Sides, corpus: Corpus, wanted: Wanted, folder: Path) -> dict[str, Any]:
    chosen = windows(corpus, wanted.windows)
    told: dict[str, Any] = {"server": server.version}
    await _warm_up(server, sides, corpus)
    await ours.prepare(sides.writer, corpus)
    told["write"] = await ours.write(sides.writer, server, corpus)
    say(f"{server.kind} {corpus.name}: {told['write']['m_samples_per_s']} M samples/s in")
    async with sides.writer.transaction() as conn:
        is_hypertable, has_columnstore = await rest.is_hypertable(conn), await rest.has_columnstore(conn)
        told["at_rest"] = (await rest.at_rest(conn, is_hypertable=is_hypertable)).told(corpus.samples)
    say(f"{server.kind} {corpus.name}: {told['at_rest']['bits_per_sample']} bits/sample")
    told.update(await _reads(server, sides, corpus, chosen))
    if wanted.has_http:
        told["http"] = await served.measure(sides.writer, server, chosen, folder)
        say(f"{server.kind} {corpus.name}: over HTTP {told['http']}")
    if has_columnstore:
        told["columnstore"] = await _columnstore(server, sides, corpus, chosen)
    return told


async def _warm_up(server: Server, sides: Sides, corpus: Corpus) -> None:
    """What is compiled or loaded once is not what we time."""
    first = Corpus(corpus.name, corpus.held[:2])
    await ours.prepare(sides.writer, first)
    await ours.write(sides.writer, server, Corpus(first.name, first.held[:1]))
    await ours.read_all(sides.reader, server, Corpus(first.name, first.held[:1]))


async def _reads(server: Server, sides: Sides, corpus: Corpus, chosen: Sequence[Window]) -> dict[str, Any]:
    await ours.read_windows(sides.reader, server, chosen[:_WARM])
    found = await ours.read_windows(sides.reader, server, chosen)
    say(f"{server.kind} {corpus.name}: window p50 {found['p50_ms']} p99 {found['p99_ms']} ms")
    bulk = await ours.read_all(sides.reader, server, corpus)
    say(f"{server.kind} {corpus.name}: bulk {bulk['m_samples_per_client_core_s']} M samples/s per core of the client")
    return {"windows": found, "bulk": bulk}


async def _columnstore(server: Server, sides: Sides, corpus: Corpus, chosen: Sequence[Window]) -> Mapping[str, Any]:
    """As it stands after compression: sizes and reads."""
    started_s = time.perf_counter()
    async with sides.writer.transaction() as conn:
        await conn.execute("SET LOCAL statement_timeout = 0")
        chunks = await rest.to_columnstore(conn)
        seconds = round(time.perf_counter() - started_s, 2)
    async with sides.writer.transaction() as conn:
        found = (await rest.at_rest(conn, is_hypertable=True)).told(corpus.samples)
    say(f"{server.kind} {corpus.name}: {found['bits_per_sample']} bits/sample in the columnstore")
    return {"chunks": chunks, "seconds": seconds, "at_rest": found, **await _reads(server, sides, corpus, chosen)}


def _others(corpus: Corpus, wanted: Wanted, folder: Path) -> Mapping[str, Any]:
    chosen = windows(corpus, wanted.windows)
    told: dict[str, Any] = {"files": {}}
    for number, kept in enumerate(files.FORMATS):
        some = chosen[:_GZIP_WINDOWS] if isinstance(kept, files.Gzip) else chosen
        told["files"][kept.name] = files.measure(kept, corpus, some, folder / f"files-{number}")
        say(f"{corpus.name}: {kept.name}: {told['files'][kept.name]['bits_per_sample']} bits/sample")
        shutil.rmtree(folder / f"files-{number}")
    if wanted.has_peer:
        say(f"{corpus.name}: AtriumDB, about a second for each of {corpus.samples / 1e6:.0f} million samples ...")
        told["atriumdb"] = atrium.measure(corpus, chosen, folder / "atriumdb")
        shutil.rmtree(folder / "atriumdb")
    return told


def say(text: str) -> None:
    """Progress, for who waits."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
