"""`python -m bench.atrial`: train the network that tells atrial fibrillation and write its weights into the engine."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.accuracy.records import data_folder
from bench.atrial.corpus import corpus
from bench.atrial.imagined import imagined
from bench.atrial.lessons import Teacher
from bench.atrial.network import fitted
from bench.atrial.weights_module import write_weights


def main() -> None:
    """Some minutes of one core."""
    parser = argparse.ArgumentParser(prog="python -m bench.atrial", description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder of the databases")
    parser.add_argument("--lessons", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("processors/ecg/atrial_weights.py"))
    options = parser.parse_args()
    hearts = [*corpus(options.data), *imagined(options.seed)]
    weights = fitted(Teacher(hearts, options.seed), options.lessons, options.seed)
    write_weights(options.out, weights)
    print(f"wrote {options.out}; choose BEGINS and ENDS in atrial.py anew on the training records")


if __name__ == "__main__":
    main()
