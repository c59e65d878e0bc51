"""What one scenario showed on one stack, and the table of all. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from bench.chaos.differences import Differences
from bench.chaos.ledger import Balance
from bench.chaos.stands import StackName

_HEAD = (
    "scenario", "stack", "faults injected", "samples acknowledged", "lost", "doubled", "beats compared",
    "beats differing", "other rows differing", "restarts", "longest catch-up s",
)  # fmt: skip


Row: TypeAlias = tuple[str, ...]


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


def rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """The table's rows, one an outcome."""
    return [_cells(outcome) for outcome in outcomes]


def table(wanted: Sequence[Row]) -> str:
    """The table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (_HEAD, ("---",) * len(_HEAD), *wanted)) + "\n"


def rows_of(text: str) -> list[Row]:
    """The rows of a table that `table` made, wherever it stands in a text."""
    lines = [tuple(line.strip("| ").split(" | ")) for line in text.splitlines() if line.startswith("| ")]
    return [line for line in lines if len(line) == len(_HEAD) and line != _HEAD and line[0] != "---"]


def joined(known: Sequence[Row], new: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """What was known of other scenarios and stacks, and what is new, by scenario and stack."""
    by_place = {(names.index(row[0]), row[1]): row for row in (*known, *new) if row[0] in names}
    return [by_place[place] for place in sorted(by_place)]


def _cells(outcome: Outcome) -> Row:
    if outcome.told and not outcome.tables:
        return (outcome.scenario, outcome.stack, outcome.told, *("–",) * (len(_HEAD) - 3))
    beats = outcome.tables["ecg_beats"]
    others = sum(each.differing for name, each in outcome.tables.items() if name != "ecg_beats")
    catch_up = "–" if outcome.catch_up_s is None else f"{outcome.catch_up_s:.1f}"
    faults = outcome.faults + "".join(f"; **{promise}**" for promise in outcome.broken)
    balance = outcome.balance
    figures = (balance.acknowledged, balance.lost, balance.doubled, beats.compared, beats.differing, others)
    return (outcome.scenario, outcome.stack, faults, *map(str, figures), str(outcome.restarts), catch_up)
