"""What the command's exit codes mean, as in sysexits.h; 2 is a wrong command line, 130 Ctrl-C."""

from __future__ import annotations

from typing import Final

from schemas.errors import Busy, LeadwireError, Misconfigured, NotFound, Refused

EXIT_CODES: Final = (
    (Misconfigured, 78, "a setting is missing or wrong"),
    (Busy, 75, "a server is away or slow: try again"),
    (Refused, 77, "not allowed"),
    (NotFound, 66, "the file, record or row is not there"),
    (LeadwireError, 65, "the input can't be used"),
)

EXIT_DEFECT: Final = 70
"""A defect of ours; a worker that ends with it is started anew and goes on from its checkpoint."""


def exit_code(error: LeadwireError) -> int:
    """The exit code of an error's kind."""
    return next(code for kind, code, _ in EXIT_CODES if isinstance(error, kind))
