"""What an import tells: what came in, what was there, what was skipped and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Literal, get_args

from leadwire.import_files import Kind

State = Literal["imported", "there", "skipped"]

_STATES: Final = get_args(State)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry: `why` it was not imported, and what was left out of it (`notes`)."""

    kind: Kind
    file: str
    where: str
    name: str
    state: State
    why: str | None = None
    notes: Sequence[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.file}{self.where}"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Every entry's outcome; a dry run has written nothing."""

    outcomes: Sequence[Outcome]
    dry_run: bool

    def count(self, kind: Kind, state: State) -> int:
        return sum(one.kind == kind and one.state == state for one in self.outcomes)

    def as_json(self) -> dict[str, object]:
        counts = {kind: {state: self.count(kind, state) for state in _STATES} for kind in get_args(Kind)}
        entries = [asdict(one) | {"notes": list(one.notes)} for one in self.outcomes]
        return {"dry_run": self.dry_run, "counts": counts, "entries": entries}

    def as_text(self) -> str:
        """A table of counts, then every entry that was skipped, then how often each remark was made."""
        head = f"{'':10}{'imported':>10}{'there':>10}{'skipped':>10}"
        rows = [
            f"{kind:10}" + "".join(f"{self.count(kind, state):>10}" for state in _STATES) for kind in get_args(Kind)
        ]
        skipped = [f"skipped {one.place}: {one.why}" for one in self.outcomes if one.state == "skipped"]
        remarks = Counter(note for one in self.outcomes if one.state == "imported" for note in one.notes)
        noted = [f"{count:>10}  {note}" for note, count in remarks.most_common(20)]
        ending = ["dry run: nothing was written"] if self.dry_run else []
        return "\n".join([head, *rows, *skipped, *noted, *ending])
