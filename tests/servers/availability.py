"""Whether a real server can be had here, and if not, why."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path


class Unavailable(Exception):
    """A server that can't be had on this machine. Its text is the reason a test tier is skipped for, and the remedy."""


def tiers_are_required() -> bool:
    """Whether a missing server is a failure, not a skip (the environment says LEADWIRE_REQUIRE_ALL_TIERS=1)."""
    return os.environ.get("LEADWIRE_REQUIRE_ALL_TIERS") == "1"


def find_tool(*names: str, remedy: str) -> Path:
    """Return the first of these programs that PATH has; raises Unavailable with the remedy."""
    for name in names:
        if found := shutil.which(name):
            return Path(found)
    raise Unavailable(f"{' or '.join(names)} isn't on PATH; {remedy}")


def run_tool(argv: Sequence[str | Path], folder: Path, deadline_s: float, env: dict[str, str] | None = None) -> str:
    """Run an installer to its end in a folder and return what it printed; raises Unavailable if it fails."""
    words = [str(word) for word in argv]
    environment = os.environ | (env or {})
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=deadline_s,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"`{' '.join(words[:3])} …` took more than {deadline_s:.0f} s; run it by hand") from None
    if done.returncode != 0:
        raise Unavailable(f"`{' '.join(words[:3])} …` failed: {last_lines(done.stdout)}")
    return done.stdout


def last_lines(text: str, count: int = 5) -> str:
    """Join the last lines that say something, so that a reason fits on a screen."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-count:])[-600:] or "it printed nothing"
