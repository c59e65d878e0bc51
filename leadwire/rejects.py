"""What `leadwire rejects` tells of dead letters, and how it sends them back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from processors.rejects import Filter, Letter, Position, Reject, read_letter, read_rejects
from processors.send_back import Plan, plan, send_back
from schemas import topics
from schemas.clock import to_datetime
from schemas.codec import decode_pack, decode_report_event
from schemas.errors import Malformed, Rejected
from schemas.samples import SampleBlock
from schemas.settings import KafkaSettings

_HEAD_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Listed:
    """The dead letters that were asked for, and how many there are of each kind."""

    rejects: Sequence[Reject]

    @property
    def by_kind(self) -> Mapping[str, int]:
        return dict(Counter(reject.kind for reject in self.rejects).most_common())

    def as_json(self) -> dict[str, object]:
        return {"rejects": [reject_json(reject) for reject in self.rejects], "by_kind": self.by_kind}

    def as_text(self) -> str:
        counts = "".join(f", {count} {kind}" for kind, count in self.by_kind.items())
        return "\n".join([*map(_line, self.rejects), f"{len(self.rejects)} rejects{counts}"])


@dataclass(frozen=True, slots=True)
class Shown:
    """One dead letter, and what its bytes are as far as they can be read."""

    letter: Letter

    def as_json(self) -> dict[str, object]:
        letter = self.letter
        headers = {name: (value or b"").decode(errors="replace") for name, value in letter.headers}
        key = None if letter.key is None else letter.key.decode(errors="replace")
        return reject_json(letter.reject) | {"key": key, "headers": headers, "content": content(letter)}

    def as_text(self) -> str:
        told = self.as_json()
        told.pop("headers")
        lines = [f"{name:10} {value}" for name, value in told.items() if name != "content"]
        lines += [f"header     {name}: {value.decode(errors='replace')}" for name, value in self.letter.headers]
        return "\n".join([*lines, *(f"  {line}" for line in content(self.letter))])


@dataclass(frozen=True, slots=True)
class SentBack:
    """How a replay went; a dry run has sent nothing."""

    chosen: int
    sent: int
    left_out: Mapping[str, int]
    dry_run: bool

    def as_json(self) -> dict[str, object]:
        return {"chosen": self.chosen, "sent": self.sent, "left_out": dict(self.left_out), "dry_run": self.dry_run}

    def as_text(self) -> str:
        told = f"{self.chosen} would be sent back" if self.dry_run else f"{self.sent} of {self.chosen} sent back"
        return "".join([told, *(f"; {count} left out: {why}" for why, count in self.left_out.items())])


async def list_rejects(settings: KafkaSettings, chosen: Filter | None = None) -> list[Reject]:
    """Those of ecg.rejects that pass, oldest first. Raises Busy when Kafka is away."""
    return (chosen or Filter()).of(await read_rejects(settings))


async def show_reject(settings: KafkaSettings, position: str) -> Shown:
    """The dead letter at `partition@offset`. Raises Malformed, NotFound, Busy."""
    return Shown(await read_letter(settings, parse_position(position)))


async def plan_replay(settings: KafkaSettings, chosen: Filter, *, again: bool) -> Plan:
    """What a replay would send. Raises Busy when Kafka is away."""
    return plan(await list_rejects(settings, chosen), again=again)


async def replay_rejects(settings: KafkaSettings, planned: Plan, *, dry_run: bool) -> SentBack:
    """Send back what was planned. Raises Busy when Kafka is away; what was sent until then is marked."""
    sent = 0 if dry_run else await send_back(settings, planned.chosen)
    return SentBack(len(planned.chosen), sent, planned.left_out, dry_run)


def parse_position(text: str) -> Position:
    """`3@17` or `ecg.rejects[3]@17`. Raises Malformed."""
    partition, _, offset = text.removeprefix(topics.REJECTS).partition("@")
    partition = partition.removeprefix("[").removesuffix("]")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise Malformed(
            f"position {text!r} is not partition@offset; take one such as 3@17 from `leadwire rejects list`"
        )
    return Position(int(partition), int(offset))


def content(letter: Letter) -> list[str]:
    """A line for each block or event in the bytes; their beginning in hex when they can't be read."""
    try:
        if letter.reject.topic == topics.REPORTS:
            return [str(decode_report_event(letter.value))]
        return [_block_line(block) for block in decode_pack(letter.value)]
    except Rejected as error:
        head = letter.value[:_HEAD_BYTES].hex(" ")
        return [f"can't be read: {error}", f"{len(letter.value)} bytes: {head}"]


def reject_json(reject: Reject) -> dict[str, object]:
    """A dead letter as JSON takes it."""
    return {
        "position": str(reject.position),
        "at": reject.at.isoformat(),
        "kind": reject.kind,
        "reason": reject.reason,
        "origin": reject.origin,
        "device_id": None if reject.device_id is None else str(reject.device_id),
        "size": reject.size,
        "replays": reject.replays,
        "replayed": reject.replayed,
    }


def _line(reject: Reject) -> str:
    mark = " (sent back)" if reject.replayed else ""
    at = reject.at.isoformat(timespec="seconds")
    return f"{reject.position!s:>8}  {at}  {reject.origin}  {reject.kind}: {reject.reason}{mark}"


def _block_line(block: SampleBlock) -> str:
    at = to_datetime(block.started_at_us).isoformat(timespec="milliseconds")
    span = f"samples [{block.first_index}, {block.end_index}) from {at}"
    kind = f"{block.rate_hz:g} Hz, {', '.join(block.leads)}"
    return f"device {block.device_id}, recording {block.recording_id}: {span}, {kind}"
