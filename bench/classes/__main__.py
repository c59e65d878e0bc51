"""`python -m bench.classes`: train the network that tells classes anew, or tell how it does on patients left out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from bench.accuracy.classes import total
from bench.accuracy.records import data_folder
from bench.accuracy.tables import figure, table
from bench.classes.corpus import corpus
from bench.classes.lessons import Lesson, lesson
from bench.classes.rounds import cross_validated, group_of, train
from bench.classes.weights_module import write_weights

SEED = 1


def main() -> None:
    """Write the weights, or only tell the scores of patients left out in turn."""
    parser = argparse.ArgumentParser(prog="python -m bench.classes", description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder of the databases")
    parser.add_argument("--cross-validate", action="store_true", help="six folds by patient; writes nothing")
    parser.add_argument("--out", type=Path, default=Path("processors/ecg/class_weights.py"))
    options = parser.parse_args()
    np.seterr(over="ignore")
    lessons = [lesson(example) for example in corpus(options.data, SEED)]
    sys.stderr.write(f"{len(lessons)} examples, {sum(len(each.classes) for each in lessons)} beats\n")
    if options.cross_validate:
        sys.stdout.write(_table(lessons))
        return
    write_weights(options.out, train(lessons, SEED))


def _table(lessons: list[Lesson]) -> str:
    scores = list(cross_validated(lessons, SEED))
    rows = []
    for group in sorted({group_of(each) for each, _ in scores}):
        gross = total(group, [score for each, score in scores if group_of(each) == group])
        cells = [figure(rate, 1) for told in "VS" for rate in (gross.sensitivity(told), gross.predictivity(told))]
        rows.append((group, str(gross.beats("V")), *cells[:2], str(gross.beats("S")), *cells[2:]))
    return table(("patients left out", "V", "Se %", "PPV %", "S", "Se %", "PPV %"), rows)


if __name__ == "__main__":
    main()
