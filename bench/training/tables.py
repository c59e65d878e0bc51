"""Training scores as text."""

from __future__ import annotations

from collections.abc import Iterable

from bench.training.rounds import Scored


def table(scored: Iterable[Scored]) -> str:
    """Found, false and missed of each group and kind together."""
    totals: dict[tuple[str, str], list[int]] = {}
    for each in scored:
        total = totals.setdefault((each.group, each.kind), [0, 0, 0])
        for i, count in enumerate((each.score.found, each.score.false, each.score.missed)):
            total[i] += count
    lines = ["| records | as | beats | false | missed | Se % | PPV % |", "| :-- | :-- | --: | --: | --: | --: | --: |"]
    for (group, kind), (found, false, missed) in sorted(totals.items()):
        beats = found + missed
        se, ppv = 100 * found / max(1, beats), 100 * found / max(1, found + false)
        lines.append(f"| {group} | {kind} | {beats} | {false} | {missed} | {se:.3f} | {ppv:.3f} |")
    return "\n".join(lines) + "\n"
