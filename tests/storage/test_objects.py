"""One suite for the folder, S3, Azure and Google: what is put is what is got, whole or not at all."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import minio.time
import numpy as np
import pytest

from schemas.errors import Busy, Malformed, Misconfigured, NotFound
from storage.object_requests import PART_BYTES
from storage.object_streams import CHUNK_BYTES, WINDOW_BYTES, OpenObject
from storage.objects import Objects
from tests.servers.cache import REPOSITORY
from tests.servers.meddling import Meddler, meddling
from tests.storage.object_stores import Shelf, in_azure, in_folder, in_gcs, in_s3

FOLDER = pytest.param("folder", marks=pytest.mark.embedded)
SERVED = (
    pytest.param("s3", marks=pytest.mark.s3),
    pytest.param("azure", marks=pytest.mark.azure),
    pytest.param("gcs", marks=pytest.mark.gcs),
)
ON_SERVERS = pytest.mark.parametrize("shelf", SERVED, indirect=True)


@pytest.fixture(params=[FOLDER, *SERVED])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    """An empty bucket, container or folder."""
    makers: dict[str, Callable[[Any], Shelf]] = {"s3": in_s3, "azure": in_azure, "gcs": in_gcs}
    if request.param == "folder":
        made_now = in_folder(tmp_path / "objects")
    else:
        made_now = makers[request.param](request.getfixturevalue(f"{request.param}_server"))
    await made_now.open().ensure()
    return made_now


@pytest.fixture
def store(shelf: Shelf) -> Objects:
    return shelf.open()


async def test_what_is_put_is_what_is_got(store: Objects) -> None:
    data = bytes(range(256)) * 5000
    await store.put("reports/2026/x.pdf", data, "application/pdf")
    assert await store.get("reports/2026/x.pdf") == data


async def test_putting_again_replaces(store: Objects) -> None:
    await store.put("a/b", b"long and old", "text/plain")
    await store.put("a/b", b"new", "text/plain")
    assert await store.get("a/b") == b"new"


async def test_an_empty_file_is_a_file(store: Objects) -> None:
    await store.put("empty", b"", "text/plain")
    assert await store.get("empty") == b""


async def test_what_is_not_there_is_not_found(store: Objects) -> None:
    for asked in (store.get, store.stat, store.open):
        with pytest.raises(NotFound, match="no file a/b"):
            await asked("a/b")


async def test_deleting_twice_is_deleting(store: Objects) -> None:
    await store.put("a/b", b"1", "text/plain")
    await store.delete("a/b")
    await store.delete("a/b")
    with pytest.raises(NotFound):
        await store.get("a/b")


async def test_a_key_that_climbs_is_refused_everywhere(store: Objects) -> None:
    with pytest.raises(ValueError, match="is not an object key"):
        await store.put("../x", b"", "text/plain")
    with pytest.raises(ValueError, match="is not an object key"):
        await store.get("../x")
    with pytest.raises(ValueError, match="is not an object key"):
        await store.delete("../x")
    with pytest.raises(ValueError, match="is not an object key"):
        await store.presigned_url("../x", 60, "x")


async def whole(opened: OpenObject) -> list[bytes]:
    return [chunk async for chunk in opened.chunks]


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 7])
async def test_a_file_put_from_disk_is_read_back_in_small_chunks(store: Objects, tmp_path: Path, size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    (tmp_path / "source").write_bytes(data)
    await store.put_file("uploads/a.pdf", tmp_path / "source", "application/pdf")
    opened = await store.open("uploads/a.pdf")
    chunks = await whole(opened)
    assert (opened.size, opened.content_type) == (size, "application/pdf")
    assert hashlib.sha256(b"".join(chunks)).digest() == hashlib.sha256(data).digest()
    assert max(map(len, chunks), default=0) <= CHUNK_BYTES


@pytest.mark.parametrize(
    ("first", "end"), [(0, 1), (5, None), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (999_999, 1_000_000)]
)
async def test_a_part_of_a_file_is_read_alone(store: Objects, first: int, end: int | None) -> None:
    data = np.random.default_rng(1).bytes(1_000_000)
    await store.put("a.csv", data, "text/csv")
    opened = await store.open("a.csv", first, end)
    assert b"".join(await whole(opened)) == data[first:end]
    assert opened.size == len(data)


async def test_a_range_over_several_requests_is_one(store: Objects) -> None:
    data = np.random.default_rng(2).bytes(2 * WINDOW_BYTES + 9)
    await store.put("a.csv", data, "text/csv")
    assert b"".join(await whole(await store.open("a.csv", 3, len(data) - 1))) == data[3:-1]


async def test_a_file_says_how_large_it_is_and_what(store: Objects) -> None:
    await store.put("a/b.csv", b"1,2", "text/csv")
    found = await store.stat("a/b.csv")
    assert (found.size, found.content_type) == (3, "text/csv")
    assert found.sha256 == hashlib.sha256(b"1,2").hexdigest()


async def test_a_read_may_be_given_up(store: Objects) -> None:
    await store.put("a/b", b"x" * 2 * CHUNK_BYTES, "text/plain")
    opened = await store.open("a/b")
    assert len(await anext(opened.chunks)) <= CHUNK_BYTES
    await opened.chunks.aclose()
    assert len(await store.get("a/b")) == 2 * CHUNK_BYTES


async def test_a_location_names_the_key_and_opens_nothing(store: Objects) -> None:
    told = store.location("uploads/a.pdf")
    assert told.endswith("uploads/a.pdf")
    assert "signature" not in told.lower()


async def test_ensuring_twice_and_asking_whether_it_is_there(store: Objects) -> None:
    await store.ensure()
    await store.ping()


async def test_forgetting_what_was_never_ended_leaves_files_alone(store: Objects) -> None:
    await store.put("a/b", b"1", "text/plain")
    later = datetime.now(UTC) + timedelta(hours=1)
    assert (await store.unfinished(later), await store.forget_unfinished(later)) == ([], 0)
    assert await store.get("a/b") == b"1"


async def test_what_is_below_a_folder_is_told_by_name_and_in_order(store: Objects) -> None:
    for key in ("x/b", "x/a.pdf", "x/y/1", "x/y/2", "x/y/z/3", "xx/1", "x-1"):
        await store.put(key, b"1", "text/plain")
    assert await store.below("x") == ["x/a.pdf", "x/b", "x/y/"]
    assert await store.below("x/y") == ["x/y/1", "x/y/2", "x/y/z/"]
    assert await store.below("nowhere") == []


# ── damage ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_damaged_file_is_told_as_such_where_it_is_read(shelf: Shelf, store: Objects) -> None:
    data = np.random.default_rng(3).bytes(2 * CHUNK_BYTES + 5)
    await store.put("a/b", data, "text/plain")
    assert shelf.replace is not None
    shelf.replace("a/b", data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(Malformed, match=r"a/b in the object store is damaged.*restore it from a backup"):
        await store.get("a/b")


async def test_a_damaged_file_that_is_streamed_ends_too_early(shelf: Shelf, store: Objects) -> None:
    data = np.random.default_rng(4).bytes(2 * CHUNK_BYTES + 5)
    await store.put("a/b", data, "text/plain")
    assert shelf.replace is not None
    shelf.replace("a/b", data[:-1] + bytes([data[-1] ^ 1]))
    received: list[bytes] = []

    async def receive() -> None:
        async for chunk in (await store.open("a/b")).chunks:
            received.append(chunk)  # noqa: PERF401  # extend() would keep none of them when it fails

    with pytest.raises(Malformed, match="is damaged"):
        await receive()
    assert 0 < len(b"".join(received)) < len(data)


@ON_SERVERS
@pytest.mark.parametrize("size", [50_000, 2 * PART_BYTES])
async def test_a_bit_that_turned_over_on_its_way_up_is_noticed_and_sent_again(
    shelf: Shelf, tmp_path: Path, size: int
) -> None:
    marker = b"<the very middle>"
    data = bytes(size // 2) + marker + bytes(size // 2)
    (tmp_path / "source").write_bytes(data)
    async with meddling(shelf.port, Meddler(marker=marker)) as wire:
        await shelf.through(wire.port).put_file("a/b", tmp_path / "source", "text/plain")
    assert wire.flips == 1
    assert await shelf.open().get("a/b") == data


# ── whole or not at all ───────────────────────────────────────────────────────────────────────────────────────────


@ON_SERVERS
async def test_an_upload_cut_off_in_the_middle_leaves_what_was_there_before_or_nothing(
    shelf: Shelf, tmp_path: Path
) -> None:
    await shelf.open().put("a/old", b"old", "text/plain")
    (tmp_path / "source").write_bytes(os.urandom(3 * PART_BYTES))
    async with meddling(shelf.port, Meddler(cut_after=3 * PART_BYTES)) as wire:
        store = shelf.through(wire.port)
        puts = (store.put_file(key, tmp_path / "source", "text/plain") for key in ("a/old", "a/new"))
        told = await asyncio.gather(*puts, return_exceptions=True)
    assert ([type(error) for error in told], wire.cuts > 0) == ([Busy, Busy], True)
    assert await shelf.open().get("a/old") == b"old"
    with pytest.raises(NotFound):
        await shelf.open().stat("a/new")


@pytest.mark.s3
@pytest.mark.parametrize("shelf", ["s3"], indirect=True)
async def test_parts_that_a_cut_off_upload_left_are_named_and_given_up(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(os.urandom(3 * PART_BYTES))
    async with meddling(shelf.port, Meddler(cut_after=2 * PART_BYTES)) as wire:
        with pytest.raises(Busy):
            await shelf.through(wire.port).put_file("a/b", tmp_path / "source", "text/plain")
    store, later = shelf.open(), datetime.now(UTC) + timedelta(hours=1)
    assert await store.unfinished(later - timedelta(hours=2)) == []
    assert await store.unfinished(later) == ["a/b"]
    assert await store.forget_unfinished(later) == 1
    assert await store.unfinished(later) == []


@pytest.mark.parametrize("size", [1000, PART_BYTES + 1])
async def test_of_many_who_put_one_key_one_wins_whole(store: Objects, tmp_path: Path, size: int) -> None:
    files = [bytes([number]) * size for number in range(6)]
    for number, data in enumerate(files):
        (tmp_path / str(number)).write_bytes(data)
    puts = (store.put_file("a/b", tmp_path / str(number), "text/plain") for number in range(len(files)))
    await asyncio.gather(*puts)
    assert await store.get("a/b") in files


async def test_who_reads_while_others_put_sees_a_whole_file(store: Objects) -> None:
    files = [bytes([number]) * 300_000 for number in range(8)]
    await store.put("a/b", files[0], "text/plain")
    puts = asyncio.gather(*(store.put("a/b", data, "text/plain") for data in files))
    while not puts.done():
        assert await store.get("a/b") in files
    await puts


# ── memory ────────────────────────────────────────────────────────────────────────────────────────────────────────

_MEASURE = """
import asyncio, json, sys
from pathlib import Path
from tests.storage.object_stores import made

