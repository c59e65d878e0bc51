"""A stretch judged: its figures, or why it has none; pure."""

from __future__ import annotations

from typing import Final

from processors.hrv.figures import HRV_VERSION, hrv_figures
from processors.hrv.intervals import NNSeries, chief, nn_series
from schemas.clock import to_datetime
from schemas.hrv import STRETCH_S, HrvStretch, Refusal
from schemas.logs import logger
from storage.hrv import StretchBeats

MIN_NN_SHARE: Final = 0.8
MAX_AF_SHARE: Final = 0.5

_log = logger(__name__)


def judge(stretch: StretchBeats) -> HrvStretch:
    """The stretch's row: figures, or the reason why it has none.

    With under MIN_NN_SHARE of it in NN intervals, or with fibrillation or flutter labelled for MAX_AF_SHARE of it, the
    figures would tell of conduction and of what was left out, and not of the sinus node.
    """
    nn = nn_series(stretch.recordings)
    reason = _refusal(stretch, nn)
    figures: dict[str, float | None] = {}
    if reason is None:
        try:
            figures = hrv_figures(nn)
        except Exception:  # noqa: BLE001  # whatever neurokit2 raises on a series: the next stretch must not wait for it
            _log.exception("no figures", device_id=str(stretch.device_id), stretch_start=str(stretch.start))
            reason = "not_computable"
    first = chief(stretch.recordings)
    return HrvStretch(
        device_id=stretch.device_id,
        stretch_start=stretch.start,
        user_id=first.user_id,
        beats=sum(len(each.at_us) for each in stretch.recordings),
        nn_count=len(nn.interval_ms),
        nn_share=_share(nn),
        af_share=stretch.af_share,
        reason=reason,
        engine_version=first.engine_version,
        hrv_version=HRV_VERSION,
        last_beat_at=to_datetime(max(each.at_us[-1] for each in stretch.recordings)),
        **figures,
    )


def _refusal(stretch: StretchBeats, nn: NNSeries) -> Refusal | None:
    if stretch.af_share is not None and stretch.af_share >= MAX_AF_SHARE:
        return "atrial_fibrillation"
    return "little_nn" if _share(nn) < MIN_NN_SHARE else None


def _share(nn: NNSeries) -> float:
    return nn.total_ms / (STRETCH_S * 1000)
