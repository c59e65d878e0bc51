"""What each process holds in memory, has spent on the CPU and has written to disk; children included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Watched:
    """A process by the name it has in the tables. What a tree shares is counted once: PSS and USS, not RSS."""

    name: str
    pid: int
    is_tree: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """`memory_bytes` is RSS, or of a tree the PSS; `own_bytes` is what no other process shares (USS)."""

    memory_bytes: int
    own_bytes: int | None
    cpu_s: float
    written_bytes: int


def usage(watched: Watched) -> Usage | None:
    """None when the process is gone."""
    try:
        root = psutil.Process(watched.pid)
        members = list(_alive([root, *root.children(recursive=True)]))
        reaped = root.cpu_times()
    except psutil.NoSuchProcess:
        return None
    if not members:
        return None
    return Usage(
        memory_bytes=sum(member.pss if watched.is_tree else member.rss for member in members),
        own_bytes=sum(member.uss for member in members) if watched.is_tree else None,
        cpu_s=sum(member.cpu_s for member in members) + reaped.children_user + reaped.children_system,
        written_bytes=sum(member.written_bytes for member in members),
    )


@dataclass(frozen=True, slots=True)
class _Member:
    rss: int
    pss: int
    uss: int
    cpu_s: float
    written_bytes: int


def _alive(processes: list[psutil.Process]) -> Iterator[_Member]:
    for process in processes:
        try:
            memory, times = process.memory_full_info(), process.cpu_times()
            written = process.io_counters().write_bytes if psutil.LINUX else 0
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        pss = getattr(memory, "pss", memory.rss)  # Linux alone tells it
        yield _Member(memory.rss, pss, memory.uss, times.user + times.system, written)


@dataclass(frozen=True, slots=True)
class Machine:
    """CPU seconds of the whole machine so far: busy, waiting for disks, and all there were."""

    busy_s: float
    waiting_s: float
    all_s: float


def machine() -> Machine:
    times = psutil.cpu_times()
    waiting = float(getattr(times, "iowait", 0.0))
    every = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)  # guests are in user already
    return Machine(every - times.idle - waiting, waiting, every)
