"""Trains the boundary networks on the 35 records of QTDB_TRAIN and training records of mitdb; writes their tables."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.records import data_folder
from bench.delineation.augmentation import Beats, join, mix, recombine, vary
from bench.delineation.network import Tables, Target, fit
from bench.delineation.records import QTDB_TRAIN, WITHOUT_P, Recording, offset_of, read_qtdb, read_without_p
from bench.delineation.windows import EDGES, Seen, cut_windows, see_edges, see_waves

LEADS: Final = (1, 2, 2, 3, 1, 2, 2) * 4
"""How many leads each version of a record has."""
ALONE: Final = 0.2
"""So many versions are of single beats, as before an average is full."""
BEATS_EACH: Final = 6
RECOMBINED: Final = 1.2
NO_P: Final = 0.12
STEPS: Final = 6000
HIDDEN: Final = 12
QRS_HIDDEN: Final = 10
JITTER: Final = 4
EDGE_NOISE: Final = 1.5
"""P and T are found with the network's own QRS boundaries, which are so many points off."""
GRID_HZ: Final = 250.0
OUT: Final = Path("processors/ecg/delineation_weights.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    marked = join(list(marked_beats(options.data)))
    without_p, edges = beats_without_p(options.data)
    tables = train(marked, without_p, edges, options.steps)
    options.out.write_text(as_module(tables))


def marked_beats(folder: Path) -> Iterator[Beats]:
    """Beats of the training records with their marks, in several versions of each; every record counts the same."""
    for number, name in enumerate(QTDB_TRAIN):
        rng = np.random.default_rng([11, number])
        record = read_qtdb(folder, name)
        made = join([version(record, count, rng) for count in LEADS])
        made.weights[:] = 1.0 / len(made.rr)
        yield made


def version(record: Recording, count: int, rng: np.random.Generator) -> Beats:
    leads = mix(record.leads, count, record.rate_hz, rng)
    jitter = rng.integers(-JITTER, JITTER + 1, len(record.detected))
    cut = cut_windows(leads, record.detected + jitter, record.rate_hz, alone=bool(rng.random() < ALONE))
    at = offset_of(cut.middles, record.reference, record.rate_hz)
    beats = rng.permutation(np.where(at >= 0)[0])[:BEATS_EACH]
    rows = at[beats]
    marks = record.marks[beats] - cut.middles[rows, None] + 112.0
    return Beats(cut.windows[rows].astype(float), cut.rr[rows], cut.p_like[rows], marks, np.ones(len(rows)))


def beats_without_p(folder: Path) -> tuple[Beats, NDArray[np.float64]]:
    """Beats that have no P, and the QRS boundaries that the present tables give them."""
    parts, edges = [], []
    for number, name in enumerate(WITHOUT_P):
        rng = np.random.default_rng([12, number])
        record = read_without_p(folder, name)
        for leads in (record.leads, record.leads[:1], record.leads[1:], mix(record.leads, 2, record.rate_hz, rng)):
            jitter = rng.integers(-JITTER, JITTER + 1, len(record.detected))
            cut = cut_windows(leads, record.detected + jitter, record.rate_hz, alone=False)
            at = offset_of(cut.middles, record.reference, record.rate_hz)
            good = (at >= 0) & np.isfinite(cut.found[at, 3])
            for kind, most in (("AF", 350), ("V", 60)):
                rows = at[good & (np.array(record.kinds) == kind)]
                rows = rng.permutation(rows)[:most]
                weights = np.full(len(rows), 1.0 if kind == "AF" else 2.0)
                marks = np.full((len(rows), 8), np.nan)
                parts.append(Beats(cut.windows[rows].astype(float), cut.rr[rows], cut.p_like[rows], marks, weights))
                edges.append(cut.found[rows, EDGES].astype(float))
    return join(parts), np.concatenate(edges)


def train(marked: Beats, without_p: Beats, edges: NDArray[np.float64], steps: int) -> dict[str, Tables]:
    rng = np.random.default_rng(5)
    more = vary(recombine(marked, int(RECOMBINED * len(marked.rr)), rng), rng)
    more.weights[:] = 2.0 * RECOMBINED * marked.weights.sum() / len(more.rr)
    beats = join([marked, vary(marked, rng), more])
    windows = whole(beats.windows)
    onset, offset = see_edges(windows)
    qrs = beats.marks[:, EDGES]
    tables = {
        "ONSET": fit(*only(onset, target(qrs[:, :1], beats.weights, (2.0,), False)), QRS_HIDDEN, steps),
        "OFFSET": fit(*only(offset, target(qrs[:, 1:], beats.weights, (2.0,), False)), QRS_HIDDEN, steps),
    }
    near = np.where(np.isnan(qrs), [100.0, 126.0], qrs) + rng.normal(0, EDGE_NOISE, qrs.shape)
    _, t = see_waves(windows, beats.rr, beats.p_like, near)
    tables["T"] = fit(*only(t, target(beats.marks[:, 5:8], beats.weights, (4.0, 3.0, 4.0), True)), HIDDEN, steps)
    without_p.weights *= NO_P * 1.6 * beats.weights.sum() / without_p.weights.sum()
    everything = join([beats, without_p])
    p, _ = see_waves(whole(everything.windows), everything.rr, everything.p_like, np.concatenate([near, edges]))
    places = everything.marks[:, 0:3]
    known = np.isfinite(places) | np.isnan(places).all(1, keepdims=True)
    tables["P"] = fit(p, Target(places, known, everything.weights, (3.0, 2.0, 3.0), True), HIDDEN, steps)
    return tables


def whole(windows: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.clip(np.rint(windows), -60000, 60000).astype(np.int32)


def target(places: NDArray[np.float64], weights: NDArray[np.float64], spread: tuple[float, ...],
           may_miss: bool) -> Target:  # fmt: skip
    """Where a missing mark says nothing: experts left out T onsets they weren't asked for."""
    return Target(places, np.isfinite(places), weights, spread, may_miss)


def only(seen: Seen, wanted: Target) -> tuple[Seen, Target]:
    """The beats of which at least one boundary is known."""
    rows = wanted.known.any(1)
    return (
        Seen(seen.inputs[rows], seen.places[rows], seen.possible[rows]),
        Target(wanted.places[rows], wanted.known[rows], wanted.weights[rows], wanted.spread, wanted.may_miss),
    )


def as_module(tables: dict[str, Tables]) -> str:
    lines = [
        '"""Trained tables of positions.py; written by bench/delineation/train.py."""', "",
        "from __future__ import annotations", "", "from typing import Final", "", "import numpy as np", "",
        "# fmt: off", "",
    ]  # fmt: skip
    for name, table in tables.items():
        spare = -len(table.enter) % 4  # the engine takes inputs by fours
        enter = np.concatenate([table.enter, np.zeros((spare, table.enter.shape[1]))])
        for part, values in (("ENTER", enter), ("START", table.start), ("LEAVE", table.leave), ("END", table.end)):
            numbers = ", ".join(f"{value:.4g}" for value in values.ravel())
            shape = f".reshape({values.shape[0]}, {values.shape[1]})" if values.ndim == 2 else ""
            lines.append(f"{name}_{part}: Final = np.array([")
            lines += textwrap.wrap(numbers, 112, initial_indent="    ", subsequent_indent="    ")
            lines.append("], np.float32)" + shape)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
