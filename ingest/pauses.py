"""How long to wait for a gateway that is away, and which answers no waiting mends."""

from __future__ import annotations

import random
from typing import Final

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 30.0
"""After the outage of a gateway the last of its devices is back within this."""

_TRANSIENT: Final = frozenset({408, 425, 429})


def pause_after_s(failures: int) -> float:
    """A pause that doubles with each failure in a row, of which half is left to chance so that devices don't march."""
    whole_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16))
    return whole_s * random.uniform(0.5, 1.0)  # noqa: S311  # no secret


def is_final(status: int) -> bool:
    """Whether an answer says that what was sent is wrong, so that sending it again can't help."""
    return 400 <= status < 500 and status not in _TRANSIENT
