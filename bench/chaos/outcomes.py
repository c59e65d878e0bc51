"""What one scenario showed on one stack, and the table of all. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from bench.chaos.differences import Differences
from bench.chaos.ledger import Balance
from bench.chaos.stands import StackName

_HEAD = (
    "scenario", "stack", "faults injected", "samples acknowledged", "lost", "doubled", "beats compared",
    "beats differing", "other rows differing", "restarts", "longest catch-up s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """`told` is why it was not run, or what broke it; `broken` are promises beyond the figures that were not kept."""

    scenario: str
    stack: StackName
    faults: str = ""
    told: str = ""
    balance: Balance = field(default_factory=lambda: Balance(0, 0, 0, 0))
    tables: Mapping[str, Differences] = field(default_factory=dict)
    restarts: int = 0
    own_ends: Sequence[int] = ()
    catch_up_s: float | None = None
    retries: int = 0
    broken: Sequence[str] = ()

    @property
    def is_good(self) -> bool:
        """Nothing lost, doubled or different, every other promise kept; what can't be had is no failure."""
        return self.balance.is_even and not self.broken and not any(each.differing for each in self.tables.values())

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"is_good": self.is_good}


def table(outcomes: Sequence[Outcome]) -> str:
    """One table in Markdown, a row an outcome."""
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_cells, outcomes)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _cells(outcome: Outcome) -> tuple[str, ...]:
    if outcome.told and not outcome.tables:
        return (outcome.scenario, outcome.stack, outcome.told, *("–",) * (len(_HEAD) - 3))
    beats = outcome.tables["ecg_beats"]
    others = sum(each.differing for name, each in outcome.tables.items() if name != "ecg_beats")
    catch_up = "–" if outcome.catch_up_s is None else f"{outcome.catch_up_s:.1f}"
    faults = outcome.faults + "".join(f"; **{promise}**" for promise in outcome.broken)
    balance = outcome.balance
    figures = (balance.acknowledged, balance.lost, balance.doubled, beats.compared, beats.differing, others)
    return (outcome.scenario, outcome.stack, faults, *map(str, figures), str(outcome.restarts), catch_up)
