"""Which leads beats are measured on: the main one, and the two that stand out best beside it."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import UNREADABLE
from processors.ecg.state import MEASURED

OF_MAIN: Final = 0.6
"""A lead this much worse than the main one would blur what that one shows."""
KEPT_BY: Final = 1.5
"""A lead in use stays unless another stands out this much better: its average would be lost."""
LOOK_EVERY: Final = 64
LOOK_SOON: Final = 8


@kernel
def readable(device: Record, leads: NDArray[Any], k: int) -> bool:
    lead = leads[device.lead[k]]
    main = leads[device.lead[device.main]]
    return bool(k == device.main or (lead.score >= UNREADABLE and lead.score >= OF_MAIN * main.score))


@kernel
def choose_leads(device: Record, leads: NDArray[Any]) -> None:
    """Renew device.measured where the main lead changed, a lead became unreadable, or it is time to look again."""
    device.measured_since += 1
    valid = device.measured_leads > 0 and device.measured[0] == device.main
    for i in range(device.measured_leads):
        valid = valid and readable(device, leads, device.measured[i])
    wanted = min(device.leads, MEASURED)
    often = LOOK_EVERY if device.measured_leads == wanted else LOOK_SOON
    if valid and (device.measured_since < often or wanted == device.measured_leads == device.leads):
        return
    choose_anew(device, leads, wanted)


@kernel
def choose_anew(device: Record, leads: NDArray[Any], wanted: int) -> None:
    before = device.measured_leads
    old_0 = device.measured[0]
    old_1 = device.measured[1]
    old_2 = device.measured[2]
    device.measured_since = 0
    device.measured[0] = device.main
    count = 1
    while count < wanted:
        best = -1.0
        at = -1
        for k in range(device.leads):
            taken = False
            for i in range(count):
                taken = taken or device.measured[i] == k
            if taken or not readable(device, leads, k):
                continue
            kept = (before > 0 and k == old_0) or (before > 1 and k == old_1) or (before > 2 and k == old_2)
            value = worth(leads[device.lead[k]]) * (KEPT_BY if kept else 1.0)
            if k == device.limb_ii and count == 1:
                value *= KEPT_BY  # P waves are seen best in II
            if value > best:
                best = value
                at = k
        if at < 0:
            break
        device.measured[count] = at
        count += 1
    device.measured_leads = count
    for k in range(device.leads):
        used = False
        for i in range(count):
            used = used or device.measured[i] == k
        if not used:
            leads[device.lead[k]].average_beats = 0


@kernel
def worth(lead: Record) -> float:
    """How far a lead's beats stand out of its noise, times its quality."""
    return float(lead.score * lead.level / max(lead.noise, 0.05 * lead.level + 1.0))
