"""When a played recording began, and when each of its blocks is due."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.clock import index_to_us
from schemas.errors import Malformed


def check_speed(speed: float) -> None:
    """Raise Malformed for a speed that is negative or no number."""
    if not 0 <= speed < float("inf"):
        raise Malformed(f"speed is {speed:g}; choose 1 for real time, 20 for 20 times as fast, 0 for no waiting")


def started_at_us(now_us: int, duration_s: float | None, speed: float) -> int:
    """The device clock at sample 0 of what is played from now on, so that it ENDS about now.

    The device clock runs at the sample rate whatever the speed, so at speed 1 (or slower, or without end) the
    recording starts now; faster, it starts earlier by what the play saves, duration x (1 - 1/speed), and no sample is
    ever ahead of the gateway's clock; at speed 0 it starts a duration ago. Two plays of one device faster than
    real time therefore overlap in time: give the second its own start, or its own device.
    """
    if duration_s is None or 0 < speed <= 1:
        return now_us
    saved = 1.0 if speed == 0 else 1 - 1 / speed
    return now_us - round(duration_s * saved * 1_000_000)


@dataclass(frozen=True, slots=True)
class Pace:
    """A block is due when its last sample would have been acquired, `speed` times as fast; 0 = at once."""

    begun_s: float
    rate_hz: float
    speed: float

    def wait_s(self, end_index: int, now_s: float) -> float:
        """Seconds until the block that ends at `end_index` is due; 0 when it is late."""
        if self.speed == 0:
            return 0.0
        return max(0.0, self.begun_s + index_to_us(end_index, self.rate_hz) / 1e6 / self.speed - now_s)
