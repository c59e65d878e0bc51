"""A key names a file inside the store, whatever it looks like."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.object_keys import MAX_KEY_LENGTH, check_key


@pytest.mark.parametrize("key", ["a", "reports/2026/11/x.pdf", "archive/d=1/0001.dat", "A-b_c.d/e"])
def test_plain_keys_are_good(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.new-x", "a\\b", "a b", "a\n", "ä", "a\0"]
)
def test_a_key_that_could_lead_elsewhere_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not an object key; use"):
        check_key(key)


def test_a_key_longer_than_its_column_is_refused() -> None:
    check_key("a" * MAX_KEY_LENGTH)
    with pytest.raises(ValueError, match="500 characters at most"):
        check_key("a" * (MAX_KEY_LENGTH + 1))


@given(st.text(alphabet="ab./-_", max_size=20))
def test_what_is_accepted_never_climbs(key: str) -> None:
    try:
        parts = PurePosixPath("/store", check_key(key)).parts
    except ValueError:
        return
    assert parts[:2] == ("/", "store")
    assert not any(part.startswith(".") for part in parts[2:])
