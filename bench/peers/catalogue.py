"""The peers by name. Nothing here imports a library: the names are for both sides of the subprocess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Peer:
    """A method of a library; `library` is its name on the package index."""

    library: str
    method: str

    @property
    def name(self) -> str:
        return f"{self.library} {self.method}".strip()


def _peers(library: str, *methods: str) -> tuple[Peer, ...]:
    return tuple(Peer(library, method) for method in methods)


DETECTORS: Final = (
    *_peers("wfdb", "gqrs", "xqrs"),
    *_peers("sleepecg", ""),
    *_peers(
        "neurokit2",
        *("neurokit", "pantompkins1985", "hamilton2002", "zong2003", "martinez2004", "christov2004", "gamboa2008"),
        *("elgendi2010", "engzeemod2012", "manikandan2012", "khamis2016", "kalidas2017", "nabian2018"),
        *("rodrigues2021", "emrich2023", "promac"),
    ),
    *_peers("biosppy", "hamilton", "christov", "engzee", "gamboa", "ssf", "ASI", "Pan_Tompkins_Plus_Plus"),
    *_peers("ecgdeli", ""),
    *_peers(
        "py-ecg-detectors",
        *("hamilton", "christov", "engzee", "pan_tompkins", "swt", "two_average", "matched_filter", "wqrs"),
    ),
)
DELINEATORS: Final = (*_peers("neurokit2", "dwt", "cwt", "peak", "prominence"), *_peers("ecgdeli", "delineation"))
SLOW: Final = frozenset(
    {
        "neurokit2 zong2003",
        "neurokit2 christov2004",
        "neurokit2 promac",
        "biosppy christov",
        "py-ecg-detectors christov",
    }
)
"""Take 5 to 15 s of CPU time for half an hour of ECG. Not run over all of mitdb unless asked for."""
ALL: Final = {peer.name: peer for peer in (*DETECTORS, *DELINEATORS)}
