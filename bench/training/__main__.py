"""`python -m bench.training`: train the beat detector's network anew, or tell how it does on records left out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.accuracy.records import data_folder
from bench.training.corpus import corpus
from bench.training.lessons import exercise
from bench.training.rounds import cross_validated, scores, train
from bench.training.tables import table
from bench.training.weights_module import write_weights

SEED = 1


def main() -> None:
    """Write the weights, or only tell the scores of records left out in turn."""
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder of the databases")
    parser.add_argument("--cross-validate", action="store_true", help="four folds by record; writes nothing")
    parser.add_argument("--out", type=Path, default=Path("processors/ecg/decision_weights.py"))
    options = parser.parse_args()
    exercises = [exercise(example) for example in corpus(options.data, SEED)]
    _say(f"{len(exercises)} examples")
    if options.cross_validate:
        sys.stdout.write(table(cross_validated(exercises, SEED, _say)))
        return
    network = train(exercises, SEED, _say)
    write_weights(options.out, network)
    sys.stdout.write(table(scores(exercises, network)))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
