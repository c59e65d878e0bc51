"""What `leadwire user erase` does and tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.clock import now
from schemas.settings import Settings
from storage import erasure
from storage.database import writer
from storage.erasure import Erased, Told
from storage.objects import objects

ACTOR: Final = "leadwire user erase"
LEFT: Final = (
    "left: audit lines, which hold ids only; Kafka's topics until their retention is over; the engine's state in "
    "checkpoints, which can't be singled out and is gone with the next save after their devices fell silent; backups"
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What went, to be told."""

    erased: Erased

    def as_json(self) -> dict[str, object]:
        done = self.erased
        return {
            "user_id": str(done.user_id),
            "rows": dict(done.rows),
            "objects": done.objects,
            "kept_devices": done.kept_devices,
            "left": LEFT,
        }

    def as_text(self) -> str:
        done = self.erased
        lines = [f"{count:>10}  {name}" for name, count in sorted(done.rows.items())]
        kept = [f"{done.kept_devices} devices stay without owner and name: others' data hang on them"]
        told = f"user {done.user_id} is erased: {sum(done.rows.values())} rows, {done.objects} objects"
        return "\n".join([told, *lines, *(kept if done.kept_devices else []), LEFT])


async def erase_user(settings: Settings, name: str, told: Told | None = None) -> Erasure:
    """Erase a person. Raises what storage.erasure.erase raises."""
    database = writer(settings.database)
    store = objects(settings.objects, settings.security, settings.http)
    await database.open()
    try:
        return Erasure(await erasure.erase(database, store, name, ACTOR, now(), told))
    finally:
        await database.close()
