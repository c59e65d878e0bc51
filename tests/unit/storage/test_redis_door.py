"""An outage of Redis is told once, and Redis is not asked all the time meanwhile."""

from structlog.testing import capture_logs

from storage.redis_door import Outage


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_an_outage_is_told_once_and_its_end_too() -> None:
    clock = Clock()
    outage = Outage("nothing is cached", clock)
    with capture_logs() as lines:
        for clock.now_s in (0, 5, 10):
            outage.begins(OSError("refused"))
        outage.ends()
        outage.ends()
    assert [line["event"] for line in lines] == ["Redis is away", "Redis is back"]
    assert "refused" in lines[0]["error"]


def test_it_is_left_alone_for_five_seconds() -> None:
    clock = Clock()
    outage = Outage("nothing is cached", clock)
    assert not outage.lasts
    outage.begins(OSError("refused"))
    clock.now_s = 4.9
    assert outage.lasts
    clock.now_s = 5
    assert not outage.lasts
