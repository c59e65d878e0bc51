"""docker-compose.yml as Docker reads it: merged, and with its variables filled in."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
OURS = ("migrate", "gateway", "worker", "hrv", "archive", "api")

# ${NAME}, ${NAME:-default}, ${NAME:?what to say when it is empty}
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def load() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return document


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load()["services"]
    return found


def example() -> dict[str, str]:
    """The lines of .env.example, name to value."""
    lines = EXAMPLE.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """One value with its variables replaced. Raises KeyError, with the text compose would show, for one it demands."""

    def value(match: re.Match[str]) -> str:
        given = values.get(match["name"], "")
        if match["kind"] == "?" and not given:
            raise KeyError(match["rest"])
        return given or (match["rest"] if match["kind"] == "-" else "")

    return VARIABLE.sub(value, text)
