"""Which faults the bench knows, and on which stack each can be had."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from bench.chaos import faults
from bench.chaos.scenes import Scene
from bench.chaos.stands import StackName

Way = Literal["gateway", "kafka"]

_LONG_SILENCE: Final = {"LEADWIRE_IDLE_AFTER_S": "150"}
"""A device that can't reach Leadwire for longer than LEADWIRE_IDLE_AFTER_S is closed, as promised; this bench asks
about outages, so where the way in itself is cut for longer than the default, it is set beyond the outage."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is done, how devices come in (device n by way n modulo their number), settings beside the defaults."""

    name: str
    act: Callable[[Scene], Awaitable[None]]
    ways: tuple[Way, ...] = ("gateway", "kafka")
    env: Mapping[str, str] = field(default_factory=dict)
    has_small_disk: bool = False
    has_s3_on: frozenset[StackName] = frozenset()
    not_on: Mapping[StackName, str] = field(default_factory=dict)

    def missing(self, stack: StackName) -> str | None:
        """Why it can't be had there; None when it can."""
        if self.has_small_disk and os.geteuid() != 0:
            return "skipped: only root can mount a small disk; run it as root"
        return self.not_on.get(stack)


SCENARIOS: Final = (
    Scenario("undisturbed", faults.nothing),
    Scenario("worker killed every 10 s", faults.kill_worker),
    Scenario("second worker joins and leaves every 15 s", faults.come_and_go),
    Scenario("one of two workers frozen 40 s", faults.freeze_worker),
    Scenario(
        "broker killed and restarted",
        faults.kill_broker,
        env=_LONG_SILENCE,
        not_on={"embedded": "does not apply: Tansu keeps all in memory, and what it acknowledged dies with it"},
    ),
    Scenario("broker paused 30 s", faults.pause_broker, env=_LONG_SILENCE),
    Scenario("database restarted, and away 60 s", faults.stop_database, env=_LONG_SILENCE),
    Scenario("object store away 60 s", faults.lose_objects, has_s3_on=frozenset({"kafka"})),
    Scenario("gateway killed in mid-request", faults.kill_gateway, ways=("gateway",)),
    Scenario("network cut between worker and database", faults.cut_network),
    Scenario("disk full for objects", faults.fill_disk, has_small_disk=True),
    Scenario("poison records at 1 %", faults.poison),
)


def chosen(name: str) -> tuple[Scenario, ...]:
    """All of them; or those whose name begins with `name`, or else contains it. Raises KeyError for none."""
    if name == "all":
        return SCENARIOS
    starting = tuple(scenario for scenario in SCENARIOS if scenario.name.startswith(name))
    found = starting or tuple(scenario for scenario in SCENARIOS if name in scenario.name)
    if not found:
        raise KeyError(f"no scenario {name!r}; choose all, or a part of: " + "; ".join(s.name for s in SCENARIOS))
    return found
