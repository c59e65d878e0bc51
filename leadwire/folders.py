"""Where a demo keeps its things, so that the other commands find them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DEMO_FOLDER: Final = Path(".leadwire")

LOGIN_FILE: Final = "login.json"
"""In its data folder: the address, and the login that was made up."""

ENVIRONMENT_FILE: Final = "demo.env"
"""In its data folder while it runs: its settings, by which doctor, replay and rejects find its servers."""
