"""A client's filename is shown, and can do no harm where it is saved."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.uploads_names import display_name
from schemas.files import ENDINGS, FileType


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("ecg.pdf", "ecg.pdf"),
        ("Ärztin Ökçe.PDF", "Ärztin Ökçe.PDF"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\ada\\ecg.pdf", "ecg.pdf"),
        ("a\u202efdp.exe", "afdp.exe.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
        ("  ..hidden  file.pdf ", "hidden file.pdf"),
        ("", "upload.pdf"),
        ("...", "upload.pdf"),
        ("scan", "scan.pdf"),
    ],
)
def test_names_are_cleaned(told: str, shown: str) -> None:
    assert display_name(told, "pdf") == shown


@given(st.text(max_size=400), st.sampled_from(sorted(ENDINGS)))
def test_a_cleaned_name_is_one_part_that_fits_its_column(told: str, kind: FileType) -> None:
    shown = display_name(told, kind)
    assert 0 < len(shown) <= 255
    assert not set(shown) & set('/\\"<>|?*:')
    assert not any(unicodedata.category(character)[0] == "C" for character in shown)
    assert not shown.startswith(".")
    assert kind == "bin" or shown.rpartition(".")[2].lower() in ENDINGS[kind]


@given(st.text(max_size=400), st.sampled_from(sorted(ENDINGS)))
def test_cleaning_twice_changes_nothing(told: str, kind: FileType) -> None:
    once = display_name(told, kind)
    assert display_name(once, kind) == once
