"""`python -m bench.ventricular`: train the network anew, or tell how it does on patients left out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.accuracy.records import data_folder
from bench.accuracy.tables import table
from bench.ventricular.corpus import Example, corpus
from bench.ventricular.drive import shown
from bench.ventricular.network import Lesson, fitted
from bench.ventricular.rounds import Scored, cross_validated, score
from bench.ventricular.weights_module import write_weights

SEED = 1


def main() -> None:
    """Write the weights, or only tell the scores of patients left out in turn."""
    parser = argparse.ArgumentParser(prog="python -m bench.ventricular", description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder of the databases")
    parser.add_argument("--cross-validate", action="store_true", help="patients left out in turn; writes nothing")
    parser.add_argument("--out", type=Path, default=Path("processors/ecg/ventricular_weights.py"))
    options = parser.parse_args()
    lessons = [_lesson(example) for example in corpus(options.data, SEED)]
    _say(f"{len(lessons)} recordings")
    if options.cross_validate:
        sys.stdout.write(scores_table(cross_validated(lessons, SEED, _say)))
        return
    network = fitted(lessons, SEED)
    write_weights(options.out, network)
    sys.stdout.write(scores_table(score(lesson, network) for lesson in lessons))


def _lesson(example: Example) -> Lesson:
    seen = shown(example.record)
    return Lesson(example.patient, example.group, seen.inputs, seen.calm, example.seconds)


def scores_table(scored: Iterable[Scored]) -> str:
    """Each patient of vfdb, then each group."""
    totals: dict[str, list[int]] = {}
    for each in scored:
        names = [f"vfdb {each.patient}"] if each.group == "vfdb" else []
        for name in (*names, each.group):
            sums = totals.setdefault(name, [0] * 5)
            for i, count in enumerate((each.found, each.false, each.missed, each.rest, each.alarms)):
                sums[i] += count
    headings = ["recordings", "malignant s", "other s", "Se %", "Sp %", "false statements"]
    rows = [
        [name, str(f + m), str(w + r), f"{100 * f / max(1, f + m):.2f}", f"{100 * r / max(1, w + r):.2f}", str(a)]
        for name, (f, w, m, r, a) in sorted(totals.items())
    ]
    return table(headings, rows)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
