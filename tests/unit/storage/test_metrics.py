"""The id of a second of metrics is made of its identity alone."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.columns import metric_id

MOMENTS = st.integers(min_value=0, max_value=2**51)


@given(st.uuids(), MOMENTS)
def test_the_id_is_a_version_8_uuid_that_tells_the_millisecond(device_id: UUID, start_us: int) -> None:
    made = metric_id(device_id, start_us)
    assert (made.version, made.variant) == (8, "specified in RFC 4122")
    assert made.int >> 80 == start_us // 1000


@given(st.uuids(), st.uuids(), MOMENTS, MOMENTS)
def test_two_seconds_share_an_id_only_when_they_are_one(a: UUID, b: UUID, at: int, later: int) -> None:
    assert (metric_id(a, at) == metric_id(b, later)) == ((a, at) == (b, later))
