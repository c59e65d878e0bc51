"""A cursor comes back as it went out, and whatever else is sent for one is malformed, never a defect."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cursors import Kind, Value, decode, encode
from schemas.errors import Malformed

_BY_KIND: dict[Kind, st.SearchStrategy[Value]] = {
    "timestamptz": st.datetimes(timezones=st.just(UTC), max_value=datetime(9999, 12, 31, 23, 59, 58)),  # noqa: DTZ001  # Hypothesis adds the zone
    "uuid": st.uuids(),
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    "bigint": st.integers(-(2**63), 2**63 - 1),
}
KINDS = st.lists(st.sampled_from(list(_BY_KIND)), min_size=1, max_size=4)
ROWS = KINDS.flatmap(lambda kinds: st.tuples(st.just(kinds), st.tuples(*[_BY_KIND[kind] for kind in kinds])))


@given(ROWS)
def test_a_cursor_comes_back_as_it_went_out(row: tuple[list[Kind], tuple[Value, ...]]) -> None:
    kinds, values = row
    cursor = encode(values)
    assert decode(cursor, kinds) == list(values)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?#% ")


@given(st.text(max_size=200), KINDS)
def test_what_is_no_cursor_is_malformed(text: str, kinds: list[Kind]) -> None:
    with pytest.raises(Malformed, match="send the `next` of its last answer"):
        decode(text, kinds)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(-(2**70), -(2**63) - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(st.lists(_JSON, max_size=4) | _JSON, KINDS)
def test_a_forged_cursor_is_malformed(told: object, kinds: list[Kind]) -> None:
    forged = urlsafe_b64encode(json.dumps(told).encode()).decode()
    try:
        values = decode(forged, kinds)
    except Malformed:
        return
    assert [type(value) for value in values] == [str] * len(kinds)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (2**63, "bigint"), (True, "bigint"), (1.5, "bigint"), (2**62, "timestamptz"), ("2026", "timestamptz"),
        ("\x00", "text"), ("\ud800", "text"), ("me", "uuid"), (None, "text"),
    ],
)  # fmt: skip
def test_a_key_that_is_none_of_its_kind_is_malformed(told: object, kind: Kind) -> None:
    with pytest.raises(Malformed):
        decode(urlsafe_b64encode(json.dumps([told]).encode()).decode(), [kind])


def test_a_cursor_of_another_list_is_malformed() -> None:
    cursor = encode([UUID(int=1), "x"])
    with pytest.raises(Malformed):
        decode(cursor, ["uuid"])
