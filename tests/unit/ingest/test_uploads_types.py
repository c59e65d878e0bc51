"""A file is what its content says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.uploads_types import sniff
from schemas.errors import WrongType
from schemas.files import CONTENT_TYPES, ENDINGS, content_type_of_name, content_type_of_type
from tests.ingest.files import EXAMPLES, REFUSED


def sniffed(folder: Path, data: bytes) -> str | None:
    path = folder / "file"
    path.write_bytes(data)
    try:
        return sniff(path)
    except WrongType:
        return None


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_type_is_told_apart(tmp_path: Path, kind: str) -> None:
    assert sniffed(tmp_path, EXAMPLES[kind]) == kind


@pytest.mark.parametrize("kind", REFUSED)
def test_anything_else_is_refused(tmp_path: Path, kind: str) -> None:
    assert sniffed(tmp_path, REFUSED[kind]) is None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xef\xbb\xbf  {}", "json"),
        (b"[1, 2]\n", "json"),
        (b'[{"a": 1}', None),
        (b"<a/>", "xml"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><!-- <html> --><hl7:AnnotatedECG xmlns:hl7="urn:hl7-org:v3" />', "xml"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "xml"),
        (b"<HTML lang=de>", None),
        (b"<x:svg xmlns:x='a'>", None),
        (b"a;b\n1;2\n3;4", "csv"),
        (b"a\tb\n1\t2\n", "csv"),
        (b"a,b\n1,2\n3\n", None),
        (b"a,b\n", None),
        (b"a,b\n1,\x002\n", None),
        (b"0       " + b" " * 200, None),
        (b"\xff\xfea\x00,\x00b\x00", None),
    ],
)
def test_the_edges_of_each_type(tmp_path: Path, data: bytes, kind: str | None) -> None:
    assert sniffed(tmp_path, data) == kind


def test_a_control_character_far_into_a_text_is_found(tmp_path: Path) -> None:
    rows = b"a,b\n" * 200_000
    assert sniffed(tmp_path, rows) == "csv"
    assert sniffed(tmp_path, rows + b"\x00") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.binary(max_size=600))
def test_no_content_breaks_it(tmp_path: Path, data: bytes) -> None:
    assert sniffed(tmp_path, data) in {*CONTENT_TYPES, None} - {"bin"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.binary(max_size=300), st.sampled_from([b"<html>", b"MZ", b"\x7fELF", b"PK\x03\x04", b"#!", b"<script>"]))
def test_no_page_and_no_program_is_taken_whatever_follows(tmp_path: Path, data: bytes, start: bytes) -> None:
    assert sniffed(tmp_path, start + data) in {None, "dicom", "csv"} - ({"csv"} if start[:1] == b"<" else set())


def test_every_type_has_its_media_type_and_ending() -> None:
    assert CONTENT_TYPES.keys() == ENDINGS.keys()
    assert content_type_of_name("a/b.EDF") == content_type_of_type("edf") == "application/edf"
    assert content_type_of_name("a/b") == content_type_of_type("x") == "application/octet-stream"
