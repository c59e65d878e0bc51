"""What the store has to reach, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure of a server's report and its bound: at most it, or at least."""

    name: str
    path: tuple[str, ...]
    bound: float
    at_least: bool = False

    def is_met(self, found: float) -> bool:
        return found >= self.bound if self.at_least else found <= self.bound


@dataclass(frozen=True, slots=True)
class Verdict:
    """A limit beside what was found; `short_by` is the share that is missing, 0 when it is met."""

    limit: Limit
    found: float

    @property
    def is_met(self) -> bool:
        return self.limit.is_met(self.found)

    @property
    def short_by(self) -> float:
        if self.is_met:
            return 0.0
        low, high = sorted((self.found, self.limit.bound))
        return high / max(low, 1e-9) - 1

    def told(self) -> dict[str, Any]:
        return {
            "limit": self.limit.name,
            "bound": self.limit.bound,
            "found": self.found,
            "met": self.is_met,
            "short_by_percent": round(100 * self.short_by, 1),
        }


LIMITS: Final = (
    Limit("bits per sample at rest", ("at_rest", "bits_per_sample"), 4.2),
    Limit("writes, M samples/s", ("write", "m_samples_per_s"), 20.0, at_least=True),
    Limit("window at the storage layer, p99 ms", ("windows", "p99_ms"), 3.0),
    Limit("window over HTTP as protobuf, p99 ms", ("http", "protobuf", "p99_ms"), 10.0),
    Limit("window over HTTP as JSON, p99 ms", ("http", "json", "p99_ms"), 10.0),
    Limit("bulk reads, M samples/s per core", ("bulk", "m_samples_per_client_core_s"), 120.0, at_least=True),
)


def verdicts(told: Mapping[str, Any]) -> Iterator[Verdict]:
    """Each limit whose figure was measured, over one server's report."""
    for limit in LIMITS:
        found: Any = told
        for name in limit.path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, int | float):
            yield Verdict(limit, float(found))
