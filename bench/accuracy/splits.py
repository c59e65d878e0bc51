"""Which records of a database are told of together, and which of them anything was chosen on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DS1: Final = frozenset(
    "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split()  # noqa: SIM905  # as the paper lists them
)
DS2: Final = frozenset(
    "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split()  # noqa: SIM905  # as the paper lists them
)
"""Training and test records of mitdb after de Chazal et al. 2004."""
PACED: Final = frozenset({"102", "104", "107", "217"})
"""In neither of the two."""


@dataclass(frozen=True, slots=True)
class Group:
    """Records of a database that get a total of their own."""

    name: str
    records: frozenset[str]


def chosen_on(names: Sequence[str]) -> frozenset[str]:
    """The half of qtdb that parameters may be chosen on: every other record in sorted order, the first included."""
    return frozenset(sorted(names)[::2])


def groups(db: str, names: Sequence[str]) -> list[Group]:
    """The groups of a database that have a record among `names` (of the whole database), the last being all."""
    every = frozenset(names)
    split = {
        "mitdb": [Group("DS1", DS1), Group("DS2", DS2), Group("paced", PACED)],
        "qtdb": [Group("chosen on", chosen_on(names)), Group("held back", every - chosen_on(names))],
        "nstdb": [Group(f"{snr} dB", frozenset(n for n in names if n.endswith(f"e0{snr}"))) for snr in (6, 0)],
    }
    return [*split.get(db, []), Group("all", every)]
