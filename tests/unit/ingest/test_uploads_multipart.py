"""A multipart body is taken apart as it comes, in whatever pieces it comes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from ingest.uploads_multipart import Received, received
from schemas.errors import Malformed, TooLarge, WrongType

BOUNDARY = "b0undary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def field(name: str, value: bytes) -> bytes:
    return b'--b0undary\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"


def file(data: bytes, disposition: str = 'name="file"; filename="a.pdf"') -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: application/pdf\r\n\r\n"
    return head.encode() + data + b"\r\n"


END = b"--b0undary--\r\n"


def request(body: bytes, piece: int = 65_536, content_type: str = FORM) -> Request:
    pieces: Iterator[bytes] = iter([body[n : n + piece] for n in range(0, len(body), piece)])

    async def receive() -> dict[str, Any]:
        chunk = next(pieces, None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type.encode())]}
    return Request(scope, receive)


async def taken(body: bytes, piece: int = 65_536, content_type: str = FORM, max_bytes: int = 10**7) -> Received:
    async with received(request(body, piece, content_type), max_bytes) as got:
        assert got.path.stat().st_size == got.size
        return got


async def test_file_and_fields_are_told_in_any_order() -> None:
    for body in (field("a", b"1") + file(b"%PDF") + END, file(b"%PDF") + field("a", b"1") + END):
        got = await taken(body)
        assert (got.filename, got.size, got.fields) == ("a.pdf", 4, {"a": "1"})
        assert got.sha256 == hashlib.sha256(b"%PDF").digest()


async def test_the_file_is_there_for_as_long_as_it_is_needed() -> None:
    async with received(request(file(b"%PDF") + END), 100) as got:
        assert got.path.read_bytes() == b"%PDF"
        assert oct(got.path.stat().st_mode)[-3:] == "600"
    assert not got.path.exists()


@given(st.binary(max_size=5000), st.integers(1, 700))
async def test_any_content_in_any_pieces_comes_through(data: bytes, piece: int) -> None:
    async with received(request(file(data) + field("x", b"1") + END, piece), 10**6) as got:
        assert got.path.read_bytes() == data
        assert got.sha256 == hashlib.sha256(data).digest()


async def test_names_in_utf8_and_as_older_clients_write_them() -> None:
    plain = await taken(file(b"", 'name="file"; filename="Ärztin.pdf"') + END)
    older = await taken(file(b"", "name=\"file\"; filename*=utf-8''%C3%84rztin.pdf") + END)
    assert (plain.filename, older.filename) == ("Ärztin.pdf", "Ärztin.pdf")


async def test_other_files_are_passed_over() -> None:
    other = file(b"other", 'name="photo"; filename="b.jpg"')
    got = await taken(other + file(b"mine") + other + END)
    assert (got.filename, got.size, got.fields) == ("a.pdf", 4, {})


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "no file": (lambda: field("a", b"1") + END, "there is no file"),
    "a file that is a field": (lambda: field("file", b"%PDF") + END, "there is no file"),
    "two files": (lambda: file(b"1") + file(b"2") + END, "two files"),
    "cut off": (lambda: file(b"%PDF-1.7"), "before its last boundary"),
    "nothing": (lambda: b"", "before its last boundary"),
    "another boundary": (lambda: b"--other\r\n\r\n--other--", "not multipart"),
    "a long field": (lambda: field("a", b"x" * 9000) + file(b"1") + END, "is over 8192 bytes"),
    "many fields": (lambda: b"".join(field(f"f{n}", b"1") for n in range(65)) + file(b"1") + END, "over 64 fields"),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_what_is_broken_is_malformed_and_says_how(kind: str) -> None:
    body, told = BROKEN[kind]
    with pytest.raises(Malformed, match=told):
        await taken(body())


async def test_what_is_no_form_is_of_the_wrong_type() -> None:
    with pytest.raises(WrongType, match="application/json; send multipart/form-data"):
        await taken(b"{}", content_type="application/json")
    with pytest.raises(Malformed, match="names no boundary"):
        await taken(b"", content_type="multipart/form-data")
    with pytest.raises(Malformed, match="not multipart"):
        await taken(b"", content_type=f"multipart/form-data; boundary={'x' * 1000}")


async def test_a_file_over_the_limit_is_too_large_and_not_kept() -> None:
    assert (await taken(file(b"x" * 100) + END, max_bytes=100)).size == 100
    with pytest.raises(TooLarge, match="101 bytes and 100 are allowed"):
        await taken(file(b"x" * 101) + END, max_bytes=100)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for body in (file(b"1") + END, file(b"1"), file(b"x" * 200) + END):
        try:
            asyncio.run(taken(body, max_bytes=100))
        except (Malformed, TooLarge):
            continue
    assert list(tmp_path.iterdir()) == []
