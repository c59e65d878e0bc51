"""Where downloaded servers are kept between test runs."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def cache_root() -> Path:
    """Return the folder of LEADWIRE_TEST_CACHE, or `.cache` in the repository."""
    return Path(os.environ.get("LEADWIRE_TEST_CACHE") or REPOSITORY / ".cache").resolve()


def cached(name: str, install: Callable[[Path], None]) -> Path:
    """Return the cache's folder of that name, filled by `install` the first time.

    `install` gets an empty folder, which becomes the cached one only when it returns, so an installation that was
    cut short is never taken for a whole one. Several test runs at once install once: the others wait.
    """
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    folder = root / name
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fill(folder, install)
    return folder


def _fill(folder: Path, install: Callable[[Path], None]) -> None:
    draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        install(draft)
        draft.chmod(0o755)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
