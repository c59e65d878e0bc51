"""Every error Leadwire raises, and the three ways the pipeline answers one.

    LeadwireError                 a message that ends with what to do
    ├── Rejected                  this datum is bad: it goes to ecg.rejects, the rest goes on   (422)
    │   ├── Malformed             it can't be decoded or breaks the wire contract               (422)
    │   ├── UnknownDevice         no such device, or it is not active                           (404)
    │   └── Conflict              it contradicts what is already known                          (409)
    ├── Busy                      a server is away or slow: try again within a bound            (503)
    ├── Refused                   the caller may not do this
    │   ├── Unauthenticated       who are you?                                                  (401)
    │   └── Forbidden             known, but not allowed                                        (403)
    ├── NotFound                  absent, or not yours                                          (404)
    ├── Duplicate                 it exists already                                             (409)
    ├── StillNeeded               without it nobody could put right what follows                (409)
    ├── TooLarge                  over a limit                                                  (413)
    ├── WrongType                 a media type that is not accepted here                        (415)
    ├── TooFast                   over a rate limit                                             (429)
    └── Misconfigured             a setting is missing or wrong; the process does not start     (exit 78)

Anything else is a defect: the worker stops and restarts from its checkpoint.
"""

from __future__ import annotations

from typing import ClassVar


class LeadwireError(Exception):
    """Base of all; `title` is the short name of the kind, `status` its HTTP status."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retry_after_s: int | None = None


class Rejected(LeadwireError):
    """A datum that can't be used; it becomes a dead letter and the partition goes on."""

    status = 422
    title = "Rejected"


class Malformed(Rejected):
    """It can't be decoded, or breaks the wire contract."""

    title = "Malformed"


class UnknownDevice(Rejected):
    """The device is not registered, or not active."""

    status = 404
    title = "Unknown device"


class Conflict(Rejected):
    """It contradicts what is already known of the same samples."""

    status = 409
    title = "Conflict"


class Busy(LeadwireError):
    """A server is away or slow; the same call may succeed later."""

    status = 503
    title = "Busy"
    retry_after_s = 5


class Refused(LeadwireError):
    """The caller may not do this."""

    status = 403
    title = "Refused"


class Unauthenticated(Refused):
    """The caller is not known."""

    status = 401
    title = "Unauthenticated"


class Forbidden(Refused):
    """The caller is known, but this is not allowed to them."""

    title = "Forbidden"


class NotFound(LeadwireError):
    """It does not exist, or is not the caller's."""

    status = 404
    title = "Not found"


class Duplicate(LeadwireError):
    """It exists already."""

    status = 409
    title = "Duplicate"


class StillNeeded(LeadwireError):
    """It is the last of its kind, and the system needs one."""

    status = 409
    title = "Still needed"


class TooLarge(LeadwireError):
    """It is over a limit."""

    status = 413
    title = "Too large"


class WrongType(LeadwireError):
    """A media type that is not accepted here."""

    status = 415
    title = "Unsupported media type"


class TooFast(LeadwireError):
    """Too many requests."""

    status = 429
    title = "Too many requests"
    retry_after_s = 10

    def __init__(self, message: str, retry_after_s: int = 10) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Misconfigured(LeadwireError):
    """A setting is missing or wrong."""

    title = "Misconfigured"