def peak():
    # Of this program alone: what getrusage tells begins with its parent's.
    [line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024

async def main():
    store = made(**json.loads(sys.argv[1]))
    small, large = map(Path, sys.argv[2:])
    for path in (small, large):
        before = peak()
        await store.put_file("a/b", path, "text/plain")
        opened = await store.open("a/b")
        size = sum([len(chunk) async for chunk in opened.chunks])
        assert size == path.stat().st_size
    print(peak() - before)

asyncio.run(main())
"""


async def test_a_large_file_goes_up_and_comes_back_without_being_held_in_memory(shelf: Shelf, tmp_path: Path) -> None:
    for name, size in (("small", 2 * PART_BYTES), ("large", 10 * PART_BYTES)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    words = [sys.executable, "-c", _MEASURE, json.dumps(shelf.settings, default=str)]
    files = [str(tmp_path / "small"), str(tmp_path / "large")]
    env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = await asyncio.to_thread(
        subprocess.run, words + files, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 4 * PART_BYTES / 2**20  # MiB more than for a file of a fifth of its size


# ── links ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def fetched(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url)


@ON_SERVERS
async def test_a_presigned_link_opens_the_file_under_its_name(store: Objects) -> None:
    await store.put("reports/x.pdf", b"%PDF", "application/pdf")
    answer = await fetched(await store.presigned_url("reports/x.pdf", 60, "Ada Ä.pdf"))
    assert (answer.status_code, answer.content) == (200, b"%PDF")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Ada%20%C3%84.pdf"


@pytest.mark.azure
@pytest.mark.parametrize("shelf", ["azure"], indirect=True)
async def test_an_azure_link_ends_and_can_not_be_changed(store: Objects) -> None:
    await store.put("reports/x.pdf", b"%PDF", "application/pdf")
    assert (await fetched(await store.presigned_url("reports/x.pdf", -60, "x.pdf"))).status_code == 403
    good = await store.presigned_url("reports/x.pdf", 60, "x.pdf")
    assert (await fetched(good.replace("sig=", "sig=A"))).status_code == 403


@pytest.mark.s3
@pytest.mark.parametrize("shelf", ["s3"], indirect=True)
async def test_an_s3_link_ends_and_can_not_be_changed(store: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.put("reports/x.pdf", b"%PDF", "application/pdf")
    good = await store.presigned_url("reports/x.pdf", 60, "x.pdf")
    assert (await fetched(good.replace("X-Amz-Expires=60", "X-Amz-Expires=600"))).status_code == 403
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr(minio.time, "utcnow", lambda: an_hour_ago)
    assert (await fetched(await store.presigned_url("reports/x.pdf", 60, "x.pdf"))).status_code == 403


# ── who refuses, and who is away ──────────────────────────────────────────────────────────────────────────────────


@ON_SERVERS
async def test_wrong_keys_are_misconfigured(shelf: Shelf) -> None:
    name, value = shelf.wrong
    with pytest.raises(Misconfigured, match=r"check (AWS_ACCESS_KEY_ID|AZURE_STORAGE_ACCOUNT|GOOGLE_APPLICATION)"):
        await shelf.open(**{name: value}).put("a", b"", "text/plain")


@ON_SERVERS
async def test_a_store_that_breaks_off_is_asked_again_and_then_busy(shelf: Shelf) -> None:
    async with meddling(shelf.port, Meddler(cut_after=0)) as wire:
        began_s = time.monotonic()
        with pytest.raises(Busy, match=r"does not answer.*see that it runs"):
            await shelf.through(wire.port).stat("a/b")
    assert 2 <= wire.cuts <= 8
    assert time.monotonic() - began_s < 20


@ON_SERVERS
async def test_a_store_that_comes_back_in_time_was_never_away(shelf: Shelf) -> None:
    await shelf.open().put("a/b", b"1", "text/plain")
    async with meddling(shelf.port, Meddler(cut_after=0)) as wire:
        asking = asyncio.create_task(shelf.through(wire.port).get("a/b"))
        await wire.was_cut.wait()
        wire.cut_after = None
        assert await asking == b"1"


@ON_SERVERS
async def test_a_bucket_that_is_not_there_is_told_by_its_setting(shelf: Shelf) -> None:
    bucket = next(name for name in shelf.settings if name.endswith(("BUCKET", "CONTAINER")))
    other = shelf.open(**{bucket: "leadwire-nowhere"})
    with pytest.raises(Busy, match=f"leadwire-nowhere does not exist; create it, or correct {bucket}"):
        await other.ping()
