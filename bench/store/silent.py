"""A publisher that tells nobody: Kafka is not what is measured here."""

from __future__ import annotations

from collections.abc import Sequence

from processors.publish import Decided, Publisher
from schemas.alarms import AlarmEvent
from schemas.rhythms import RhythmEpisode


class Silent(Publisher):
    """For Sinks, whose transactions are what is wanted."""

    def __init__(self) -> None:
        """Without settings: it sends nothing."""

    async def results(
        self, decided: Sequence[Decided], episodes: Sequence[RhythmEpisode], alarms: Sequence[AlarmEvent] = ()
    ) -> None:
        return
